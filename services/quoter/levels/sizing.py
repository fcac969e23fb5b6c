"""Sizes: money into lots, rounded down, with whole numbers only.

Budgets are integer micro-units of the quote asset: exact, and a division of integers is
cheaper than Decimals on each tick.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from shared.errors import BadInput
from shared.instrument import Instrument, plain

MICRO = 1_000_000


class LotSizes:
    """The order sizes that an instrument allows."""

    __slots__ = ("_min_value", "_min_value_scale", "_scale", "_unit", "maximum", "smallest")

    def __init__(self, instrument: Instrument) -> None:
        self.smallest = instrument.min_lots
        self.maximum = instrument.max_lots
        self._unit, self._scale = instrument.notional(1, 1).as_integer_ratio()
        min_value = instrument.min_notional or Decimal(0)
        self._min_value, self._min_value_scale = min_value.as_integer_ratio()

    def lots(self, budget_micro: int, ticks: int) -> int:
        """Return the lots that a budget buys at a price (> 0), rounded down."""
        return budget_micro * self._scale // (MICRO * self._unit * ticks)

    def worth(self, lots: int, ticks: Fraction) -> Fraction:
        """Return the value of lots at a price, in micro-units, exactly: for what is not done on each tick."""
        return lots * self._unit * ticks * MICRO / self._scale

    def minimum(self, ticks: int) -> int:
        """Return the smallest order at a price (> 0): the venue's lots and its least notional."""
        if self._min_value == 0:
            return self.smallest
        for_value = -(-self._min_value * self._scale // (self._min_value_scale * self._unit * ticks))
        return max(self.smallest, for_value)


def to_micro(amount: float) -> int:
    """Return an amount of quote units in whole micro-units, rounded down."""
    return int(Decimal(str(amount)) * MICRO)


def share_of_equity(equity_usd: float, share_ppm: int, cap_micro: int | None) -> int:
    """Return a share of the equity as a budget in micro-units, at most the cap, never below 0.

    share_ppm  millionths of the equity (0.5 % = 5,000)
    """
    budget = max(0, int(equity_usd * MICRO)) * share_ppm // MICRO
    return budget if cap_micro is None else min(budget, cap_micro)


def percent_to_ppm(percent: float) -> int:
    """Return a percentage as written, to 0.0001 %, in parts per million."""
    return int(Decimal(str(percent)) * 10_000)


def fixed_lots(quantity: float, instrument: Instrument, *, must_do: bool) -> int:
    """Return a quantity, base units, in lots, rounded down.

    must_do  a quantity below the venue's minimum is an error
    Raises: BadInput.
    """
    lots = instrument.lots_floor(Decimal(str(quantity)))
    if must_do and lots < instrument.min_lots:
        minimum = plain(instrument.quantity(instrument.min_lots))
        raise BadInput(f"{instrument.symbol}: quantity {quantity} is below the venue's minimum {minimum}")
    return lots
