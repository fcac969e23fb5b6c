"""A websocket that keeps itself open.

Connecting (DNS, proxy, TLS, handshake) blocks and runs in a worker thread; then the socket
becomes non-blocking and is read in the loop: into a large buffer, until nothing is left in
the kernel nor in TLS (frames within one TLS record would wait otherwise). One call of
`on_frames` hands over all that has arrived.

Pings are answered and sent; a stream without a single byte for a while is closed. After a
close it reconnects with delays of 1, 2, 4 ... 60 s, from 1 again once it was connected.
Whether the *data* is alive is not known here: pongs prove a link, not a feed.
"""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol
from urllib.parse import urlsplit

import websocket
import zmq

from shared.clock import NS_PER_S, Clock
from shared.errors import MakerdError, one_line
from shared.loop import Loop, Timer
from shared.net.backoff import Backoff
from shared.net.dial import DIAL_TIMEOUT_S, dial
from shared.net.frames import (
    CLOSE,
    PING,
    PONG,
    TEXT,
    FrameDecoder,
    ProtocolError,
    client_frame,
    close_reason,
)

READ_SIZE = 64 * 1024
#: a turn of the loop reads at most this much, so that a flood cannot starve the timers
MAX_TURN = 4 * READ_SIZE
MAX_UNSENT = 1024 * 1024
#: a silent link is to be found within 60 s; it is looked for each second
MAX_SILENCE_NS = 59 * NS_PER_S
#: what a non-blocking socket raises when it has nothing to give or no room to take
WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
log = logging.getLogger("stream")


class StreamListener(Protocol):
    """Who is told; all calls come from the loop."""

    def on_open(self) -> None:
        """Connected: subscribe to everything (again)."""
        ...

    def on_frames(self, frames: list[bytes], recv_ns: int) -> None:
        """Take every message that arrived since the last call, in order."""
        ...

    def on_pong(self) -> None:
        """A ping was answered, and with it all that was sent before it was received."""
        ...

    def on_closed(self, reason: str) -> None:
        """The stream is closed, or could not be opened; the next attempt follows by itself."""
        ...


def open_websocket(url: str) -> socket.socket:
    """Return a connected websocket's socket, handshake done. Blocks. Raises: OSError."""
    connection = dial(url)
    try:
        websocket.create_connection(
            url, timeout=DIAL_TIMEOUT_S, socket=connection, suppress_origin=True, enable_multithread=False
        )
    except websocket.WebSocketException as error:
        connection.close()
        host = urlsplit(url).hostname
        raise OSError(f"the websocket handshake with {host} failed: {one_line(str(error))}") from None
    except BaseException:
        connection.close()
        raise
    connection.setblocking(False)
    return connection


class WebSocketStream:
    """One websocket of a process, from `start` to `close`."""

    def __init__(
        self, loop: Loop, clock: Clock, url: Callable[[], str], listener: StreamListener, *,
        ping_ns: int = 30 * NS_PER_S, silence_ns: int = MAX_SILENCE_NS,
    ) -> None:  # fmt: skip
        """url is asked before each attempt, in a worker: an address may change with a restart."""
        self._loop = loop
        self._clock = clock
        self._url = url
        self._listener = listener
        self._ping_ns = ping_ns
        self._silence_ns = silence_ns
        self._backoff = Backoff()
        self._buffer = bytearray(READ_SIZE)
        self._view = memoryview(self._buffer)
        self._decoder = FrameDecoder()
        self._socket: socket.socket | None = None
        self._unsent = b""
        self._attempt = 0  # an answer to an older attempt is of no interest
        self._timers: list[Timer] = []
        self._last_byte_ns = 0

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    def start(self) -> None:
        """Connect now."""
        self._attempt += 1
        attempt = self._attempt
        self._loop.in_worker(
            lambda: open_websocket(self._url()),
            lambda opened: self._on_opened(attempt, opened),
            socket.socket.close,
        )

    def close(self) -> None:
        """Close for good; the listener is told nothing more."""
        self._attempt += 1
        self._release(b"")

    def reconnect(self, reason: str) -> None:
        """Close, tell the listener, and connect again after the delay."""
        self._attempt += 1
        self._release(b"")
        self._listener.on_closed(reason)
        self._retry()

    def send_text(self, payload: bytes) -> None:
        """Send a message; ignored while the stream is not open (`on_open` subscribes anew)."""
        self._send(client_frame(TEXT, payload))

    def ping(self) -> None:
        self._send(client_frame(PING, b""))

    # --- opening and closing ---

    def _on_opened(self, attempt: int, opened: Future[socket.socket]) -> None:
        error = opened.exception()
        if attempt != self._attempt:
            if error is None:
                opened.result().close()
            return
        if isinstance(error, OSError | MakerdError):
            self._listener.on_closed(f"cannot connect: {error}")
            self._retry()
            return
        self._socket = opened.result()
        self._backoff.reset()
        self._decoder = FrameDecoder()
        self._last_byte_ns = self._clock.monotonic_ns()
        self._timers = [
            self._loop.every(self._ping_ns, self.ping),
            self._loop.every(min(NS_PER_S, self._silence_ns // 4), self._check_silence),
        ]
        self._loop.watch(self._socket.fileno(), self._on_ready)
        self._listener.on_open()
        if self._socket is not None:
            self._on_ready()  # what came together with the handshake may be in TLS already

    def _retry(self) -> None:
        attempt = self._attempt
        self._loop.after(self._backoff.take_ns(), lambda: self.start() if attempt == self._attempt else None)

    def _release(self, last_frame: bytes) -> None:
        """Let go of the socket, with a last frame if it can take one at once."""
        for timer in self._timers:
            timer.cancel()
        self._timers = []
        self._unsent = b""
        if self._socket is None:
            return
        self._loop.unwatch(self._socket.fileno())
        try:
            self._socket.send(last_frame or client_frame(CLOSE, b"\x03\xe8"))
        except OSError as error:
            log.debug("the close frame was not sent", extra={"reason": str(error)})
        self._socket.close()
        self._socket = None

    def _check_silence(self) -> None:
        if self._clock.monotonic_ns() - self._last_byte_ns > self._silence_ns:
            self.reconnect(f"not a byte for {self._silence_ns / NS_PER_S:g} s")

    # --- reading ---

    def _on_ready(self) -> None:
        connection = self._socket
        if connection is None:
            return
        recv_ns = self._clock.monotonic_ns()
        frames: list[bytes] = []
        reason = ""
        try:
            if self._unsent:
                self._flush()
            self._read(connection, frames)
        except ProtocolError as error:
            reason = f"protocol error: {error}"
        except OSError as error:
            reason = f"the connection broke: {error}"
        if frames:
            self._last_byte_ns = recv_ns
            self._listener.on_frames(frames, recv_ns)
        if self._socket is connection and self._decoder.controls:
            self._last_byte_ns = recv_ns
            reason = self._answer_controls() or reason
        if reason and self._socket is connection:
            self.reconnect(reason)

    def _read(self, connection: socket.socket, frames: list[bytes]) -> None:
        """Read until nothing is left, at most one turn's worth. Raises: OSError, ProtocolError.

        Over TLS a read returns one record, often a single frame: only `WOULD_BLOCK` tells the end.
        """
        is_tls = isinstance(connection, ssl.SSLSocket)
        feed = self._decoder.feed
        left = MAX_TURN
        while left > 0:
            try:
                count = connection.recv_into(self._buffer)
            except WOULD_BLOCK:
                return
            if count == 0:
                raise ConnectionResetError("closed by the venue")
            frames += feed(bytes(self._view[:count]))
            left -= count
            if count < READ_SIZE and not is_tls:
                return  # the kernel has no more; the poller tells when it has
        if isinstance(connection, ssl.SSLSocket) and connection.pending():
            self._loop.call_soon(self._on_ready)  # the rest of a record, of which the poller knows nothing

    def _answer_controls(self) -> str:
        """Answer pings, report pongs; return why to close, "" = go on."""
        controls, self._decoder.controls = self._decoder.controls, []
        for opcode, payload in controls:
            if opcode == PING:
                self._send(client_frame(PONG, payload))
            elif opcode == PONG:
                self._listener.on_pong()
            else:
                return f"closed by the venue: {close_reason(payload)}"
        return ""

    # --- writing ---

    def _send(self, frame: bytes) -> None:
        if self._socket is None:
            return
        self._unsent += frame
        if len(self._unsent) > MAX_UNSENT:
            self.reconnect("the venue does not read what is sent")
            return
        try:
            self._flush()
        except OSError as error:
            self.reconnect(f"the connection broke: {error}")

    def _flush(self) -> None:
        """Send what waits; watch for room while something is left. Raises: OSError."""
        if self._socket is None:
            return
        try:
            sent = self._socket.send(self._unsent)
        except WOULD_BLOCK:
            sent = 0
        self._unsent = self._unsent[sent:]
        events = zmq.POLLIN | zmq.POLLOUT if self._unsent else zmq.POLLIN
        self._loop.watch(self._socket.fileno(), self._on_ready, events)
