"""The gauge: absurd prices, markets that stand still, and the seed of the venue's candles."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.signals.config import Config
from services.signals.seed import blocks_of
from services.signals.volatility.block import Block
from services.signals.volatility.choice import gauge_of
from services.signals.volatility.gauge import VolatilityGauge
from shared.clock import NS_PER_S
from shared.messages import Candles
from tests.quoter.builders import SYMBOL, VENUE
from tests.signals.walks import annualised, block, walk

TICK = 1e-4  # as a log return: a price of 10,000 ticks


def gauge(returns: list[float], volatility: str = "rolling", first_s: int = 1) -> VolatilityGauge:
    found = gauge_of(Config(volatility=volatility))  # type: ignore[arg-type]
    for at_s, moved in enumerate(returns, first_s):
        found.take(block(at_s, moved, one_tick=TICK))
    return found


def candles(closes: list[int], interval_s: int = 1, end_s: int = 1000) -> Candles:
    """Candles without a range, the last of which ends at `end_s`."""
    first_s = end_s - interval_s * (len(closes) - 1)
    rows = tuple(
        ((first_s + interval_s * index) * NS_PER_S, close, close, close) for index, close in enumerate(closes)
    )
    return Candles(VENUE, SYMBOL, interval_s, rows)


def prices(returns: list[float], start: float = 1e8) -> list[int]:
    """Return prices of a million ticks a percent, so that rounding does not matter."""
    total, found = 0.0, [round(start)]
    for moved in returns:
        total += moved
        found.append(round(start * math.exp(total)))
    return found


# --- absurd prices ---


def test_volatility_is_not_owned_by_one_absurd_price() -> None:
    calm = [TICK * (-1) ** second for second in range(60)]
    shocked = gauge([*calm, math.log(2), -math.log(2)]).annualised_pct(62)
    assert shocked is not None and shocked < 3 * annualised(TICK)


def test_volatility_of_a_market_that_stood_still_is_not_owned_by_one_absurd_price_either() -> None:
    shocked = gauge([*[0.0] * 60, math.log(2), -math.log(2)]).annualised_pct(62)
    assert shocked is not None and shocked < 6 * annualised(TICK)


def test_volatility_rises_again_after_the_market_stood_still_for_long() -> None:
    """With a clip at six times what is almost 0 it would stay almost 0 for good."""
    moving = [1e-3 * (-1) ** second for second in range(60)]
    value = gauge([*moving, *[0.0] * 400, *moving]).annualised_pct(520)
    assert value is not None and 0.5 * annualised(1e-3) < value <= annualised(1e-3)


def test_an_absurd_wick_within_a_second_does_not_own_the_ranges() -> None:
    found = gauge_of(Config(volatility="parkinson"))
    for at_s in range(1, 601):
        wick = 0.5 if at_s == 300 else TICK
        found.take(Block(at_s, 1, 0.0, wick, -TICK, TICK))
    calm = gauge_of(Config(volatility="parkinson"))
    for at_s in range(1, 601):
        calm.take(Block(at_s, 1, 0.0, TICK, -TICK, TICK))
    shocked, usual = found.annualised_pct(600), calm.annualised_pct(600)
    assert shocked is not None and usual is not None and usual < shocked < 2 * usual


def test_ordinary_returns_are_not_clipped() -> None:
    returns = walk(60, 1e-3)
    assert gauge(returns).annualised_pct(60) == pytest.approx(annualised(statistics.pstdev(returns)))


# --- the seed ---


def test_D11_a_thousand_closes_are_volatility_before_the_first_second_of_our_own() -> None:
    returns = walk(999)
    found = gauge([], "blended")
    assert found.annualised_pct(1000) is None
    found.seed(blocks_of(candles(prices(returns))))
    same = gauge(returns, "blended", first_s=2)
    assert found.annualised_pct(1000) == pytest.approx(same.annualised_pct(1000), rel=1e-3)
    assert found.sample_count == 600 and not found.wants_seed


def test_D11_seed_and_own_seconds_are_one_history() -> None:
    """The seed came late: what we saw ourselves counts where both tell of a second."""
    remembered, own = walk(999), walk(20, 1e-3, seed=8)
    late = gauge(own, "blended", first_s=990)
    late.seed(blocks_of(candles(prices(remembered))))  # seconds 2 to 1000
    early = gauge(remembered[:988] + own, "blended", first_s=2)
    assert late.annualised_pct(1009) == pytest.approx(early.annualised_pct(1009), rel=1e-3)
    assert late.sample_count == 600


def test_D11_no_volatility_until_either_the_seed_or_enough_seconds_of_our_own_are_there() -> None:
    assert gauge(walk(19), "blended").annualised_pct(19) is None
    own = gauge(walk(20), "blended")
    assert own.annualised_pct(20) is not None and own.wants_seed  # it would still be of use
    seeded = gauge(walk(3), "blended", first_s=1001)
    seeded.seed(blocks_of(candles(prices(walk(999)))))
    assert seeded.annualised_pct(1003) is not None


def test_D11_no_seed_is_wanted_once_our_own_memory_is_full_and_a_late_one_changes_nothing() -> None:
    found = gauge(walk(601), "blended")
    assert not found.wants_seed
    before = found.annualised_pct(601)
    found.seed(blocks_of(candles(prices(walk(999, 1.0)), end_s=0)))
    assert found.annualised_pct(601) == before


def test_D11_minute_candles_fill_the_long_window_scaled_and_nothing_else() -> None:
    """The blend waits for seconds of our own; the long window counts each minute as sixty."""
    minutes = walk(16, 1e-4 * math.sqrt(60))
    found = gauge([], "blended")
    found.seed(blocks_of(candles(prices(minutes), 60, end_s=960)))
    assert found.annualised_pct(960) is None
    own = walk(20)
    for at_s, moved in enumerate(own, 961):
        found.take(block(at_s, moved))
    window = minutes[-10:]  # the last one of the window ends 580 s ago
    count = 60 * len(window) + 20
    mean = (sum(window) + sum(own)) / count
    long = math.sqrt((sum(m**2 for m in window) + sum(o**2 for o in own)) / count - mean**2)
    weights = [0.94**age for age in range(20)]
    ewma = math.sqrt(sum(w * o**2 for w, o in zip(weights, reversed(own), strict=True)) / sum(weights))
    expected = annualised(0.3 * statistics.pstdev(own) + 0.4 * ewma + 0.3 * long)
    assert found.annualised_pct(980) == pytest.approx(expected, rel=1e-3)
    assert found.sample_count == count


def test_D11_seconds_without_a_trade_are_neither_still_nor_one_wild_second() -> None:
    """A move of 4e-4 over four seconds: their squares add up to its square."""
    rows = tuple((at_s * NS_PER_S, 0, 0, close) for at_s, close in ((10, 10**8), (14, 100_040_008)))
    rows = tuple((end_ns, close, close, close) for end_ns, _, _, close in rows)
    (only,) = blocks_of(Candles(VENUE, SYMBOL, 1, rows))
    assert (only.at_s, only.span_s) == (14, 4)
    assert only.log_return == pytest.approx(4e-4, rel=1e-6)


def test_D11_absurd_and_repeated_candles_are_left_out() -> None:
    rows = ((5, 10, 10, 10), (6, 12, 9, 11), (6, 99, 99, 99), (7, 0, 0, 0), (8, 9, 12, 11), (9, 11, 11, 11))
    seed = Candles(VENUE, SYMBOL, 1, tuple((at * NS_PER_S, *prices) for at, *prices in rows))  # type: ignore[misc]
    first, second = blocks_of(seed)
    assert (first.at_s, first.span_s) == (6, 1)
    assert (first.log_high, first.log_low) == (math.log(12 / 10), math.log(9 / 10))
    assert (second.at_s, second.span_s, second.log_return) == (9, 3, 0.0)


rows = st.lists(st.tuples(*[st.integers(-(10**18), 10**18)] * 4), max_size=30)


@settings(max_examples=60, deadline=None)
@given(rows=rows, own=st.lists(st.floats(-1.0, 1.0), max_size=30), first_s=st.integers(-100, 10**9))
def test_D11_any_seed_and_any_seconds_give_a_volatility_or_none(
    rows: list[tuple[int, int, int, int]], own: list[float], first_s: int
) -> None:
    found = gauge(own, "blended", first_s)
    found.seed(blocks_of(Candles(VENUE, SYMBOL, 1, tuple(rows))))
    found.seed(blocks_of(Candles(VENUE, SYMBOL, 1, tuple(rows))))
    value = found.annualised_pct(first_s + len(own))
    assert value is None or (math.isfinite(value) and value >= 0.0)


def test_seconds_that_go_back_in_time_are_ignored() -> None:
    found = gauge(walk(30))
    before = found.annualised_pct(30)
    found.take(block(30, 0.5))
    found.take(block(12, 0.5))
    assert found.annualised_pct(30) == before
