"""Our orders in the queues of displayed liquidity: a recording's levels, prints and best prices."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.exchange.model import Order, OrderStatus, Side, TimeInForce
from tests.exchange.venue_builder import PERP, Bench, account, bench


def show(at: Bench, *levels: tuple[Side, int, int], recorded_ns: int = 0) -> None:
    at.venue.engine(PERP).show(levels, at.now_ns, recorded_ns)


def prints(at: Bench, taker: Side, ticks: int, lots: int, recorded_ns: int = 1) -> None:
    at.venue.engine(PERP).print_trade(taker, ticks, lots, at.now_ns, recorded_ns)


def displayed_bench() -> Bench:
    at = bench()
    show(at, (Side.BUY, 15000, 1000), (Side.BUY, 14999, 2000), (Side.SELL, 15001, 800))
    return at


def test_an_order_joins_behind_what_is_displayed_and_fills_by_the_prints_that_reach_it() -> None:
    at = displayed_bench()
    order = at.buy("ann", "150.00", "3", post_only=True)
    assert at.venue.depth(PERP).bids[0] == (15000, 1300)
    prints(at, Side.SELL, 15000, 900)
    assert order.filled == 0
    prints(at, Side.SELL, 15000, 250)
    assert order.filled == 150
    prints(at, Side.SELL, 15000, 500)
    assert order.status is OrderStatus.FILLED
    fills = at.venue.fills("ann")
    assert [(fill.price, fill.quantity, fill.is_maker) for fill in fills] == [
        (15000, 150, True),
        (15000, 150, True),
    ]


def test_the_printed_volume_is_the_recorded_volume() -> None:
    at = displayed_bench()
    at.buy("ann", "150.00", "3", post_only=True)
    prints(at, Side.SELL, 15000, 1100)
    assert sum(lots for _, lots in at.trades()) == 1100
    assert (15000, 100) in at.trades()


def test_a_print_through_our_price_fills_us_at_our_price_for_no_more_than_was_printed() -> None:
    at = displayed_bench()
    order = at.buy("ann", "150.00", "3", post_only=True)
    prints(at, Side.SELL, 14999, 120)
    assert (order.filled, order.queue_ahead) == (120, 0)
    prints(at, Side.SELL, 14998, 500)
    assert order.status is OrderStatus.FILLED
    assert at.trades() == [(15000, 120), (15000, 180), (14998, 320)]


def test_a_print_meets_better_prices_first_and_then_those_who_came_first() -> None:
    at = displayed_bench()
    late_price = at.buy("ann", "149.99", "1", post_only=True)
    first = at.buy("ann", "150.00", "1", post_only=True)
    second = at.buy("bob", "150.00", "1", post_only=True)
    prints(at, Side.SELL, 14998, 150)
    assert (first.filled, second.filled, late_price.filled) == (100, 50, 0)
    prints(at, Side.SELL, 14998, 80)
    assert (second.filled, late_price.filled) == (100, 30)


def test_a_print_on_the_other_side_does_not_reach_us() -> None:
    at = displayed_bench()
    order = at.buy("ann", "150.00", "3", post_only=True)
    prints(at, Side.BUY, 15001, 5000)
    assert order.filled == 0


def test_cancellations_ahead_are_believed_only_when_the_display_is_smaller_than_our_queue() -> None:
    at = displayed_bench()
    order = at.buy("ann", "150.00", "3", post_only=True)
    show(at, (Side.BUY, 15000, 5000))
    assert order.queue_ahead == 1000
    show(at, (Side.BUY, 15000, 400))
    assert order.queue_ahead == 400
    show(at, (Side.BUY, 15000, 900))
    assert order.queue_ahead == 400


def test_a_shrunken_display_and_the_print_that_explains_it_count_once() -> None:
    at = displayed_bench()
    order = at.buy("ann", "150.00", "3", post_only=True)
    show(at, (Side.BUY, 15000, 400), recorded_ns=7)
    prints(at, Side.SELL, 15000, 600, recorded_ns=7)
    assert order.queue_ahead == 400
    prints(at, Side.SELL, 15000, 100, recorded_ns=8)
    assert order.queue_ahead == 300


def test_a_level_that_was_eaten_before_its_prints_arrive_fills_only_what_is_beyond_the_queue() -> None:
    at = displayed_bench()
    order = at.buy("ann", "150.00", "3", post_only=True)
    show(at, (Side.BUY, 15000, 0), recorded_ns=7)
    assert order.queue_ahead == 0
    prints(at, Side.SELL, 15000, 600, recorded_ns=7)
    prints(at, Side.SELL, 15000, 500, recorded_ns=7)
    assert order.filled == 100


def move_through_us(at: Bench, ask: int) -> Order:
    """Return a bid of 3.00 at 150.00 through which the recording then moves."""
    order = at.buy("ann", "150.00", "3", post_only=True)
    at.events.clear()
    show(
        at,
        (Side.BUY, 15000, 0),
        (Side.BUY, 14999, 0),
        (Side.BUY, 14980, 70),
        (Side.SELL, ask, 50),
        recorded_ns=5,
    )
    return order


@pytest.mark.parametrize("ask", [15000, 14990])
def test_a_best_price_at_or_through_our_price_fills_nothing_but_ends_the_queue_ahead(ask: int) -> None:
    at = displayed_bench()
    order = move_through_us(at, ask)
    assert (order.filled, order.queue_ahead, at.trades()) == (0, 0, [])
    prints(at, Side.SELL, 15000, 30, recorded_ns=6)
    assert order.filled == 30


@pytest.mark.parametrize("ask", [15000, 14990])
def test_a_display_that_our_order_crosses_stays_out_of_the_book_until_the_order_is_gone(ask: int) -> None:
    at = displayed_bench()
    order = move_through_us(at, ask)
    assert at.venue.depth(PERP).bids[0] == (15000, 300)
    assert at.venue.depth(PERP).asks == [(15001, 800)]
    show(at, (Side.SELL, ask, 90), recorded_ns=6)
    assert at.venue.depth(PERP).asks == [(15001, 800)]
    at.cancel(order)
    assert at.venue.depth(PERP).asks == [(ask, 90), (15001, 800)]
    assert at.venue.depth(PERP).bids == [(14980, 70)]
    last = at.book_changes()[-1]
    assert (last.best_bid, last.best_ask) == ((14980, 70), (ask, 90))


def test_a_display_that_left_while_it_was_held_back_does_not_come_back() -> None:
    at = displayed_bench()
    order = move_through_us(at, 14990)
    show(at, (Side.SELL, 14990, 0), recorded_ns=6)
    at.cancel(order)
    assert at.venue.depth(PERP).asks == [(15001, 800)]


def test_the_prints_that_moved_the_price_through_us_count_once_when_they_arrive_late() -> None:
    at = displayed_bench()
    order = move_through_us(at, 15000)
    prints(at, Side.SELL, 15000, 1100, recorded_ns=5)
    assert order.filled == 100


def test_a_taker_consumes_what_is_displayed_until_the_recording_updates_the_level() -> None:
    at = displayed_bench()
    order = at.buy("ann", "150.01", "5", time_in_force=TimeInForce.IOC)
    assert order.filled == 500
    assert at.venue.depth(PERP).asks == [(15001, 300)]
    show(at, (Side.SELL, 15001, 800))
    assert at.venue.depth(PERP).asks == [(15001, 800)]


def test_a_taker_meets_displayed_lots_and_our_orders_in_queue_order() -> None:
    at = displayed_bench()
    maker = at.sell("ann", "150.01", "1", post_only=True)
    show(at, (Side.SELL, 15001, 900))
    at.events.clear()
    at.buy("bob", "150.01", "9.50", time_in_force=TimeInForce.IOC)
    assert maker.status is OrderStatus.FILLED
    assert at.trades() == [(15001, 800), (15001, 100), (15001, 50)]
    assert at.venue.depth(PERP).asks == [(15001, 50)]


def test_fill_or_kill_counts_displayed_lots() -> None:
    at = displayed_bench()
    at.sell("ann", "150.01", "1", post_only=True)
    order = at.fok("ann", Side.BUY, "150.01", "8")
    assert order.status is OrderStatus.FILLED


def test_a_reduce_only_order_is_not_filled_beyond_the_position_by_one_print() -> None:
    at = displayed_bench()
    at.buy("ann", "150.01", "2", time_in_force=TimeInForce.IOC)
    first = at.sell("ann", "150.02", "2", reduce_only=True)
    second = at.sell("ann", "150.02", "2", reduce_only=True)
    prints(at, Side.BUY, 15003, 1000)
    assert (first.status, second.status) == (OrderStatus.FILLED, OrderStatus.EXPIRED)
    assert at.venue.positions("ann") == []


@settings(max_examples=200, deadline=None)
@given(
    display=st.integers(0, 300),
    sizes=st.lists(st.integers(1, 50), min_size=1, max_size=4),
    printed=st.lists(st.integers(1, 120), max_size=8),
)
def test_our_orders_at_one_price_fill_first_in_first_out(
    display: int, sizes: list[int], printed: list[int]
) -> None:
    at = bench(account("ann", "100000000"))
    show(at, (Side.BUY, 15000, display), (Side.SELL, 15001, 1))
    orders = [at.buy("ann", "150.00", str(lots / 100), post_only=True) for lots in sizes]
    for lots in printed:
        prints(at, Side.SELL, 15000, lots)
    reached = max(0, sum(printed) - display)
    for order in orders:
        assert order.filled == min(order.quantity, reached)
        reached -= order.filled
    assert sum(lots for _, lots in at.trades()) == sum(printed)
