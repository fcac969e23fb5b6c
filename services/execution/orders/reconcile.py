"""Wanted minus working: what to cancel and what to place. Pure.

An order stays while it is within its level's tolerance, not larger than wanted, and young
enough: its place in the queue is worth money. A level is placed only where no order of its
side that must go, or whose fate is not known, may still be live in its stead. Nothing is
placed that could meet one of our own orders, cancels under way included.

Applying it twice changes nothing: after its cancels and placements are taken up, the same
wanted set yields nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.execution.orders.records import Order
from shared.messages import Level, OrderStatus, Side

#: an order that stands for its level while these last; the others only hold their place
_KEEPABLE = (OrderStatus.LIVE, OrderStatus.PARTIALLY_FILLED, OrderStatus.PENDING_NEW)
_FAR = 1 << 62


def reconcile(
    levels: Sequence[Level],
    orders: Iterable[Order],
    *,
    is_exclusive: bool,
    now_ns: int,
    blocked: tuple[Side, ...] = (),
) -> tuple[list[Order], list[Level]]:
    """Return the orders to cancel, the most wrong first, and the levels to place, the best first.

    levels        wanted; of two with the same side and price the first counts
    orders        all of ours that may be live on the symbol; targets are only kept clear of
    is_exclusive  nothing is placed on one side while anything may be live on the other
    blocked       sides on which an order cannot be got rid of: nothing is placed there
    """
    live = list(orders)
    cancels: list[tuple[int, Order]] = []
    places: list[Level] = []
    bids: list[Order] = []
    asks: list[Order] = []
    for order in live:
        if not order.is_target:
            (bids if order.side is Side.BUY else asks).append(order)
    wanted_bids, wanted_asks = _by_side(levels)
    for side, own, wanted in ((Side.BUY, bids, wanted_bids), (Side.SELL, asks, wanted_asks)):
        if not own:
            if wanted and side not in blocked:
                places += wanted if len(wanted) == 1 else _best_first(wanted)
            continue
        if len(own) == 1 and len(wanted) <= 1:  # the usual case: it stays, or goes and holds its place
            order = own[0]
            if order.status in _KEEPABLE and not (wanted and fits(wanted[0], order, now_ns)):
                cancels.append((_wrongness(order, wanted), order))
            continue
        missing, unwanted, held = _match(wanted, own, now_ns)
        cancels += [(_wrongness(order, wanted), order) for order in unwanted]
        if missing and side not in blocked:
            places += _best_first(_unheld(missing, [*unwanted, *held]))
    if is_exclusive and places:
        places = _one_sided(places, levels[0].side, live)
    if len(cancels) > 1:
        cancels.sort(key=lambda found: (-found[0], found[1].client_order_id))
    return [order for _, order in cancels], _clear_of_own(places, live)


def wrongness(levels: Sequence[Level], orders: Iterable[Order]) -> int:
    """Return how many ticks the most wrong order is away from what is wanted (huge = not wanted)."""
    worst = 0
    for order in orders:
        if not order.is_target:
            worst = max(worst, _wrongness(order, [level for level in levels if level.side is order.side]))
    return worst


def fits(level: Level, order: Order, now_ns: int) -> bool:
    """True when an order of the level's side may stand for it."""
    return (
        abs(order.price - level.price) <= level.tolerance
        and order.size - order.filled <= level.size
        and order.post_only is level.post_only
        and order.reduce_only is level.reduce_only
        and not (level.max_age_ns and now_ns - (order.sent_ns or order.created_ns) > level.max_age_ns)
    )


def _by_side(levels: Sequence[Level]) -> tuple[list[Level], list[Level]]:
    """Return bids and asks; of those with the same price the first."""
    bids: list[Level] = []
    asks: list[Level] = []
    for level in levels:
        (bids if level.side is Side.BUY else asks).append(level)
    return _distinct(bids), _distinct(asks)


def _distinct(levels: list[Level]) -> list[Level]:
    if len(levels) < 2:
        return levels
    found: dict[int, Level] = {}
    for level in levels:
        found.setdefault(level.price, level)
    return list(found.values())


def _match(
    wanted: list[Level], own: list[Order], now_ns: int
) -> tuple[list[Level], list[Order], list[Order]]:
    """Return missing levels, orders to cancel, and orders that hold a place until their fate is known."""
    keepable = [order for order in own if order.status in _KEEPABLE]
    held = [order for order in own if order.status not in _KEEPABLE]
    pairs = [
        (abs(order.price - level.price), row, column)
        for row, level in enumerate(wanted)
        for column, order in enumerate(keepable)
        if fits(level, order, now_ns)
    ]
    pairs.sort()
    rows: set[int] = set()
    columns: set[int] = set()
    for _, row, column in pairs:
        if row not in rows and column not in columns:
            rows.add(row)
            columns.add(column)
    missing = [level for row, level in enumerate(wanted) if row not in rows]
    unwanted = [order for column, order in enumerate(keepable) if column not in columns]
    return missing, unwanted, held


def _unheld(missing: list[Level], holders: list[Order]) -> list[Level]:
    """Leave out one level, the nearest, for every order that may still be live in its stead."""
    for order in holders:
        if not missing:
            break
        missing.remove(min(missing, key=lambda level: (abs(level.price - order.price), level.price)))
    return missing


def _best_first(levels: list[Level]) -> list[Level]:
    return sorted(levels, key=lambda level: -level.price * level.side)


def _one_sided(places: list[Level], side: Side, live: list[Order]) -> list[Level]:
    if any(order.side is not side for order in live):
        return []
    return [level for level in places if level.side is side]


def _clear_of_own(places: list[Level], live: list[Order]) -> list[Level]:
    """Leave out what could trade with an order of ours."""
    if not places or (len(places) == 1 and not live):
        return places
    highest_bid = max((order.price for order in live if order.side is Side.BUY), default=-_FAR)
    lowest_ask = min((order.price for order in live if order.side is Side.SELL), default=_FAR)
    clear = []
    for level in places:
        if level.side is Side.BUY and level.price < lowest_ask:
            highest_bid = max(highest_bid, level.price)
        elif level.side is Side.SELL and level.price > highest_bid:
            lowest_ask = min(lowest_ask, level.price)
        else:
            continue
        clear.append(level)
    return clear


def _wrongness(order: Order, wanted: list[Level]) -> int:
    if len(wanted) == 1:
        return abs(order.price - wanted[0].price)
    return min((abs(order.price - level.price) for level in wanted), default=_FAR)
