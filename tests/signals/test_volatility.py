"""Volatility: hand numbers, holes, robustness."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.signals.volatility import SECONDS_PER_YEAR, RealisedVolatility


def volatility(mids: list[float], step_s: float = 1.0, min_samples: int = 2) -> RealisedVolatility:
    estimate = RealisedVolatility(window=60, decay=0.94, min_samples=min_samples)
    for index, mid in enumerate(mids):
        estimate.sample(mid, index * step_s)
    return estimate


def test_volatility_of_one_basis_point_a_second_is_its_annualised_percentage() -> None:
    mids = [100.0 * math.exp(1e-4 * (index % 2)) for index in range(31)]  # 1 bp up, 1 bp down
    expected = 100 * 1e-4 * math.sqrt(SECONDS_PER_YEAR)
    assert volatility(mids).annualised_pct() == pytest.approx(expected, rel=1e-9)  # 56.16 %


def test_volatility_is_the_mean_of_a_rolling_and_an_exponential_variance() -> None:
    estimate = volatility([100.0, 100.0 * math.exp(2e-4), 100.0 * math.exp(2e-4)])
    rolling, exponential = (4e-8 + 0.0) / 2, 0.94 * 4e-8
    expected = 100 * math.sqrt((rolling + exponential) / 2 * SECONDS_PER_YEAR)
    assert estimate.annualised_pct() == pytest.approx(expected, rel=1e-9)


def test_volatility_is_unknown_until_enough_is_seen() -> None:
    assert volatility([100.0, 101.0, 102.0], min_samples=3).annualised_pct() is None
    assert volatility([100.0, 101.0, 102.0, 101.0], min_samples=3).annualised_pct() is not None


@given(step_s=st.floats(0.5, 5.0))
def test_volatility_does_not_depend_on_the_sampling_interval_of_a_late_timer(step_s: float) -> None:
    size = 1e-4 * math.sqrt(step_s)  # a random walk moves with the root of time
    mids = [100.0 * math.exp(size * (index % 2)) for index in range(31)]
    assert volatility(mids, step_s).annualised_pct() == pytest.approx(
        100 * 1e-4 * math.sqrt(SECONDS_PER_YEAR), rel=1e-9
    )


def test_volatility_takes_no_return_over_a_hole() -> None:
    estimate = volatility([100.0] * 20)
    estimate.skip()
    estimate.sample(150.0, 60.0)  # the market moved while nobody looked
    estimate.sample(150.0, 61.0)
    assert estimate.annualised_pct() == 0.0


def test_volatility_is_not_owned_by_one_absurd_mid() -> None:
    mids = [10_000.0 + index % 2 for index in range(60)]  # ticks: up one, down one
    calm = volatility(mids).annualised_pct()
    shocked = volatility([*mids, 20_000.0, 10_000.0]).annualised_pct()
    assert calm is not None and shocked is not None
    assert shocked < 10 * calm


def test_volatility_of_a_market_that_stood_still_is_not_owned_by_one_absurd_mid_either() -> None:
    shocked = volatility([*[10_000.0] * 60, 20_000.0, 10_000.0]).annualised_pct()
    one_tick = 100 * 1e-4 * math.sqrt(SECONDS_PER_YEAR)
    assert shocked is not None and shocked < 6 * one_tick


def test_volatility_rises_again_after_the_market_stood_still_for_long() -> None:
    """With a clip at six times what is almost 0 it stayed almost 0 for good."""
    moving = [10_000.0 * math.exp(1e-3 * (index % 2)) for index in range(20)]
    still = [10_000.0] * 400
    estimate = volatility([*moving, *still, *moving])
    expected = 100 * 1e-3 * math.sqrt(SECONDS_PER_YEAR)
    value = estimate.annualised_pct()
    assert value is not None and 0.3 * expected < value < expected


@given(mids=st.lists(st.floats(1.0, 1e6), min_size=4, max_size=200))
def test_volatility_is_never_negative_nor_undefined(mids: list[float]) -> None:
    value = volatility(mids).annualised_pct()
    assert value is not None and value >= 0 and math.isfinite(value)
