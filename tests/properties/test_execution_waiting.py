"""While the venue has to answer first nothing is compared: a comparison would have done nothing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from services.execution.orders.reconcile import reconcile
from services.execution.orders.records import Order, OwnOrders
from services.execution.sending.agreement import waits_for_venue
from services.execution.sending.patience import PATIENCE_NS, is_too_early
from services.execution.symbols import Symbol
from shared.instrument import Instrument
from shared.messages import Level, OrderStatus, Quotes, Side, Target
from tests.execution.small_venue import ACCOUNT, INFO, SYMBOL

NOW_NS = 10 * PATIENCE_NS
INSTRUMENT = Instrument.from_info(INFO)
SIDES = st.sampled_from([Side.BUY, Side.SELL])
#: mostly what makes it wait
STATUSES = st.sampled_from(
    [OrderStatus.PENDING_NEW] * 4 + [OrderStatus.PENDING_CANCEL] * 4
    + [OrderStatus.LIVE, OrderStatus.PARTIALLY_FILLED, OrderStatus.UNKNOWN]
)  # fmt: skip
LEVEL = st.builds(Level, SIDES, st.integers(90, 110), st.integers(1, 9), st.integers(0, 2))
LEVELS = st.lists(LEVEL, max_size=3)
_ids = iter(range(1, 1 << 40))


@st.composite
def orders(draw: st.DrawFn) -> Order:
    order = Order(
        next(_ids), SYMBOL, draw(SIDES), draw(st.integers(90, 110)), 9, True, False,
        draw(st.sampled_from([False] * 9 + [True])), 0, NOW_NS - draw(st.sampled_from([0, 1, PATIENCE_NS])),
        status=draw(STATUSES),
    )  # fmt: skip
    order.is_placing = order.status is OrderStatus.PENDING_NEW or draw(st.booleans())
    order.seen_ns = draw(st.sampled_from([0, 0, 0, 1]))
    return order


def symbol_of(live: list[Order], levels: list[Level]) -> Symbol:
    own = OwnOrders()
    for order in live:
        own.add(order)
    symbol = Symbol(INSTRUMENT, own.of(SYMBOL))
    symbol.quotes = Quotes(ACCOUNT, SYMBOL, tuple(levels), False, NOW_NS + 1, 0, "")
    return symbol


@settings(max_examples=600)
@given(st.lists(orders(), max_size=4), LEVELS, st.integers(0, 3))
def test_while_every_place_is_held_no_permit_makes_a_comparison_do_anything(
    live: list[Order], levels: list[Level], permitted: int
) -> None:
    symbol = symbol_of(live, levels)
    if not waits_for_venue(symbol, NOW_NS):
        return
    for is_exclusive in (False, True):
        cancels, places = reconcile(levels[:permitted], live, is_exclusive=is_exclusive, now_ns=NOW_NS)
        assert not places
        assert all(is_too_early(order, NOW_NS) for order in cancels), "such a cancel is not sent"
    assert not [
        order for order in live if order.status is OrderStatus.UNKNOWN and not is_too_early(order, NOW_NS)
    ]


def _order(side: Side, status: OrderStatus, age_ns: int = 0) -> Order:
    return Order(
        next(_ids), SYMBOL, side, 100, 5, True, False, False, 0, NOW_NS - age_ns, status=status,
        is_placing=status is OrderStatus.PENDING_NEW,
    )  # fmt: skip


def test_it_waits_for_a_placement_on_one_side_and_a_cancel_on_the_other() -> None:
    bid, ask = _order(Side.BUY, OrderStatus.PENDING_NEW), _order(Side.SELL, OrderStatus.PENDING_CANCEL)
    levels = [Level(Side.BUY, 90, 1), Level(Side.SELL, 110, 1)]
    assert waits_for_venue(symbol_of([bid, ask], levels), NOW_NS)


def test_a_place_that_nobody_holds_an_order_that_rests_and_a_target_are_compared() -> None:
    levels = [Level(Side.BUY, 90, 1), Level(Side.SELL, 110, 1)]
    leaving = _order(Side.BUY, OrderStatus.PENDING_CANCEL)
    assert not waits_for_venue(symbol_of([leaving], levels), NOW_NS)
    assert not waits_for_venue(symbol_of([_order(Side.BUY, OrderStatus.LIVE)], []), NOW_NS)
    slow = _order(Side.BUY, OrderStatus.PENDING_NEW, PATIENCE_NS)
    assert not waits_for_venue(symbol_of([slow], []), NOW_NS)
    slice_ = _order(Side.BUY, OrderStatus.PENDING_CANCEL)
    slice_.is_target = True
    assert not waits_for_venue(symbol_of([slice_], levels[:1]), NOW_NS), "it holds no place of a quote"
    symbol = symbol_of([leaving], [])
    assert waits_for_venue(symbol, NOW_NS)
    symbol.target = Target(ACCOUNT, SYMBOL, 0, 0, "ioc", None, 1, False, 1, NOW_NS + 1, "")
    assert not waits_for_venue(symbol, NOW_NS)
