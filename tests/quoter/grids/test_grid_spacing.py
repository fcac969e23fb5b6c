"""Where the levels of a grid are: spacing, rounding, what is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from services.quoter.config import parse_quoter
from services.quoter.levels.rounding import PriceGrid
from services.quoter.levels.sizing import LotSizes
from services.quoter.strategies.grid import STRATEGY as GRID
from services.quoter.strategies.grids.layout import lay
from services.quoter.strategies.grids.params import martingale_levels, martingale_weights
from services.quoter.strategies.grids.spacing import arithmetic, geometric, martingale, on_ticks
from services.quoter.strategies.perp_grid import STRATEGY as PERP_GRID
from services.quoter.strategies.perp_grid import Params, plan
from shared.config import Quoter
from shared.errors import BadInput
from shared.messages import Side
from tests.quoter.builders import ACCOUNT, INSTRUMENT, SYMBOL, instrument
from tests.quoter.grids.trader import Trader

PRICES = PriceGrid(INSTRUMENT)


def ticks(*prices: str) -> tuple[int, ...]:
    return tuple(int(Decimal(price) * 100) for price in prices)


def test_E01_arithmetic_levels_are_at_equal_distances_both_ends_included() -> None:
    assert on_ticks(arithmetic(Decimal(14_000), Decimal(16_000), 5), PRICES) == ticks(
        "140", "145", "150", "155", "160"
    )
    assert on_ticks(arithmetic(Decimal(14_000), Decimal(16_000), 2), PRICES) == ticks("140", "160")


def test_E01_geometric_levels_are_at_equal_ratios() -> None:
    # the earlier documentation's own example said 155.16 where 155.32 is right
    assert on_ticks(geometric(Decimal(14_000), Decimal(16_000), 10), PRICES) == ticks(
        "140", "142.09", "144.22", "146.37", "148.56", "150.78", "153.03", "155.32", "157.64", "160"
    )


def test_E01_levels_that_share_a_tick_are_one_level() -> None:
    dense = on_ticks(arithmetic(Decimal(100), Decimal(104), 17), PRICES)
    assert dense == (100, 101, 102, 103, 104)
    trader = Trader(102, lower=1.00, upper=1.04, grid_num=17, quantity=100)
    assert (trader.bids, trader.asks) == ([(101, 10_000), (100, 10_000)], [(103, 10_000), (104, 10_000)])


def test_E01_levels_keep_to_the_price_rule() -> None:
    rules = PriceGrid(instrument(price_rule="significant_5", tick_size="0.001"))
    found = on_ticks(arithmetic(Decimal(199_981), Decimal(200_019), 3), rules)
    assert found == (199_980, 200_000, 200_020)


def test_E01_a_range_narrower_than_a_tick_is_refused_when_the_grid_is_planned() -> None:
    with pytest.raises(BadInput, match="too narrow for the tick"):
        plan(Params(lower=200.001, upper=200.004, quantity=1), INSTRUMENT)


def test_E01_a_quantity_below_the_venues_minimum_is_refused_when_the_grid_is_planned() -> None:
    with pytest.raises(BadInput, match=r"quantity 0\.001 is below the venue's minimum 0\.01"):
        plan(Params(quantity=0.001), INSTRUMENT)
    with pytest.raises(BadInput, match="below the venue's minimum of 6"):
        plan(Params(lower=150, upper=250, size_usd=6), instrument(min_notional="10"))


def test_G12_martingale_factors_and_quantities() -> None:
    factors = martingale(Decimal("0.01"), Decimal("1.5"), 10)
    rounded = [round(float(factor), 4) for factor in factors]
    assert rounded == [0.99, 0.975, 0.9525, 0.9187, 0.8681, 0.7922, 0.6783, 0.5074, 0.2511, -0.1333]
    weights = martingale_weights(1.5, 10)
    assert weights[0] == 1 and round(float(weights[9]), 2) == 38.44


def test_G12_E07_a_negative_level_is_refused_naming_it_and_what_would_do() -> None:
    text = (
        "grid_num 10: level 10 would be at -13.33 % of home, and a price must be above 0: "
        "at most 9 levels with step_pct 1 and price_factor 1.5"
    )
    with pytest.raises(BadInput) as planned:
        plan(Params(spacing="martingale", direction="long", quantity=1), INSTRUMENT)
    assert str(planned.value) == text
    with pytest.raises(BadInput, match="at most 9 levels") as configured:
        table = {"spacing": "martingale", "direction": "long", "quantity": 1}
        parse_quoter(SYMBOL, Quoter(ACCOUNT, "perp_grid", table))
    assert str(configured.value) == f"quoters.{SYMBOL}.params: {text}"


def test_G12_a_martingale_rests_at_its_factors_with_growing_lots_and_closes_one_level_up() -> None:
    trader = Trader(100_000, direction="long", spacing="martingale", grid_num=9, quantity=1)
    assert [price for price, _ in trader.bids[:5]] == [99_000, 97_500, 95_250, 91_875, 86_812]  # 86812.5 down
    assert [size for _, size in trader.bids] == [100, 150, 225, 337, 506, 759, 1139, 1708, 2562]
    trader.fill(Side.BUY, 99_000)
    trader.fill(Side.BUY, 97_500)
    assert trader.asks == [(99_000, 150), (100_000, 100)]


def test_E07_a_short_martingale_has_no_negative_prices() -> None:
    assert martingale_levels(1.0, 1.5, 10, "short")[-1] > 2
    trader = Trader(100_000, direction="short", spacing="martingale", quantity=1)
    assert [price for price, _ in trader.asks[:3]] == [101_000, 102_500, 104_750]
    assert len(trader.asks) == 10


@pytest.mark.parametrize(
    ("strategy", "params", "text"),
    [
        ("grid", {}, "exactly one of quantity, size_usd and equity_pct is needed, got none"),
        ("grid", {"quantity": 1, "grid_num": 1}, "grid_num: Expected `int` >= 2, was 1"),
        ("grid", {"quantity": 1, "lower": 10}, "lower and upper go together, got only lower"),
        ("grid", {"quantity": 1, "lower": 10, "upper": 10}, "lower 10 must be below upper 10"),
        ("grid", {"quantity": 1, "lower": 1, "upper": 2, "range_pct": 5}, "range_pct 5 excludes"),
        ("grid", {"quantity": 1, "lower": 1, "upper": 2, "home": 3}, "home 3 must be within lower 1"),
        ("grid", {"quantity": 1, "home": 3}, "home 3 needs lower and upper"),
        ("grid", {"quantity": 1, "spacing": "martingale"}, "spacing: Invalid enum value 'martingale'"),
        ("perp_grid", {"quantity": 1, "spacing": "martingale"}, 'needs direction "long" or "short"'),
        (
            "perp_grid",
            {"quantity": 1, "spacing": "martingale", "direction": "short", "range_pct": 1},
            "excludes range_pct",
        ),
    ],
)  # fmt: skip
def test_X02_what_cannot_be_is_refused_naming_the_key(
    strategy: str, params: dict[str, Any], text: str
) -> None:
    with pytest.raises(BadInput) as caught:
        parse_quoter(SYMBOL, Quoter(ACCOUNT, strategy, params))
    assert text in str(caught.value)


def test_E02_a_perp_grid_is_not_for_spot() -> None:
    with pytest.raises(BadInput, match="is a spot market: perp_grid is for perpetuals, use grid"):
        PERP_GRID.plan(Params(quantity=1), instrument(is_perp=False))


def test_E01_a_range_that_the_venue_has_no_prices_for_is_a_reason_and_no_quotes() -> None:
    trader = Trader(20_000, rules=instrument(min_price="195"), quantity=0.1)
    assert trader.levels == ()
    assert trader.wanted.reason == "the range 19000..21000 ticks is outside the venue's prices"


def test_E01_size_by_money_is_the_same_whenever_the_grid_is_laid() -> None:
    made = GRID.plan(GRID.params(lower=150, upper=250, size_usd=50), INSTRUMENT)
    for price in (16_000, 24_000):
        grid = lay(made, Decimal(price), 0, 1e6, PRICES, LotSizes(INSTRUMENT))
        assert {rung.lots for rung in grid.down} == {25}  # 50 at home, 200.00


def test_E02_size_by_equity_is_shared_by_the_levels() -> None:
    trader = Trader(20_000, quantity=None, equity_pct=80)  # 800 over 10 levels at 200
    assert {size for _, size in trader.bids + trader.asks} == {40}
