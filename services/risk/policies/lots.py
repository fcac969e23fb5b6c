"""Money into whole lots, at a float price: for limits, never for money; and the fewest lots of an order."""

from __future__ import annotations

import math

from services.risk.policies.policy import View
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


def least_lots(view: View) -> int:
    """Return the fewest lots that the venue takes as a reduction, at the present price."""
    instrument = view.instrument
    value = instrument.notional_at(1, view.price)
    if instrument.min_notional is None or instrument.reduce_only_is_exempt or not value > 0:
        return instrument.min_lots
    return max(instrument.min_lots, math.ceil(float(instrument.min_notional) / value - 1e-9))
