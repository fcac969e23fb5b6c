"""Order connections: exactly one answer per request, nothing sent twice, nothing called rejected."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from shared.clock import NS_PER_MS, NS_PER_S, SystemClock
from shared.loop import Loop
from shared.net.order_transport import Failure, Reply
from shared.net.orders import OrderConnections
from tests.shared.net.servers import Script, ScriptedServer, http_reply, run_until

REQUEST = b"POST /api/v1/order HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


def echo(request: bytes, connection: socket.socket) -> bool:
    connection.sendall(http_reply(request[-2:]))
    return True


def connect(
    loop: Loop, server: ScriptedServer, size: int = 1, timeout_ns: int = NS_PER_S
) -> OrderConnections:
    orders = OrderConnections(loop, server.url, size, SystemClock(), timeout_ns)
    run_until(loop, lambda: orders.idle_count == size)
    return orders


def ask(loop: Loop, orders: OrderConnections, request: bytes = REQUEST) -> Reply | Failure:
    answers: list[Reply | Failure] = []
    assert orders.send(request, answers.append) is not None
    assert not answers, "the answer must come from the loop, never from within send"
    run_until(loop, lambda: bool(answers))
    assert len(answers) == 1
    return answers[0]


def test_a_reply_is_reported_and_its_connection_used_again(loop: Loop) -> None:
    with ScriptedServer(echo) as server:
        orders = connect(loop, server)
        for _ in range(20):
            reply = ask(loop, orders)
            assert isinstance(reply, Reply)
            assert (reply.status, reply.body) == (200, b"{}")
            assert reply.sent_ns <= reply.recv_ns
        assert server.accepted == 1
        assert len(server.requests) == 20
        orders.close()


def test_one_request_in_flight_per_connection_and_none_means_nothing_was_sent(loop: Loop) -> None:
    release = threading.Event()

    def hold(request: bytes, connection: socket.socket) -> bool:
        release.wait(5)
        return echo(request, connection)

    with ScriptedServer(hold) as server:
        orders = connect(loop, server, size=2)
        answers: list[Reply | Failure] = []
        assert orders.send(REQUEST, answers.append) is not None
        assert orders.send(REQUEST, answers.append) is not None
        assert orders.in_flight == 2
        assert orders.send(REQUEST, answers.append) is None
        release.set()
        run_until(loop, lambda: len(answers) == 2)
        assert len(server.requests) == 2
        orders.close()


def test_an_idle_connection_that_the_venue_closed_is_not_used(loop: Loop) -> None:
    with ScriptedServer(echo) as server:
        orders = connect(loop, server, size=2)
        run_until(loop, lambda: server.accepted == 2)  # connected is not yet accepted
        server.close_connections()
        run_until(loop, lambda: server.accepted >= 3)  # replaced in the background
        run_until(loop, lambda: orders.idle_count >= 1)
        assert isinstance(ask(loop, orders), Reply)
        assert len(server.requests) == 1
        orders.close()


def test_unsolicited_bytes_make_a_connection_unusable(loop: Loop) -> None:
    """A 408 that the venue sends to an idle connection must never be read as an order's reply."""

    def talk_on(_request: bytes, connection: socket.socket) -> bool:
        connection.sendall(http_reply(b"{}") + http_reply(b"timeout", 408))
        return True

    with ScriptedServer(talk_on) as server:
        orders = connect(loop, server)
        first = ask(loop, orders)
        assert isinstance(first, Reply)
        run_until(loop, lambda: server.accepted >= 2 and orders.idle_count == 1)
        assert isinstance(ask(loop, orders), Reply)
        assert len(server.requests) == 2
        orders.close()


@pytest.mark.parametrize("part", [b"", b"HTTP/1.1 200", http_reply(b"{}")[:-1], b"nonsense\r\n\r\n"])
def test_L01_a_connection_that_dies_after_the_first_byte_is_unknown_and_nothing_is_sent_again(
    loop: Loop, part: bytes
) -> None:
    def cut(_request: bytes, connection: socket.socket) -> bool:
        connection.sendall(part)
        connection.shutdown(socket.SHUT_RDWR)
        return False

    with ScriptedServer(cut) as server:
        orders = connect(loop, server, size=3)
        answer = ask(loop, orders)
        assert isinstance(answer, Failure)
        assert answer.sent_ns <= answer.at_ns
        run_until(loop, lambda: orders.idle_count == 3)  # topped up again
        assert len(server.requests) == 1
        orders.close()


def test_L01_a_timeout_is_a_failure_and_the_late_reply_is_still_told(loop: Loop) -> None:
    release = threading.Event()

    def late(request: bytes, connection: socket.socket) -> bool:
        release.wait(5)
        return echo(request, connection)

    with ScriptedServer(late) as server:
        orders = connect(loop, server, timeout_ns=100 * NS_PER_MS)
        answers: list[Reply | Failure] = []
        late_replies: list[Reply] = []
        sent_ns = orders.send(REQUEST, answers.append, late_replies.append)
        run_until(loop, lambda: bool(answers))
        assert isinstance(answers[0], Failure)
        assert "no reply within 0.1 s" in answers[0].text
        run_until(loop, lambda: orders.idle_count == 1)  # another connection took its place
        release.set()
        run_until(loop, lambda: bool(late_replies))
        assert late_replies[0].sent_ns == sent_ns
        assert len(answers) == 1
        assert len(server.requests) == 1
        orders.close()


def test_a_reply_that_says_close_ends_its_connection(loop: Loop) -> None:
    def closing(_request: bytes, connection: socket.socket) -> bool:
        connection.sendall(http_reply(b"{}", extra=b"Connection: close\r\n"))
        return True

    with ScriptedServer(closing) as server:
        orders = connect(loop, server)
        assert isinstance(ask(loop, orders), Reply)
        run_until(loop, lambda: server.accepted == 2 and orders.idle_count == 1)  # another took its place
        orders.close()


def test_a_request_larger_than_the_kernel_takes_at_once_is_sent_whole(loop: Loop) -> None:
    body = b"x" * 8_000_000
    request = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with ScriptedServer(echo) as server:
        orders = connect(loop, server, timeout_ns=10 * NS_PER_S)
        assert isinstance(ask(loop, orders, request), Reply)
        assert server.requests == [request]
        orders.close()


def test_a_venue_that_is_not_there_is_tried_again_with_a_delay(loop: Loop) -> None:
    with ScriptedServer(echo) as server:
        url, port = server.url, server.port
    orders = OrderConnections(loop, url, 2, SystemClock())
    run_until(loop, lambda: bool(orders.last_error))
    assert f"localhost:{port}" in orders.last_error
    assert orders.send(REQUEST, lambda _: None) is None
    orders.close()


def _with_tls(script: Script, certificate: tuple[Path, ssl.SSLContext]) -> ScriptedServer:
    return ScriptedServer(script, certificate[1])


def test_orders_over_tls_are_answered_and_connections_reused(
    loop: Loop, certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with _with_tls(echo, certificate) as server:
        orders = connect(loop, server, size=2)
        for _ in range(10):
            assert isinstance(ask(loop, orders), Reply)
        assert server.accepted == 2
        server.close_connections()
        run_until(loop, lambda: server.accepted >= 3 and orders.idle_count >= 1)
        assert isinstance(ask(loop, orders), Reply)
        orders.close()


def test_D15_a_certificate_that_is_not_trusted_is_refused(
    loop: Loop, certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with _with_tls(echo, certificate) as server:
        orders = OrderConnections(loop, server.url, 1, SystemClock())
        run_until(loop, lambda: "certificate" in orders.last_error.lower())
        assert orders.idle_count == 0
        orders.close()
