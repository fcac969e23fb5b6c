"""Legal prices: the rounding of `Instrument.quote_ticks`, without a Decimal per tick.

Bids round down, asks up, once, at the end. A price is given as a numerator and a
denominator: whole-number fractions of ticks are exact (0.30 % of a mid is not, as a float),
and a float over 1 is what a signal-driven price uses.
"""

from __future__ import annotations

from bisect import bisect_right
from decimal import ROUND_CEILING, Decimal

from shared.instrument import FIXED, Instrument

#: above 10^5 every integer price is allowed, whatever its figures
LAST_EXPONENT = 4


class PriceGrid:
    """The prices that an instrument allows, in ticks."""

    __slots__ = ("_bounds", "_is_fixed", "_steps", "highest", "lowest")

    def __init__(self, instrument: Instrument) -> None:
        self.lowest = max(1, instrument.min_ticks or 1)
        self.highest = instrument.max_ticks
        self._is_fixed = instrument.price_rule == FIXED
        self._bounds, self._steps = ([0], [1]) if self._is_fixed else _decades(instrument)

    def bid(self, numerator: float, denominator: int = 1) -> int:
        """Return the highest legal price at or below numerator / denominator ticks."""
        whole = int(numerator // denominator)
        if self._is_fixed:
            return whole
        return whole // self.step(whole) * self.step(whole)

    def ask(self, numerator: float, denominator: int = 1) -> int:
        """Return the lowest legal price at or above numerator / denominator ticks."""
        whole = -int(-numerator // denominator)
        if self._is_fixed:
            return whole
        return -(-whole // self.step(whole)) * self.step(whole)

    def step(self, ticks: int) -> int:
        """Return the distance of two legal prices near a price, in ticks."""
        if ticks <= 0:
            return 1
        return self._steps[bisect_right(self._bounds, ticks) - 1]

    def is_legal(self, ticks: int) -> bool:
        """True within the venue's price bounds."""
        return ticks >= self.lowest and (self.highest is None or ticks <= self.highest)


def _decades(instrument: Instrument) -> tuple[list[int], list[int]]:
    """Return where each power of ten begins, in ticks, and the price step from there on.

    Source: Hyperliquid's rule, prices of at most five significant figures, integers always.
    """
    tick = instrument.tick_size
    bounds, steps = [], []
    for exponent in range(tick.adjusted(), max(LAST_EXPONENT, tick.adjusted()) + 1):
        start = (Decimal(10) ** exponent / tick).to_integral_value(ROUND_CEILING)
        step = min(Decimal(10) ** (exponent - 4), Decimal(1)) / tick
        bounds.append(int(start))
        steps.append(max(1, int(step)))
    return bounds, steps
