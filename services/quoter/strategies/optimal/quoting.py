"""From a model's answer to a bid and an ask: the part that no model has a say in.

The answer is a half-spread and a shift per order of inventory, ticks. Here the shift is bounded,
prices are rounded once and outwards, never cross, stay where they rest while they are off by less
than a tick, and sizes stay within the largest position.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from services.quoter.levels.rounding import PriceGrid
from services.quoter.levels.volatility import sigma_ticks
from services.quoter.strategies.base import FOREVER_NS, MarketView, Memory, Wanted
from services.quoter.strategies.optimal.params import Plan
from shared.messages import Level, Side

P = TypeVar("P", bound=Plan)
#: what is outside is taken as this: far beyond any market, and no formula leaves the floats
LEAST, MOST = 1e-12, 1e12


class Market(NamedTuple):
    """What a model looks at.

    sigma   standard deviation of the mid, ticks per root of a second
    risk    aversion per tick that one order gains or loses
    a       takers a second at the mid
    k       decay per tick
    """

    sigma: float
    risk: float
    a: float
    k: float


class Answer(NamedTuple):
    """Ticks: how far from the reservation price, and how far that moves per order of inventory."""

    half_spread: float
    shift_per_order: float


class Priced(Memory, frozen=True, gc=False):
    """The prices in force; 0 = never priced."""

    bid: int = 0
    ask: int = 0


Model = Callable[[Market, P], Answer]


def quote(view: MarketView, plan: P, memory: Priced, model: Model[P]) -> Wanted:
    """Return up to one bid and one ask around the reservation price of a model."""
    lots = plan.order_lots(view, max(1, int(view.mid)))
    if lots <= 0:
        return Wanted((), False, "size below one lot", memory)
    answer = model(market_of(view, plan, lots), plan)
    priced = prices(view, plan, reservation_of(view, plan, answer, lots), memory)
    levels = tuple(
        level
        for level in (_level(view, plan, Side.BUY, priced.bid), _level(view, plan, Side.SELL, priced.ask))
        if level is not None
    )
    reason = "quoting" if levels else "no room or below the minimum size"
    return Wanted(levels, False, reason, priced, FOREVER_NS)  # no size in the book counts, nor the time


def market_of(view: MarketView, plan: Plan, lots: int) -> Market:
    """Return the market in the units of a model, for orders of so many lots."""
    assert view.volatility_pct is not None, "a model needs volatility"
    intensity = plan.intensity or view.intensity
    assert intensity is not None, "a model needs intensity"
    a, k = intensity
    risk = plan.gamma * plan.tick_value * lots
    return Market(sigma_ticks(view.volatility_pct, view.mid), bounded(risk), bounded(a), bounded(k))


class Around(NamedTuple):
    """A reservation price and the half-spread around it, ticks."""

    price: float
    half_spread: float


def reservation_of(view: MarketView, plan: Plan, answer: Answer, lots: int) -> Around:
    """Return the mid shifted against the inventory by at most max_skew half-spreads; long moves it down."""
    half = max(plan.min_spread / 2, min(answer.half_spread, plan.widest_half * view.mid))
    most = plan.max_skew * half
    shift = max(-most, min(most, answer.shift_per_order * (view.position / lots)))
    return Around(view.mid - shift, half)


def prices(view: MarketView, plan: Plan, around: Around, memory: Priced) -> Priced:
    """Return bid and ask: in force already and near enough, else rounded outwards; never crossing."""
    grid, half = view.prices, around.half_spread
    want_bid, want_ask = max(0.0, around.price - half), around.price + half
    band = plan.tolerance * half
    bid, ask = _settled(want_bid, memory.bid, band, grid), _settled(want_ask, memory.ask, band, grid)
    bid = grid.bid(want_bid) if bid is None else bid
    ask = grid.ask(want_ask) if ask is None else ask
    if ask - bid < plan.min_spread:  # each was near enough, both together are not
        bid, ask = grid.bid(want_bid), grid.ask(want_ask)
    bid = min(bid, grid.bid(view.ask - 1))  # post-only
    ask = max(ask, grid.ask(max(view.bid, bid) + 1))
    return Priced(bid, ask)


def bounded(value: float) -> float:
    """Return a positive parameter within what the formulas are safe for."""
    return max(LEAST, min(value, MOST))


def _settled(wanted: float, current: int, band: float, grid: PriceGrid) -> int | None:
    """Return the price in force while it is off by less than a step of prices, or than the band (Q17)."""
    near = max(grid.step(current), band)
    return current if current > 0 and abs(wanted - current) < near else None


def _level(view: MarketView, plan: Plan, side: Side, price: int) -> Level | None:
    if price <= 0:
        return None
    size = plan.order_lots(view, price)
    if plan.max_position is not None:
        size = min(size, plan.max_position - side.sign * view.position)
    return Level(side, price, size) if size >= view.sizes.minimum(price) else None
