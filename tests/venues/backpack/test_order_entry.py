"""Order codec and order connections together, on the local venue: requests as they really travel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from shared.clock import NS_PER_MS, NS_PER_S, SystemClock
from shared.instrument import Instrument
from shared.loop import Loop
from shared.messages import Side
from shared.net.order_transport import Failure, Reply
from shared.net.orders import OrderConnections
from shared.secret import Secret
from shared.venues.access import Endpoints, Keys
from shared.venues.backpack.client import BackpackPublic
from shared.venues.backpack.orders import BackpackOrders
from shared.venues.base import Accepted, NewOrder, Outcome, Rejected, TimeInForce, Unknown
from shared.venues.clock_offset import ClockOffset
from tests.fixtures.venue import VenueProcess, running_venue
from tests.shared.net.servers import run_until, running_loop

SYMBOL = "SOL_USDC_PERP"


@pytest.fixture(scope="module")
def venue() -> Iterator[VenueProcess]:
    with running_venue("--market", "synthetic", "--seed", "7", "--symbols", SYMBOL) as running:
        yield running


@dataclass
class Desk:
    """One account's order entry, as execution holds it."""

    loop: Loop
    orders: OrderConnections
    codec: BackpackOrders
    instrument: Instrument
    best_bid: int
    clock: ClockOffset
    last_id: int = 77 << 24

    def ask(self, request: bytes) -> Reply | Failure:
        answers: list[Reply | Failure] = []
        assert self.orders.send(request, answers.append) is not None
        run_until(self.loop, lambda: bool(answers))
        return answers[0]

    def place(self, below: int, size: int = 10, **changes: object) -> tuple[int, Outcome]:
        """Place a bid so many ticks below the best; return its client id and what became of it."""
        self.last_id += 1
        order = NewOrder(
            self.instrument, self.last_id, Side.BUY, self.best_bid - below, size,
            bool(changes.get("post_only", True)), False, changes.get("tif", TimeInForce.GTC),  # type: ignore[arg-type]
        )  # fmt: skip
        stamp = self.clock.timestamp_ms() - int(str(changes.get("age_ms", 0)))
        answer = self.ask(self.codec.place(order, stamp))
        if isinstance(answer, Failure):
            return self.last_id, Unknown(answer.text)
        return self.last_id, self.codec.read_place(self.instrument, answer)

    def cancel(self, client_id: int, venue_id: str | None) -> Outcome:
        request = self.codec.cancel(self.instrument, client_id, venue_id, self.clock.timestamp_ms())
        answer = self.ask(request)
        assert isinstance(answer, Reply)
        return self.codec.read_cancel(answer)


@pytest.fixture
def desk(venue: VenueProcess) -> Iterator[Desk]:
    venue.clear_faults()
    endpoints = Endpoints(venue.ready["rest"], venue.ready["ws"])
    maker, clock = venue.ready["accounts"][0], SystemClock()
    public = BackpackPublic("backpack", endpoints)
    instrument = Instrument.from_info(public.instruments()[0])
    best_bid = max(instrument.ticks(price) for price, _ in public.depth(SYMBOL, 5).bids)
    public.close()
    with running_loop() as loop:
        orders = OrderConnections(loop, endpoints.rest_url, 4, clock, NS_PER_S)
        run_until(loop, lambda: orders.idle_count == 4)
        keys = Keys(maker["api_key"], Secret(maker["api_secret"]))
        yield Desk(loop, orders, BackpackOrders(endpoints, keys), instrument, best_bid, ClockOffset(clock))
        orders.close()
    venue.clear_faults()


def received(venue: VenueProcess, client_id: int) -> int:
    """Return how often the venue received a placement."""
    return sum(placed["client_id"] == client_id for placed in venue.placements())


def test_an_order_is_placed_and_cancelled_by_either_id(venue: VenueProcess, desk: Desk) -> None:
    for by_venue_id in (True, False):
        client_id, outcome = desk.place(500)
        assert isinstance(outcome, Accepted)
        assert (outcome.filled, outcome.is_done) == (0, False)
        assert client_id in venue.ours()
        cancelled = desk.cancel(client_id, outcome.venue_order_id if by_venue_id else None)
        assert isinstance(cancelled, Accepted)
        assert cancelled.is_done
        assert client_id not in venue.ours()


def test_a_cancel_all_clears_the_symbol(venue: VenueProcess, desk: Desk) -> None:
    desk.place(500)
    desk.place(600)
    answer = desk.ask(desk.codec.cancel_all(SYMBOL, desk.clock.timestamp_ms()))
    assert isinstance(answer, Reply)
    assert desk.codec.read_cancel(answer) == Accepted("", is_done=True)
    assert not venue.ours()


def test_refusals_have_their_reasons(desk: Desk) -> None:
    reasons = {
        "post_only": desk.place(-500)[1],
        "price_band": desk.place(desk.best_bid - 5)[1],
        "quantity": desk.place(500, size=0)[1],
        "insufficient_funds": desk.place(500, size=10**8)[1],
        "auth": desk.place(500, age_ms=2_100)[1],
        "unknown_order": desk.cancel(1, None),
    }
    found = {wanted: getattr(outcome, "reason", outcome) for wanted, outcome in reasons.items()}
    assert found == {wanted: wanted for wanted in reasons}


def test_an_ioc_order_is_done_with_what_it_filled(desk: Desk) -> None:
    _, outcome = desk.place(-500, size=5, post_only=False, tif=TimeInForce.IOC)
    assert isinstance(outcome, Accepted)
    assert (outcome.filled, outcome.is_done) == (5, True)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("drop_reply", {}),
        ("delay_reply", {"delay_s": 3}),
        ("no_answer", {}),
        ("error_5xx", {"status": 503, "processed": True}),
        ("error_5xx", {"status": 504, "processed": False}),
    ],
)
def test_L01_whatever_happens_to_the_reply_the_outcome_is_unknown_and_the_order_was_sent_once(
    venue: VenueProcess, desk: Desk, kind: str, settings: dict[str, object]
) -> None:
    venue.fault(kind, times=1, method="POST", **settings)
    client_id, outcome = desk.place(500)
    assert isinstance(outcome, Unknown)
    venue.clear_faults()
    desk.loop.run_once(20 * NS_PER_MS)
    assert received(venue, client_id) <= 1
    _, next_outcome = desk.place(500)
    assert isinstance(next_outcome, Accepted), "the next order has a good connection"
    desk.ask(desk.codec.cancel_all(SYMBOL, desk.clock.timestamp_ms()))


def test_O05_a_429_changed_nothing(venue: VenueProcess, desk: Desk) -> None:
    venue.fault("reject_429", times=1, method="POST", retry_after=4)
    client_id, outcome = desk.place(500)
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.retry_after_s) == ("rate_limit", 4)
    assert client_id not in venue.ours()
