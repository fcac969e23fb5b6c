"""From the view to the bins that should rest, and when they move.

The bins stay at their anchor until the mid is further from it than `recentre_pct` or the
inventory changed (C17): an order that moves loses its place in the queue. A market that ran
through a bin moves them at once.
"""

from __future__ import annotations

from services.quoter.strategies.base import MarketView, Memory, Wanted
from services.quoter.strategies.bins.inventory import holdings, move_ratio, multipliers
from services.quoter.strategies.bins.ladder import PPM, asks, bids
from services.quoter.strategies.bins.params import Plan
from services.quoter.strategies.bins.shape import Shape
from shared.messages import Level


class Anchored(Memory, frozen=True, gc=False):
    """The bins in force.

    anchor           twice the mid around which they are, ticks; None = never
    at_ns, position  when and at which position they were sized
    """

    anchor: int | None = None
    at_ns: int = 0
    position: int = 0
    levels: tuple[Level, ...] = ()
    reason: str = ""


def quote(view: MarketView, plan: Plan, memory: Anchored, shape: Shape) -> Wanted:
    """Return the orders of both sides, best first; the longer side is as long as it is (Q13)."""
    anchor = memory.anchor if is_kept(view, plan, memory) else None
    if anchor is None or view.now_ns - memory.at_ns >= plan.refresh_ns:
        memory = _sized(view, plan, shape, view.bid + view.ask if anchor is None else anchor)
    return Wanted(memory.levels, False, memory.reason, memory, memory.at_ns + plan.refresh_ns)


def is_kept(view: MarketView, plan: Plan, memory: Anchored) -> bool:
    """True while the inventory is the same and the mid is near the anchor."""
    if memory.anchor is None or view.position != memory.position:
        return False
    return abs(view.bid + view.ask - memory.anchor) * PPM <= plan.recentre_ppm * memory.anchor


def _sized(view: MarketView, plan: Plan, shape: Shape, anchor: int) -> Anchored:
    held = holdings(view, plan)
    buy, sell = multipliers(move_ratio(held, plan.initial_ratio), plan)
    levels = bids(view, plan, shape, anchor, held.money * buy) + asks(
        view, plan, shape, anchor, held.lots * sell
    )
    return Anchored(
        anchor,
        view.now_ns,
        view.position,
        levels,
        f"quoting, {shape.name}" if levels else "no capital for an order of the venue's minimum",
    )
