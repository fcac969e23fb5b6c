"""What the simulated venue refuses, takes and answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.execution.requests import ReadKind, SendCancel
from services.replay.venue.queue import FillModel
from shared.messages import FeedStatus, Side
from shared.venues.base import Accepted, Rejected
from tests.replay.market import ACCOUNT, Floor, depth, feed, top, trade


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, 101), (Side.BUY, 105), (Side.SELL, 99)])
def test_Q22_post_only_that_would_take_is_refused_and_changes_nothing(side: Side, price: int) -> None:
    floor = Floor()
    outcome = floor.place(side, price, 1)
    assert isinstance(outcome, Rejected) and outcome.reason == "post_only"
    assert not floor.venue.told and not floor.account.by_client_id


@given(
    st.lists(
        st.tuples(st.sampled_from(Side), st.integers(95, 105), st.integers(1, 40)), min_size=1, max_size=5
    )
)
@settings(max_examples=120)
def test_an_ioc_takes_at_most_what_is_displayed_and_never_beyond_its_limit(orders: list[Any]) -> None:
    floor = Floor()
    bids, asks = ((99, 10), (98, 5), (96, 7)), ((101, 10), (102, 5), (104, 7))
    floor.tell(depth(bids, asks))
    left = {Side.BUY: dict(asks), Side.SELL: dict(bids)}
    for side, limit, size in orders:
        within = {price for price in left[side] if (limit - price) * side.sign >= 0}
        most = sum(left[side][price] for price in within)
        outcome = floor.ioc(side, limit, size)
        assert outcome.filled == min(size, most) and outcome.is_done
        for fill in floor.take_fills():
            price = floor.instrument.ticks(fill.price)
            assert price in within and not fill.is_maker
            left[side][price] -= floor.instrument.lots(fill.quantity)
            assert left[side][price] >= 0


def test_what_was_taken_is_there_again_with_the_next_update() -> None:
    floor = Floor()
    assert floor.ioc(Side.BUY, 101, 10).filled == 10
    assert floor.ioc(Side.BUY, 101, 10).filled == 0
    floor.tell(top(99, 10, 101, 8))
    assert floor.ioc(Side.BUY, 101, 10).filled == 8


def test_nothing_is_taken_from_a_book_in_doubt() -> None:
    floor = Floor()
    floor.tell(feed(FeedStatus.STALE))
    assert floor.ioc(Side.BUY, 101, 10).filled == 0
    assert floor.resting().status == "expired"


def test_an_order_that_may_take_takes_and_what_is_left_of_it_rests() -> None:
    floor = Floor()
    outcome = floor.place(Side.BUY, 101, 15, post_only=False)
    assert isinstance(outcome, Accepted) and (outcome.filled, outcome.is_done) == (10, False)
    assert floor.market.our_bids == [floor.resting()]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("rest"), st.sampled_from(Side), st.integers(1, 6)),
            st.tuples(st.just("take"), st.sampled_from(Side), st.integers(1, 6)),
            st.tuples(st.just("trade"), st.sampled_from(Side), st.integers(1, 9)),
        ),
        max_size=15,
    ),
    st.integers(-5, 5),
)  # fmt: skip
@settings(max_examples=120)
def test_R19_reduce_only_never_opens_nor_flips(events: list[tuple[str, Side, int]], start: int) -> None:
    floor = Floor(FillModel.TOUCH)
    if start:
        floor.ioc(Side.BUY if start > 0 else Side.SELL, 200 if start > 0 else 1, abs(start))
    for kind, side, size in events:
        before = floor.position
        price = 99 if side is Side.BUY else 101
        if kind == "rest":
            floor.place(side, price, size, reduce_only=True)
        elif kind == "take":
            floor.ioc(side, 101 if side is Side.BUY else 99, size, reduce_only=True)
        else:
            floor.tell(trade(side, 99 if side is Side.SELL else 101, size))
        after = floor.position
        assert abs(after) <= abs(before) and after * before >= 0


@pytest.mark.parametrize(("side", "size"), [(Side.BUY, 1), (Side.SELL, 3)])
def test_a_reduce_only_order_that_would_not_only_reduce_is_refused(side: Side, size: int) -> None:
    floor = Floor()
    floor.ioc(Side.BUY, 101, 2)
    refused = floor.place(side, 99 if side is Side.BUY else 101, size, reduce_only=True)
    assert isinstance(refused, Rejected) and refused.reason == "reduce_only"
    assert isinstance(floor.place(Side.SELL, 101, 2, reduce_only=True), Accepted)


def test_a_reduce_only_order_ends_once_nothing_is_left_to_reduce() -> None:
    floor = Floor(FillModel.TOUCH)
    floor.ioc(Side.BUY, 101, 2)  # order 1
    floor.place(Side.SELL, 102, 2, reduce_only=True)
    floor.ioc(Side.SELL, 99, 2)
    floor.tell(top(99, 10, 102, 5), trade(Side.BUY, 102, 5))
    assert floor.resting(2).status == "cancelled" and floor.position == 0


def test_a_spot_account_sells_what_it_holds_and_no_coin_twice() -> None:
    floor = Floor(is_perp=False, held="0.005")
    assert isinstance(floor.place(Side.SELL, 101, 3), Accepted)
    refused = floor.place(Side.SELL, 102, 3)
    assert isinstance(refused, Rejected) and refused.reason == "insufficient_funds"
    assert isinstance(floor.place(Side.SELL, 102, 2), Accepted)


def test_a_spot_account_buys_for_the_money_it_has() -> None:
    floor = Floor(is_perp=False, cash="0.00500")  # 0.00099 a lot at 0.99
    assert isinstance(floor.place(Side.BUY, 99, 3), Accepted)
    assert isinstance(floor.place(Side.BUY, 98, 3), Rejected)
    assert isinstance(floor.place(Side.BUY, 98, 2), Accepted)


def test_a_cancel_of_what_does_not_rest_is_refused_and_of_what_does_confirmed() -> None:
    floor = Floor()
    order = floor.order(Side.BUY, 99, 5)
    floor.venue.place(ACCOUNT, order, floor.now_ns)
    floor.tell(trade(Side.SELL, 99, 12))
    done = floor.venue.cancel(ACCOUNT, _cancel(floor, order.client_order_id), floor.now_ns)
    assert isinstance(done, Accepted) and done.executed == floor.instrument.quantity(2)
    again = floor.venue.cancel(ACCOUNT, _cancel(floor, order.client_order_id), floor.now_ns)
    assert isinstance(again, Rejected) and again.reason == "unknown_order"


def test_reads_tell_what_rests_and_what_has_become_of_it() -> None:
    floor = Floor(FillModel.TOUCH)
    floor.place(Side.BUY, 99, 5)
    floor.place(Side.SELL, 101, 5)
    floor.tell(trade(Side.SELL, 99, 5))
    (resting,) = floor.answer(ReadKind.OPEN_ORDERS)
    assert resting.client_order_id == 2 and resting.is_live
    history = floor.answer(ReadKind.ORDER_HISTORY)
    assert [order.status for order in history] == ["filled", "live"]
    (fill,) = floor.answer(ReadKind.FILLS)
    assert fill.quantity == floor.instrument.quantity(5) and fill.is_maker


def _cancel(floor: Floor, client_order_id: int) -> Any:
    return SendCancel(floor.instrument, client_order_id, None, 0)
