"""E01, the spot grid: one level away, partial fills, no borrowing, nothing believed but the position."""

from __future__ import annotations

from typing import Any

import msgspec

from services.quoter.strategies.grid import STRATEGY as GRID
from shared.messages import Side
from tests.quoter.builders import INFO, Desk, instrument, order, permit, position, working
from tests.quoter.grids.trader import Trader

SPOT_INFO = msgspec.structs.replace(INFO, is_perp=False)
SPOT = instrument(is_perp=False)
FIXED: dict[str, Any] = {"lower": 195, "upper": 205, "grid_num": 11, "quantity": 0.1}


def spot(price: int = 20_000, **params: Any) -> Trader:
    return Trader(price, strategy=GRID, rules=SPOT, **({"quantity": 0.1} | params))


def test_E01_without_inventory_only_bids_rest_below_home() -> None:
    trader = spot(**FIXED)
    assert trader.bids == [(19_900, 10), (19_800, 10), (19_700, 10), (19_600, 10), (19_500, 10)]
    assert trader.asks == []


def test_E01_an_automatic_range_is_5_percent_around_the_price_when_it_is_laid() -> None:
    trader = spot(grid_num=11, position=30)
    assert (trader.bids[0], trader.bids[-1]) == ((19_800, 10), (19_000, 10))
    assert trader.asks == [(20_200, 10), (20_400, 10), (20_600, 10)]  # what is held, and no more
    trader.move(20_150)
    assert trader.bids[0] == (19_800, 10), "it does not follow every move"


def test_E01_a_filled_bid_is_offered_one_level_higher_and_the_other_way_round() -> None:
    trader = spot(**FIXED, home_position=0.2, position=20)
    assert trader.asks == [(20_100, 10), (20_200, 10)]
    trader.fill(Side.BUY, 19_900)
    assert (trader.bids[0], trader.asks[0]) == ((19_800, 10), (20_000, 10))
    trader.fill(Side.SELL, 20_000)
    assert (trader.bids[0], trader.asks[0]) == ((19_900, 10), (20_100, 10))
    trader.fill(Side.SELL, 20_100)
    assert (trader.bids[0], trader.asks) == ((20_000, 10), [(20_200, 10)])


def test_E01_a_level_is_locked_until_its_sale() -> None:
    trader = spot(**FIXED)
    trader.fill(Side.BUY, 19_900)
    for price in (19_850, 19_950, 19_910, 19_990):  # back and forth across the level
        trader.move(price)
        assert trader.bids[0] == (19_800, 10), "no second bid at 199 while its lot is not sold"
        assert trader.asks == [(20_000, 10)]
    trader.fill(Side.SELL, 20_000)
    assert trader.bids[0] == (19_900, 10)


def test_E01_a_partial_fill_shrinks_its_order_and_is_offered_at_once() -> None:
    trader = spot(**FIXED)
    trader.fill(Side.BUY, 19_900, 3)
    assert (trader.bids[0], trader.asks) == ((19_900, 7), [(20_000, 3)])
    trader.fill(Side.BUY, 19_900, 4)
    assert (trader.bids[0], trader.asks) == ((19_900, 3), [(20_000, 7)])
    trader.fill(Side.SELL, 20_000, 2)
    assert (trader.bids[0], trader.asks) == ((19_900, 5), [(20_000, 5)])


def test_E01_a_part_below_the_venues_minimum_is_not_lost_but_rides_with_the_next_order() -> None:
    rules = instrument(is_perp=False, min_quantity="0.04")
    trader = Trader(20_000, strategy=GRID, rules=rules, **FIXED)
    trader.fill(Side.BUY, 19_900, 3)
    assert trader.asks == [], "three lots cannot be sold yet"
    assert trader.bids[0] == (19_900, 7)
    trader.fill(Side.BUY, 19_900, 5)
    assert (trader.bids[0], trader.asks) == ((19_800, 12), [(20_000, 8)])  # 2 of 10 ride with the next bid
    trader.fill(Side.BUY, 19_800, 3)
    assert trader.asks == [(20_000, 11)], "one lot of the second level rides with the first's close"
    assert trader.position == sum(size for _, size in trader.asks)


def test_E01_no_ask_exceeds_what_is_held() -> None:
    for held in range(0, 45, 3):
        trader = spot(**FIXED, home_position=0.5, position=held)
        trader.move(20_000, settle_ms=2_000)
        assert sum(size for _, size in trader.asks) <= held
    desk = Desk.ready("grid", **FIXED, home_position=0.5)
    desk.quoter.on_instrument_info(SPOT_INFO, desk.now_ns)
    desk.send(position(15))
    desk.send(permit(desk.now_ns, max_short=0))
    assert all(not level.reduce_only for level in desk.levels)
    assert 0 < sum(level.size for level in desk.levels if level.side is Side.SELL) <= 15


def test_E01_what_is_owed_is_bought_back_and_never_sold_again() -> None:
    trader = spot(position=-5)  # borrowed by hand, before the grid was laid
    assert (trader.bids[0], trader.asks) == ((20_000, 5), [])
    trader.position = 0
    trader.ask_again()
    assert (trader.bids[0], trader.asks) == ((19_889, 10), [])


def test_E01_an_order_that_is_gone_is_not_a_fill() -> None:
    desk = Desk.ready("grid", **FIXED)
    before = desk.levels
    desk.send(working(order(Side.BUY, 19_900, 10)))
    desk.send(working())  # gone, for whatever reason, and the position is as it was
    assert desk.levels == before, "it is asked for again; nothing is offered in its stead"
    desk.send(position(10))
    assert [(level.price, level.size) for level in desk.levels if level.side is Side.SELL] == [(20_000, 10)]


def test_E01_after_a_restart_the_same_position_finds_the_same_grid() -> None:
    trader = spot(**FIXED)
    for price, lots in ((19_900, 10), (19_800, 10), (19_700, 4)):
        trader.fill(Side.BUY, price, lots)
    before = trader.levels
    assert trader.restart().levels == before
    trader.move(19_790)  # it was elsewhere meanwhile
    assert trader.restart().levels == before


def test_E01_a_level_that_is_only_asked_for_counts_as_nothing() -> None:
    """Profit is what the ledger makes of fills: asking for the sale of a lot changes no state."""
    trader = spot(**FIXED)
    first = trader.fill(Side.BUY, 19_900)
    again = trader.ask_again()
    assert (again.levels, again.memory) == (first.levels, first.memory)
