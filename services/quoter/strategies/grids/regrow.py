"""Regrowing: an order that rests with less than its level wants is replaced. Pure.

A close grows with every partial fill of its open, while execution keeps an order that is
smaller than wanted (its place is worth money). So, after a while in which a burst of fills
is over, the level is left out until the order is gone, and then wanted in full. One try for a
wanted size: what a limit keeps small stays as it is.
"""

from __future__ import annotations

import msgspec

from shared.messages import Level, OrderStatus, Side, WorkingOrder

_RESTING = (OrderStatus.LIVE, OrderStatus.PARTIALLY_FILLED)


class Short(msgspec.Struct, frozen=True, gc=False):
    """A level whose order is too small: which order, since when, for which size."""

    side: Side
    price: int
    size: int
    client_order_id: int
    since_ns: int


def regrown(
    levels: tuple[Level, ...],
    working: tuple[WorkingOrder, ...],
    shorts: tuple[Short, ...],
    now_ns: int,
    after_ns: int,
    *,
    is_widened: bool = False,
) -> tuple[tuple[Level, ...], tuple[Short, ...]]:
    """Return the levels to ask for now, and what to remember.

    is_widened  orders may rest further out than their level says, for the volatility
    """
    known = {(short.side, short.price): short for short in shorts}
    resting = _orders_of(levels, working)
    if is_widened:
        resting |= _further_out(levels, working, resting)
    kept: list[Level] = []
    found: list[Short] = []
    for level in levels:
        place = (level.side, level.price)
        short = _judge(level, resting.get(place), known.get(place), now_ns, after_ns)
        if short is not None:
            found.append(short)
            if _is_due(short, resting.get(place), now_ns, after_ns):
                continue
        kept.append(level)
    return (levels if len(kept) == len(levels) else tuple(kept)), tuple(found)


def _orders_of(
    levels: tuple[Level, ...], working: tuple[WorkingOrder, ...]
) -> dict[tuple[Side, int], WorkingOrder]:
    """Return the order at each level's price, one that rests before one on its way."""
    places = {(level.side, level.price) for level in levels}
    found: dict[tuple[Side, int], WorkingOrder] = {}
    for order in working:
        place = order.side, order.price
        if place in places and (order.status in _RESTING or place not in found):
            found[place] = order
    return found


def _further_out(
    levels: tuple[Level, ...],
    working: tuple[WorkingOrder, ...],
    found: dict[tuple[Side, int], WorkingOrder],
) -> dict[tuple[Side, int], WorkingOrder]:
    """Return an order for the levels without one: the n-th of a side for the n-th, outwards of it.

    Orders are only ever moved outwards, and keep their sequence.
    """
    taken = {order.client_order_id for order in found.values()}
    others = sorted(
        (order for order in working if order.client_order_id not in taken and order.status in _RESTING),
        key=lambda order: -order.side.sign * order.price,
    )
    pairs: dict[tuple[Side, int], WorkingOrder] = {}
    for side in (Side.BUY, Side.SELL):
        alone = [level for level in levels if level.side is side and (side, level.price) not in found]
        for level, order in zip(alone, [one for one in others if one.side is side], strict=False):
            if (order.price - level.price) * side.sign < 0:
                pairs[side, level.price] = order
    return pairs


def _judge(
    level: Level, order: WorkingOrder | None, last: Short | None, now_ns: int, after_ns: int
) -> Short | None:
    """Return what to remember of a level, None when its order is as it should be."""
    if order is None or order.status not in _RESTING:
        was_due = last is not None and now_ns - last.since_ns >= after_ns
        return last if was_due else None  # on its way out or in
    if order.leaves >= level.size:
        return None
    if last is None:
        return Short(level.side, level.price, level.size, order.client_order_id, now_ns)
    if last.client_order_id == order.client_order_id:
        return msgspec.structs.replace(last, size=level.size)
    if last.size == level.size:
        return last  # this is what came of the try
    return Short(level.side, level.price, level.size, order.client_order_id, now_ns)


def _is_due(short: Short, order: WorkingOrder | None, now_ns: int, after_ns: int) -> bool:
    if order is None or order.status not in _RESTING:
        return False
    return order.client_order_id == short.client_order_id and now_ns - short.since_ns >= after_ns
