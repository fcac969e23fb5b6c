"""Position table: how far a position may be from its target, and how it is brought back.

|position|            | reduce_to_max (default)     | reduce_to_threshold  | flatten_to_target
up to target+threshold | both sides                  | both sides           | both sides
beyond it              | adding side off, traded     | adding side off,     | adding side off
                       | back to target+threshold    | traded back to it    |
beyond max (the last:  | only reducing quotes, first | only reducing quotes,| no quotes, traded
at max, too)           | back to max, then as above  | traded back to t+t   | back to target

The first is the table of row R05 and ruling C5: above max the hard cut to max at once, then at
the next evaluation, which the changed position causes, the soft excess. So a larger position
never ends with less reduction (R07). Where the venue would refuse one of the two steps as too
small they are traded as one. Quotes alone never lead beyond max. Never opens (R08).

Source: lineage 5.3 and 6.2; rows R03 to R08; rulings C5, C6, C7; vectors G1, G2.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta

from services.risk.policies.lots import least_lots
from services.risk.policies.policy import Action, Decision, Range, View
from services.risk.policies.table import PolicyTable
from shared.instrument import plain

Mode = Literal["reduce_to_max", "reduce_to_threshold", "flatten_to_target"]


class PositionTable(PolicyTable, frozen=True, forbid_unknown_fields=True):
    """How far the position of a symbol may be from its target; the same long and short.

    mode       "reduce_to_max": beyond `max` back to it, then the rest; "reduce_to_threshold": at once to
               target + threshold; "flatten_to_target": at `max` back to the target, before that nothing
    target     abs(position) that is brought back to, base units; never opened to reach it
    threshold  beyond target + threshold the adding side pauses and the excess is traded back, base units
    max        largest abs(position), base units
    """

    mode: Mode = "reduce_to_max"
    target: Annotated[float, Meta(ge=0, le=1e12)] = 0.0
    threshold: Annotated[float, Meta(ge=0, le=1e12)] = 0.1
    max: Annotated[float, Meta(gt=0, le=1e12)] = 1.0

    def problem(self) -> str:
        if self.target > self.max:
            return f"target {self.target:g} must not be above max {self.max:g}"
        if Decimal(str(self.target)) + Decimal(str(self.threshold)) > Decimal(str(self.max)):
            return f"target {self.target:g} + threshold {self.threshold:g} must not be above max {self.max:g}"
        return ""


@dataclass(frozen=True, slots=True)
class _Lots:
    """The table in lots: soft = target + threshold."""

    target: int
    soft: int
    max: int


class PositionLimits:
    """One symbol's position against its table."""

    def __init__(self, table: PositionTable) -> None:
        self._table = table
        self._target = Decimal(str(table.target))
        self._soft = self._target + Decimal(str(table.threshold))
        self._max = Decimal(str(table.max))
        self._reduces_first_to_max = table.mode == "reduce_to_max"
        self._flattens = table.mode == "flatten_to_target"

    def decide(self, view: View) -> Decision:
        instrument, position = view.instrument, view.position.quantity
        per_contract = instrument.contract_multiplier  # the table is in base units, lots are of contracts
        sizes = (self._target, self._soft, self._max)
        lots = _Lots(*(instrument.lots_floor(size / per_contract) for size in sizes))
        size = abs(position)
        if self._flattens and size >= self._max / (instrument.lot_size * per_contract):
            return self._bring_back(view, Action.STOP, lots.target, lots.max)
        if size > lots.max:
            return self._bring_back(view, Action.REDUCE_ONLY, self._first_step(view, lots), lots.max)
        if size > lots.soft:
            goal = size if self._flattens else lots.soft
            return self._bring_back(view, Action.ALLOW, goal, lots.max)
        return Decision(bound=lots.max)

    def _first_step(self, view: View, lots: _Lots) -> int:
        """Return abs(position) after the first of the two steps, or after both in one."""
        least, size = least_lots(view), abs(view.position.quantity)
        is_second_left = lots.max == lots.soft or lots.max - lots.soft >= least
        if self._reduces_first_to_max and size - lots.max >= least and is_second_left:
            return lots.max
        return lots.soft

    def _bring_back(self, view: View, action: Action, goal: int, bound: int) -> Decision:
        position, instrument = view.position.quantity, view.instrument
        cut = abs(position) - goal
        target = None
        if cut >= max(1, least_lots(view)):
            target = Range(0, goal) if position > 0 else Range(-goal, 0)
        elif action is Action.STOP:
            action = Action.REDUCE_ONLY  # too little for the venue to trade: only quotes can bring it back
        limit = f"target + threshold {plain(self._soft)}"
        if action is not Action.ALLOW:
            limit = f"max {plain(self._max)}"
        base = instrument.quantity(position) * instrument.contract_multiplier
        reason = f"position {plain(base)} is over {limit}"
        return Decision(
            action, reason, target=target, may_buy=position < 0, may_sell=position > 0, bound=bound
        )
