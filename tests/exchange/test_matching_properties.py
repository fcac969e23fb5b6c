"""Properties of the matching engine over random operations, checked against a naive book."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from services.exchange.engine.order_life import OUTSIDER
from services.exchange.model import Order, OrderEvent, SelfTrade, Side, TimeInForce, Trade
from tests.exchange.venue_builder import PERP, Bench, account, bench


@dataclass(frozen=True)
class Operation:
    owner: str
    side: Side
    ticks: int
    lots: int
    rests: bool
    cancels: int | None


operations = st.lists(
    st.builds(
        Operation,
        owner=st.sampled_from(("ann", "bob", OUTSIDER)),
        side=st.sampled_from(Side),
        ticks=st.integers(14_995, 15_005),
        lots=st.integers(1, 300),
        rests=st.sampled_from((True, True, True, False)),
        cancels=st.one_of(st.none(), st.none(), st.integers(0, 30)),
    ),
    max_size=40,
)


@dataclass
class Resting:
    name: int
    owner: str
    side: Side
    ticks: int
    lots: int


class NaiveBook:
    """Price-time priority in the obvious way: sort, take the first, repeat."""

    def __init__(self) -> None:
        self.resting: list[Resting] = []
        self.trades: list[tuple[int, int]] = []

    def place(self, name: int, operation: Operation) -> None:
        lots = operation.lots
        sign = 1 if operation.side is Side.BUY else -1
        while lots:
            makers = [r for r in self.resting if r.side is not operation.side]
            makers = [r for r in makers if sign * (operation.ticks - r.ticks) >= 0]
            if not makers:
                break
            best = min(makers, key=lambda r: sign * r.ticks)  # min keeps arrival order among equals
            if best.owner == operation.owner != OUTSIDER:
                self.resting.remove(best)
                continue
            traded = min(lots, best.lots)
            self.trades.append((best.ticks, traded))
            lots -= traded
            best.lots -= traded
            if not best.lots:
                self.resting.remove(best)
        if lots and operation.rests:
            self.resting.append(Resting(name, operation.owner, operation.side, operation.ticks, lots))

    def cancel(self, name: int) -> None:
        self.resting = [r for r in self.resting if r.name != name]

    def depth(self, side: Side) -> list[tuple[int, int]]:
        sizes: Counter[int] = Counter()
        for order in self.resting:
            if order.side is side:
                sizes[order.ticks] += order.lots
        return sorted(sizes.items(), reverse=side is Side.BUY)


def rich_bench() -> Bench:
    return bench(account("ann", "100000000"), account("bob", "100000000"))


def apply(at: Bench, operation: Operation) -> Order:
    engine = at.venue.engine(PERP)
    if operation.owner == OUTSIDER:
        return engine.enter(operation.side, operation.ticks, operation.lots, at.now_ns, rests=operation.rests)
    return at.order(
        operation.owner,
        operation.side,
        str(engine.rules.price(operation.ticks)),
        str(engine.rules.quantity(operation.lots)),
        time_in_force=TimeInForce.GTC if operation.rests else TimeInForce.IOC,
        self_trade=SelfTrade.REJECT_MAKER,
    )


def run(at: Bench, steps: list[Operation], naive: NaiveBook | None = None) -> list[Order]:
    orders: list[Order] = []
    for operation in steps:
        if operation.cancels is not None:
            if operation.cancels < len(orders):
                order = orders[operation.cancels]
                if at.venue.engine(PERP).book.is_resting(order):
                    at.venue.engine(PERP).cancel(order, at.now_ns)
                if naive is not None:
                    naive.cancel(operation.cancels)
            continue
        orders.append(apply(at, operation))
        if naive is not None:
            naive.place(len(orders) - 1, operation)
            assert at.venue.depth(PERP).bids == naive.depth(Side.BUY)
            assert at.venue.depth(PERP).asks == naive.depth(Side.SELL)
    return orders


@settings(max_examples=150, deadline=None)
@given(operations)
def test_trades_and_depth_are_those_of_price_time_priority(steps: list[Operation]) -> None:
    at, naive = rich_bench(), NaiveBook()
    run(at, steps, naive)
    assert at.trades() == naive.trades


@settings(max_examples=100, deadline=None)
@given(operations)
def test_the_published_book_is_contiguous_never_crossed_and_equal_to_the_snapshot(
    steps: list[Operation],
) -> None:
    at = rich_bench()
    first_id = at.venue.depth(PERP).last_id
    run(at, steps)
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    for change in at.book_changes():
        assert change.first_id == first_id + 1
        first_id = change.last_id
        for levels, changes in ((bids, change.bids), (asks, change.asks)):
            levels.update(changes)
            for price in [price for price, lots in levels.items() if not lots]:
                del levels[price]
        best_bid, best_ask = max(bids, default=None), min(asks, default=None)
        assert change.best_bid == (None if best_bid is None else (best_bid, bids[best_bid]))
        assert change.best_ask == (None if best_ask is None else (best_ask, asks[best_ask]))
        assert best_bid is None or best_ask is None or best_bid < best_ask
    depth = at.venue.depth(PERP)
    assert depth.last_id == first_id
    assert depth.bids == sorted(bids.items(), reverse=True)
    assert depth.asks == sorted(asks.items())


@settings(max_examples=100, deadline=None)
@given(operations)
def test_every_lot_bought_is_sold_and_fills_add_up_to_orders_and_prints(steps: list[Operation]) -> None:
    at = rich_bench()
    orders = run(at, steps)
    bought = sum(order.filled for order in orders if order.side is Side.BUY)
    sold = sum(order.filled for order in orders if order.side is Side.SELL)
    printed = [event for event in at.events if isinstance(event, Trade)]
    assert bought == sold == sum(trade.quantity for trade in printed)
    assert [trade.id for trade in printed] == list(range(1001, 1001 + len(printed)))
    filled: Counter[int] = Counter()
    for event in at.events:
        if isinstance(event, OrderEvent) and event.fill is not None:
            filled[event.order.id] += event.fill.quantity
            assert event.order.filled == filled[event.order.id]
    for order in orders:
        if order.account != OUTSIDER:
            assert filled[order.id] == order.filled
            assert order.is_live is (order in at.venue.open_orders(order.account))


@settings(max_examples=100, deadline=None)
@given(operations)
def test_cancelling_everything_leaves_no_level_no_lock_and_no_margin_for_orders(
    steps: list[Operation],
) -> None:
    at = rich_bench()
    for order in run(at, steps):
        if at.venue.engine(PERP).book.is_resting(order):
            at.venue.engine(PERP).cancel(order, at.now_ns)
    depth = at.venue.depth(PERP)
    assert (depth.bids, depth.asks) == ([], [])
    for name in ("ann", "bob"):
        held = abs(sum(state.quantity for state in at.venue.positions(name)))
        assert at.venue.collateral(name).exposure == Decimal("0.01") * held * 150
