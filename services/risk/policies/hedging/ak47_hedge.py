"""The AK47 hedge: above a threshold a part of the position is traded back, more the larger it is.

    ratio = min(1, 0.3 + 0.7 x (abs(q) - threshold) / (Q_max - threshold)),  traded: abs(q) x ratio

At Q_max everything is. Reduce-only, and by the position: a target names the position that it
is based on, so that one which has not heard of the last hedge yet cannot repeat it. Rows R20,
R21; vector G7; ruling C19.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from msgspec import Meta

from services.risk.policies.policy import ALLOW, Decision, Range, View
from services.risk.policies.table import PolicyTable

_LEAST_RATIO = 0.3
_NOISE = 1e-9
#: times the base order's value: where the threshold is when it is not given
_AUTO_ORDERS = 5
_AUTO_Q_MAX = 2

Quantity = Annotated[float, Meta(gt=0, le=1e12)]


class Ak47HedgeTable(PolicyTable, frozen=True, forbid_unknown_fields=True):
    """The AK47 hedge of a position.

    mode            "partial": by the ratio above; "full": above the threshold all of it
    threshold       position beyond which it is hedged, base units; None = 5 x base_order_usd / price
    q_max           position that is hedged whole, base units; None = 2 x threshold
    base_order_usd  value of the base order, quote units
    style           "ioc": takes at once; "maker": waits for takers first, then takes what is left
    """

    mode: Literal["partial", "full"] = "partial"
    threshold: Quantity | None = None
    q_max: Quantity | None = None
    base_order_usd: Annotated[float, Meta(gt=0, le=1e9)] = 100.0
    style: Literal["ioc", "maker"] = "ioc"

    def problem(self) -> str:
        if self.q_max is None:
            return ""
        if self.threshold is None:
            return f"q_max {self.q_max:g} needs a threshold beside it"
        if self.q_max <= self.threshold:
            return f"q_max {self.q_max:g} must be above threshold {self.threshold:g}"
        return ""

    def levels(self, price: float) -> tuple[float, float]:
        """Return (threshold, Q_max) in base units: explicit values before automatic ones. Row R21."""
        threshold = self.threshold
        if threshold is None:
            threshold = _AUTO_ORDERS * self.base_order_usd / price
        return threshold, _AUTO_Q_MAX * threshold if self.q_max is None else self.q_max


def hedge_quantity(quantity: float, threshold: float, q_max: float) -> float:
    """Return how much of abs(quantity) to trade back; at the threshold nothing. Row R20."""
    size = abs(quantity)
    if size <= threshold:
        return 0.0
    if q_max <= threshold:
        return size
    excess = (size - threshold) / (q_max - threshold)
    return size * min(1.0, _LEAST_RATIO + (1 - _LEAST_RATIO) * excess)


class Ak47Hedge:
    """Of one symbol."""

    def __init__(self, config: Ak47HedgeTable) -> None:
        self._config = config

    def decide(self, view: View) -> Decision:
        unit = float(view.instrument.lot_size * view.instrument.contract_multiplier)
        position = view.position.quantity
        threshold, q_max = self._config.levels(view.price)
        size = abs(position) * unit
        wanted = hedge_quantity(size, threshold * (1 + _NOISE), q_max)
        if self._config.mode == "full" and wanted:
            wanted = size
        if not wanted:
            return ALLOW
        # too little for the venue is raised to the least it takes: never beyond the position
        lots = min(max(math.floor(wanted / unit + _NOISE), _least_lots(view)), abs(position))
        if lots < view.instrument.min_lots:
            return ALLOW
        left = (abs(position) - lots) * (1 if position > 0 else -1)
        reason = f"position of {size:g} is over its threshold {threshold:g}: {lots * unit:g} hedged"
        return Decision(reason=reason, target=Range(min(0, left), max(0, left), False, self._config.style))


def _least_lots(view: View) -> int:
    instrument = view.instrument
    value = instrument.notional_at(1, view.price)
    if instrument.reduce_only_is_exempt or not instrument.min_notional or not value > 0:
        return instrument.min_lots
    return max(instrument.min_lots, math.ceil(float(instrument.min_notional) / value - _NOISE))
