"""The private stream on the local venue: connected is told when it is true, events in order."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from shared.clock import NS_PER_MS, NS_PER_S, ManualClock, SystemClock
from shared.loop import Loop
from shared.net.frames import TEXT
from shared.secret import Secret
from shared.venues.access import Endpoints, Keys
from shared.venues.backpack.private import BackpackPrivateFeed
from shared.venues.base import PrivateEvent, VenueBalance, VenueFill, VenueOrder, VenuePosition
from shared.venues.clock_offset import ClockOffset
from tests.fixtures.venue import VenueProcess, running_venue
from tests.shared.net.servers import ScriptedServer, run_until, running_loop
from tests.shared.net.test_frames import server_frame
from tests.shared.net.test_stream import accept
from tests.venues.backpack.test_client import take

SYMBOL = "SOL_USDC_PERP"


@dataclass
class Listener:
    events: list[PrivateEvent] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def on_private_events(self, events: Sequence[PrivateEvent], recv_ns: int) -> None:
        assert recv_ns > 0
        self.events += events

    def on_private_connected(self) -> None:
        self.told.append("connected")

    def on_private_disconnected(self, reason: str) -> None:
        self.told.append(reason)

    def of(self, kind: type[PrivateEvent]) -> list[PrivateEvent]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture(scope="module")
def venue() -> Iterator[VenueProcess]:
    with running_venue("--market", "synthetic", "--seed", "7", "--symbols", SYMBOL) as running:
        yield running


@pytest.fixture
def loop() -> Iterator[Loop]:
    with running_loop() as running:
        yield running


def open_feed(
    loop: Loop, venue: VenueProcess, secret: str | None = None
) -> tuple[BackpackPrivateFeed, Listener]:
    clock, listener, maker = SystemClock(), Listener(), venue.ready["accounts"][0]
    keys = Keys(maker["api_key"], Secret(secret or maker["api_secret"]))
    endpoints = Endpoints(venue.ready["rest"], venue.ready["ws"])
    feed = BackpackPrivateFeed(loop, clock, endpoints, keys, ClockOffset(clock), listener)
    feed.start()
    return feed, listener


def test_D08_a_market_order_is_told_as_order_fill_position_and_balance(
    loop: Loop, venue: VenueProcess
) -> None:
    feed, listener = open_feed(loop, venue)
    run_until(loop, lambda: feed.is_connected)
    take(venue.maker, "Bid", "1", 77 << 24)
    run_until(loop, lambda: bool(listener.of(VenuePosition)) and bool(listener.of(VenueBalance)))
    orders = [event for event in listener.events if isinstance(event, VenueOrder)]
    fills = [event for event in listener.events if isinstance(event, VenueFill)]
    assert (orders[0].event, orders[-1].event, orders[-1].status) == ("accepted", "fill", "filled")
    assert {order.client_order_id for order in orders} == {77 << 24}
    assert sum(fill.quantity for fill in fills) == orders[-1].filled == 1
    assert listener.told == ["connected"]
    feed.close()


def test_D03_a_closed_stream_is_told_and_comes_back(loop: Loop, venue: VenueProcess) -> None:
    feed, listener = open_feed(loop, venue)
    run_until(loop, lambda: feed.is_connected)
    venue.fault("close_sockets")
    run_until(loop, lambda: not feed.is_connected)
    venue.clear_faults()
    run_until(loop, lambda: feed.is_connected)
    assert listener.told[0] == listener.told[2] == "connected"
    assert "closed by the venue" in listener.told[1]
    feed.close()


def test_a_subscription_that_the_venue_refuses_never_counts_as_connected(
    loop: Loop, venue: VenueProcess, caplog: pytest.LogCaptureFixture
) -> None:
    feed, listener = open_feed(loop, venue, secret="AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    run_until(loop, lambda: any("refuses" in getattr(line, "reason", "") for line in caplog.records))
    assert not feed.is_connected
    assert listener.told == []
    feed.close()


def test_O05_a_subscription_that_is_refused_again_and_again_waits_longer_each_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    refusal = b'{"id":null,"error":{"code":4003,"message":"Invalid signature"}}'

    def refuse(request: bytes, connection: socket.socket) -> bool:
        accept(request, connection, server_frame(TEXT, refusal))
        return True

    keys = Keys("key", Secret("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="))
    clock = ManualClock(NS_PER_S)
    loop = Loop(clock)
    with ScriptedServer(refuse) as server:
        endpoints = Endpoints(server.url, server.url.replace("http", "ws"))
        feed = BackpackPrivateFeed(loop, clock, endpoints, keys, ClockOffset(clock), Listener())
        feed.start()
        for attempt, wait_s in enumerate((1, 2, 4, 8, 16), 1):
            run_until(loop, lambda attempt=attempt: len(caplog.records) == attempt)  # type: ignore[misc]
            clock.advance(wait_s * NS_PER_S - 1)
            loop.run_once(20 * NS_PER_MS)
            assert server.accepted == attempt
            clock.advance(1)
        feed.close()
    loop.close()


def test_D03_a_subscription_that_was_in_effect_is_back_after_a_second(
    loop: Loop, venue: VenueProcess
) -> None:
    feed, listener = open_feed(loop, venue)
    for closed in (1, 2, 3):  # growing delays would take 1 + 2 + 4 s
        run_until(loop, lambda: feed.is_connected)
        begun = time.monotonic()
        venue.fault("close_sockets")
        run_until(loop, lambda: not feed.is_connected)
        venue.clear_faults()
        run_until(loop, lambda: feed.is_connected)
        assert time.monotonic() - begun < 1.9
        assert listener.told.count("connected") == closed + 1
    feed.close()
