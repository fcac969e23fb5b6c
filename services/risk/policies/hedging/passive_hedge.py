"""Passive hedge: a price that leaves its neutral place takes a hedge with it, and a stop brings it back.

A state machine over prices. *Armed*: an anchor, the price at which the inventory was neutral,
with a trigger at so many percent below and, dual-sided, above it. Beyond a trigger it is
*hedged*: the leg is to hold a share of the inventory, short below and long above; the other
trigger is off. A stop at so many percent the other way from the leg's own entry price ends
it; then that trigger stands at that entry, so that the same price cannot open and close it.

The triggers are ours and rest at no venue: nothing triggers while risk is down, and nothing is
quoted then either. After a restart a leg that holds a hedge is taken up again with its entry
price, stop included; without one the anchor is the first price. The anchor does not chase the
price: every `refresh_s` it moves, inside abs(m) <= `refresh_move` only, where the price has
moved by more than `recentre_pct` or the inventory has changed; the size follows the inventory
there. Rows R28 to R30; ruling C17.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from services.risk.policies.table import PolicyTable
from shared.clock import seconds_to_ns


class PassiveTable(PolicyTable, frozen=True, forbid_unknown_fields=True):
    """Hedging by the distance of the price from its anchor.

    trigger_pct      distance of the triggers from the anchor, %
    size_share       part of the inventory that a trigger hedges
    dual_sided       True = both triggers, False = only that at which the inventory loses
    stop_pct         distance of the stop from the leg's entry price, %
    refresh_move     abs(m) up to which the triggers are refreshed
    refresh_s        how often that is looked at, seconds
    recentre_pct     a price further from the anchor than this moves it, %
    recentre_change  an inventory that has changed by more than this share of what it was, too
    """

    trigger_pct: Annotated[float, Meta(gt=0, le=99)] = 2.25
    size_share: Annotated[float, Meta(gt=0, le=1)] = 0.5
    dual_sided: bool = True
    stop_pct: Annotated[float, Meta(gt=0, le=99)] = 0.3
    refresh_move: Annotated[float, Meta(ge=0, le=10)] = 0.2
    refresh_s: Annotated[float, Meta(ge=0.25, le=3600)] = 30.0
    recentre_pct: Annotated[float, Meta(gt=0, le=99)] = 1.0
    recentre_change: Annotated[float, Meta(gt=0, le=1)] = 0.25

    def problem(self) -> str:
        if self.recentre_pct < self.trigger_pct:
            return ""
        return f"recentre_pct {self.recentre_pct:g} must be below trigger_pct {self.trigger_pct:g}"


@dataclass(frozen=True, slots=True)
class PassiveView:
    """What it is judged on, everything known.

    price      of the leg, > 0, quote units
    inventory  signed, base units
    move       m of the inventory (see active_hedge.py)
    leg        what the leg holds, signed, base units
    leg_entry  price at which it was entered; None = unknown
    active     what of it the active hedge wants, signed, base units
    step       the least that the leg can trade, base units: what differs by less is the same
    """

    now_ns: int
    price: float
    inventory: float
    move: float
    leg: float
    leg_entry: float | None
    active: float
    step: float

    @property
    def beyond(self) -> float:
        """What the leg holds beside the active hedge, base units."""
        return self.leg - self.active


class PassiveHedge:
    """One hedged symbol's triggers and stop."""

    def __init__(self, config: PassiveTable) -> None:
        self._config = config
        self._trigger, self._stop = config.trigger_pct / 100, config.stop_pct / 100
        self._low, self._high = 0.0, math.inf
        self._refresh_ns = seconds_to_ns(config.refresh_s)
        self.anchor: float | None = None
        #: what a trigger would hedge (>= 0), and the inventory when the anchor was set
        self.size = 0.0
        self._anchored_inventory = 0.0
        self._checked_ns = 0
        #: -1 short, 1 long, 0 = armed, and the price that triggered it
        self.side = 0
        self._triggered = 0.0
        #: stopped out: no trigger counts before the leg is flat
        self._is_leaving = False

    def wanted(self, view: PassiveView) -> float:
        """Take a price; return what the leg should hold, base units (< 0 = short). Idempotent."""
        if self.anchor is None:
            self._begin(view)
        if self.side:
            self._watch_stop(view)
        elif abs(view.beyond) < view.step:
            self._is_leaving = False
        if not self.side and not self._is_leaving:
            self._refresh(view)
            self._watch_triggers(view)
        return self.side * self.size

    def _begin(self, view: PassiveView) -> None:
        self._anchor_at(view)
        self._checked_ns = view.now_ns
        if abs(view.leg) >= view.step and abs(view.beyond) >= view.step:  # of an earlier life of this process
            self.side, self.size = (1 if view.leg > 0 else -1), abs(view.leg)
            self._triggered = view.leg_entry or view.price

    def _anchor_at(self, view: PassiveView) -> None:
        self.anchor = view.price
        self._low, self._high = view.price * (1 - self._trigger), view.price * (1 + self._trigger)
        self._anchored_inventory = view.inventory
        self.size = self._config.size_share * abs(view.inventory)

    def _watch_stop(self, view: PassiveView) -> None:
        is_entered = view.leg * self.side >= view.step
        entry = view.leg_entry if is_entered and view.leg_entry else self._triggered
        if (view.price - entry) * self.side > -self._stop * entry:
            return
        if self.side < 0:
            self._low = min(self._low, entry, self._triggered)
        else:
            self._high = max(self._high, entry, self._triggered)
        self.side, self._is_leaving = 0, is_entered

    def _refresh(self, view: PassiveView) -> None:
        if view.now_ns - self._checked_ns < self._refresh_ns:
            return
        self._checked_ns = view.now_ns
        if abs(view.move) > self._config.refresh_move or self.anchor is None:
            return
        moved = abs(view.price - self.anchor) > self._config.recentre_pct / 100 * self.anchor
        changed = abs(view.inventory - self._anchored_inventory) > max(
            view.step, self._config.recentre_change * abs(self._anchored_inventory)
        )
        size = self._config.size_share * abs(view.inventory)
        if moved or changed:
            self._anchor_at(view)
        elif abs(size - self.size) >= view.step:
            self.size = size

    def _watch_triggers(self, view: PassiveView) -> None:
        if self.size < view.step:
            return
        side = -1 if view.price <= self._low else 1 if view.price >= self._high else 0
        if side and (self._config.dual_sided or side * view.inventory < 0):
            self.side, self._triggered = side, view.price
