"""Realised kernel with Parzen weights: volatility without the jitter between bid and ask.

The realised autocovariances c_h = sum of r_j r_(j-h) over the window give
c_0 + 2 sum over h = 1 ... H of k(h / (H + 1)) c_h, which is never negative. A price that
jumps to and fro has a negative c_1, which takes away what it put into c_0. The bandwidth H
is fixed; the ends of the window are not averaged.

Source: Barndorff-Nielsen, Hansen, Lunde and Shephard, Designing realized kernels to
measure the ex post variation of equity prices in the presence of noise, Econometrica 76
(2008), 1481-1536; Realized kernels in practice, Econometrics Journal 12 (2009), C1-C32.
"""

from __future__ import annotations

import math

from services.signals.volatility.block import UNIT, Block, units


def parzen(x: float) -> float:
    """Return the Parzen weight, 0 <= x <= 1: 1 at 0, 0 at 1."""
    return 1.0 - 6.0 * x * x + 6.0 * x**3 if x <= 0.5 else 2.0 * (1.0 - x) ** 3


class RealisedKernel:
    """A ring of seconds; each step costs as much as there are lags, whatever the window."""

    needs_range = False

    def __init__(self, lags: int, window_s: int, min_samples: int) -> None:
        self._window_s = window_s
        self._min_samples = min_samples
        self._weights = [1.0] + [2.0 * parzen(lag / (lags + 1)) for lag in range(1, lags + 1)]
        self._clear(0)

    def _clear(self, at_s: int) -> None:
        self._ring: list[int | None] = [None] * self._window_s  # second modulo window; None = not seen
        self._sums = [0] * len(self._weights)  # autocovariances, in units squared
        self._at_s = at_s
        self.count = 0

    def add(self, block: Block) -> None:
        if block.span_s == 1:
            self._advance(block.at_s - 1)
            self._step(units(block.log_return))

    def deviation(self, now_s: int) -> float | None:
        self._advance(now_s)
        if self.count < max(self._min_samples, len(self._weights)):
            return None
        total = math.fsum(weight * sum_ for weight, sum_ in zip(self._weights, self._sums, strict=True))
        return math.sqrt(max(0.0, total) / self.count) * UNIT

    def _advance(self, to_s: int) -> None:
        """Pass over seconds that were not seen."""
        if to_s - self._at_s >= self._window_s:
            self._clear(to_s)
        while self._at_s < to_s:
            self._step(None)

    def _step(self, moved: int | None) -> None:
        ring, window_s, sums = self._ring, self._window_s, self._sums
        self._at_s += 1
        slot = self._at_s % window_s
        oldest = ring[slot]
        if oldest is not None:
            self.count -= 1
            for lag in range(len(sums)):
                sums[lag] -= oldest * (ring[(slot + lag) % window_s] or 0)
        ring[slot] = moved
        if moved is not None:
            self.count += 1
            for lag in range(len(sums)):
                sums[lag] += moved * (ring[slot - lag] or 0)
