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
from services.quoter.strategies.grids.passing import Asked, Passed, is_believed, passed_at, without_believed
from services.quoter.strategies.grids.placing import is_passed, levels_of, settled
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
    """The grid, and what of it is not as it should be.

    passed    the orders that the price is beyond, at this position
    left_ns   since when the price has left a flat grid behind; None = it has not
    shorts    orders that rest with less than wanted
    asked     what the last answer asked for, as far as the permit allows
    compared  levels and orders that `shorts` and `asked` came from
    """

    grid: Grid | None = None
    held: Held | None = None
    passed: tuple[Passed, ...] = ()
    left_ns: int | None = None
    shorts: tuple[Short, ...] = ()
    asked: Asked = Asked()
    compared: tuple[tuple[Level, ...], tuple[WorkingOrder, ...]] = ((), ())


def quote(view: MarketView, plan: Plan, memory: Kept) -> Wanted:
    """Return the orders of the grid; none, with the reason, where no grid can be laid."""
    grid = memory.grid
    is_new = grid is None
    if grid is None:
        try:
            grid = _laid(view, plan)
        except Refused as refused:
            return Wanted((), False, str(refused), Kept())
        memory = Kept(grid)
    held = memory.held
    if held is None or held.position != view.position:
        held = _held(view, plan, grid)
    passed, left_ns = _passed(view, plan, held, memory), _left(view, plan, grid, memory)
    if held is not memory.held or passed is not memory.passed or left_ns is not memory.left_ns:
        memory = msgspec.structs.replace(memory, held=held, passed=passed, left_ns=left_ns)
    if not passed and left_ns is None:  # mostly
        return _sized(view, plan, memory, held.levels, _reason(view, grid))
    if not is_new and _is_due_anew(view, plan, grid, memory):
        return quote(view, plan, Kept())
    if not passed:
        return _sized(view, plan, memory, held.levels, _reason(view, grid))
    levels, reason = _levels_past(view, plan, grid, memory)
    return _sized(view, plan, memory, levels, reason)


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


def _passed(view: MarketView, plan: Plan, held: Held, memory: Kept) -> tuple[Passed, ...]:
    if not is_passed(Side.BUY, held.bids.nearest, view) and not is_passed(Side.SELL, held.asks.nearest, view):
        return ()
    return passed_at(view, plan, (held.bids, held.asks), memory.passed, memory.asked)


def _left(view: MarketView, plan: Plan, grid: Grid, memory: Kept) -> int | None:
    if plan.is_fixed or not _is_left(view, grid) or not _is_flat(view, grid):
        return None
    return view.now_ns if memory.left_ns is None else memory.left_ns


def _is_due_anew(view: MarketView, plan: Plan, grid: Grid, memory: Kept) -> bool:
    """True when a range that follows the price is flat and the price, no fill being due, is elsewhere."""
    if plan.is_fixed or not _is_flat(view, grid):
        return False
    if memory.left_ns is not None and view.now_ns - memory.left_ns >= plan.settle_ns:
        return True
    return any(not is_believed(one, view, plan) for one in memory.passed)


def _is_flat(view: MarketView, grid: Grid) -> bool:
    return abs(grid.held(view.position)) < view.sizes.smallest


def _is_left(view: MarketView, grid: Grid) -> bool:
    """True where a side has no levels and the price is further off on it than the other's first level."""
    if not grid.up:
        return view.bid > 2 * grid.home - grid.down[0].open
    return not grid.down and view.ask < 2 * grid.home - grid.up[0].open


def _levels_past(view: MarketView, plan: Plan, grid: Grid, memory: Kept) -> tuple[tuple[Level, ...], str]:
    """Return the levels where the price is beyond orders: those that may be filled are left out."""
    assert memory.held is not None
    reason = "quoting"
    sides: list[GridSide] = []
    for side, orders in ((Side.BUY, memory.held.bids), (Side.SELL, memory.held.asks)):
        rest = without_believed(side, orders, memory.passed, view, plan)
        found = settled(side, rest, grid, view, plan.join_passed)
        if rest is not orders:
            reason = "the price has passed an order"
        sides.append(found)
        if rest.opens and not found.opens:
            price = view.instrument.price_text(rest.opens[0][0])
            reason = f"waiting for the price to come back to {price}: it was passed without a fill"
    return _levels(view, plan, *sides), reason


def _reason(view: MarketView, grid: Grid) -> str:
    if grid.lower <= view.ask and view.bid <= grid.upper:
        return "quoting"
    return "quoting: the price is outside the range"


def _sized(view: MarketView, plan: Plan, memory: Kept, levels: tuple[Level, ...], reason: str) -> Wanted:
    """Return the wanted levels, those left out whose orders must be replaced to grow."""
    if not memory.shorts and memory.compared[0] is levels and memory.compared[1] is view.working:
        return Wanted(levels, False, reason, _dated(memory, view.now_ns, plan.settle_ns))
    possible = within(levels, view.position, view.permit, view.prices, view.sizes)
    asked, shorts = regrown(
        possible, view.working, memory.shorts, view.now_ns, plan.resize_after_ns, is_widened=plan.is_widened
    )
    compared = (levels, view.working)
    memory = _with(memory, shorts=shorts, asked=Asked(asked, view.now_ns), compared=compared)
    return Wanted(levels if asked is possible else asked, False, reason, memory)


def _dated(memory: Kept, now_ns: int, settle_ns: int) -> Kept:
    """Return the memory that knows its answer to hold still; seldom, as it is made anew for it."""
    if now_ns - memory.asked.at_ns < settle_ns // 4:
        return memory
    return _with(memory, asked=Asked(memory.asked.levels, now_ns))


def _with(memory: Kept, **changes: object) -> Kept:
    """Return the memory with changes, itself where there are none."""
    if all(getattr(memory, name) is value for name, value in changes.items()):
        return memory
    return msgspec.structs.replace(memory, **changes)
