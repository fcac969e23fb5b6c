"""Passing: which orders the price has run past, and which of them it may have filled. Pure.

An order that rested and was passed is mostly filled, and the position is not told yet: for
`settle_s` it is believed to be, and the deeper ones rest on. That holds only for what did
rest. A level that was passed before an order of ours was there (the first lay, a stop-loss) has
filled nothing: a fill of a deeper one would count as its own, and the deeper one be bought again.
"""

from __future__ import annotations

import msgspec

from services.quoter.strategies.base import MarketView
from services.quoter.strategies.grids.params import Plan
from services.quoter.strategies.grids.placing import is_passed
from services.quoter.strategies.grids.rungs import Side as GridSide
from shared.messages import Level, Side


class Passed(msgspec.Struct, frozen=True, gc=False):
    """An order that the price is beyond, and since when (monotonic). No fill resets it."""

    side: Side
    price: int
    since_ns: int


class Asked(msgspec.Struct, frozen=True, gc=False):
    """What was asked for, and when that was last known to hold."""

    levels: tuple[Level, ...] = ()
    at_ns: int = 0


def passed_at(
    view: MarketView, plan: Plan, sides: tuple[GridSide, GridSide], known: tuple[Passed, ...], asked: Asked
) -> tuple[Passed, ...]:
    """Return the passed orders, `known` itself where it is right; what never rested is long settled."""
    since = {(one.side, one.price): one for one in known}
    rested: set[tuple[Side, int]] | None = None
    found: list[Passed] = []
    for side, orders in zip((Side.BUY, Side.SELL), sides, strict=True):
        for price, size in orders.closes + orders.opens:
            if not is_passed(side, price, view):
                continue
            one = since.get((side, price))
            if one is None:
                rested = _rested(view, plan, asked) if rested is None else rested
                # what is too small to be an order of its own rode with the next one
                may_be_filled = (side, price) in rested or size < view.sizes.minimum(price)
                one = Passed(side, price, view.now_ns - (0 if may_be_filled else plan.settle_ns))
            found.append(one)
    return known if tuple(found) == known else tuple(found)


def is_believed(one: Passed, view: MarketView, plan: Plan) -> bool:
    """True while an order may have been filled without the position saying so."""
    return view.now_ns - one.since_ns < plan.settle_ns


def without_believed(
    side: Side, orders: GridSide, passed: tuple[Passed, ...], view: MarketView, plan: Plan
) -> GridSide:
    """Return the orders of a side without those that are believed to be filled."""
    gone = {one.price for one in passed if one.side is side and is_believed(one, view, plan)}
    if not gone:
        return orders
    return GridSide(
        tuple(order for order in orders.closes if order[0] not in gone),
        tuple(order for order in orders.opens if order[0] not in gone),
    )


def _rested(view: MarketView, plan: Plan, asked: Asked) -> set[tuple[Side, int]]:
    """Return where orders of ours may have rested until now.

    An answer that is old (nothing was quoted meanwhile), or that was moved outwards for the
    volatility, says nothing: then only what is known to be at the venue counts.
    """
    rested = {(order.side, order.price) for order in view.working}
    if not plan.is_widened and view.now_ns - asked.at_ns < plan.settle_ns:
        rested.update((level.side, level.price) for level in asked.levels)
    return rested
