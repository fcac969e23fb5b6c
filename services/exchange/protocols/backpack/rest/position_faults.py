"""Position reads that lie, while such a fault is in force."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from services.exchange.control.faults import Fault
from services.exchange.model import PositionState
from services.exchange.protocols.backpack.context import Context
from services.exchange.protocols.backpack.render.symbols import Listed

_KINDS = ("wrong_position_once", "wrong_position")
_ZERO = Decimal(0)


def told_positions(context: Context, account: str, symbol: str | None) -> Iterable[PositionState]:
    """Return the account's open positions in `symbol` (None = all) as a query is told them."""
    states = [s for s in context.venue.positions(account) if s.quantity and symbol in (None, s.symbol)]
    if context.faults.is_empty:
        return states
    asked = tuple(listed.symbol for listed in context.listed.values() if symbol in (None, listed.symbol))
    for kind in _KINDS:
        if (fault := context.faults.bite(kind, account=account, symbol=asked)) is not None:
            return _lies(context, account, states, asked, fault)
    return states


def _lies(
    context: Context, account: str, states: list[PositionState], asked: tuple[str, ...], fault: Fault
) -> list[PositionState]:
    """Every perpetual that is asked for and hit by the fault reads wrong, also while it is flat."""
    told = {state.symbol: state for state in states}
    for symbol in asked:
        listed = context.listed[symbol]
        if listed.is_perp and fault.scope.get("symbol") in (None, symbol):
            state = told.get(symbol) or _flat(context, account, listed)
            told[symbol] = replace(state, quantity=_told_lots(state, listed, fault))
    return [state for state in told.values() if state.quantity]


def _told_lots(state: PositionState, listed: Listed, fault: Fault) -> int:
    quantity = fault.params["quantity"]
    return state.quantity + 1 if quantity is None else int(Decimal(quantity) / listed.market.lot_size)


def _flat(context: Context, account: str, listed: Listed) -> PositionState:
    mark = context.venue.mark(listed.symbol)
    price = _ZERO if mark is None else mark.mark
    return PositionState(
        account=account,
        symbol=listed.symbol,
        id=0,
        quantity=0,
        entry_price=price,
        break_even_price=price,
        mark=price,
        net_cost=_ZERO,
        pnl_realized=_ZERO,
        pnl_unrealized=_ZERO,
        funding_paid=_ZERO,
        imf=listed.market.initial_margin,
        mmf=listed.market.maintenance_margin,
    )
