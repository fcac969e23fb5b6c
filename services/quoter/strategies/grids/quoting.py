"""Quoting a grid: from the view to the orders that its rungs ask for at the confirmed position.

Memory holds the grid as it was laid, and what was worked out for the last position: while
nothing has changed the same levels are asked for again.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from services.quoter.levels.limits import within
from services.quoter.strategies.base import MarketView, Memory, Wanted
from services.quoter.strategies.grids.layout import lay
from services.quoter.strategies.grids.params import Plan
from services.quoter.strategies.grids.placing import is_passed, left_out, levels_of, settled
from services.quoter.strategies.grids.regrow import Short, regrown
from services.quoter.strategies.grids.rungs import Grid, sides_at
from services.quoter.strategies.grids.rungs import Side as GridSide
from shared.errors import Refused
from shared.messages import Level, Side, WorkingOrder


class Held(msgspec.Struct, frozen=True):
    """What a position asks for, worked out once."""

    position: int
    bids: GridSide
    asks: GridSide
    levels: tuple[Level, ...]


class Kept(Memory, frozen=True, gc=False):
    """The grid, and since when it is not as it should be.

    passed_ns  since when the price has been beyond the next order, at this position; None = it is not
    shorts     orders that rest with less than wanted
    compared   levels, orders and permit-cut levels that `shorts` came from
    """

    grid: Grid | None = None
    held: Held | None = None
    passed_ns: int | None = None
    shorts: tuple[Short, ...] = ()
    compared: tuple[tuple[Level, ...], tuple[WorkingOrder, ...]] = ((), ())


def quote(view: MarketView, plan: Plan, memory: Kept) -> Wanted:
    """Return the orders of the grid; none, with the reason, where no grid can be laid."""
    grid = memory.grid
    if grid is None:
        try:
            grid = _laid(view, plan)
        except Refused as refused:
            return Wanted((), False, str(refused), Kept())
        memory = Kept(grid)
    held = memory.held
    if held is None or held.position != view.position:
        held = _held(view, plan, grid)
        memory = Kept(grid, held, None, memory.shorts)
    if not _is_off(view, plan, grid, held):
        memory = _with(memory, passed_ns=None)
        return _sized(view, plan, memory, held.levels, _reason(view, grid))
    since_ns = view.now_ns if memory.passed_ns is None else memory.passed_ns
    if view.now_ns - since_ns >= plan.settle_ns:
        if not plan.is_fixed and _is_flat(view, grid):
            return quote(view, plan, Kept())  # laid anew: around the price, it is not off
        levels, reason = _levels_past(view, plan, grid, held)
    else:
        levels, reason = _levels_meanwhile(view, plan, held), "the price has passed an order"
    return _sized(view, plan, _with(memory, passed_ns=since_ns), levels, reason)


def _laid(view: MarketView, plan: Plan) -> Grid:
    mid = Decimal(view.bid + view.ask) / 2
    return lay(plan, mid, view.position, view.equity_usd, view.prices, view.sizes)


def _held(view: MarketView, plan: Plan, grid: Grid) -> Held:
    bids, asks = sides_at(grid, view.position)
    return Held(view.position, bids, asks, _levels(view, plan, bids, asks))


def _levels(view: MarketView, plan: Plan, bids: GridSide, asks: GridSide) -> tuple[Level, ...]:
    return levels_of(Side.BUY, bids, view.sizes, plan.close_reduces) + levels_of(
        Side.SELL, asks, view.sizes, plan.close_reduces
    )


def _is_off(view: MarketView, plan: Plan, grid: Grid, held: Held) -> bool:
    """True when the price is beyond an order, or a flat grid that follows the price was left behind."""
    if is_passed(Side.BUY, held.bids.nearest, view) or is_passed(Side.SELL, held.asks.nearest, view):
        return True
    return not plan.is_fixed and _is_left(view, grid) and _is_flat(view, grid)


def _is_flat(view: MarketView, grid: Grid) -> bool:
    return abs(grid.held(view.position)) < view.sizes.smallest


def _is_left(view: MarketView, grid: Grid) -> bool:
    """True where a side has no levels and the price is further off on it than the other's first level."""
    if not grid.up:
        return view.bid > 2 * grid.home - grid.down[0].open
    return not grid.down and view.ask < 2 * grid.home - grid.up[0].open


def _levels_meanwhile(view: MarketView, plan: Plan, held: Held) -> tuple[Level, ...]:
    bids, asks = left_out(Side.BUY, held.bids, view), left_out(Side.SELL, held.asks, view)
    return _levels(view, plan, bids, asks)


def _levels_past(view: MarketView, plan: Plan, grid: Grid, held: Held) -> tuple[tuple[Level, ...], str]:
    bids = settled(Side.BUY, held.bids, grid, view, plan.join_passed)
    asks = settled(Side.SELL, held.asks, grid, view, plan.join_passed)
    is_waiting = len(bids.opens) < len(held.bids.opens) or len(asks.opens) < len(held.asks.opens)
    next_open = (held.bids.opens if is_passed(Side.BUY, held.bids.nearest, view) else held.asks.opens)[:1]
    reason = "quoting"
    if is_waiting:
        price = view.instrument.price_text(next_open[0][0])
        reason = f"waiting for the price to come back to {price}: it was passed without a fill"
    return _levels(view, plan, bids, asks), reason


def _reason(view: MarketView, grid: Grid) -> str:
    if grid.lower <= view.ask and view.bid <= grid.upper:
        return "quoting"
    return "quoting: the price is outside the range"


def _sized(view: MarketView, plan: Plan, memory: Kept, levels: tuple[Level, ...], reason: str) -> Wanted:
    """Return the wanted levels, those left out whose orders must be replaced to grow."""
    if not memory.shorts and memory.compared[0] is levels and memory.compared[1] is view.working:
        return Wanted(levels, False, reason, memory)
    possible = within(levels, view.position, view.permit, view.prices, view.sizes)
    asked, shorts = regrown(possible, view.working, memory.shorts, view.now_ns, plan.resize_after_ns)
    memory = _with(memory, shorts=shorts, compared=(levels, view.working))
    return Wanted(levels if asked is possible else asked, False, reason, memory)


def _with(memory: Kept, **changes: object) -> Kept:
    """Return the memory with changes, itself where there are none."""
    if all(getattr(memory, name) is value for name, value in changes.items()):
        return memory
    return msgspec.structs.replace(memory, **changes)
