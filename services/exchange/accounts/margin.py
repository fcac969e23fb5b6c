"""Margin fractions that grow with the square root of exposure.

Source: Backpack `imfFunction` / `mmfFunction` of type sqrt; the scaling is read
as fraction = max(base, factor * sqrt(notional in quote units)).
"""

from __future__ import annotations

from decimal import Decimal

from services.exchange.engine.rules import Rules
from services.exchange.model import Market


class MarginFraction:
    """Fraction of notional as a function of notional."""

    __slots__ = ("_base", "_factor", "_flat_until")

    def __init__(self, base: Decimal, factor: Decimal) -> None:
        if base <= 0 or factor < 0:
            raise ValueError(f"margin base {base} must be positive and its factor {factor} not negative")
        self._base = base
        self._factor = factor
        self._flat_until = (base / factor) ** 2 if factor else None

    def of(self, notional: Decimal) -> Decimal:
        if self._flat_until is None or notional <= self._flat_until:
            return self._base
        return self._factor * notional.sqrt()


class MarginRule:
    """Initial and maintenance margin of one perpetual."""

    __slots__ = ("_mark_unit", "initial", "maintenance")

    def __init__(self, rules: Rules) -> None:
        market: Market = rules.market
        self._mark_unit = rules.mark_unit
        self.initial = MarginFraction(market.initial_margin, market.initial_margin_factor)
        self.maintenance = MarginFraction(market.maintenance_margin, market.maintenance_margin_factor)

    def notional(self, lots: int, mark: int) -> Decimal:
        """Return |lots| at `mark` (ticks * MARK_GRID) in quote money."""
        return abs(lots) * mark * self._mark_unit

    def initial_margin(self, lots: int, mark: int) -> Decimal:
        notional = self.notional(lots, mark)
        return notional * self.initial.of(notional)

    def maintenance_margin(self, lots: int, mark: int) -> Decimal:
        notional = self.notional(lots, mark)
        return notional * self.maintenance.of(notional)
