"""The blend: 0.3 of a short window, 0.4 of the exponential average, 0.3 of a long window.

The exponential one reacts, the long one remembers what is usual; deviations are blended,
not variances.
"""

from __future__ import annotations

from services.signals.volatility.block import Block
from services.signals.volatility.ewma import Ewma
from services.signals.volatility.rolling import Rolling

SHORT_WEIGHT, EWMA_WEIGHT, LONG_WEIGHT = 0.3, 0.4, 0.3


class Blended:
    """None until each of the three has seen enough."""

    needs_range = False

    def __init__(self, short: Rolling, ewma: Ewma, long: Rolling) -> None:
        self._short, self._ewma, self._long = short, ewma, long

    @property
    def count(self) -> int:
        return self._long.count

    def add(self, block: Block) -> None:
        for part in (self._short, self._ewma, self._long):
            part.add(block)

    def deviation(self, now_s: int) -> float | None:
        short, long = self._short.deviation(now_s), self._long.deviation(now_s)
        ewma = self._ewma.deviation(now_s)
        if short is None or ewma is None or long is None:
            return None
        return SHORT_WEIGHT * short + EWMA_WEIGHT * ewma + LONG_WEIGHT * long
