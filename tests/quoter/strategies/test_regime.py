"""Regime: spread, size and tiers by volatility, liquidity and inventory. Mid 1000, tick 0.01 unless said."""

from __future__ import annotations

from typing import Any

import pytest

from services.quoter.strategies.regime import Params, Quoted, limits, plan, tau
from services.quoter.strategies.regimes import market as rules
from services.quoter.strategies.regimes.market import Regime, composite, liquidity_ratio, regime_of
from shared.clock import NS_PER_S
from tests.quoter.builders import INSTRUMENT, START_NS, instrument
from tests.quoter.strategies.regime_desk import G7_LIMITS, prices, sizes, view, wanted


def usd(regime: Regime, fullness: float, sigma: float, ratio: float) -> float:
    return 100 * rules.size_factor(regime, fullness, sigma, 0.3, ratio)


def test_R21_G7_automatic_limits_are_five_base_orders_and_twice_that() -> None:
    threshold, q_max = limits(view(), plan(Params(base_order_usd=100), INSTRUMENT))
    assert (threshold, q_max) == (50, 100)  # lots of 0.01: 0.5 and 1.0


def test_R21_C19_explicit_limits_are_honoured_and_one_gives_the_other() -> None:
    def limits_of(**params: Any) -> tuple[float, float]:
        return limits(view(), plan(Params(**params), INSTRUMENT))

    assert limits_of(risk_threshold=0.3, q_max=2.0) == (30, 200)
    assert limits_of(risk_threshold=0.3) == (30, 60)
    assert limits_of(q_max=0.8) == (40, 80)


def test_R21_automatic_limits_follow_the_price() -> None:
    cheap = view(bid=49_950, ask=50_050)
    assert limits(cheap, plan(Params(base_order_usd=100), INSTRUMENT)) == (100, 200)


def test_G7_the_first_spread_and_the_spread_a_second_later() -> None:
    """At the multiplier 2.0 that the earlier bot began with: 2.009, and 2.000009 when the horizon is over."""
    settings = plan(Params(horizon_s=1.0), INSTRUMENT)
    for elapsed_ns, spread in ((0, 2.009), (NS_PER_S, 2.000009), (100 * NS_PER_S, 2.000009)):
        risk = 0.1 * 0.3**2 * tau(settings, elapsed_ns)
        assert rules.spread_of(risk, 0.0, 1.0, 2.0) == pytest.approx(spread, abs=1e-12)
    assert tau(settings, NS_PER_S // 2) == 0.5


def test_G7_the_same_spreads_as_quotes() -> None:
    """A market spread of 0.5 counted twice; 2 cs is then 2.0, at a tick of 0.000001."""
    fine = instrument(tick_size="0.000001")
    book = {
        "instrument": fine, "bid": 999_500_000, "ask": 1_000_500_000, "volatility_pct": 30.0,
        "bids": ((999_500_000, 50),), "asks": ((1_000_500_000, 50),),
    }  # fmt: skip
    params: dict[str, Any] = {"horizon_s": 1.0, "spread_multiplier": 2.0, "price_tolerance_pct": 0}
    first = wanted(book, **params)
    assert isinstance(first.memory, Quoted)
    bid, ask = prices(first)
    assert bid is not None and ask is not None and (ask - bid) / 1e6 == pytest.approx(2.009, abs=2e-6)
    bid, ask = prices(wanted(book | {"now_ns": START_NS + NS_PER_S}, first.memory, **params))
    assert bid is not None and ask is not None and (ask - bid) / 1e6 == pytest.approx(2.000009, abs=2e-6)


def test_Q28_the_regime_counts_from_the_first_sample() -> None:
    """Normal: 0.1 x 0.09 + 1.0 x 1.0, not the 2.0 of a start in no regime."""
    assert prices(wanted()) == (99_949, 100_051)  # 0.5045 each side, outwards
    assert wanted().reason == "normal"
    assert prices(wanted({"volatility_pct": 100.0})) == (99_865, 100_135)  # stress: 0.1 x 2 + 2.5 x 1


@pytest.mark.parametrize(
    ("value", "name"),
    [(0.0, "low volatility"), (0.69, "low volatility"), (0.7, "normal"), (1.5, "normal"),
     (1.51, "high volatility"), (2.0, "high volatility"), (2.01, "stress")],
)  # fmt: skip
def test_Q28_regimes_begin_at_their_bounds(value: float, name: str) -> None:
    assert regime_of(value).name == name


def test_Q28_the_composite_weighs_volatility_and_pressure() -> None:
    assert composite(0.3, 0.3, 1.0) == pytest.approx(0.7)
    assert composite(0.6, 0.3, 1.0) == pytest.approx(1.4)
    assert composite(0.3, 0.3, 2.718281828459045) == pytest.approx(0.7 + 0.3 * 0.5)
    assert composite(0.3, 0.3, 1 / 2.718281828459045) == pytest.approx(0.7 + 0.3 * 0.5)


@pytest.mark.parametrize(
    ("volatility_pct", "half"),
    [(10.0, 0.35 + 0.5 * 0.07 * 0.01), (30.0, 0.5 + 0.5 * 0.1 * 0.09), (80.0, 0.9 + 0.5 * 0.14 * 0.64),
     (90.0, 1.25 + 0.5 * 0.2 * 0.81)],
)  # fmt: skip
def test_Q28_each_regime_multiplies_spread_and_risk_aversion(volatility_pct: float, half: float) -> None:
    fine = instrument(tick_size="0.0001")
    book = {"instrument": fine, "bid": 9_995_000, "ask": 10_005_000}
    bid, ask = prices(wanted(book | {"volatility_pct": volatility_pct}))
    assert bid is not None and ask is not None
    assert (10_000_000 - bid) / 1e4 == pytest.approx(half, abs=2e-4)
    assert (ask - 10_000_000) / 1e4 == pytest.approx(half, abs=2e-4)


def test_Q28_inventory_widens_the_spread_by_its_share_of_the_regimes_maximum() -> None:
    assert rules.spread_of(0.0, 0.5, 1.0, 1.0) == pytest.approx(1.15)
    fine = instrument(tick_size="0.0001")
    book = {"instrument": fine, "bid": 9_995_000, "ask": 10_005_000, "position": 15}
    bid, ask = prices(
        wanted(book, legacy_gamma=0.0, **G7_LIMITS)
    )  # 0.15 of 2.0 in a normal market: 0.3 x 0.075
    assert bid is not None and ask is not None and (ask - bid) / 1e4 == pytest.approx(1.0225, abs=2e-4)


def test_Q28_the_risk_term_does_not_fade_unless_a_horizon_is_given() -> None:
    assert tau(plan(Params(), INSTRUMENT), 10**6 * NS_PER_S) == 1.0


@pytest.mark.parametrize(
    ("regime", "fullness", "sigma", "ratio", "size"),
    [(rules.NORMAL, 0.0, 0.3, 1.0, 100.0), (rules.NORMAL, 0.5, 0.3, 1.0, 80.0),
     (rules.STRESS, 0.5, 0.9, 0.2, 3.6), (rules.LOW_VOLATILITY, 0.0, 0.0, 3.0, 420.0)],
)  # fmt: skip
def test_Q29_G8_order_size(regime: Regime, fullness: float, sigma: float, ratio: float, size: float) -> None:
    assert usd(regime, fullness, sigma, ratio) == pytest.approx(size)


def test_Q29_G8_the_size_is_what_is_quoted() -> None:
    assert set(sizes(wanted()).values()) == {10, 9}  # 100 USD at 999.49 and at 1000.51, lots of 0.01, down
    fine = instrument(lot_size="0.000001", min_quantity="0.000001")
    stress = {"volatility_pct": 90.0, "asks": ((100_050, 250),) * 3, "instrument": fine}
    held = stress | {"position": 400_000}  # 0.4 of 0.8, which is what stress leaves of 1.0
    level = wanted(held, risk_threshold=0.99, q_max=1.0).levels[0]
    assert level.size * level.price / 1e8 == pytest.approx(3.6, abs=0.002)


def test_Q29_the_ratio_is_of_the_best_three_levels_of_both_sides() -> None:
    """The earlier bot took the fifth to third best bids, an ascending list read from its start."""
    bids = ((100, 1), (99, 2), (98, 3), (97, 1_000), (96, 1_000))
    asks = ((101, 4), (102, 4), (103, 4), (104, 1), (105, 1))
    assert liquidity_ratio(bids, asks) == pytest.approx(6 / 12)
    assert liquidity_ratio(bids[:1], asks[:2]) == pytest.approx(1 / 8)


def test_Q29_the_ratio_counts_between_its_bounds() -> None:
    assert usd(rules.NORMAL, 0, 0.3, 0.01) == pytest.approx(30)
    assert usd(rules.NORMAL, 0, 0.3, 50) == pytest.approx(150)


def test_Q29_a_position_beyond_the_maximum_shrinks_the_order_no_further() -> None:
    assert usd(rules.NORMAL, 7.0, 0.3, 1.0) == usd(rules.NORMAL, 1.0, 0.3, 1.0) == pytest.approx(60)


@pytest.mark.parametrize(("policy", "lots"), [("raise", {15}), ("skip", set())])
def test_Q27_an_order_below_the_minimum_is_raised_or_skipped(policy: str, lots: set[int]) -> None:
    found = wanted({"instrument": instrument(min_quantity="0.15")}, min_size=policy)
    assert set(sizes(found).values()) == lots
