"""Bins: how many, where, and how the capital is spread over them. Price 100, tick 0.01."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from services.quoter.strategies import bid_ask, curve, spot
from services.quoter.strategies.base import Strategy
from services.quoter.strategies.bins.params import Params, counts
from shared.instrument import Instrument
from shared.messages import Level, Side
from tests.quoter.builders import instrument, view

FINE = instrument(lot_size="0.000001", min_quantity="0.000001")
#: 10 base units of 100 and 1000 quote units
CAPITAL: dict[str, Any] = {"capital_usd": 2_000}
CURVE = [2.210247, 2.099735, 1.994748, 1.895011, 1.80026]
BIDS_AT_OWN_PRICE = [1.80749, 1.910293, 2.018976, 2.133877, 2.255354]


def levels(
    strategy: Strategy[Any, Any, Any], rules: Instrument = FINE, mid: int = 10_000, **params: Any
) -> tuple[Level, ...]:
    parsed = strategy.params(**(CAPITAL | params))
    assert parsed.problem() == ""
    market = view(instrument=rules, bid=mid - 1, ask=mid + 1)
    wanted = strategy.quote(market, strategy.plan(parsed, rules), strategy.start)
    return wanted.levels


def prices(found: tuple[Level, ...], side: Side) -> list[int]:
    return [level.price for level in found if level.side is side]


def sizes(found: tuple[Level, ...], side: Side, rules: Instrument = FINE) -> list[float]:
    return [float(rules.quantity(level.size)) for level in found if level.side is side]


def spent(found: tuple[Level, ...], rules: Instrument = FINE) -> Decimal:
    bids = (level for level in found if level.side is Side.BUY)
    return sum((rules.notional(level.size, level.price) for level in bids), Decimal(0))


@pytest.mark.parametrize(
    ("range_pct", "step_bps", "count"),
    [(0.9, 1, 90), (2.0, 40, 5), (2.0, 100, 2), (0.29, 1, 29), (0.57, 1, 57), (1.99, 40, 4), (0.07, 0.5, 14)],
)
def test_Q07_the_number_of_bins_is_exact(range_pct: float, step_bps: float, count: int) -> None:
    params = Params(up_pct=range_pct, down_pct=range_pct, bin_step_bps=step_bps, recentre_pct=0.001)
    assert counts(params) == (count, count)


def test_Q07_every_range_of_tenths_of_a_percent_is_counted_without_a_float_floor() -> None:
    for tenths in range(1, 101):
        for step in (1, 2, 5, 10):
            params = Params(up_pct=tenths / 10, down_pct=tenths / 10, bin_step_bps=step, recentre_pct=0.001)
            assert counts(params)[0] == tenths * 10 // step


def test_Q07_G9_bins_are_whole_steps_of_the_mid_away() -> None:
    found = levels(spot.STRATEGY)
    assert prices(found, Side.BUY) == [9_960, 9_920, 9_880, 9_840, 9_800]
    assert prices(found, Side.SELL) == [10_040, 10_080, 10_120, 10_160, 10_200]


def test_Q05_bins_round_away_from_the_market() -> None:
    market = view(instrument=FINE, bid=10_000, ask=10_001)  # mid 10000.5: 9960.498, 10040.502
    parsed = spot.Params(**CAPITAL)
    found = spot.quote(market, spot.plan(parsed, FINE), spot.STRATEGY.start).levels
    assert prices(found, Side.BUY)[0] == 9_960 and prices(found, Side.SELL)[0] == 10_041


def test_Q08_G9_spot_bins_are_of_one_size() -> None:
    found = levels(spot.STRATEGY)
    assert sizes(found, Side.BUY) == sizes(found, Side.SELL) == [2.0] * 5


def test_Q09_G9_curve_bins_decay_with_distance_on_both_sides() -> None:
    found = levels(curve.STRATEGY)
    assert sizes(found, Side.BUY) == pytest.approx(CURVE, abs=1.5e-6)
    assert sizes(found, Side.SELL) == pytest.approx(CURVE, abs=1.5e-6)
    assert sum(sizes(found, Side.SELL)) == pytest.approx(10, abs=6e-6)


def test_Q10_G9_bid_ask_bins_grow_with_distance_and_bids_are_paid_at_their_own_price() -> None:
    found = levels(bid_ask.STRATEGY)
    assert sizes(found, Side.SELL) == pytest.approx(CURVE[::-1], abs=1.5e-6)
    assert sizes(found, Side.BUY) == pytest.approx(BIDS_AT_OWN_PRICE, abs=1.5e-6)
    assert 0 <= 1_000 - spent(found) < Decimal("0.001")


@pytest.mark.parametrize("strategy", [spot.STRATEGY, curve.STRATEGY, bid_ask.STRATEGY])
@pytest.mark.parametrize("count", [1, 3, 7, 50])
def test_Q08_Q09_Q10_no_shape_spends_more_than_there_is(
    strategy: Strategy[Any, Any, Any], count: int
) -> None:
    coarse = instrument(lot_size="0.1", min_quantity="0.1")
    params = {"up_pct": count / 10, "down_pct": count / 10, "bin_step_bps": 10, "recentre_pct": 0.05}
    found = levels(strategy, coarse, live_orders=200, **params)
    assert found and spent(found, coarse) <= 1_000
    assert sum(level.size for level in found if level.side is Side.SELL) <= 100


def test_a_size_that_is_a_whole_number_of_lots_loses_none_to_rounding() -> None:
    whole = instrument(lot_size="1", min_quantity="1")
    found = levels(spot.STRATEGY, whole, up_pct=0.3, down_pct=0.3, bin_step_bps=10, recentre_pct=0.05,
                   capital_usd=600, live_orders=6)  # fmt: skip
    assert sizes(found, Side.BUY, whole) == sizes(found, Side.SELL, whole) == [1, 1, 1]


@pytest.mark.parametrize(("live", "a_side"), [(2, 1), (3, 1), (8, 4), (9, 4), (10, 5), (30, 5)])
def test_Q13_at_most_half_of_the_live_orders_rest_on_a_side(live: int, a_side: int) -> None:
    found = levels(spot.STRATEGY, live_orders=live)
    assert len(prices(found, Side.BUY)) == len(prices(found, Side.SELL)) == a_side


def test_Q13_thirty_live_orders_are_fifteen_a_side() -> None:
    found = levels(spot.STRATEGY, live_orders=30, bin_step_bps=10, recentre_pct=0.05)
    assert len(prices(found, Side.BUY)) == len(prices(found, Side.SELL)) == 15


def test_Q13_the_longer_side_of_an_asymmetric_ladder_is_kept_whole() -> None:
    found = levels(spot.STRATEGY, up_pct=2.0, down_pct=0.8)
    assert (len(prices(found, Side.BUY)), len(prices(found, Side.SELL))) == (2, 5)
    assert sizes(found, Side.BUY) == [5.0, 5.0] and sizes(found, Side.SELL) == [2.0] * 5


def test_Q13_bins_that_do_not_rest_keep_their_share_of_the_capital() -> None:
    assert sizes(levels(spot.STRATEGY, live_orders=4), Side.SELL) == [2.0, 2.0]
    assert sizes(levels(bid_ask.STRATEGY, live_orders=2), Side.SELL) == pytest.approx(CURVE[-1:], abs=1.5e-6)


def test_bins_that_a_coarse_tick_joins_are_one_order() -> None:
    """At 100 ticks a step of 0.4 % is less than half a tick: bins 1 and 2 are both at 99."""
    found = levels(spot.STRATEGY, instrument(tick_size="1", lot_size="0.01"), mid=100, live_orders=20)
    coarse = instrument(tick_size="1", lot_size="0.01")
    assert prices(found, Side.BUY) == [99, 98] and prices(found, Side.SELL) == [101, 102]
    assert sizes(found, Side.BUY, coarse) == sizes(found, Side.SELL, coarse) == [4.0, 6.0]


def test_bins_below_the_lowest_price_of_the_venue_are_left_out() -> None:
    found = levels(spot.STRATEGY, instrument(min_price="99", max_price="101"))
    assert prices(found, Side.BUY) == [9_960, 9_920] and prices(found, Side.SELL) == [10_040, 10_080]
    assert levels(spot.STRATEGY, instrument(tick_size="1"), mid=2, down_pct=50, up_pct=50,
                  bin_step_bps=5_000) != ()  # fmt: skip


def test_decay_of_one_is_uniform() -> None:
    assert curve.weights(4, 1.0) == bid_ask.weights(4, 1.0) == spot.weights(4)


def test_weights_are_exact_powers() -> None:
    first, second, third = curve.weights(3, 0.95)
    assert Fraction(second, first) == Fraction(third, second) == Fraction(95, 100)


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"up_pct": 0.3}, "up_pct 0.3 is 0 bins of 40 bp: 1 to 1000 are allowed"),
        ({"down_pct": 50, "bin_step_bps": 1, "recentre_pct": 0.001}, "down_pct 50 is 5000 bins of 1 bp"),
        ({"recentre_pct": 0.4}, "recentre_pct 0.4 must be below a bin, 0.4 %"),
        ({"buy_fade_from": 0.6}, "buy_fade_from 0.6 must be below buy_stop_at 0.6"),
        ({"sell_stop_at": -0.3}, "sell_stop_at -0.3 must be below sell_fade_from -0.3"),
        ({"min_order": 2, "max_order": 1}, "min_order 2 must be at most max_order 1"),
    ],
)
def test_X02_rules_between_the_params_of_bins_are_checked(params: dict[str, Any], text: str) -> None:
    assert text in spot.Params(**params).problem()
