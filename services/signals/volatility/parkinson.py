"""Volatility from the range of the price: five times as efficient as returns, if there is no drift.

The variance of a bar is ln(high / low)² / (4 ln 2). The highs and lows are those of every
mid, not only of one a second; even so the range between two updates is not seen, so in a
market with few updates the estimate is too low.

Source: Parkinson, The extreme value method for estimating the variance of the rate of
return, Journal of Business 53 (1980), 61-65.
"""

from __future__ import annotations

import math
from collections import deque

from services.signals.volatility.block import UNIT, Block, units

RANGE_FACTOR = 4.0 * math.log(2.0)
#: one range is noise
MIN_BARS = 5


class Parkinson:
    """Bars of `bar_s` seconds, or of a longer block, over a window; a bar with a hole is no bar."""

    needs_range = True

    def __init__(self, bar_s: int, window_s: int, min_samples: int) -> None:
        self._bar_s = bar_s
        self._window_s = window_s
        self._min_samples = min_samples
        self._bars: deque[tuple[int, int, int]] = deque()  # last second, seconds, range in units
        self._sum_of_squares = 0
        self.count = 0
        self._at_s: int | None = None  # end of what the unfinished bar holds
        self._begin()

    def _begin(self) -> None:
        self._span_s = 0
        self._moved = self._high = self._low = 0.0  # log prices since the bar's start

    def add(self, block: Block) -> None:
        if self._at_s != block.at_s - block.span_s:
            self._begin()
        self._at_s = block.at_s
        self._high = max(self._high, self._moved + block.log_high)
        self._low = min(self._low, self._moved + block.log_low)
        self._moved += block.log_return
        self._span_s += block.span_s
        if self._span_s >= self._bar_s:
            spread = units(self._high - self._low)
            self._bars.append((block.at_s, self._span_s, spread))
            self._sum_of_squares += spread * spread
            self.count += self._span_s
            self._begin()
        self._prune(block.at_s)

    def deviation(self, now_s: int) -> float | None:
        self._prune(now_s)
        if len(self._bars) < MIN_BARS or self.count < self._min_samples:
            return None
        return math.sqrt(self._sum_of_squares / RANGE_FACTOR / self.count) * UNIT

    def _prune(self, now_s: int) -> None:
        bars, oldest_s = self._bars, now_s - self._window_s
        while bars and bars[0][0] <= oldest_s:
            _, span_s, spread = bars.popleft()
            self.count -= span_s
            self._sum_of_squares -= spread * spread
