"""The leg of a hedge: what active and passive hedge want together, and what is traded for it.

The leg (a symbol of any account) is there for the hedge alone: what it should hold is a
function of the inventory and the price, compared with what it does hold, so a hedge can
neither be repeated nor forgotten. A change too small to be worth a fee is not traded; what is
no longer wanted is closed to zero. Rows R25 to R30.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from services.risk.policies.hedging.active_hedge import ActiveTable, active_leg, move_of
from services.risk.policies.hedging.passive_hedge import PassiveHedge, PassiveTable, PassiveView
from services.risk.policies.lots import MOST, lots_within
from services.risk.policies.policy import ALLOW, Decision, Range, View
from services.risk.policies.table import PolicyTable
from shared.errors import BadInput
from shared.halt import check_scope

#: of less a move is no measure
LEAST_SHARE = 0.01
#: half of each is neutral where nothing else is said
SPOT_SHARE = 0.5
_NOISE = 1e-9


class HedgeTable(PolicyTable, frozen=True, forbid_unknown_fields=True):
    """How one symbol is hedged by another one.

    account        whose symbol is hedged
    leg_account    which account holds the hedge, the same one or another
    leg_symbol     in which symbol; no quoter may work on it
    initial_share  neutral share of the inventory in inventory + quote units; 0 = none at all;
                   None = 0.5 at spot and 0 for a perpetual, of which a flat position is neutral
    min_hedge_usd  smaller changes of the leg are not traded, quote units
    active         hedging by the inventory's share; absent = off
    passive        hedging by the price; absent = off
    """

    account: str
    leg_account: str
    leg_symbol: str
    initial_share: Annotated[float, Meta(ge=0, le=0.99)] | None = None
    min_hedge_usd: Annotated[float, Meta(ge=0, le=1e9)] = 5.0
    active: ActiveTable | None = None
    passive: PassiveTable | None = None

    def problem(self) -> str:
        if self.active is None and self.passive is None:
            return "neither active nor passive: it would hedge nothing"
        if self.initial_share is not None and 0 < self.initial_share < LEAST_SHARE:
            return f"initial_share {self.initial_share:g} must be 0 or at least {LEAST_SHARE:g}"
        passive = "" if self.passive is None else self.passive.problem()
        return f"passive: {passive}" if passive else ""

    def echo(self) -> dict[str, object]:
        by_kind = f"{SPOT_SHARE:g} at spot, 0 for a perp"
        return super().echo() | {
            "initial_share": by_kind if self.initial_share is None else self.initial_share
        }

    def neutral_share(self, is_perp: bool) -> float:
        """Return the share of the inventory at which nothing is hedged."""
        if self.initial_share is not None:
            return self.initial_share
        return 0.0 if is_perp else SPOT_SHARE


@dataclass(frozen=True, slots=True)
class HedgeView:
    """A hedged symbol and its leg, everything known.

    inventory  of the hedged symbol, signed, base units
    price      of it, > 0, quote units
    total_usd  inventory + quote units that it is a share of, > 0
    leg        the leg's own view
    room_long_usd, room_short_usd  largest notional that the leg may grow to on either side
    is_perp    what is hedged is a perpetual
    """

    inventory: float
    price: float
    total_usd: float
    leg: View
    room_long_usd: float
    room_short_usd: float
    is_perp: bool = False


class HedgeLeg:
    """Decides for the leg of one hedged symbol."""

    def __init__(self, symbol: str, config: HedgeTable) -> None:
        self._symbol = symbol
        self._config = config
        self._passive = None if config.passive is None else PassiveHedge(config.passive)
        #: lots; moves only by what is worth trading. None = not looked yet
        self._aim: int | None = None

    def decide(self, view: HedgeView) -> Decision:
        """Return the leg's target, ALLOW while it holds what it should. Idempotent."""
        leg, position = view.leg, view.leg.position.quantity
        unit = float(leg.instrument.lot_size * leg.instrument.contract_multiplier)
        worth = _least_lots(leg, self._config.min_hedge_usd)
        active, passive = self._wanted(view, position * unit, worth * unit)
        wanted = combined(active, passive) / unit
        self._settle_aim(_within_room(_whole(wanted), position, view), position, worth)
        assert self._aim is not None
        aim = _within_room(self._aim, position, view)  # it was chosen at another price
        is_closer = min(0, position) <= aim <= max(0, position)
        exempt = is_closer and leg.instrument.reduce_only_is_exempt
        if abs(aim - position) < _least_lots(leg, 0.0, exempt):
            return ALLOW
        kind = "passive" if abs(passive) > abs(active) else "active"
        reason = f"{kind} hedge of {self._symbol}: from {position} to {aim} lots"
        is_urgent = self._config.active is None or kind == "passive" or self._config.active.style == "ioc"
        style = "ioc" if is_urgent else "maker"
        return Decision(reason=reason, target=Range(aim, aim, not is_closer, style))

    def _wanted(self, view: HedgeView, held: float, step: float) -> tuple[float, float]:
        """Return what the active and the passive hedge want of the leg, base units."""
        config, active, passive = self._config, 0.0, 0.0
        neutral = config.neutral_share(view.is_perp)
        if config.active is not None:
            active = active_leg(
                config.active, neutral, view.inventory, view.price, view.total_usd,
                leg=held if abs(held) >= step else 0.0,
            )  # fmt: skip
        if self._passive is not None:
            move = move_of(view.inventory, view.price, view.total_usd, neutral)
            passive = self._passive.wanted(
                PassiveView(
                    view.leg.now_ns, view.leg.price, view.inventory, move, held,
                    view.leg.position.entry_price, active, step,
                )
            )  # fmt: skip
        return active, passive

    def _settle_aim(self, wanted: int, position: int, worth: int) -> None:
        if self._aim is None:
            self._aim = position
        if not wanted or abs(wanted - self._aim) >= worth:
            self._aim = wanted


def check_hedges(tables: Mapping[str, HedgeTable]) -> None:
    """Refuse hedges that contradict themselves or each other. Raises: BadInput."""
    legs: dict[tuple[str, str], str] = {}
    for symbol, table in tables.items():
        where, leg = f"risk.hedges.{symbol}", (table.leg_account, table.leg_symbol)
        _check_name(symbol, where)
        _check_name(table.leg_symbol, f"{where}.leg_symbol")
        problem = table.problem()
        if problem:
            raise BadInput(f"{where}: {problem}")
        if leg in legs:
            raise BadInput(f"{where}: {table.leg_symbol} is the leg of {legs[leg]} already")
        legs[leg] = symbol
    for symbol, table in tables.items():
        if (table.account, symbol) in legs:
            raise BadInput(f"risk.hedges.{symbol}: {symbol} is a leg itself")


def _check_name(symbol: str, where: str) -> None:
    try:
        check_scope(symbol)
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from None


def combined(active: float, passive: float) -> float:
    """Return what the leg should hold for both: one hedge serves the other; the active one rules."""
    if active * passive < 0:
        return active
    return active if abs(active) >= abs(passive) else passive


def _whole(lots: float) -> int:
    """Round towards zero: never more hedge than there is to hedge."""
    return int(math.copysign(math.floor(min(abs(lots) + _NOISE, MOST)), lots))


def _within_room(wanted: int, position: int, view: HedgeView) -> int:
    """Let the leg grow to its own limit only; what it has already is not traded away for that."""
    room_usd = view.room_long_usd if wanted > 0 else view.room_short_usd
    most = lots_within(room_usd, view.leg.instrument, view.leg.price)
    if position * wanted > 0:
        most = max(most, abs(position))
    return max(-most, min(most, wanted))


def _least_lots(view: View, least_usd: float, is_exempt: bool = False) -> int:
    """Return the fewest lots that the venue takes and that are worth `least_usd`."""
    instrument = view.instrument
    if not is_exempt:
        least_usd = max(least_usd, float(instrument.min_notional or 0))
    value = instrument.notional_at(1, view.price)
    by_value = math.ceil(min(least_usd / value - _NOISE, MOST)) if value > 0 else MOST
    return max(1, instrument.min_lots, by_value)
