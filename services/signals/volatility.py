"""Volatility of the mid, from samples taken by the clock.

Two estimates of the variance per second, averaged: a rolling window, which forgets
exactly, and an exponential one, which reacts first. A return beyond `CLIP` standard
deviations counts as that many: one absurd mid must not own the estimate. A standard
deviation is at least one tick here, so that a market that stood still can move again.

Source: J.P. Morgan/Reuters, RiskMetrics Technical Document (1996), for the exponential
estimate with decay 0.94; squared log returns divided by their time = realised variance.
"""

from __future__ import annotations

import math
from collections import deque

SECONDS_PER_YEAR = 365 * 86_400  # crypto trades on every day
CLIP = 6.0


class RealisedVolatility:
    """Realised volatility, annualised percent."""

    __slots__ = ("_ewma", "_lambda", "_last", "_min_samples", "_rolling", "_sum", "_window")

    def __init__(self, window: int, decay: float, min_samples: int) -> None:
        self._window = window
        self._lambda = decay
        self._min_samples = min_samples
        self._rolling: deque[float] = deque()
        self._sum = 0.0
        self._ewma: float | None = None
        self._last: tuple[float, float] | None = None

    @property
    def sample_count(self) -> int:
        return len(self._rolling)

    def sample(self, mid: float, at_s: float) -> None:
        """Take the mid, in ticks, at a time. The first one after a `skip` begins anew and gives no return."""
        if self._last is not None:
            last_mid, last_s = self._last
            if at_s <= last_s:
                return
            elapsed_s = at_s - last_s
            self._add(math.log(mid / last_mid) ** 2 / elapsed_s, 1 / (last_mid * last_mid * elapsed_s))
        self._last = (mid, at_s)

    def skip(self) -> None:
        """Tell that samples are missing: a return over the hole would be no return of one interval."""
        self._last = None

    def annualised_pct(self) -> float | None:
        """Return the estimate, or None until `min_samples` returns are seen."""
        if self._ewma is None or len(self._rolling) < self._min_samples:
            return None
        variance = (self._sum / len(self._rolling) + self._ewma) / 2
        return 100.0 * math.sqrt(max(0.0, variance) * SECONDS_PER_YEAR)

    def _add(self, variance: float, of_one_tick: float) -> None:
        if self._ewma is None:
            self._ewma = variance
        else:
            if len(self._rolling) >= self._min_samples:
                variance = min(variance, CLIP * CLIP * max(self._ewma, of_one_tick))
            self._ewma = self._lambda * self._ewma + (1 - self._lambda) * variance
        self._rolling.append(variance)
        if len(self._rolling) > self._window:
            self._rolling.popleft()
        self._sum = math.fsum(self._rolling)  # once a second: no drift
