"""Three answers to when an order of ours fills, and the bounds between them (reliability, row 10)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.replay.venue.queue import FillModel
from shared.clock import NS_PER_MS
from shared.messages import FeedStatus, Side
from tests.replay.market import STEP_NS, Floor, depth, feed, top, trade

THROUGH, QUEUE, TOUCH = FillModel

PRICES = st.integers(96, 104)
SIZES = st.integers(1, 12)
MARKET = st.lists(
    st.one_of(
        st.tuples(st.just("top"), st.tuples(PRICES, SIZES, st.integers(0, 4), SIZES)),
        st.tuples(st.just("trade"), st.tuples(st.sampled_from(Side), PRICES, SIZES)),
        st.tuples(st.just("depth"), st.tuples(SIZES, SIZES, SIZES)),
        st.tuples(st.just("feed"), st.sampled_from([FeedStatus.LIVE, FeedStatus.LIVE, FeedStatus.STALE])),
    ),
    max_size=25,
)  # fmt: skip


def happen(floor: Floor, kind: str, value: Any) -> None:
    if kind == "top":
        bid, bid_size, spread, ask_size = value
        floor.tell(top(bid, bid_size, bid + spread, ask_size))
    elif kind == "trade":
        floor.tell(trade(*value))
    elif kind == "feed":
        floor.tell(feed(value))
    else:
        bid, ask = floor.market.bid, floor.market.ask
        bids = tuple((bid - number, size) for number, size in enumerate(value))
        floor.tell(depth(bids, tuple((ask + number, size) for number, size in enumerate(value))))


@given(MARKET, st.sampled_from(Side), st.integers(0, 3), st.integers(1, 8))
@settings(max_examples=120)
def test_pessimistic_fills_are_at_most_the_model_and_that_at_most_the_optimistic(
    market: list[tuple[str, Any]], side: Side, behind: int, size: int
) -> None:
    floors = [Floor(model) for model in FillModel]
    for floor in floors:
        floor.place(side, 99 - behind if side is Side.BUY else 101 + behind, size)
    for kind, value in market:
        for floor in floors:
            happen(floor, kind, value)
        filled = [floor.resting().filled for floor in floors]
        assert filled == sorted(filled) and filled[-1] <= size


@given(MARKET, st.lists(st.tuples(st.sampled_from(Side), PRICES, st.integers(1, 8)), max_size=6))
@settings(max_examples=120)
def test_no_trade_fills_more_than_was_traded(
    market: list[tuple[str, Any]], orders: list[tuple[Side, int, int]]
) -> None:
    for model in FillModel:
        floor = Floor(model)
        for side, price, size in orders:
            floor.place(side, price, size)
        floor.take_fills()
        for kind, value in market:
            if kind == "trade":
                happen(floor, kind, value)
                fills = floor.take_fills()
                assert sum(floor.instrument.lots(fill.quantity) for fill in fills) <= value[2]
                assert all(fill.side is not value[0] and fill.is_maker for fill in fills)


@given(MARKET, st.integers(0, 3))
@settings(max_examples=120)
def test_a_place_in_the_queue_only_gets_better(market: list[tuple[str, Any]], behind: int) -> None:
    floor = Floor()
    floor.place(Side.BUY, 99 - behind, 5)
    order = floor.resting()
    for kind, value in market:
        before = order.ahead
        happen(floor, kind, value)
        assert before is None or (order.ahead is not None and order.ahead <= before)


@given(
    st.lists(st.one_of(st.tuples(st.just("trade"), SIZES), st.tuples(st.just("shows"), st.integers(1, 20))))
)
@settings(max_examples=120)
def test_the_queue_agrees_with_one_that_is_counted_lot_by_lot(events: list[tuple[str, int]]) -> None:
    """Nothing but trades and a level that shows more or less, 200 ms apart: nothing is told twice."""
    floor = Floor()
    floor.place(Side.BUY, 99, 6)
    queue, filled = ["other"] * 10 + ["ours"] * 6, 0
    for kind, value in events:
        if filled == 6:
            break
        if kind == "trade":
            floor.tell(trade(Side.SELL, 99, value), after_ns=200 * NS_PER_MS)
            taken, queue = queue[:value], queue[value:]
            filled += taken.count("ours")
        else:
            floor.tell(top(99, value, 101, 10), after_ns=200 * NS_PER_MS)
            others = queue.index("ours")
            queue = queue[max(0, others - value) :]
        assert floor.resting().filled == filled


def test_a_trade_told_after_the_level_has_shrunk_counts_once() -> None:
    floor = Floor()
    floor.place(Side.BUY, 99, 5)
    floor.tell(top(99, 4, 101, 10), trade(Side.SELL, 99, 6))  # 10 -> 4: these six were before us
    assert floor.resting().ahead == 4
    floor.tell(trade(Side.SELL, 99, 6))  # not shown yet: it eats the four, and two of ours
    assert floor.resting().filled == 2


def test_a_level_that_shrinks_twice_explains_a_trade_of_both() -> None:
    floor = Floor()
    floor.place(Side.BUY, 99, 5)
    floor.tell(top(99, 8, 101, 10), top(99, 6, 101, 10), trade(Side.SELL, 99, 4))
    assert floor.resting().ahead == 6


def test_a_book_in_doubt_says_nothing_of_the_queue() -> None:
    floor = Floor()
    floor.place(Side.BUY, 99, 5)
    floor.tell(feed(FeedStatus.STALE), top(99, 2, 101, 10), top(None, 0, 101, 10))
    assert floor.resting().ahead == 10


def test_after_the_longest_delay_a_shrunk_level_explains_no_trade_any_more() -> None:
    floor = Floor()
    floor.place(Side.BUY, 99, 5)
    floor.tell(top(99, 4, 101, 10))
    floor.tell(trade(Side.SELL, 99, 6), after_ns=101 * NS_PER_MS)
    assert floor.resting().filled == 2


@pytest.mark.parametrize(("model", "filled"), [(THROUGH, 0), (QUEUE, 2), (TOUCH, 5)])
def test_a_trade_at_our_price_fills_by_the_model(model: FillModel, filled: int) -> None:
    floor = Floor(model)
    floor.place(Side.BUY, 99, 5)
    floor.tell(trade(Side.SELL, 99, 12))
    assert floor.resting().filled == filled


@pytest.mark.parametrize("model", list(FillModel))
def test_a_trade_beyond_our_price_fills_in_every_model(model: FillModel) -> None:
    floor = Floor(model)
    floor.place(Side.SELL, 101, 5)
    floor.tell(trade(Side.BUY, 102, 3))
    assert floor.resting().filled == 3
    floor.tell(top(101, 1, 103, 1))  # others bid at our price: they would have taken the rest
    assert floor.resting().filled == 5 and floor.resting().status == "filled"


@pytest.mark.parametrize("model", list(FillModel))
def test_a_book_in_doubt_or_crossed_fills_nothing(model: FillModel) -> None:
    floor = Floor(model)
    floor.place(Side.BUY, 99, 5)
    floor.tell(top(97, 5, 95, 5))  # the recording's own prices cross: a fault
    floor.tell(feed(FeedStatus.STALE), top(90, 5, 91, 5), trade(Side.SELL, 80, 100))
    assert floor.resting().filled == 0 and floor.resting().ahead == 10
    floor.tell(feed(), trade(Side.SELL, 80, 100))
    assert floor.resting().filled == 5


def test_an_order_beyond_the_visible_depth_waits_until_its_level_is_shown() -> None:
    floor = Floor()
    floor.tell(depth(((99, 10), (98, 4)), ((101, 10),)))
    floor.place(Side.BUY, 96, 5)
    order = floor.resting()
    assert order.ahead is None
    floor.tell(trade(Side.SELL, 96, 50))
    assert order.filled == 0  # who is before it is not known
    floor.tell(top(98, 4, 101, 10), depth(((98, 4), (96, 7)), ((101, 10),)))
    assert order.ahead == 7
    floor.tell(top(96, 7, 101, 10), trade(Side.SELL, 96, 9))
    assert order.filled == 2


def test_between_two_visible_levels_nobody_is_before_us() -> None:
    floor = Floor()
    floor.tell(depth(((99, 10), (95, 4)), ((101, 10),)))
    floor.place(Side.BUY, 97, 5)
    assert floor.resting().ahead == 0


def test_a_better_price_of_others_leaves_the_place_as_it_is() -> None:
    floor = Floor()
    floor.place(Side.BUY, 99, 5)
    floor.tell(top(100, 3, 101, 10), top(99, 12, 101, 10))
    assert floor.resting().ahead == 10
    floor.tell(top(98, 3, 101, 10))  # we alone are left at 99
    assert floor.resting().ahead == 0


def test_the_older_of_our_orders_at_a_price_fills_first() -> None:
    floor = Floor(TOUCH)
    floor.place(Side.BUY, 99, 2)
    floor.place(Side.BUY, 99, 2)
    floor.tell(trade(Side.SELL, 99, 3))
    assert (floor.resting(1).filled, floor.resting(2).filled) == (2, 1)


def test_the_market_shows_our_orders_and_the_best_of_others_alone_decides_the_queue() -> None:
    floor = Floor()
    floor.place(Side.BUY, 100, 3)
    shown = floor.tell(top(99, 10, 101, 10), depth(((99, 10),), ((101, 10),)))
    assert (shown[0].bid, shown[0].bid_size, shown[0].ask_size) == (100, 3, 10)
    assert shown[1].bids == ((100, 3), (99, 10))
    floor.tell(trade(Side.SELL, 100, 1))
    assert floor.tell(top(99, 10, 101, 10))[0].bid_size == 3 - floor.resting().filled == 2
    floor.place(Side.BUY, 99, 2)
    assert floor.resting(2).ahead == 10
    assert floor.tell(depth(((99, 10),), ((101, 10),)))[0].bids == ((100, 2), (99, 12))
    assert floor.now_ns > STEP_NS
