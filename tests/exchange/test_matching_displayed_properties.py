"""Whatever a recording does: our orders fill by its prints alone, and the book is never crossed."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from services.exchange.engine.matching import Book
from services.exchange.model import SelfTrade, Side
from tests.exchange.venue_builder import PERP, Bench, account, bench


@dataclass
class Tape:
    """A made-up recording that moves at will and is never crossed by itself."""

    at: Bench
    known: dict[Side, dict[int, int]] = field(default_factory=lambda: {Side.BUY: {}, Side.SELL: {}})

    def move(self, bid: int, spread: int, sizes: tuple[int, int], recorded_ns: int) -> None:
        best = {Side.BUY: (bid, sizes[0]), Side.SELL: (bid + spread, sizes[1])}
        changes = []
        for side, (ticks, lots) in best.items():
            sign = 1 if side is Side.BUY else -1
            changes += [(side, gone, 0) for gone in self.known[side] if sign * (gone - ticks) > 0]
            changes.append((side, ticks, lots))
        for side, ticks, lots in changes:
            self.known[side][ticks] = lots
        self.at.venue.engine(PERP).show(changes, self.at.now_ns, recorded_ns)


def reachable(at: Bench, taker: Side, ticks: int) -> bool:
    """Return whether an order of ours rests at or through the price of a print."""
    sign = 1 if taker is Side.SELL else -1
    resting = at.venue.open_orders("ann")
    return any(
        order.side is not taker and order.price is not None and sign * (order.price - ticks) >= 0
        for order in resting
    )


def passively_filled(at: Bench) -> int:
    return sum(fill.quantity for fill in at.venue.fills("ann") if fill.is_maker)


moved = st.tuples(st.just("move"), st.integers(14990, 15010), st.integers(1, 4), st.integers(0, 200))
placed = st.tuples(st.just("place"), st.integers(14990, 15012), st.sampled_from((1, -1)), st.integers(1, 100))
printed = st.tuples(
    st.just("print"), st.integers(14990, 15012), st.sampled_from((1, -1)), st.integers(1, 200)
)
cancelled = st.tuples(st.just("cancel"), st.integers(0, 9), st.just(1), st.just(0))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(moved, placed, printed, cancelled), max_size=40))
def test_in_any_recording_orders_fill_by_prints_alone_and_the_book_is_never_crossed(
    steps: list[tuple[str, int, int, int]],
) -> None:
    at = bench(account("ann", "100000000"))
    tape, book = Tape(at), at.venue.engine(PERP).book
    recorded = taken = 0
    for number, (kind, ticks, more, lots) in enumerate(steps):
        before, side = passively_filled(at), Side.BUY if more > 0 else Side.SELL
        if kind == "move":
            tape.move(ticks, more, (lots, 200 - lots), number)
            assert passively_filled(at) == before
        elif kind == "print":
            most = lots if reachable(at, side, ticks) else 0
            at.venue.engine(PERP).print_trade(side, ticks, lots, at.now_ns, number)
            recorded += lots
            assert passively_filled(at) - before <= most
        elif kind == "place":
            price, size = f"{ticks / 100:.2f}", f"{lots / 100:.2f}"
            taken += at.order("ann", side, price, size, self_trade=SelfTrade.REJECT_MAKER).filled
        elif resting := at.venue.open_orders("ann"):
            at.cancel(resting[ticks % len(resting)])
        assert_in_order(book)
    assert sum(lots for _, lots in at.trades()) == recorded + taken


def assert_in_order(book: Book) -> None:
    """Assert that the book is not crossed and queues stay within the display, by arrival."""
    bid, ask = book.bids.best(), book.asks.best()
    assert bid is None or ask is None or bid.price < ask.price
    for level in (*book.bids, *book.asks):
        assert level.orders or level.displayed
        queues = [order.queue_ahead for order in level.orders.values()]
        assert queues == sorted(queues)
        assert all(0 <= ahead <= level.displayed for ahead in queues)
        assert level.lots == sum(order.leaves for order in level.orders.values())
