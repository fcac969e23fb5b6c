"""Layout: from a plan and the price at which a grid is laid to its rungs. Not on the hot path."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from services.quoter.levels.rounding import PriceGrid
from services.quoter.levels.sizing import LotSizes, share_of_equity
from services.quoter.strategies.grids.params import Plan
from services.quoter.strategies.grids.rungs import Grid, Rung, filled_rungs
from services.quoter.strategies.grids.spacing import arithmetic, geometric, nearest, on_ticks
from shared.errors import BadInput, Refused
from shared.instrument import Instrument


def lay(
    plan: Plan, price: Decimal, position: int, equity_usd: float | None, prices: PriceGrid, sizes: LotSizes
) -> Grid:
    """Return the grid, flat at home; a range that follows the price is laid around it.

    price     ticks: the mid when it is laid
    position  lots. Where it is not flat, and the range is not fixed, home is put where the position
              is what the grid would hold at the present price: its first close is one level away.
    Raises: Refused("grid") naming why there is none.
    """
    at_home = max(0, position) if plan.at_home is None else plan.at_home
    home = price if plan.home is None else plan.home
    lots = _lots(plan, home, equity_usd, sizes)
    grid = _grid(plan, home, lots, at_home, prices)
    _check(grid, prices, sizes)
    held = grid.held(position)
    rungs = grid.down if held > 0 else grid.up
    filled = filled_rungs(rungs, abs(held)) if abs(held) >= sizes.smallest else 0
    if filled and not plan.is_fixed:  # every level is a share of home: the last filled one to the price
        grid = _grid(plan, price * grid.home / rungs[filled - 1].open, lots, at_home, prices)
    _check(grid, prices, sizes)
    return grid


def checked(plan: Plan, instrument: Instrument) -> Plan:
    """Return the plan itself. Raises: BadInput where its range is fixed and gives no grid."""
    if plan.home is None or (plan.lots is None and plan.budget_micro is None):
        return plan  # it depends on the price, or on the equity
    try:
        lay(plan, plan.home, plan.at_home or 0, None, PriceGrid(instrument), LotSizes(instrument))
    except Refused as refused:
        raise BadInput(f"{instrument.symbol}: {refused}") from None
    return plan


def _lots(plan: Plan, home: Decimal, equity_usd: float | None, sizes: LotSizes) -> int:
    """Return the lots of the first level."""
    if plan.lots is not None:
        return plan.lots
    ticks = max(1, int(home))
    if plan.budget_micro is not None:
        return sizes.lots(plan.budget_micro, ticks)
    assert equity_usd is not None, "equity_pct needs equity"
    budget = share_of_equity(equity_usd, plan.share_ppm, None)
    parts = sum(plan.weights) if plan.weights else Decimal(plan.count)
    return sizes.lots(int(budget / parts), ticks)


def _grid(plan: Plan, home: Decimal, lots: int, at_home: int, prices: PriceGrid) -> Grid:
    centre = nearest(home, prices)
    levels = on_ticks(_levels(plan, home), prices)
    down: tuple[Rung, ...] = ()
    up: tuple[Rung, ...] = ()
    if plan.direction != "short":
        below = [level for level in levels if level < centre]
        closes = _closes(below[::-1], next((level for level in levels if level >= centre), centre))
        down = _rungs(below[::-1], closes, lots, plan.weights)
    if plan.direction != "long":
        above = [level for level in levels if level > centre]
        closes = _closes(above, next((level for level in reversed(levels) if level <= centre), centre))
        up = _rungs(above, closes, lots, plan.weights)
    if plan.sells_held:
        up = _within(up, max(0, at_home))
    lower, upper = min(centre, *levels), max(centre, *levels)
    return Grid(centre, lower, upper, at_home, down, up, plan.direction != "neutral")


def _levels(plan: Plan, home: Decimal) -> Iterable[Decimal]:
    if plan.shares:
        return [home, *(home * share for share in plan.shares)]
    lower, upper = plan.lower, plan.upper
    if lower is None or upper is None:
        lower = home if plan.direction == "short" else home * (1 - plan.reach)
        upper = home if plan.direction == "long" else home * (1 + plan.reach)
    spread = geometric if plan.spacing == "geometric" else arithmetic
    return spread(lower, upper, plan.count)


def _closes(opens: list[int], first: int) -> list[int]:
    """Return where each level closes: one level nearer to home."""
    return [first, *opens[:-1]]


def _rungs(opens: list[int], closes: list[int], lots: int, weights: tuple[Decimal, ...]) -> tuple[Rung, ...]:
    sizes = [lots] * len(opens) if not weights else [int(lots * weight) for weight in weights]
    return tuple(Rung(*rung) for rung in zip(opens, closes, sizes, strict=False))


def _within(rungs: tuple[Rung, ...], lots: int) -> tuple[Rung, ...]:
    """Return the rungs as far as so many lots reach."""
    kept = []
    for rung in rungs:
        size = min(rung.lots, lots)
        if size > 0:
            kept.append(Rung(rung.open, rung.close, size))
        lots -= size
    return tuple(kept)


def _check(grid: Grid, prices: PriceGrid, sizes: LotSizes) -> None:
    """Raise Refused where no grid comes out, or none that this venue takes."""
    if not prices.is_legal(grid.lower) or not prices.is_legal(grid.upper):
        raise Refused("grid", f"the range {grid.lower}..{grid.upper} ticks is outside the venue's prices")
    if not grid.down and not grid.up:
        raise Refused("grid", "the range is too narrow for the tick: there is no level beside home")
    for rung in (*grid.down[:1], *grid.down[-1:], *(() if grid.down else grid.up[:1])):
        if rung.lots < sizes.minimum(rung.open):
            need = sizes.minimum(rung.open)
            raise Refused("grid", f"{rung.lots} lots a level is below the venue's minimum of {need}")
