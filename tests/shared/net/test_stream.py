"""The websocket stream: frames in order and all at once, back-off, pings, silence."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shared.clock import NS_PER_MS, NS_PER_S, SystemClock
from shared.loop import Loop
from shared.net.backoff import Backoff
from shared.net.frames import CLOSE, PING, PONG, TEXT
from shared.net.stream import StreamListener, WebSocketStream
from tests.shared.net.servers import Script, ScriptedServer, run_until
from tests.shared.net.test_frames import server_frame


def accept(request: bytes, connection: socket.socket, first: bytes = b"") -> None:
    """Answer a handshake; `first` leaves in the same segment."""
    found = re.search(rb"(?i)sec-websocket-key: (\S+)", request)
    assert found is not None
    digest = hashlib.sha1(found.group(1) + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n" + first
    )


@dataclass
class Listener(StreamListener):
    opened: int = 0
    pongs: int = 0
    frames: list[bytes] = field(default_factory=list)
    turns: int = 0
    reasons: list[str] = field(default_factory=list)

    def on_open(self) -> None:
        self.opened += 1

    def on_frames(self, frames: list[bytes], recv_ns: int) -> None:
        assert frames
        assert recv_ns > 0
        self.turns += 1
        self.frames += frames

    def on_pong(self) -> None:
        self.pongs += 1

    def on_closed(self, reason: str) -> None:
        self.reasons.append(reason)


def open_stream(loop: Loop, url: str, **timing: int) -> tuple[WebSocketStream, Listener]:
    listener = Listener()
    stream = WebSocketStream(loop, SystemClock(), lambda: url.replace("http", "ws", 1), listener, **timing)
    stream.start()
    return stream, listener


def sends(payload: bytes) -> Script:
    def script(request: bytes, connection: socket.socket) -> bool:
        accept(request, connection)
        connection.sendall(payload)
        return True

    return script


def test_all_frames_of_a_turn_come_in_one_call_and_in_order(loop: Loop) -> None:
    payloads = [b"%d" % number for number in range(500)]
    with ScriptedServer(sends(b"".join(server_frame(TEXT, one) for one in payloads))) as server:
        stream, listener = open_stream(loop, server.url)
        run_until(loop, lambda: len(listener.frames) == 500)
        assert listener.frames == payloads
        assert listener.turns < 50
        stream.close()


def test_frames_that_arrive_with_the_handshake_are_not_lost(loop: Loop) -> None:
    def script(request: bytes, connection: socket.socket) -> bool:
        accept(request, connection, first=server_frame(TEXT, b"early"))
        return True

    with ScriptedServer(script) as server:
        stream, listener = open_stream(loop, server.url)
        run_until(loop, lambda: listener.frames == [b"early"])
        assert listener.opened == 1
        stream.close()


def test_many_frames_within_one_tls_record_are_all_delivered(
    loop: Loop, certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel has nothing more to tell once TLS has taken the record: the stream must ask TLS."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    payloads = [b"x" * 1000 + b"%d" % number for number in range(1500)]  # several turns long
    script = sends(b"".join(server_frame(TEXT, one) for one in payloads))
    with ScriptedServer(script, certificate[1]) as server:
        stream, listener = open_stream(loop, server.url)
        run_until(loop, lambda: len(listener.frames) == len(payloads))
        assert listener.frames == payloads
        stream.close()


def test_one_tls_record_a_frame_is_drained_in_a_few_turns(
    loop: Loop, certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A venue writes each frame by itself: a backlog must not be read four frames at a time."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    payloads = [b"x" * 150 + b"%d" % number for number in range(1000)]
    is_sent = threading.Event()

    def script(request: bytes, connection: socket.socket) -> bool:
        accept(request, connection)
        for payload in payloads:
            connection.sendall(server_frame(TEXT, payload))
        is_sent.set()
        return True

    with ScriptedServer(script, certificate[1]) as server:
        stream, listener = open_stream(loop, server.url)
        run_until(loop, lambda: listener.opened == 1)
        assert is_sent.wait(5)  # the backlog forms: the loop does not turn
        before = listener.turns
        run_until(loop, lambda: len(listener.frames) == len(payloads))
        assert listener.frames == payloads
        assert listener.turns - before <= 10
        stream.close()


def test_a_flood_over_tls_lets_the_timers_have_their_turn(
    loop: Loop, certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    frames, is_over = server_frame(TEXT, b"x" * 150) * 20, threading.Event()

    def script(request: bytes, connection: socket.socket) -> bool:
        accept(request, connection)
        while not is_over.is_set():
            connection.sendall(frames)
        return False

    class SlowListener(Listener):
        """Takes longer for a frame than the venue to send one."""

        def on_frames(self, frames: list[bytes], _recv_ns: int) -> None:
            end = time.perf_counter() + 20e-6 * len(frames)
            while time.perf_counter() < end:
                pass
            self.turns += 1

    with ScriptedServer(script, certificate[1]) as server:
        listener, ticks = SlowListener(), list[int]()
        give_up = threading.Timer(10, is_over.set)
        give_up.start()
        url = server.url.replace("http", "ws", 1)
        stream = WebSocketStream(loop, SystemClock(), lambda: url, listener)
        stream.start()
        run_until(loop, lambda: listener.turns > 0)
        loop.every(20 * NS_PER_MS, lambda: ticks.append(listener.turns))
        run_until(loop, lambda: len(ticks) == 10, timeout_s=10)
        assert not is_over.is_set(), "the timers waited for the end of the flood"
        assert max(after - before for before, after in itertools.pairwise(ticks)) <= 3, "turns between two"
        is_over.set()
        give_up.cancel()
        stream.close()


def test_D05_pings_are_answered_and_sent(loop: Loop) -> None:
    received: list[bytes] = []

    def script(request: bytes, connection: socket.socket) -> bool:
        accept(request, connection, first=server_frame(PING, b"hi"))
        while len(received) < 2:
            received.append(connection.recv(4096))
        connection.sendall(server_frame(PONG, b""))
        return True

    with ScriptedServer(script) as server:
        stream, listener = open_stream(loop, server.url, ping_ns=50 * NS_PER_MS)
        run_until(loop, lambda: listener.pongs == 1)
        assert received[0][0] == 0x80 | PONG
        assert received[1][0] == 0x80 | PING
        stream.close()


def test_D05_a_link_without_a_byte_is_closed_and_opened_again(loop: Loop) -> None:
    with ScriptedServer(sends(b"")) as server:
        stream, listener = open_stream(loop, server.url, silence_ns=200 * NS_PER_MS)
        run_until(loop, lambda: bool(listener.reasons))
        assert listener.reasons == ["not a byte for 0.2 s"]
        run_until(loop, lambda: listener.opened == 2)
        stream.close()


def test_D03_the_delays_are_1_2_4_to_60_and_1_again_after_a_success() -> None:
    backoff = Backoff()
    assert [backoff.take_ns() // NS_PER_S for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    backoff.reset()
    assert backoff.take_ns() == NS_PER_S


def test_D03_a_closed_stream_comes_back_and_says_why_it_was_closed(loop: Loop) -> None:
    with ScriptedServer(sends(server_frame(TEXT, b"last") + server_frame(CLOSE, b"\x03\xe9bye"))) as server:
        stream, listener = open_stream(loop, server.url)
        run_until(loop, lambda: listener.opened == 2)
        assert listener.frames[0] == b"last"
        assert listener.reasons[0] == "closed by the venue: 1001 bye"
        stream.close()


def test_a_venue_that_is_not_there_is_told_with_a_reason(loop: Loop) -> None:
    with ScriptedServer(sends(b"")) as server:
        url = server.url
    stream, listener = open_stream(loop, url)
    run_until(loop, lambda: bool(listener.reasons))
    assert "cannot connect" in listener.reasons[0]
    assert not stream.is_open
    stream.close()


def test_a_refused_handshake_is_told_with_a_reason(loop: Loop) -> None:
    def script(_request: bytes, connection: socket.socket) -> bool:
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        return True

    with ScriptedServer(script) as server:
        stream, listener = open_stream(loop, server.url)
        run_until(loop, lambda: bool(listener.reasons))
        assert "403" in listener.reasons[0]
        stream.close()


def test_what_is_not_a_websocket_frame_closes_the_stream(loop: Loop) -> None:
    with ScriptedServer(sends(server_frame(TEXT, b"good") + b"\xff\xff\xff")) as server:
        stream, listener = open_stream(loop, server.url)
        run_until(loop, lambda: bool(listener.reasons))
        assert "protocol error" in listener.reasons[0]
        stream.close()


def test_a_large_message_waits_for_room_and_arrives_whole(loop: Loop) -> None:
    size, done, received = 900_000, threading.Event(), bytearray()

    def script(request: bytes, connection: socket.socket) -> bool:
        accept(request, connection)
        while len(received) < size:
            received.extend(connection.recv(1 << 16))
        done.set()
        return True

    with ScriptedServer(script) as server:
        stream, listener = open_stream(loop, server.url)
        run_until(loop, lambda: listener.opened == 1)
        stream.send_text(b"x" * size)
        run_until(loop, done.is_set)
        assert not listener.reasons
        stream.close()


def test_nothing_is_told_after_close(loop: Loop) -> None:
    with ScriptedServer(sends(server_frame(TEXT, b"x"))) as server:
        stream, listener = open_stream(loop, server.url)
        stream.close()
        run_until(loop, lambda: server.accepted == 1)
        loop.run_once(50 * NS_PER_MS)
        assert (listener.opened, listener.frames, listener.reasons) == (0, [], [])
