"""Reconcile: properties over random wanted sets and random orders, in any state."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from services.execution.orders.reconcile import fits, reconcile
from services.execution.orders.records import Order
from shared.messages import Level, OrderStatus, Side

NOW = 1_000_000
sides = st.sampled_from([Side.BUY, Side.SELL])
levels = st.builds(
    Level,
    side=sides,
    price=st.integers(90, 110),
    size=st.integers(1, 9),
    tolerance=st.integers(0, 3),
    max_age_ns=st.sampled_from([0, 500]),
    post_only=st.just(True),
    reduce_only=st.sampled_from([False, False, True]),
)
statuses = st.sampled_from(
    [
        OrderStatus.LIVE,
        OrderStatus.LIVE,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.PENDING_NEW,
        OrderStatus.PENDING_CANCEL,
        OrderStatus.UNKNOWN,
    ]
)
_ids = iter(range(1, 1 << 40))


@st.composite
def orders(draw: st.DrawFn) -> Order:
    size = draw(st.integers(1, 9))
    order = Order(
        next(_ids), "X", draw(sides), draw(st.integers(90, 110)), size, True, draw(st.booleans()),
        draw(st.sampled_from([False, False, False, True])), 0, draw(st.sampled_from([NOW, NOW - 1_000])),
        status=draw(statuses),
    )  # fmt: skip
    order.filled = draw(st.integers(0, size - 1))
    return order


wanted = st.lists(levels, max_size=5)
have = st.lists(orders(), max_size=6)


def taken_up(live: list[Order], cancels: list[Order], places: list[Level]) -> list[Order]:
    """Return what is there once the actions are under way."""
    for order in cancels:
        order.status = OrderStatus.PENDING_CANCEL
    placed = [
        Order(
            next(_ids),
            "X",
            level.side,
            level.price,
            level.size,
            level.post_only,
            level.reduce_only,
            False,
            0,
            NOW,
        )
        for level in places
    ]
    return [*live, *placed]


@settings(max_examples=400)
@given(wanted, have, st.booleans())
def test_Q32_applying_it_twice_changes_nothing(want: list[Level], live: list[Order], exclusive: bool) -> None:
    cancels, places = reconcile(want, live, is_exclusive=exclusive, now_ns=NOW)
    after = taken_up(live, cancels, places)
    assert reconcile(want, after, is_exclusive=exclusive, now_ns=NOW) == ([], [])


@settings(max_examples=300)
@given(wanted, have)
def test_O02_a_level_is_placed_only_where_nothing_of_its_side_may_stand_for_it(
    want: list[Level], live: list[Order]
) -> None:
    _, places = reconcile(want, live, is_exclusive=False, now_ns=NOW)
    for side in Side:
        own = sum(order.side is side and not order.is_target for order in live)
        placed = sum(level.side is side for level in places)
        distinct = len({level.price for level in want if level.side is side})
        assert not placed or own + placed <= distinct


@settings(max_examples=300)
@given(wanted, have)
def test_own_orders_never_meet_cancels_under_way_included(want: list[Level], live: list[Order]) -> None:
    _, places = reconcile(want, live, is_exclusive=False, now_ns=NOW)
    everything = [(order.side, order.price) for order in live]
    for level in places:
        for side, price in everything:
            assert side is level.side or (level.price - price) * level.side.sign < 0
        everything.append((level.side, level.price))


@settings(max_examples=300)
@given(wanted, have)
def test_F07_an_exclusive_symbol_gets_nothing_while_the_other_side_may_be_live(
    want: list[Level], live: list[Order]
) -> None:
    _, places = reconcile(want, live, is_exclusive=True, now_ns=NOW)
    assert len({level.side for level in places}) <= 1
    for level in places:
        assert all(order.side is level.side for order in live)


@settings(max_examples=300)
@given(wanted, have)
def test_Q17_an_order_that_fits_is_cancelled_only_for_a_better_one(
    want: list[Level], live: list[Order]
) -> None:
    cancels, _ = reconcile(want, live, is_exclusive=False, now_ns=NOW)
    for order in cancels:
        fitting = [level for level in want if level.side is order.side and fits(level, order, NOW)]
        others = [
            other for other in live
            if other is not order and other not in cancels
            and any(fits(level, other, NOW) for level in fitting)
        ]  # fmt: skip
        assert not fitting or others


@given(have)
def test_empty_quotes_cancel_everything_that_rests_and_place_nothing(live: list[Order]) -> None:
    cancels, places = reconcile((), live, is_exclusive=False, now_ns=NOW)
    resting = (OrderStatus.LIVE, OrderStatus.PARTIALLY_FILLED, OrderStatus.PENDING_NEW)
    assert {id(o) for o in cancels} == {id(o) for o in live if o.status in resting and not o.is_target}
    assert places == []


@settings(max_examples=200)
@given(wanted, have)
def test_repeated_and_confirmed_it_ends_with_what_is_wanted(want: list[Level], live: list[Order]) -> None:
    """Unless wanted levels meet each other: then what does not meet."""
    live = [order for order in live if not order.is_target]
    for _ in range(10):
        cancels, places = reconcile(want, live, is_exclusive=False, now_ns=NOW)
        live = taken_up(live, cancels, places)
        gone = (OrderStatus.PENDING_CANCEL, OrderStatus.UNKNOWN)
        live = [order for order in live if order.status not in gone]
        for order in live:
            order.status = OrderStatus.LIVE
    bids = [level.price for level in want if level.side is Side.BUY]
    asks = [level.price for level in want if level.side is Side.SELL]
    assert all(any(fits(level, order, NOW) and level.side is order.side for level in want) for order in live)
    if not bids or not asks or max(bids) + 6 < min(asks):  # tolerances keep older prices
        assert len(live) == len({(level.side, level.price) for level in want})
