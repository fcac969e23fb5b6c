"""E02, the perpetual grid: closes that only reduce, no opens outside the range, SL and TP, restarts."""

from __future__ import annotations

from typing import Any

import pytest

from shared.messages import OrderStatus, Side, WorkingOrder
from tests.quoter.builders import START_NS, Desk, order, position, top, working
from tests.quoter.grids.trader import Trader

FIXED: dict[str, Any] = {"lower": 195, "upper": 205, "grid_num": 11, "quantity": 0.1}
LONG: dict[str, Any] = FIXED | {"direction": "long"}
SHORT: dict[str, Any] = FIXED | {"direction": "short"}


def test_E02_a_neutral_grid_buys_below_home_and_sells_above_one_order_a_level() -> None:
    trader = Trader(20_000, **FIXED)
    assert [price for price, _ in trader.bids] == [19_900, 19_800, 19_700, 19_600, 19_500]
    assert [price for price, _ in trader.asks] == [20_100, 20_200, 20_300, 20_400, 20_500]
    trader.fill(Side.SELL, 20_100)
    assert (trader.bids[0], trader.asks[0]) == ((20_000, 10), (20_200, 10))


def test_E02_an_even_neutral_grid_has_an_order_at_every_level() -> None:
    trader = Trader(20_000, lower=195, upper=205, grid_num=6, quantity=0.1)  # home is between two levels
    assert [price for price, _ in trader.bids] == [19_900, 19_700, 19_500]
    assert [price for price, _ in trader.asks] == [20_100, 20_300, 20_500]
    trader.fill(Side.BUY, 19_900)
    assert trader.asks[0] == (20_100, 20), "its close and the first short share a price: one order"


@pytest.mark.parametrize("params", [LONG, SHORT])
def test_E02_closes_of_long_and_short_grids_are_reduce_only_opens_are_not(params: dict[str, Any]) -> None:
    is_long = params["direction"] == "long"
    opening = Side.BUY if is_long else Side.SELL
    trader = Trader(20_500 if is_long else 19_500, **params)
    assert {(level.side, level.reduce_only) for level in trader.levels} == {(opening, False)}
    assert len(trader.levels) == 10
    first = 20_400 if is_long else 19_600
    trader.fill(opening, first)
    (close,) = [level for level in trader.levels if level.side is opening.opposite]
    assert (close.price, close.size, close.reduce_only) == (20_500 if is_long else 19_500, 10, True)


def test_E02_an_automatic_range_of_a_long_grid_is_below_the_price_and_of_a_short_one_above() -> None:
    long, short = (Trader(20_000, quantity=0.1, direction=direction) for direction in ("long", "short"))
    assert (long.bids[0][0], long.bids[-1][0], long.asks) == (19_889, 19_000, [])
    assert (short.asks[0][0], short.asks[-1][0], short.bids) == (20_111, 21_000, [])


def test_E02_closes_of_a_neutral_grid_are_not_reduce_only_beside_opens_of_their_side() -> None:
    trader = Trader(20_000, **FIXED)
    trader.fill(Side.BUY, 19_900)
    assert not any(level.reduce_only for level in trader.levels)


@pytest.mark.parametrize(("params", "price"), [(LONG, 20_500), (SHORT, 19_500)])
def test_E02_a_position_of_the_other_sign_is_closed_before_anything_opens(
    params: dict[str, Any], price: int
) -> None:
    sign = -1 if params["direction"] == "long" else 1
    trader = Trader(price, **params, position=25 * sign)
    assert [(level.price, level.size, level.reduce_only) for level in trader.levels] == [(price, 25, True)]
    assert {level.side.sign for level in trader.levels} == {-sign}


def test_E02_nothing_opens_outside_the_range_and_closes_stay() -> None:
    trader = Trader(20_000, **FIXED, position=20, join_passed=True)
    trader.move(19_300, settle_ms=5_000)
    assert trader.bids == []
    assert trader.asks[:2] == [(19_900, 10), (20_000, 10)]
    assert trader.wanted.reason.startswith("waiting for the price to come back to 197")
    trader = Trader(20_000, **FIXED, position=-20, join_passed=True)
    trader.move(20_700, settle_ms=5_000)
    assert trader.asks == []
    assert trader.bids[:2] == [(20_100, 10), (20_000, 10)]


def test_E02_what_the_price_has_passed_is_first_believed_to_be_filled() -> None:
    trader = Trader(20_000, **FIXED)
    trader.move(19_890, settle_ms=900)
    assert trader.bids[0] == (19_800, 10), "199 is left out, the deeper ones rest on"
    trader.fill(Side.BUY, 19_800, 0)  # only the time it takes: nothing has changed
    trader.position = 10
    trader.ask_again()
    assert (trader.bids[0], trader.asks[0]) == ((19_800, 10), (20_000, 10))


def test_E02_opens_that_were_passed_without_a_fill_wait_for_the_price() -> None:
    trader = Trader(20_000, **FIXED)
    trader.move(19_750, settle_ms=1_000)
    assert trader.bids == [], "a deeper one first would count as the level that was passed"
    assert trader.wanted.reason.startswith("waiting for the price to come back to 199:")
    assert trader.asks[0] == (20_100, 10)
    trader.move(19_950)
    assert trader.bids[0] == (19_900, 10)


def test_E02_or_they_join_the_best_price_when_told_to() -> None:
    trader = Trader(20_000, **FIXED, join_passed=True)
    trader.move(19_750, settle_ms=1_000)
    assert trader.bids == [(19_750, 20), (19_700, 10), (19_600, 10), (19_500, 10)]  # below 197.51


def test_E02_a_close_that_was_passed_rests_at_the_best_price_that_does_not_take() -> None:
    trader = Trader(20_000, **FIXED)
    trader.fill(Side.BUY, 19_900)
    trader.fill(Side.BUY, 19_800)
    trader.move(20_050, settle_ms=1_000)  # the market jumped over 199 and 200
    assert trader.asks[:2] == [(20_050, 20), (20_100, 10)]
    assert all(level.post_only for level in trader.levels)


def test_E02_E10_position_and_closes_cannot_drift_apart() -> None:
    """Once compared each 600 s, and mended when off by half a level; now one gives the other."""
    trader = Trader(20_000, **FIXED)
    for foreign in (3, -17, 8, 40, -60, 95):  # fills of nobody's orders
        trader.position += foreign
        trader.move(20_000, settle_ms=1_000)
        closing = trader.asks if trader.position > 0 else trader.bids
        assert sum(size for _, size in closing) == abs(trader.position) + 50  # and 50 open on that side
    assert trader.position > 50, "also what is more than the levels can hold"


def test_E02_a_close_that_rests_too_small_is_replaced_within_a_second_not_after_600() -> None:
    desk = Desk.ready("perp_grid", **LONG)
    desk.send(top(20_499, 20_501, desk.now_ns))
    desk.send(position(3))
    close = order(Side.SELL, 20_500, 3, order_id=7)
    desk.send(working(close))
    desk.send(position(10))  # the rest of the level: seven lots are without a close
    assert _sells(desk) == [(20_500, 10)]
    desk.wait(950)
    assert _sells(desk) == [(20_500, 10)], "a burst of fills is answered once"
    desk.wait(100)
    assert _sells(desk) == [], "out of the way"
    desk.send(working(_cancelling(close)))
    desk.send(working())
    assert _sells(desk) == [(20_500, 10)]
    desk.send(working(order(Side.SELL, 20_500, 4, order_id=8)))  # something keeps it small
    desk.wait(3_000)
    assert _sells(desk) == [(20_500, 10)], "one try: it is not sent round and round"


def test_E02_an_order_that_is_filled_before_the_position_is_told_is_not_replaced() -> None:
    desk = Desk.ready("perp_grid", **LONG)
    desk.send(top(20_499, 20_501, desk.now_ns))
    desk.send(position(10))
    desk.send(working(order(Side.SELL, 20_500, 10)))
    desk.send(working(order(Side.SELL, 20_500, 10, filled=4)))
    assert _sells(desk) == [(20_500, 10)]
    desk.send(position(6))
    desk.wait(3_000)
    assert _sells(desk) == [(20_500, 6)]


def test_E02_a_stop_loss_that_flattened_it_lays_a_range_that_follows_the_price_anew() -> None:
    trader = Trader(20_000, quantity=0.1, grid_num=11)
    trader.fill(Side.BUY, 19_800)
    trader.fill(Side.BUY, 19_600)
    trader.position = 0  # the stop-loss, at 195
    trader.move(19_500)
    assert (trader.bids[0], trader.asks[0]) == ((19_305, 10), (19_695, 10)), "no order was at 198 and 196"


def test_E02_a_range_that_follows_the_price_is_not_laid_anew_while_it_holds_something() -> None:
    trader = Trader(20_000, quantity=0.1, grid_num=11)
    trader.fill(Side.BUY, 19_800)
    trader.move(18_000, settle_ms=60_000)  # far outside: the lot that was bought at 198 is sold at 200
    assert (trader.bids, trader.asks[0]) == ([], (20_000, 10))


def test_E02_after_a_stop_loss_a_fixed_range_does_not_buy_back_what_was_just_sold() -> None:
    trader = Trader(20_500, **LONG)
    trader.fill(Side.BUY, 20_400)
    trader.fill(Side.BUY, 20_300)
    trader.position = 0
    trader.move(20_200, settle_ms=10_000)
    assert trader.levels == ()
    assert "waiting for the price to come back to 204" in trader.wanted.reason
    trader.move(20_450)
    assert trader.bids[0] == (20_400, 10)


@pytest.mark.parametrize(("direction", "away"), [("long", 20_400), ("short", 19_600)])
def test_E02_a_flat_one_way_grid_follows_a_price_that_leaves_it_behind(direction: str, away: int) -> None:
    trader = Trader(20_000, quantity=0.1, direction=direction)
    first = trader.levels
    trader.move(away, settle_ms=900)
    assert trader.levels == first
    trader.move(away, settle_ms=1_000)
    nearest = (trader.bids or trader.asks)[0][0]
    assert abs(nearest - away) < 150


def test_E02_a_restart_with_a_position_lays_a_range_that_closes_one_level_away() -> None:
    for direction, held in (("neutral", 25), ("neutral", -25), ("long", 25), ("short", -25)):
        trader = Trader(20_000, quantity=0.1, grid_num=11, direction=direction, position=held)
        closes = [level for level in trader.levels if level.side.sign * held < 0]
        step = 200 if direction == "neutral" else 100
        assert abs(abs(closes[0].price - 20_000) - step) <= step * 0.05
        sizes = [level.size for level in closes[:3]]
        assert sizes == [5, 10, 10], "two full levels and a half"


@pytest.mark.parametrize("params", [FIXED, LONG, SHORT])
def test_E02_a_fixed_range_is_the_same_after_a_restart(params: dict[str, Any]) -> None:
    sign = -1 if params.get("direction") == "short" else 1
    for held in range(0, 60, 7):
        trader = Trader(20_000, **params, position=held * sign)
        before = trader.levels
        trader.move(20_070)
        trader.move(19_930)
        trader.move(20_000)
        assert trader.levels == before
        assert trader.restart().levels == before


def _sells(desk: Desk) -> list[tuple[int, int]]:
    return [(level.price, level.size) for level in desk.levels if level.side is Side.SELL]


def _cancelling(resting: WorkingOrder) -> WorkingOrder:
    return WorkingOrder(
        resting.client_order_id, resting.venue_order_id, resting.side, resting.price, resting.size,
        resting.filled, OrderStatus.PENDING_CANCEL, START_NS, False,
    )  # fmt: skip
