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
) -> tuple[tuple[Level, ...], tuple[Short, ...]]:
    """Return the levels to ask for now, and what to remember."""
    known = {(short.side, short.price): short for short in shorts}
    resting: dict[tuple[Side, int], WorkingOrder] = {}
    for order in working:
        if order.status in _RESTING or (order.side, order.price) not in resting:
            resting[order.side, order.price] = order
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
