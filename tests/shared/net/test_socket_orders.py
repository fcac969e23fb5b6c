"""Orders over a websocket: numbered, answered once, unknown when unanswered, never sent again."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson
import pytest

from shared.clock import NS_PER_MS, SystemClock
from shared.loop import Loop
from shared.net.frames import PING, TEXT
from shared.net.order_transport import Failure, Reply
from shared.net.socket_orders import Numbered, SocketOrders
from tests.shared.net.servers import ScriptedServer, run_until
from tests.shared.net.test_frames import server_frame
from tests.shared.net.test_stream import accept


class PostFraming:
    """In the manner of the venues that take orders over a websocket: an id around what is signed."""

    ping: bytes | None = None

    def wrap(self, number: int, request: bytes) -> bytes:
        return b'{"id":%d,"request":%b}' % (number, request)

    def read(self, frame: bytes) -> Numbered | None:
        try:
            message = orjson.loads(frame)
        except orjson.JSONDecodeError:
            return None
        if "id" not in message:
            return None
        return Numbered(message["id"], message["status"], orjson.dumps(message["result"]))

    def answer(self, frame: bytes) -> bytes | None:
        return b'{"type":"pong"}' if frame == b'{"type":"ping"}' else None


@dataclass
class Venue:
    """Accepts websockets and remembers what it is sent; answers when the test says so."""

    received: list[bytes] = field(default_factory=list)
    connections: list[socket.socket] = field(default_factory=list)

    def serve(self, request: bytes, connection: socket.socket) -> bool:
        accept(request, connection)
        self.connections.append(connection)
        while (payload := _client_text(connection)) is not None:
            if payload:
                self.received.append(payload)
        return False

    def numbers(self) -> list[int]:
        return [orjson.loads(payload)["id"] for payload in self.received if b'"id"' in payload]

    def say(self, payload: bytes) -> None:
        self.connections[-1].sendall(server_frame(TEXT, payload))

    def answer(self, number: int, result: str = "ok") -> None:
        self.say(orjson.dumps({"id": number, "status": 200, "result": result}))


def _client_text(connection: socket.socket) -> bytes | None:
    """Return the next text that a client sends, b"" for a control frame, None at the end."""
    head = _exactly(connection, 2)
    if head is None:
        return None
    length = head[1] & 0x7F
    if length == 126:
        length = int.from_bytes(_exactly(connection, 2) or b"")
    mask, masked = _exactly(connection, 4), _exactly(connection, length)
    if mask is None or masked is None:
        return None
    payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(masked))
    return payload if head[0] & 0x0F == TEXT else b""


def _exactly(connection: socket.socket, count: int) -> bytes | None:
    read = b""
    while len(read) < count:
        chunk = connection.recv(count - len(read))
        if not chunk:
            return None
        read += chunk
    return read


@dataclass
class Desk:
    """The transport with a venue at its other end, and what became of each request."""

    loop: Loop
    venue: Venue
    orders: SocketOrders
    outcomes: dict[str, list[Reply | Failure]] = field(default_factory=dict)
    late: dict[str, list[Reply]] = field(default_factory=dict)

    def send(self, name: str) -> int | None:
        outcomes, late = self.outcomes.setdefault(name, []), self.late.setdefault(name, [])
        return self.orders.send(orjson.dumps(name), outcomes.append, late.append)

    def until_received(self, count: int) -> None:
        run_until(self.loop, lambda: len(self.venue.numbers()) >= count)

    def until_told(self, *names: str) -> None:
        run_until(self.loop, lambda: all(self.outcomes[name] for name in names))


@pytest.fixture
def desk(loop: Loop) -> Iterator[Desk]:
    venue = Venue()
    with ScriptedServer(venue.serve) as server:
        orders = SocketOrders(
            loop, SystemClock(), lambda: server.url.replace("http", "ws", 1), PostFraming(),
            timeout_ns=300 * NS_PER_MS, max_in_flight=20,
        )  # fmt: skip
        run_until(loop, lambda: orders.is_ready and bool(venue.connections))
        yield Desk(loop, venue, orders)
        orders.close()


def test_every_reply_finds_its_request_in_whatever_order_they_come(desk: Desk) -> None:
    names = [f"order {number}" for number in range(1, 21)]
    for name in names:
        assert desk.send(name) is not None
    desk.until_received(20)
    shuffled = list(enumerate(names, 1))
    random.Random(7).shuffle(shuffled)
    for number, name in shuffled:
        desk.venue.answer(number, f"reply to {name}")
    desk.until_told(*names)
    for name in names:
        (reply,) = desk.outcomes[name]
        assert isinstance(reply, Reply)
        assert (reply.status, orjson.loads(reply.body)) == (200, f"reply to {name}")
        assert reply.recv_ns >= reply.sent_ns


def test_L01_a_request_without_a_reply_is_unknown_and_its_late_reply_is_told_as_late(desk: Desk) -> None:
    desk.send("slow")
    desk.send("quick")
    desk.until_received(2)
    desk.venue.answer(2)
    desk.until_told("slow", "quick")
    assert isinstance(desk.outcomes["quick"][0], Reply)
    (failure,) = desk.outcomes["slow"]
    assert isinstance(failure, Failure)
    assert failure.text == "no reply within 0.3 s"
    desk.venue.answer(1, "after all")
    run_until(desk.loop, lambda: bool(desk.late["slow"]))
    desk.venue.answer(1, "and again")
    desk.send("next")
    desk.until_received(3)
    desk.venue.answer(3)
    desk.until_told("next")
    assert [len(desk.outcomes["slow"]), len(desk.late["slow"])] == [1, 1]
    assert desk.venue.numbers() == [1, 2, 3], "nothing is sent twice"


def test_L01_a_closed_socket_makes_everything_in_flight_unknown_and_nothing_is_sent_again(desk: Desk) -> None:
    names = ["a", "b", "c"]
    for name in names:
        desk.send(name)
    desk.until_received(3)
    desk.venue.answer(2)
    desk.until_told("b")
    desk.venue.connections[0].shutdown(socket.SHUT_RDWR)
    desk.until_told(*names)
    assert [type(desk.outcomes[name][0]) for name in names] == [Failure, Reply, Failure]
    assert "closed by the venue" in desk.orders.last_error
    assert desk.send("meanwhile") is None, "nothing can leave"
    run_until(desk.loop, lambda: desk.orders.is_ready)
    assert desk.send("d") is not None
    desk.until_received(4)
    desk.venue.answer(1, "from the connection before")
    desk.venue.answer(4)
    desk.until_told("d")
    assert desk.venue.numbers() == [1, 2, 3, 4], "nothing is sent twice, no number is used twice"
    assert all(len(outcomes) == 1 for name, outcomes in desk.outcomes.items() if name != "meanwhile")
    assert not any(desk.late.values())
    assert desk.outcomes["meanwhile"] == []


def test_no_more_requests_are_in_flight_than_the_venue_holds(desk: Desk) -> None:
    for number in range(20):
        assert desk.send(f"order {number}") is not None
    assert desk.send("one too many") is None
    desk.until_received(20)
    desk.venue.answer(1)
    desk.until_told("order 0")
    assert desk.send("one more") is not None


def test_D05_the_venues_ping_is_answered_and_what_cannot_be_read_is_no_reply(desk: Desk) -> None:
    desk.send("order")
    desk.until_received(1)
    desk.venue.say(b"Websocket connection established.")
    desk.venue.say(b'{"type":"connected"}')
    desk.venue.say(b'{"type":"ping"}')
    desk.venue.connections[-1].sendall(server_frame(PING, b""))
    run_until(desk.loop, lambda: b'{"type":"pong"}' in desk.venue.received)
    assert desk.outcomes["order"] == []
    desk.venue.answer(1)
    desk.until_told("order")


def test_a_closed_transport_tells_nothing_more(desk: Desk) -> None:
    desk.send("order")
    desk.until_received(1)
    desk.orders.close()
    desk.loop.run_once(400 * NS_PER_MS)
    assert desk.outcomes["order"] == []
    assert desk.send("another") is None


def test_a_venue_that_is_not_there_is_told_and_nothing_is_sent(loop: Loop) -> None:
    orders = SocketOrders(loop, SystemClock(), lambda: "ws://127.0.0.1:1", PostFraming())
    run_until(loop, lambda: bool(orders.last_error))
    assert "cannot connect" in orders.last_error
    assert orders.send(b"{}", lambda _: None) is None
    orders.close()
