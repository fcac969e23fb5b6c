"""Every estimator of volatility against plain arithmetic, on walks whose deviation is known."""

from __future__ import annotations

import math
import random
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.signals.config import Config
from services.signals.volatility.block import Block, Estimator, annualised_pct
from services.signals.volatility.choice import estimator_of
from services.signals.volatility.ewma import Ewma
from services.signals.volatility.parkinson import MIN_BARS, Parkinson
from services.signals.volatility.realised_kernel import RealisedKernel, parzen
from services.signals.volatility.rolling import Rolling
from tests.signals.walks import annualised, block, feed_returns, walk

NAMES = ("blended", "rolling", "ewma", "parkinson", "kernel")


def estimator(name: str, **settings: int) -> Estimator:
    return estimator_of(Config(volatility=name, **settings))  # type: ignore[arg-type]


def plain_ewma(returns: list[float], decay: float = 0.94) -> float:
    """Return the deviation by the textbook sum, the weights scaled to add up to 1."""
    weights = [(1 - decay) * decay**age for age in range(len(returns))]
    squares = [moved**2 for moved in reversed(returns)]
    return math.sqrt(sum(w * s for w, s in zip(weights, squares, strict=True)) / sum(weights))


def test_Q12_blend_is_three_tenths_short_four_tenths_ewma_three_tenths_long() -> None:
    returns = walk(1000)
    blended = estimator("blended")
    at_s = feed_returns(blended, returns)
    expected = (
        0.3 * statistics.pstdev(returns[-60:])
        + 0.4 * plain_ewma(returns)
        + 0.3 * statistics.pstdev(returns[-600:])
    )
    assert blended.deviation(at_s) == pytest.approx(expected, rel=1e-9)
    assert blended.count == 600


def test_Q12_the_parts_of_the_blend_see_different_times() -> None:
    """Ten quiet minutes, then one wild one: 0.3 and 0.4 of the wild, the long window between."""
    blended = estimator("blended")
    calm = [1e-5 * (-1) ** second for second in range(600)]
    wild = [1e-3 * (-1) ** second for second in range(60)]
    at_s = feed_returns(blended, calm + wild)
    long = math.sqrt((540 * 1e-10 + 60 * 1e-6) / 600)
    ewma = math.sqrt(1e-6 * (1 - 0.94**60) + 1e-10 * 0.94**60)
    assert blended.deviation(at_s) == pytest.approx(0.3e-3 + 0.4 * ewma + 0.3 * long, rel=1e-6)


def test_Q12_rolling_is_the_standard_deviation_of_the_last_sixty_log_returns() -> None:
    returns = walk(500)
    rolling = estimator("rolling")
    for at_s, moved in enumerate(returns, 1):
        rolling.add(block(at_s, moved))
        if at_s in (20, 59, 60, 61, 500):
            expected = statistics.pstdev(returns[max(0, at_s - 60) : at_s])
            assert rolling.deviation(at_s) == pytest.approx(expected, rel=1e-8)


def test_Q12_ewma_weighs_a_second_ninety_four_percent_of_the_next() -> None:
    returns = walk(300)
    ewma = estimator("ewma")
    assert ewma.deviation(feed_returns(ewma, returns)) == pytest.approx(plain_ewma(returns), rel=1e-9)


def test_Q12_ewma_starts_neither_at_zero_nor_at_the_first_return() -> None:
    ewma = Ewma(0.94, 2)
    feed_returns(ewma, [1e-2, 1e-4])
    weighted = (0.94 * 1e-4 + 1e-8) / 1.94
    assert ewma.deviation(2) == pytest.approx(math.sqrt(weighted), rel=1e-9)


def test_Q12_ewma_forgets_by_the_clock_over_a_hole() -> None:
    """Thirty wild seconds, thirty that nobody saw, thirty calm ones."""
    ewma = Ewma(0.94, 20)
    feed_returns(ewma, [1e-3] * 30)
    feed_returns(ewma, [1e-5] * 30, first_s=61)
    wild = sum(0.94**age for age in range(60, 90))
    calm = sum(0.94**age for age in range(30))
    expected = (wild * 1e-6 + calm * 1e-10) / (wild + calm)
    assert ewma.deviation(90) == pytest.approx(math.sqrt(expected), rel=1e-9)


def test_Q12_C15_volatility_is_percent_of_a_year_of_365_days_of_seconds() -> None:
    rolling = Rolling(60, 20)
    at_s = feed_returns(rolling, [1e-4 * (-1) ** second for second in range(60)])
    deviation = rolling.deviation(at_s)
    assert deviation is not None
    assert annualised_pct(deviation) == pytest.approx(100 * 1e-4 * math.sqrt(31_536_000))  # 56.16 %
    assert annualised_pct(deviation) == pytest.approx(56.16, abs=0.01)


@pytest.mark.parametrize("name", NAMES)
def test_Q12_every_estimator_finds_the_deviation_of_a_walk(name: str) -> None:
    """Thirty steps within each second: highs and lows are there to be seen."""
    generator = random.Random(11)
    found = estimator(name)
    estimates = []
    for at_s in range(1, 6001):
        path, steps = 0.0, []
        for _ in range(30):
            path += generator.gauss(0.0, 1e-4 / math.sqrt(30))
            steps.append(path)
        found.add(Block(at_s, 1, path, max(0.0, *steps), min(0.0, *steps), 1e-9))
        if at_s >= 600 and at_s % 60 == 0:
            deviation = found.deviation(at_s)
            assert deviation is not None
            estimates.append(deviation)
    assert statistics.mean(estimates) == pytest.approx(1e-4, rel=0.06)


def test_Q12_parkinson_is_the_mean_squared_range_of_bars_over_four_ln_two() -> None:
    parkinson = Parkinson(bar_s=2, window_s=60, min_samples=10)
    for bar in range(8):  # up 3e-4 and down 1e-4 from the start, ending where it began
        parkinson.add(Block(2 * bar + 1, 1, 2e-4, 3e-4, 0.0, 1e-9))
        parkinson.add(Block(2 * bar + 2, 1, -2e-4, 0.0, -3e-4, 1e-9))
    assert parkinson.deviation(16) == pytest.approx(math.sqrt((4e-4) ** 2 / (4 * math.log(2)) / 2))
    assert parkinson.count == 16


def test_Q12_parkinson_takes_no_bar_with_a_hole() -> None:
    parkinson = Parkinson(bar_s=2, window_s=600, min_samples=2)
    for at_s in range(1, 100, 2):  # every other second is missing
        parkinson.add(block(at_s, 1e-2))
    assert parkinson.count == 0 and parkinson.deviation(100) is None


def plain_kernel(returns: list[float], lags: int) -> float:
    def autocovariance(lag: int) -> float:
        return sum(returns[j] * returns[j - lag] for j in range(lag, len(returns)))

    total = autocovariance(0)
    total += 2 * sum(parzen(lag / (lags + 1)) * autocovariance(lag) for lag in range(1, lags + 1))
    return math.sqrt(max(0.0, total) / len(returns))


def test_Q12_kernel_is_the_parzen_weighted_sum_of_autocovariances_of_the_window() -> None:
    returns = walk(700)
    kernel = RealisedKernel(lags=5, window_s=100, min_samples=20)
    for at_s, moved in enumerate(returns, 1):
        kernel.add(block(at_s, moved))
        if at_s in (20, 99, 100, 101, 700):
            expected = plain_kernel(returns[max(0, at_s - 100) : at_s], 5)
            assert kernel.deviation(at_s) == pytest.approx(expected, rel=1e-9)


def test_Q12_kernel_does_not_count_the_jitter_between_bid_and_ask() -> None:
    """A walk of 1e-4 a second whose price is read at the bid or at the ask, 4e-4 apart."""
    generator = random.Random(3)
    fair, before, returns = 0.0, 0.0, []
    for _ in range(600):
        fair += generator.gauss(0.0, 1e-4)
        price = fair + generator.choice((-2e-4, 2e-4))
        returns.append(price - before)
        before = price
    kernel, rolling = estimator("kernel"), Rolling(600, 20)
    at_s = feed_returns(kernel, returns)
    feed_returns(rolling, returns)
    with_jitter, without = rolling.deviation(at_s), kernel.deviation(at_s)
    assert with_jitter is not None and without is not None
    assert with_jitter > 2.5e-4 and without < 1.5e-4


def test_Q12_kernel_passes_over_a_year_of_silence_at_once() -> None:
    kernel = RealisedKernel(lags=5, window_s=600, min_samples=20)
    feed_returns(kernel, walk(30))
    first_s = 10**12  # step by step this would take days
    returns = walk(30, seed=9)
    at_s = feed_returns(kernel, returns, first_s)
    assert kernel.deviation(at_s) == pytest.approx(plain_kernel(returns, 5), rel=1e-9)


def test_parzen_weights_fall_from_one_to_zero_and_meet_in_the_middle() -> None:
    assert (parzen(0.0), parzen(0.5), parzen(1.0)) == (1.0, 0.25, 0.0)


@pytest.mark.parametrize("name", NAMES)
def test_no_estimate_before_enough_seconds_were_seen_and_one_after(name: str) -> None:
    found = estimator(name, volatility_bar_s=4)
    least = MIN_BARS * 4 if name == "parkinson" else 20
    for at_s, moved in enumerate(walk(60), 1):
        assert (found.deviation(at_s - 1) is None) == (at_s - 1 < least)
        found.add(block(at_s, moved))


@pytest.mark.parametrize("name", NAMES)
def test_windows_are_of_time_what_is_older_counts_no_more(name: str) -> None:
    found = estimator(name)
    at_s = feed_returns(found, walk(700))
    assert found.deviation(at_s) is not None
    assert found.deviation(at_s + 700) is None


@pytest.mark.parametrize("name", NAMES)
def test_days_of_one_price_after_a_wild_hour_leave_nothing_behind(name: str) -> None:
    """Sums of floats would keep a rest of what has long left the window."""
    found = estimator(name)
    feed_returns(found, [0.3, -0.3] * 100 + walk(600, 0.1))
    deviation = found.deviation(feed_returns(found, [0.0] * 1000, first_s=801))
    assert deviation is not None and deviation < 1e-12


def test_a_minute_is_sixty_seconds_with_the_square_of_its_move() -> None:
    minutes = walk(10, 1e-4 * math.sqrt(60))
    long = Rolling(600, 20)
    for number, moved in enumerate(minutes, 1):
        long.add(block(60 * number, moved, span_s=60))
    mean = sum(minutes) / 600
    expected = math.sqrt(sum(moved**2 for moved in minutes) / 600 - mean**2)
    assert long.deviation(600) == pytest.approx(expected, rel=1e-9)
    assert annualised_pct(expected) == pytest.approx(annualised(1e-4), rel=0.5)


def test_what_is_too_coarse_for_a_window_is_not_taken_for_seconds() -> None:
    short, ewma, kernel = Rolling(60, 20), Ewma(0.94, 20), RealisedKernel(5, 600, 20)
    for number in range(1, 17):
        for part in (short, ewma, kernel):
            part.add(block(60 * number, 1e-3, span_s=60))
    assert [part.deviation(960) for part in (short, ewma, kernel)] == [None, None, None]
    assert (short.count, ewma.count, kernel.count) == (0, 0, 0)


steps = st.lists(
    st.tuples(st.integers(1, 90), st.sampled_from((1, 1, 1, 7, 60)), st.floats(-2.0, 2.0)), max_size=60
)


@settings(max_examples=60, deadline=None)
@given(steps=steps, name=st.sampled_from(NAMES), wait_s=st.integers(0, 2000))
def test_every_estimate_is_finite_and_not_negative_or_none(
    steps: list[tuple[int, int, float]], name: str, wait_s: int
) -> None:
    found, at_s = estimator(name, volatility_min_samples=2), 100
    for gap_s, span_s, moved in steps:
        at_s += gap_s + span_s
        found.add(block(at_s, moved, span_s))
        deviation = found.deviation(at_s)
        assert deviation is None or (math.isfinite(deviation) and deviation >= 0.0)
        assert found.count >= 0
    deviation = found.deviation(at_s + wait_s)
    assert deviation is None or math.isfinite(deviation)


@settings(max_examples=30, deadline=None)
@given(steps=steps)
def test_rolling_over_any_holes_is_the_plain_formula(steps: list[tuple[int, int, float]]) -> None:
    rolling, kept, at_s = Rolling(600, 2), [], 0
    for gap_s, span_s, moved in steps:
        at_s += gap_s + span_s
        rolling.add(block(at_s, moved, span_s))
        kept.append((at_s, span_s, moved))
    inside = [(span, moved) for second, span, moved in kept if second > at_s - 600]
    count = sum(span for span, _ in inside)
    deviation = rolling.deviation(at_s)
    if count < 2:
        assert deviation is None
    else:
        mean = sum(moved for _, moved in inside) / count
        expected = max(0.0, sum(moved**2 for _, moved in inside) / count - mean**2)
        assert deviation == pytest.approx(math.sqrt(expected), rel=1e-6, abs=1e-7)
