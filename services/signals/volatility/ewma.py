"""Exponentially weighted volatility: variance <- lambda variance + (1 - lambda) r², a second each.

What has not been seen has no weight: the variance is the weighted mean of the squares that
were, so that it neither starts at 0 nor at the first return, and a hole makes it forget.

Source: J.P. Morgan/Reuters, RiskMetrics Technical Document (1996), with the decay 0.94.
"""

from __future__ import annotations

import math

from services.signals.volatility.block import Block, is_fine_enough

#: of the weight that so many seconds give, which is a sum of rounded numbers
TOLERANCE = 1e-9


class Ewma:
    """decay = lambda: what a square still weighs a second later."""

    needs_range = False

    def __init__(self, decay: float, min_samples: int) -> None:
        self._decay = decay
        self._memory_s = 1.0 / (1.0 - decay)
        self._enough = (1.0 - decay**min_samples) * (1.0 - TOLERANCE)
        self._weighted = 0.0
        self._weight = 0.0
        self._at_s = 0
        self.count = 0

    def add(self, block: Block) -> None:
        if not is_fine_enough(block.span_s, self._memory_s):
            return
        keep = self._decay ** (block.at_s - self._at_s) if self._weight else 0.0
        new = 1.0 - self._decay**block.span_s
        self._weighted = keep * self._weighted + new * block.log_return**2 / block.span_s
        self._weight = keep * self._weight + new
        self._at_s = block.at_s
        self.count += block.span_s

    def deviation(self, now_s: int) -> float | None:
        """Return the estimate while it weighs as much as `min_samples` seconds in a row."""
        if not self._weight or self._weight * self._decay ** (now_s - self._at_s) < self._enough:
            return None
        return math.sqrt(self._weighted / self._weight)
