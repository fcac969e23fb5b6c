"""Our own orders in the book: what is left of it without them."""

from __future__ import annotations

import pytest

from shared.clock import NS_PER_MS
from shared.messages import Side
from shared.own_orders import OwnOrders, OwnSide
from tests.quoter.builders import START_NS, Desk, depth, order, top, working

SETTLE_NS = 500 * NS_PER_MS
LATER = START_NS + SETTLE_NS
BEHIND = ((100, 5), (99, 7), (98, 9))


def bids(**sizes: int) -> OwnSide:
    """A bid side with reported sizes, e.g. p100=5, long enough ago to be settled."""
    side = OwnSide(Side.BUY, SETTLE_NS)
    side.report({int(name[1:]): size for name, size in sizes.items()}, START_NS)
    return side


def test_others_at_our_price_keep_it_the_best() -> None:
    assert bids(p100=5).best(100, 8, BEHIND, LATER) == (100, 3)


def test_a_best_price_that_is_ours_alone_vanishes_and_the_next_level_counts() -> None:
    side = bids(p100=5)
    assert side.best(100, 5, BEHIND, LATER) == (99, 7)
    assert side.is_behind


def test_the_next_level_is_less_our_own_orders_too() -> None:
    assert bids(p100=5, p99=7).best(100, 5, BEHIND, LATER) == (98, 9)
    assert bids(p100=5, p99=3).best(100, 5, BEHIND, LATER) == (99, 4)


def test_without_a_depth_behind_our_own_price_the_side_is_unknown() -> None:
    assert bids(p100=5).best(100, 5, (), LATER) is None
    assert bids(p100=5).best(100, 5, ((101, 4), (100, 5)), LATER) is None


def test_asks_mirror_bids() -> None:
    side = OwnSide(Side.SELL, SETTLE_NS)
    side.report({100: 5}, START_NS)
    assert side.best(100, 5, ((100, 5), (101, 2)), LATER) == (101, 2)
    assert side.best(99, 1, (), LATER) == (99, 1)


def test_a_joined_price_is_held_while_nobody_can_tell_whose_it_is() -> None:
    """0.5 of others is at 100; our 1.0 is asked for, reported, then displayed: the price stays."""
    side = OwnSide(Side.BUY, SETTLE_NS)
    assert side.best(100, 50, BEHIND, START_NS) == (100, 50)
    side.expect(100, 100, START_NS)
    assert side.best(100, 50, BEHIND, START_NS + NS_PER_MS) == (100, 50)
    side.report({100: 100}, START_NS + 2 * NS_PER_MS)
    assert side.best(100, 50, BEHIND, START_NS + 3 * NS_PER_MS) == (100, 50)
    assert side.best(100, 150, BEHIND, START_NS + 20 * NS_PER_MS) == (100, 50)
    assert side.best(100, 150, BEHIND, LATER + SETTLE_NS) == (100, 50)


def test_a_price_that_we_made_is_never_taken_for_others_while_it_settles() -> None:
    side = OwnSide(Side.BUY, SETTLE_NS)
    assert side.best(99, 7, BEHIND, START_NS) == (99, 7)
    side.expect(100, 5, START_NS)
    assert side.best(100, 5, BEHIND, START_NS + NS_PER_MS) == (99, 7)


def test_a_partial_fill_that_execution_knows_first_does_not_look_like_others() -> None:
    side = bids(p100=10)
    assert side.best(99, 7, BEHIND, LATER) == (99, 7)
    side.report({100: 4}, LATER)
    assert side.best(100, 10, BEHIND, LATER + NS_PER_MS) == (99, 7)


def test_a_cancel_that_the_book_shows_late_does_not_look_like_others() -> None:
    side = bids(p100=10)
    assert side.best(99, 7, BEHIND, LATER) == (99, 7)
    side.report({}, LATER)
    assert side.best(100, 10, BEHIND, LATER + NS_PER_MS) == (99, 7)
    assert side.best(100, 10, BEHIND, LATER + SETTLE_NS) == (100, 10)  # now it is others'


def test_holding_ends_after_two_settle_times() -> None:
    side = OwnSide(Side.BUY, SETTLE_NS)
    assert side.best(100, 50, BEHIND, START_NS) == (100, 50)
    for step in range(12):  # changes so often that it never settles
        now_ns = START_NS + step * 100 * NS_PER_MS
        side.report({100: 50 + step}, now_ns)
        best = side.best(100, 45, BEHIND, now_ns)
    assert best == (99, 7)


def test_a_held_price_is_never_better_than_the_book() -> None:
    side = OwnSide(Side.BUY, SETTLE_NS)
    assert side.best(100, 5, BEHIND, START_NS) == (100, 5)
    side.expect(98, 4, START_NS)
    assert side.best(98, 4, ((98, 4), (97, 6)), START_NS + NS_PER_MS) == (97, 6)


def test_orders_of_both_sides_are_summed_by_price_with_what_is_left_of_them() -> None:
    own = OwnOrders(SETTLE_NS)
    own.report(
        (
            order(Side.BUY, 100, 5, order_id=1, filled=2),
            order(Side.BUY, 100, 4, order_id=2),
            order(Side.SELL, 101, 6, order_id=3),
        ),
        START_NS,
    )
    assert own.bids.best(100, 10, (), LATER) == (100, 3)
    assert own.asks.depth(((101, 6), (102, 1)), LATER) == ((102, 1),)
    assert own.bids.depth(((100, 8), (99, 1)), LATER) == ((100, 1), (99, 1))


@pytest.mark.parametrize("strategy", ["one_sided", "two_sided"])
def test_our_own_order_alone_at_the_best_is_not_joined_nor_improved(strategy: str) -> None:
    params = {} if strategy == "one_sided" else {"quantity": 0.02, "join_best": True}
    desk = Desk.ready(strategy, **params)
    assert desk.price(Side.BUY) == 19_999
    desk.send(working(order(Side.BUY, 19_999, 2)))
    desk.wait(600)
    desk.send(depth(((19_999, 2), (19_990, 300)), ((20_001, 500),), desk.now_ns))
    desk.send(top(19_999, 20_001, desk.now_ns, bid_size=2))
    desk.wait(2_100)
    assert desk.price(Side.BUY) == 19_990


def test_our_own_order_alone_without_a_depth_means_no_quotes() -> None:
    desk = Desk.ready("one_sided")
    desk.send(working(order(Side.BUY, 19_999, 2)))
    desk.wait(1_600)
    desk.send(top(19_999, 20_001, desk.now_ns, bid_size=2))
    assert desk.levels == ()
    assert desk.reason == "no price but our own, and no depth behind it"
    desk.send(depth(((19_999, 2), (19_998, 1)), ((20_001, 500),), desk.now_ns))
    assert desk.price(Side.BUY) == 19_998
