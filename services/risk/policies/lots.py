"""Money into whole lots, at a float price: for limits, never for money."""

from __future__ import annotations

import math

from shared.instrument import Instrument

#: of a lot: a quotient this near below a whole number is that number (float noise)
_NOISE = 1e-9
#: more lots than any market has, and fewer than a message can carry
MOST = 10**15


def lots_within(usd: float, instrument: Instrument, price: float) -> int:
    """Return the most lots whose value does not exceed `usd`; none where a lot has no value."""
    value = instrument.notional_at(1, price)
    if not value > 0:
        return 0
    return max(0, math.floor(min(usd / value + _NOISE, MOST)))
