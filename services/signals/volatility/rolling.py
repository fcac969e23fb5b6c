"""Standard deviation of the log returns of the last so many seconds.

The population's (divided by n), about their own mean. The sums are integers, so that
what enters and leaves a window for days leaves no rounding error behind.
"""

from __future__ import annotations

import math
from collections import deque

from services.signals.volatility.block import UNIT, Block, is_fine_enough, units


class Rolling:
    """The window is one of time: seconds that are missing make it thinner, not longer."""

    needs_range = False

    def __init__(self, window_s: int, min_samples: int) -> None:
        self._window_s = window_s
        self._min_samples = min_samples
        self._blocks: deque[tuple[int, int, int]] = deque()  # last second, seconds, return in units
        self._sum = 0
        self._sum_of_squares = 0
        self.count = 0

    def add(self, block: Block) -> None:
        if not is_fine_enough(block.span_s, self._window_s):
            return
        moved = units(block.log_return)
        self._blocks.append((block.at_s, block.span_s, moved))
        self.count += block.span_s
        self._sum += moved
        self._sum_of_squares += moved * moved
        self._prune(block.at_s)

    def deviation(self, now_s: int) -> float | None:
        self._prune(now_s)
        count = self.count
        if count < self._min_samples:
            return None
        return math.sqrt(count * self._sum_of_squares - self._sum * self._sum) / count * UNIT

    def _prune(self, now_s: int) -> None:
        blocks, oldest_s = self._blocks, now_s - self._window_s
        while blocks and blocks[0][0] <= oldest_s:
            _, span_s, moved = blocks.popleft()
            self.count -= span_s
            self._sum -= moved
            self._sum_of_squares -= moved * moved
