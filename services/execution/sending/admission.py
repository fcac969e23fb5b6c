"""What may rest: a permit trims the wanted levels, and every order is admitted once more.

An order can only be sent as `Approved`, and only `admit` and `admit_slice` make one. The
worst case is what counts: the position, every order that may be live, and this one. No
permit, or an expired one, permits nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from services.execution.orders.records import SymbolOrders
from services.execution.sending.targets import Slice
from services.execution.symbols import Symbol
from shared.errors import Refused as Refusal
from shared.messages import Level, OrderStatus, Permit, Side
from shared.venues.base import NewOrder, TimeInForce

_UNKNOWN = OrderStatus.UNKNOWN


@dataclass(frozen=True, slots=True)
class Approved:
    """An admitted order. It must not be signed at or after `expires_ns`."""

    order: NewOrder
    cause_ns: int
    expires_ns: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Why an order may not be sent."""

    reason: str


def permitted(
    symbol: Symbol, gross_usd: float, now_ns: int, coming: Slice | None = None
) -> tuple[Level, ...]:
    """Return what may rest of what is wanted, now: sides and sizes cut to the permit.

    coming  the next slice of the target: it has its room before the quotes of its side

    Nothing, when the wanted set or the permit is missing or expired, or the symbol is halted.
    Only what reduces, when the position is in doubt or the account's gross is over its limit.
    """
    quotes, permit = symbol.quotes, symbol.permit
    if quotes is None or now_ns >= quotes.expires_ns or symbol.halt_reason is not None:
        return ()
    if not symbol.is_open:
        return ()
    if permit is None or now_ns >= permit.expires_ns or permit.halted:
        return ()
    if not quotes.levels:
        return ()
    is_reducing = permit.reduce_only or not symbol.is_known or gross_usd > permit.max_gross_usd
    return _cut(symbol, quotes.levels, permit, is_reducing, coming)


def _cut(
    symbol: Symbol, levels: tuple[Level, ...], permit: Permit, is_reducing: bool, coming: Slice | None
) -> tuple[Level, ...]:
    """Fill each side's room with its levels, as they come (the best first)."""
    kept = []
    rooms = _rooms(symbol, permit, is_reducing, coming)
    instrument, largest = symbol.instrument, permit.max_order
    for wanted in levels:
        side = wanted.side
        level = symbol.sides[side].shifted(wanted)
        room, size = rooms[side], level.size
        if size > largest or size > room:
            size = min(largest, room)
        if size < instrument.min_lots:
            continue
        rooms[side] = room - size
        reduce_only = (level.reduce_only or is_reducing) and instrument.is_perp
        if size != level.size or reduce_only is not level.reduce_only:
            level = Level(
                level.side, level.price, size, level.tolerance, level.max_age_ns, level.post_only, reduce_only
            )
        kept.append(level)
    return tuple(kept)


def _is_open(permit: Permit, side: Side) -> bool:
    return permit.may_buy if side is Side.BUY else permit.may_sell


def _rooms(symbol: Symbol, permit: Permit, is_reducing: bool, coming: Slice | None) -> dict[Side, int]:
    """Return the lots that quotes of each side may hold together."""
    position = symbol.position
    to_buy, to_sell = permit.max_long - position, permit.max_short + position
    if is_reducing:
        to_buy, to_sell = max(0, -position), max(0, position)
    bought, sold = _spoken_for(symbol.orders)
    rooms = {
        Side.BUY: to_buy - bought if permit.may_buy else 0,
        Side.SELL: to_sell - sold if permit.may_sell else 0,
    }
    if coming is not None:
        rooms[coming.side] -= coming.size
    return rooms


def _spoken_for(orders: SymbolOrders) -> tuple[int, int]:
    """Return the lots of bids, and of asks, that do not belong to quotes which rest or are leaving."""
    bought = sold = 0
    others = [order for order in orders.live.values() if order.is_target or order.status is _UNKNOWN]
    if others or orders.owed:
        for order in (*orders.owed.values(), *others):
            if order.side is Side.BUY:
                bought += order.exposure
            else:
                sold += order.exposure
    return bought, sold


def admit(
    symbol: Symbol, level: Level, client_order_id: int, gross_usd: float, now_ns: int
) -> Approved | Refused:
    """Admit one quote, or say why not.

    gross_usd  worst-case gross of the account as it is, this order not counted
    """
    quotes, permit, side = symbol.quotes, symbol.permit, level.side
    if permit is None or now_ns >= permit.expires_ns:
        return Refused("no_permit")
    if quotes is None or now_ns >= quotes.expires_ns:
        return Refused("expired")
    if permit.halted or symbol.halt_reason is not None:
        return Refused("halted")
    if not symbol.is_open:
        return Refused("rules_differ")
    if not _is_open(permit, side):
        return Refused("side_not_permitted")
    if level.size > permit.max_order:
        return Refused("max_order")
    is_reducing = level.reduce_only or permit.reduce_only or not symbol.is_known
    reason = _limit_reason(symbol, side, level.size, is_reducing, permit, gross_usd)
    if reason is not None:
        return Refused(reason)
    order = NewOrder(
        symbol.instrument, client_order_id, side, level.price, level.size, level.post_only,
        level.reduce_only, TimeInForce.GTC,
    )  # fmt: skip
    return _approve(order, quotes.cause_ns, min(quotes.expires_ns, permit.expires_ns))


def _limit_reason(
    symbol: Symbol, side: Side, size: int, is_reducing: bool, permit: Permit, gross_usd: float
) -> str | None:
    """Return which limit one more order would break in the worst case, None when none."""
    worst = symbol.worst_lots(side, size)
    if is_reducing:
        return None if worst <= 0 else "would_not_reduce"
    if worst > (permit.max_long if side is Side.BUY else permit.max_short):
        return "max_position"
    more = (size, 0) if side is Side.BUY else (0, size)
    if symbol.most_lots(*more) <= symbol.most_lots():
        return None
    if symbol.price <= 0 or gross_usd == math.inf:  # then another symbol with exposure has none
        return "no_price"
    if gross_usd - symbol.worst_usd() + symbol.worst_usd(*more) > permit.max_gross_usd:
        return "max_gross"
    return None


def room_for_slice(symbol: Symbol, side: Side, now_ns: int) -> int:
    """Return how many lots a slice may have beside every order that may be live.

    A slice is an order like any other: if it and all others of its side fill, the position is
    inside the permit's limit; without a permit it is not beyond zero.
    """
    permit, limit = symbol.permit, 0
    if permit is not None and now_ns < permit.expires_ns:
        limit = permit.max_long if side is Side.BUY else permit.max_short
    return max(0, limit) - symbol.worst_lots(side)


def admit_slice(
    symbol: Symbol, coming: Slice, client_order_id: int, gross_usd: float, now_ns: int, may_open: bool
) -> Approved | Refused:
    """Admit one slice of the symbol's target: it works while quoting is off, opens only if it may.

    may_open  the target may open, and nothing about the account is in doubt
    """
    target, instrument, side, size = symbol.target, symbol.instrument, coming.side, coming.size
    if target is None or now_ns >= target.expires_ns:
        return Refused("expired")
    if not symbol.is_open:
        return Refused("rules_differ")
    if size > target.max_slice:
        return Refused("max_slice")
    if may_open:
        permit = symbol.permit
        if permit is None or now_ns >= permit.expires_ns or permit.halted or not symbol.is_known:
            return Refused("no_permit")
        reason = _limit_reason(symbol, side, size, False, permit, gross_usd)
        if reason is not None:
            return Refused(reason)
    elif size > -symbol.position * side.sign or not (symbol.is_known or instrument.is_perp):
        return Refused("would_not_reduce")  # at an unknown position only the venue can hold it to that
    elif size > room_for_slice(symbol, side, now_ns):
        return Refused("max_position")
    order = NewOrder(
        instrument, client_order_id, side, coming.price, size, coming.post_only,
        not may_open and instrument.is_perp, TimeInForce.GTC if coming.post_only else TimeInForce.IOC,
    )  # fmt: skip
    return _approve(order, 0, target.expires_ns)


def _approve(order: NewOrder, cause_ns: int, expires_ns: int) -> Approved | Refused:
    try:
        order.instrument.check_order(order.price, order.size, reduce_only=order.reduce_only)
    except Refusal as refusal:
        return Refused(refusal.reason)
    return Approved(order, cause_ns, expires_ns)
