"""Reduction: trade a part of what is too much, again and again until it is not.

Source: the hedge of the one-sided bot (lineage 4.1; rows R18, R19; vector G14): a limit IOC,
reduce-only, at the opposite best, for half of the excess, at least 5 USDC.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.risk.policies.lots import lots_within
from services.risk.policies.policy import Range, View

#: as a share: a value this near below its bound is at the bound (float noise)
_NOISE = 1e-9


@dataclass(frozen=True, slots=True)
class Reduction:
    """share: part of the excess that is traded at once; min_usd: less than this is not traded."""

    share: float
    min_usd: float

    def target(self, view: View, excess_usd: float) -> Range | None:
        """Return where the position should be: nearer to zero by the share of the excess, never beyond.

        None when that would be too small to trade, for us or for the venue.
        """
        wanted_usd = self.share * excess_usd
        if wanted_usd <= 0 or wanted_usd < self.min_usd:
            return None
        instrument, position = view.instrument, view.position.quantity
        lots = min(lots_within(wanted_usd, instrument, view.price), abs(position))
        least_usd = max(self.min_usd, float(instrument.min_notional or 0))
        traded_usd = instrument.notional_at(lots, view.price)  # whole lots: less than was wanted
        if lots < instrument.min_lots or traded_usd * (1 + _NOISE) < least_usd:
            return None
        return Range(0, position - lots) if position > 0 else Range(position + lots, 0)
