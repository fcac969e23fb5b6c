"""Candles: whole in every interval, wherever a query starts, and bounded over days."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.exchange.protocols.backpack.rest.candles import INTERVALS, Candle, Candles, bounds_ns

S = 10**9
MONDAY = 1_700_438_400  # 2023-11-20 00:00 UTC
UNIT = Decimal("0.0001")


def traded(*trades: tuple[int, int]) -> Candles:
    """Return the candles of trades of one lot, as (seconds after Monday, ticks)."""
    candles = Candles(UNIT)
    for second, ticks in trades:
        candles.on_trade(ticks, 1, (MONDAY + second) * S)
    return candles


def test_a_query_that_starts_inside_an_interval_gets_whole_candles_only() -> None:
    candles = traded((5, 100), (55, 90), (65, 110))
    rows = candles.range("1m", (MONDAY + 30) * S, (MONDAY + 3_600) * S)
    assert [(row.start_ns // S - MONDAY, row.open) for row in rows] == [(60, 110)]
    (first, _) = candles.range("1m", MONDAY * S, (MONDAY + 3_600) * S)
    assert (first.open, first.high, first.low, first.close, first.volume) == (100, 100, 90, 90, 2)
    assert first.quote_volume == Decimal("0.0190")


@given(
    st.lists(st.tuples(st.integers(0, 3_000), st.integers(1, 500)), min_size=1, max_size=40).map(sorted),
    st.sampled_from(sorted(INTERVALS)),
)
def test_every_interval_tells_of_the_same_trades(trades: list[tuple[int, int]], interval: str) -> None:
    candles = traded(*trades)
    start_ns, _ = bounds_ns(interval, MONDAY * S)
    rows = candles.range(interval, start_ns, (MONDAY + 3_001) * S)
    expected: dict[int, list[int]] = {}
    for second, ticks in trades:
        expected.setdefault(bounds_ns(interval, (MONDAY + second) * S)[0], []).append(ticks)
    assert [row.start_ns for row in rows] == list(expected)
    for row, prices in zip(rows, expected.values(), strict=True):
        told = (row.open, row.high, row.low, row.close, row.volume, row.trades)
        assert told == (prices[0], max(prices), min(prices), prices[-1], len(prices), len(prices))
    assert candles.latest(interval, (MONDAY + trades[-1][0]) * S) == rows[-1]


def test_days_of_trading_keep_their_long_candles_and_a_bounded_number_of_slots() -> None:
    candles = traded(*((second, 100 + second % 7) for second in range(0, 6 * 86_400, 20)))
    week = candles.latest("1w", (MONDAY + 6 * 86_400 - 1) * S)
    assert isinstance(week, Candle)
    assert (week.start_ns, week.trades) == (MONDAY * S, 6 * 86_400 // 20)
    tiers = (candles._seconds, candles._minutes, candles._hours)
    assert [len(tier.slots) for tier in tiers] == [3_600, 6 * 24 * 60, 6 * 24]


@pytest.mark.parametrize("interval", ["1s", "1m", "1h"])
def test_a_clock_set_back_adds_to_the_newest_slot(interval: str) -> None:
    candles = traded((3_600, 100), (3_500, 90))
    row = candles.latest(interval, (MONDAY + 3_600) * S)
    assert row is not None
    assert (row.close, row.trades) == (90, 2)
