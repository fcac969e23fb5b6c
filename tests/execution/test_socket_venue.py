"""The venue link where orders travel over a websocket and a reply means only "queued"."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from services.execution.config import ExecutionConfig
from services.execution.live.venue_link import VenueLink
from services.execution.requests import SendCancel, SendPlace
from services.execution.sending.admission import Approved
from shared.clock import NS_PER_S, Clock, SystemClock
from shared.instrument import Instrument
from shared.loop import Loop
from shared.messages import Side
from shared.net.order_transport import OrderTransport, Reply
from shared.net.socket_orders import SocketOrders
from shared.secret import Secret
from shared.venues.access import Endpoints, Keys
from shared.venues.base import Accepted, Capabilities, NewOrder, Outcome, Rejected, TimeInForce, Unknown
from shared.venues.clock_offset import ClockOffset
from shared.venues.registry import Adapter, OrderLine
from tests.execution.small_venue import INFO
from tests.shared.net.servers import ScriptedServer, run_until, running_loop
from tests.shared.net.test_socket_orders import PostFraming, Venue

INSTRUMENT = Instrument.from_info(INFO)
QUEUES = Capabilities(
    reply_is_final=False, client_id_bits=48, signing_window_ms=2_000, cancel_window_ms=0, limits=()
)


class QueueCodec:
    """Requests are JSON; a reply says "queued", or why not."""

    capabilities = QUEUES

    def __init__(self, endpoints: Endpoints, keys: Keys) -> None:
        pass

    def place(self, order: NewOrder, timestamp_ms: int) -> bytes:
        return orjson.dumps({"place": order.client_order_id, "at": timestamp_ms})

    def cancel(
        self, _instrument: Instrument, client_order_id: int, _venue_order_id: str | None, timestamp_ms: int
    ) -> bytes:
        return orjson.dumps({"cancel": client_order_id, "at": timestamp_ms})

    def cancel_all(self, symbol: str, timestamp_ms: int) -> bytes:
        return orjson.dumps({"cancel_all": symbol, "at": timestamp_ms})

    def read_place(self, _instrument: Instrument, reply: Reply) -> Outcome:
        return self.read_cancel(reply)

    def read_cancel(self, reply: Reply) -> Outcome:
        said = orjson.loads(reply.body)
        return Accepted("") if said == "queued" else Rejected(said, said)


class Nothing:
    """Stands for the parts that orders do not need."""

    def __init__(self, *_: object) -> None:
        pass

    def close(self) -> None:
        pass


class Core:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Callable[..., list[Any]]:
        return lambda *values: self.told.append((name, values)) or []  # type: ignore[func-returns-value]

    def outcomes(self) -> list[tuple[int, Outcome]]:
        return [values[:2] for name, values in self.told if name.endswith("_reply")]


def by_socket(loop: Loop, clock: Clock, endpoints: Endpoints, line: OrderLine) -> OrderTransport:
    return SocketOrders(loop, clock, lambda: endpoints.ws_url, PostFraming(), timeout_ns=line.timeout_ns)


@pytest.fixture
def loop() -> Iterator[Loop]:
    with running_loop() as running:
        yield running


@pytest.fixture
def scene(loop: Loop) -> Iterator[tuple[VenueLink, Core, Venue]]:
    venue, core, clock = Venue(), Core(), SystemClock()
    adapter = Adapter(QUEUES, Nothing, Nothing, Nothing, QueueCodec, by_socket, Nothing)  # type: ignore[arg-type]
    with ScriptedServer(venue.serve) as server:
        link = VenueLink(
            loop, clock, adapter, Endpoints(server.url, server.url.replace("http", "ws", 1)),
            Keys("key", Secret("secret")), ClockOffset(clock), ExecutionConfig(order_timeout_s=0.3), "other",
            core, lambda _outputs: None,  # type: ignore[arg-type]
        )  # fmt: skip
        run_until(loop, lambda: bool(venue.connections) and link._transport.is_ready)  # type: ignore[attr-defined]
        yield link, core, venue
        link.close()


def placement(number: int) -> SendPlace:
    order = NewOrder(INSTRUMENT, number, Side.BUY, 9_990, 10, True, False, TimeInForce.GTC)
    return SendPlace(Approved(order, 0, SystemClock().monotonic_ns() + 60 * NS_PER_S))


def test_orders_travel_numbered_and_their_replies_find_them(
    loop: Loop, scene: tuple[VenueLink, Core, Venue]
) -> None:
    link, core, venue = scene
    link.place(placement(71))
    link.place(placement(72))
    link.cancel(SendCancel(INSTRUMENT, 70, None, 0))
    run_until(loop, lambda: len(venue.received) == 3)
    requests = [orjson.loads(frame) for frame in venue.received]
    assert [request["request"].get("place") for request in requests] == [71, 72, None]
    assert requests[2]["request"]["cancel"] == 70
    venue.answer(3, "queued")
    venue.answer(2, "post_only")
    venue.answer(1, "queued")
    run_until(loop, lambda: len(core.outcomes()) == 3)
    assert core.outcomes() == [
        (70, Accepted("")), (72, Rejected("post_only", "post_only")), (71, Accepted("")),
    ]  # fmt: skip


def test_L01_a_socket_that_closes_leaves_every_order_on_it_unknown_and_sends_none_again(
    loop: Loop, scene: tuple[VenueLink, Core, Venue]
) -> None:
    link, core, venue = scene
    link.place(placement(71))
    link.place(placement(72))
    run_until(loop, lambda: len(venue.received) == 2)
    venue.connections[0].shutdown(socket.SHUT_RDWR)
    run_until(loop, lambda: len(core.outcomes()) == 2)
    assert [identity for identity, _ in core.outcomes()] == [71, 72]
    assert all(isinstance(outcome, Unknown) for _, outcome in core.outcomes())
    link.place(placement(73))
    assert core.told[-1][0] == "on_place_not_sent"
    run_until(loop, lambda: len(venue.connections) == 2)
    assert len(venue.received) == 2
