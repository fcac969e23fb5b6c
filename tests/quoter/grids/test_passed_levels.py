"""E01, E02: a level that the price has passed is believed filled only where an order of ours rested."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.quoter.strategies import perp_grid
from services.quoter.strategies.grid import STRATEGY as GRID
from shared.clock import NS_PER_MS
from shared.messages import Side
from tests.quoter.builders import instrument, order
from tests.quoter.grids.trader import Trader

LONG: dict[str, Any] = {"lower": 195, "upper": 205, "grid_num": 11, "quantity": 0.1, "direction": "long"}
DELAYS_MS = [0, 50, 300, 900]


def stopped_out() -> Trader:
    """A long grid that has bought at 204 and 203 and was sold at the market at 201.95."""
    trader = Trader(20_500, **LONG)
    trader.fill(Side.BUY, 20_400)
    trader.fill(Side.BUY, 20_300)
    trader.move(20_195)
    trader.position = 0
    trader.ask_again()
    return trader


@pytest.mark.parametrize("delay_ms", DELAYS_MS)
def test_E02_right_after_a_stop_loss_nothing_is_bought_back(delay_ms: int) -> None:
    trader = stopped_out()
    trader.move(20_195, settle_ms=delay_ms)
    assert trader.levels == ()
    assert "waiting for the price to come back to 204" in trader.wanted.reason
    trader.move(20_450)
    assert trader.bids[0] == (20_400, 10)


@pytest.mark.parametrize("delay_ms", DELAYS_MS)
def test_E02_a_restart_amid_a_fixed_range_buys_no_level_that_the_price_was_below(delay_ms: int) -> None:
    trader = Trader(20_195, **LONG)
    trader.move(20_195, settle_ms=delay_ms)
    assert trader.levels == ()
    trader.restart()
    assert trader.move(20_195, settle_ms=delay_ms).levels == ()


def test_E01_a_spot_grid_started_below_home_waits_as_well() -> None:
    trader = Trader(
        19_750,
        strategy=GRID,
        rules=instrument(is_perp=False),
        lower=195,
        upper=205,
        grid_num=11,
        quantity=0.1,
    )
    assert trader.levels == ()
    assert "waiting for the price to come back to 199" in trader.wanted.reason


@pytest.mark.parametrize("delay_ms", [0, 50, 300, 900])
def test_E02_with_join_passed_what_is_held_there_is_opened_at_once_and_only_once(delay_ms: int) -> None:
    trader = Trader(20_195, **LONG, join_passed=True)
    trader.move(20_195, settle_ms=delay_ms)
    assert trader.bids == [(20_195, 30), (20_100, 10), (20_000, 10), (19_900, 10), (19_800, 10),
                           (19_700, 10), (19_600, 10), (19_500, 10)]  # fmt: skip


@pytest.mark.parametrize("delay_ms", DELAYS_MS)
def test_E02_a_fill_does_not_make_the_passed_levels_believed_for_longer(delay_ms: int) -> None:
    trader = Trader(20_500, **LONG)
    trader.move(20_250)  # past 204 and 203, which rested
    assert trader.bids[0] == (20_200, 10)
    trader.now_ns += delay_ms * NS_PER_MS
    trader.position = 10
    trader.ask_again()
    assert trader.bids[0] == (20_200, 10), "203 rested as well"
    trader.now_ns += (1_000 - delay_ms) * NS_PER_MS
    trader.ask_again()
    assert trader.bids == [], "a second after it was passed, 203 is not filled"
    assert trader.asks[0] == (20_500, 10)


def test_E02_an_order_at_the_venue_is_believed_filled_even_after_a_restart() -> None:
    trader = Trader(20_500, **LONG)
    trader.working = tuple(order(Side.BUY, price, 10, order_id=price) for price, _ in trader.bids)
    trader.price = 20_390
    trader.restart()
    assert trader.bids[0] == (20_300, 10)


def test_E02_what_the_permit_kept_from_the_venue_is_not_believed_filled() -> None:
    trader = Trader(20_500, **LONG)
    trader.limits["may_buy"] = False
    trader.restart()
    trader.limits["may_buy"] = True
    trader.price = 20_390
    assert trader.ask_again().levels == ()


def test_E02_after_a_time_without_quotes_the_last_answer_proves_nothing() -> None:
    trader = Trader(20_500, **LONG)
    trader.now_ns += 5_000 * NS_PER_MS  # a stale feed: nothing was asked, everything cancelled
    trader.price = 20_390
    assert trader.ask_again().levels == ()


def test_E02_a_quiet_market_does_not_make_the_last_answer_old() -> None:
    trader = Trader(20_500, **LONG)
    for _ in range(100):
        trader.now_ns += 50 * NS_PER_MS
        trader.ask_again()
    trader.price = 20_390
    assert trader.ask_again().levels[0].price == 20_300, "204 rested until now"


@settings(max_examples=60)
@given(
    st.integers(19_450, 20_550),
    st.lists(st.tuples(st.integers(-300, 100), st.sampled_from((0, 50, 400, 900))), min_size=1, max_size=12),
)
def test_no_level_is_bought_twice_however_the_price_falls(start: int, steps: list[tuple[int, int]]) -> None:
    """A venue that fills every bid that the market trades through, and tells the position at once."""
    trader = Trader(start, **LONG)
    bought: list[int] = []
    for change, wait_ms in steps:
        trader.now_ns += wait_ms * NS_PER_MS
        trader.ask_again()
        price = min(20_600, max(19_400, trader.price + change))
        for at, size in trader.bids:
            if at >= price:
                bought.append(at)
                trader.position += size
        for at, size in trader.asks:
            if at <= price:
                trader.position -= size
                bought = [one for one in bought if one + 100 != at]  # its lot is sold: it may be bought again
        trader.move(price)
        assert len(bought) == len(set(bought))
        assert trader.position <= 10 * sum(1 for level in range(19_500, 20_500, 100) if level >= min(
            [price, *bought]))  # fmt: skip


def test_E02_passed_orders_are_remembered_once_and_forgotten_when_the_price_is_back() -> None:
    trader = Trader(20_500, **LONG)
    trader.move(20_390)
    assert [(one.side, one.price) for one in trader.memory.passed] == [(Side.BUY, 20_400)]
    first = trader.memory
    assert msgspec.structs.asdict(trader.ask_again().memory) == msgspec.structs.asdict(first)
    trader.move(20_450)
    assert trader.memory.passed == ()


@pytest.mark.parametrize("direction", ["long", "neutral"])
def test_E02_a_passed_close_follows_the_market_and_never_takes(direction: str) -> None:
    """The row has "3 limit retries, then market": that is left to risk, and written down."""
    trader = Trader(20_000, **LONG | {"direction": direction, "home": 200})
    trader.fill(Side.BUY, 19_900)
    for price in (20_050, 20_080, 20_060, 20_090):
        trader.move(price, settle_ms=5_000)
        close = next(level for level in trader.levels if level.side is Side.SELL)
        assert (close.price, close.size, close.post_only) == (price, 10, True)
    written = perp_grid.__doc__ or ""
    assert "Deviation from" in written and "[risk.stops]" in written and "[risk.position_table]" in written
