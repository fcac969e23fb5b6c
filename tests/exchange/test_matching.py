"""Orders meeting in the book: priority, order types, refusals, self-trade prevention, events."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

import pytest

from services.exchange.model import OrderEventKind, OrderStatus, Reason, SelfTrade, Side
from tests.exchange.venue_builder import PERP, SPOT, Bench, bench, refused


@pytest.fixture
def at() -> Bench:
    return bench()


def test_a_better_price_trades_first_and_then_the_earlier_order(at: Bench) -> None:
    late_best = at.sell("ann", "150.01", "1")
    early = at.sell("ann", "150.02", "1")
    late = at.sell("ann", "150.02", "1")
    taker = at.buy("bob", "150.02", "2.5")
    assert taker.status is OrderStatus.FILLED
    assert (late_best.leaves, early.leaves, late.leaves) == (0, 0, 50)
    assert at.trades() == [(15001, 100), (15002, 100), (15002, 50)]


def test_a_taker_gets_the_makers_price_and_rests_with_what_is_left(at: Bench) -> None:
    at.sell("ann", "150.00", "1")
    taker = at.buy("bob", "150.05", "3")
    assert (taker.status, taker.filled, taker.filled_quote) == (
        OrderStatus.PARTIALLY_FILLED,
        100,
        Decimal(150),
    )
    depth = at.venue.depth(PERP)
    assert (depth.bids, depth.asks) == ([(15005, 200)], [])


def test_a_partly_filled_order_keeps_its_place(at: Bench) -> None:
    first, second = at.buy("ann", "150", "2"), at.buy("ann", "150", "2")
    at.sell("bob", "150", "1")
    at.sell("bob", "150", "2")
    assert (first.leaves, second.leaves) == (0, 100)


def test_post_only_that_would_take_is_refused_and_changes_nothing(at: Bench) -> None:
    at.sell("ann", "150", "1")
    before, events = at.venue.depth(PERP), len(at.events)
    with refused(Reason.POST_ONLY_WOULD_TAKE):
        at.buy("bob", "150", "1", post_only=True)
    assert at.venue.depth(PERP) == before
    assert len(at.events) == events
    assert at.venue.order_history("bob") == deque()


def test_ioc_fills_what_it_can_and_expires(at: Bench) -> None:
    at.sell("ann", "150", "1")
    order = at.ioc("bob", Side.BUY, "150", "2")
    assert (order.status, order.expiry_reason, order.filled) == (
        OrderStatus.EXPIRED,
        Reason.IMMEDIATE_OR_CANCEL,
        100,
    )
    assert at.venue.open_orders("bob") == []
    assert at.order_events(order) == [
        OrderEventKind.ACCEPTED,
        OrderEventKind.FILLED,
        OrderEventKind.EXPIRED,
    ]


def test_fok_fills_whole_or_is_refused(at: Bench) -> None:
    at.sell("ann", "150", "1")
    with refused(Reason.FILL_OR_KILL):
        at.fok("bob", Side.BUY, "150", "1.01")
    with refused(Reason.FILL_OR_KILL):
        at.fok("bob", Side.BUY, "149", "1")
    assert at.fok("bob", Side.BUY, "150", "1").status is OrderStatus.FILLED


def test_a_market_order_sweeps_and_its_remainder_expires(at: Bench) -> None:
    at.sell("ann", "150", "1")
    at.sell("ann", "151", "1")
    order = at.buy("bob", None, "3")
    assert (order.status, order.expiry_reason, order.filled) == (
        OrderStatus.EXPIRED,
        Reason.INSUFFICIENT_LIQUIDITY,
        200,
    )
    assert order.price is None
    with refused(Reason.INSUFFICIENT_LIQUIDITY):
        at.buy("bob", None, "3")


def test_a_market_order_stops_at_the_price_band(at: Bench) -> None:
    at.sell("ann", "151", "1")
    at.sell("ann", "161.25", "1")
    assert at.buy("bob", None, "2").filled == 200  # 161.25 = 1.075 x 150 is still inside
    at.sell("ann", "161.25", "1")
    at.set_index("140")
    at.pass_time(1)  # the mark moves at most 0.25 % an update, so 161.25 is now outside
    with refused(Reason.INSUFFICIENT_LIQUIDITY):
        at.buy("bob", None, "1")


def test_quote_quantity_buys_whole_lots_within_the_money(at: Bench) -> None:
    at.sell("ann", "150", "1", symbol=SPOT)
    at.sell("ann", "151", "1", symbol=SPOT)
    order = at.buy("bob", None, None, quote_quantity=Decimal("200"), symbol=SPOT)
    assert order.filled == 133  # 1 at 150, then 50 / 151 = 0.33
    assert order.filled_quote == Decimal("199.83")
    assert order.status is OrderStatus.FILLED


@pytest.mark.parametrize(
    ("mode", "maker", "taker"),
    [
        (SelfTrade.REJECT_MAKER, OrderStatus.EXPIRED, OrderStatus.NEW),
        (SelfTrade.REJECT_BOTH, OrderStatus.EXPIRED, OrderStatus.EXPIRED),
    ],
)
def test_self_trade_prevention_expires_the_side_it_names(
    at: Bench, mode: SelfTrade, maker: OrderStatus, taker: OrderStatus
) -> None:
    resting = at.sell("ann", "150", "1")
    order = at.buy("ann", "150", "1", self_trade=mode)
    assert (resting.status, order.status) == (maker, taker)
    assert resting.expiry_reason is Reason.SELF_TRADE
    assert at.trades() == []


def test_self_trade_prevention_refuses_a_taker_that_would_meet_itself_first(at: Bench) -> None:
    resting = at.sell("ann", "150", "1")
    with refused(Reason.SELF_TRADE):
        at.buy("ann", "150", "1")
    assert resting.is_live


def test_self_trade_prevention_expires_a_taker_after_it_traded_with_others(at: Bench) -> None:
    at.sell("bob", "149.99", "1")
    resting = at.sell("ann", "150", "1")
    order = at.buy("ann", "150", "2")
    assert (order.status, order.expiry_reason, order.filled) == (OrderStatus.EXPIRED, Reason.SELF_TRADE, 100)
    assert resting.is_live


def test_fok_does_not_count_what_lies_behind_an_own_order_that_would_stop_it(at: Bench) -> None:
    at.sell("bob", "149.99", "1")
    at.sell("ann", "150", "1")
    at.sell("bob", "150.01", "1")
    with refused(Reason.FILL_OR_KILL):
        at.fok("ann", Side.BUY, "150.01", "2")
    order = at.fok("ann", Side.BUY, "150.01", "2", self_trade=SelfTrade.REJECT_MAKER)
    assert order.status is OrderStatus.FILLED


def test_L01_a_client_id_may_be_used_again_only_after_its_order_ended(at: Bench) -> None:
    first = at.buy("ann", "149", "1", client_id="7")
    with refused(Reason.DUPLICATE_CLIENT_ID):
        at.buy("ann", "148", "1", client_id="7")
    at.buy("bob", "148", "1", client_id="7")
    assert at.venue.order("ann", PERP, client_id="7") is first
    at.venue.cancel("ann", PERP, at.now_ns, client_id="7")
    assert first.status is OrderStatus.CANCELLED
    at.buy("ann", "148", "1", client_id="7")


def test_an_ended_or_foreign_order_is_unknown(at: Bench) -> None:
    order = at.buy("ann", "149", "1")
    for name, symbol in (("bob", PERP), ("ann", SPOT)):
        with refused(Reason.UNKNOWN_ORDER):
            at.venue.cancel(name, symbol, at.now_ns, order_id=order.id)
    at.cancel(order)
    with refused(Reason.UNKNOWN_ORDER):
        at.cancel(order)
    with refused(Reason.UNKNOWN_ORDER):
        at.venue.order("ann", PERP, order_id=order.id)
    assert at.venue.order_history("ann") == deque([order])


def test_an_account_may_not_have_more_open_orders_than_the_limit(at: Bench) -> None:
    for _ in range(1000):
        at.buy("ann", "149", "0.01")
    with refused(Reason.ORDER_LIMIT):
        at.buy("ann", "149", "0.01")
    assert len(at.venue.cancel_all("ann", None, at.now_ns)) == 1000
    assert at.venue.depth(PERP).bids == []


def test_ids_rise_above_the_base_and_trades_are_numbered_without_a_hole(at: Bench) -> None:
    orders = [at.sell("ann", "150", "1") for _ in range(3)]
    at.buy("bob", "150", "3")
    assert 1000 < orders[0].id < orders[1].id < orders[2].id
    assert [trade.id for trade in at.venue.trades(PERP)] == [1003, 1002, 1001]
    newest = at.venue.trades(PERP, 1)[0]
    assert newest.seller_order_id == orders[2].id


def test_one_operation_makes_one_book_change_with_absolute_sizes(at: Bench) -> None:
    at.sell("ann", "150", "1")
    at.sell("ann", "150.01", "2")
    at.events.clear()
    at.buy("bob", "150.02", "4")
    (change,) = at.book_changes()
    assert set(change.asks) == {(15000, 0), (15001, 0)}
    assert change.bids == ((15002, 100),)
    assert (change.best_bid, change.best_ask) == ((15002, 100), None)
    assert change.last_id == at.venue.depth(PERP).last_id


def test_an_unknown_symbol_is_refused(at: Bench) -> None:
    with refused(Reason.UNKNOWN_SYMBOL):
        at.buy("ann", "150", "1", symbol="DOGE_USDC")


def test_a_perpetual_without_a_mark_price_takes_no_orders() -> None:
    at = bench()
    at.venue.engine(PERP).marks.mark = None
    with refused(Reason.MARKET_CLOSED):
        at.buy("ann", "150", "1")


def test_a_closed_market_refuses_orders_but_still_cancels_silently(at: Bench) -> None:
    order = at.buy("ann", "149", "1")
    at.venue.close(PERP)
    at.events.clear()
    with refused(Reason.MARKET_CLOSED):
        at.buy("ann", "149", "1")
    at.cancel(order)
    at.pass_time(2)
    assert order.status is OrderStatus.CANCELLED
    assert at.order_events(order) == [OrderEventKind.CANCELLED]
    assert at.book_changes() == []


def test_the_day_figures_follow_the_trades(at: Bench) -> None:
    assert at.venue.day_stats(PERP) is None
    for price in ("150", "152", "149"):
        at.sell("ann", price, "1")
        at.buy("bob", price, "1")
    at.pass_time(1)
    day = at.venue.day_stats(PERP)
    assert day is not None
    assert (day.first, day.high, day.low, day.last, day.volume, day.trades) == (
        15000,
        15200,
        14900,
        14900,
        300,
        3,
    )
    assert day.quote_volume == Decimal(451)
    at.pass_time(24 * 3600 + 60)
    assert at.venue.day_stats(PERP) is None
