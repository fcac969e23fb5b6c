"""Placing: the orders of a side as levels that a venue takes. Pure.

An order that the market has run past without a fill (see `passing.py`) cannot rest where it
should. A close joins the market, at the most aggressive price that does not take; an open
joins it as well, or, by default, its side waits until the price is back.
"""

from __future__ import annotations

from collections.abc import Iterable

from services.quoter.levels.sizing import LotSizes
from services.quoter.strategies.base import MarketView
from services.quoter.strategies.grids.rungs import Grid, Order
from services.quoter.strategies.grids.rungs import Side as GridSide
from shared.messages import Level, Side


def is_passed(side: Side, price: int | None, view: MarketView) -> bool:
    """True when an order of a side would take at this price."""
    if price is None:
        return False
    return price >= view.ask if side is Side.BUY else price <= view.bid


def settled(side: Side, orders: GridSide, grid: Grid, view: MarketView, is_joining: bool) -> GridSide:
    """Return the orders with the passed ones where they can rest, if they may."""
    edge = view.prices.bid(view.ask - 1) if side is Side.BUY else view.prices.ask(view.bid + 1)
    closes = tuple(_moved(side, order, edge) for order in orders.closes)
    opens = orders.opens
    if opens and is_passed(side, opens[0][0], view):
        is_inside = grid.lower <= edge <= grid.upper
        opens = tuple(_moved(side, order, edge) for order in opens) if is_joining and is_inside else ()
    return GridSide(closes, opens)


def _moved(side: Side, order: Order, edge: int) -> Order:
    price, size = order
    return (min(price, edge) if side is Side.BUY else max(price, edge)), size


def levels_of(side: Side, orders: GridSide, sizes: LotSizes, close_reduces: bool) -> tuple[Level, ...]:
    """Return one level a price; what is too small for the venue joins the next order outwards.

    So the sum is kept down to a last rest below the minimum, which waits for more.
    """
    levels = []
    rest = 0
    for price, size, is_close in _merged(orders):
        size += rest
        if price <= 0 or size < sizes.minimum(price):
            rest = size
            continue
        rest = 0
        levels.append(Level(side, price, size, reduce_only=is_close and close_reduces))
    return tuple(levels)


def _merged(orders: GridSide) -> Iterable[tuple[int, int, bool]]:
    """Return price, size and whether it closes, one a price, nearest first."""
    merged: list[tuple[int, int, bool]] = []
    for is_close, group in ((True, orders.closes), (False, orders.opens)):
        for price, size in group:
            if merged and merged[-1][0] == price:
                size += merged.pop()[1]
            merged.append((price, size, is_close))
    return merged
