"""The bins of one side as orders: price, share of the capital, least and largest size."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from services.quoter.strategies.base import MarketView
from services.quoter.strategies.bins.params import Plan
from services.quoter.strategies.bins.shape import Shape
from shared.messages import Level, Side

PPM = 1_000_000


def price_of(view: MarketView, plan: Plan, side: Side, anchor: int, index: int) -> int:
    """Return the legal price of a bin: mid -+ (index + 1) x step x mid, bids down, asks up.

    anchor  twice the mid around which the bins are, ticks
    """
    numerator = anchor * (PPM - side.sign * (index + 1) * plan.step_ppm)
    return (view.prices.bid if side is Side.BUY else view.prices.ask)(numerator, 2 * PPM)


def bids(view: MarketView, plan: Plan, shape: Shape, anchor: int, money: Fraction) -> tuple[Level, ...]:
    """Return the bids, best first: together they cost at most `money`, micro-units."""
    budget = money / view.sizes.worth(1, Fraction(1))  # lots x ticks
    total = sum(shape.bids)
    wanted = (
        (price, int(budget * weight / (total * (price if shape.bids_at_own_price else Fraction(anchor, 2)))))
        for price, weight in _priced(view, plan, Side.BUY, anchor, shape.bids)
    )
    return tuple(_affordable(view, plan, Side.BUY, anchor, wanted, budget))


def asks(view: MarketView, plan: Plan, shape: Shape, anchor: int, lots: Fraction) -> tuple[Level, ...]:
    """Return the asks, best first: together at most `lots`."""
    total = sum(shape.asks)
    wanted = (
        (price, int(lots * weight / total))
        for price, weight in _priced(view, plan, Side.SELL, anchor, shape.asks)
    )
    return tuple(_affordable(view, plan, Side.SELL, anchor, wanted, lots))


def _priced(
    view: MarketView, plan: Plan, side: Side, anchor: int, weights: tuple[int, ...]
) -> Iterator[tuple[int, int]]:
    """Yield price and weight of the nearest bins; bins that a coarse tick joins are one order."""
    price, joined, count = price_of(view, plan, side, anchor, 0), 0, 0
    for index, weight in enumerate(weights):
        here = price_of(view, plan, side, anchor, index)
        if not view.prices.is_legal(here):
            break
        if here != price:
            yield price, joined
            price, joined, count = here, 0, count + 1
            if count == plan.per_side:
                return
        joined += weight
    if joined:
        yield price, joined


def _affordable(
    view: MarketView, plan: Plan, side: Side, anchor: int, wanted: Iterator[tuple[int, int]], budget: Fraction
) -> Iterator[Level]:
    """Yield the orders that the budget pays for: money for bids (lots x ticks), lots for asks."""
    tolerance = plan.recentre_ppm * anchor // (2 * PPM)
    for price, size in wanted:
        cost = price if side is Side.BUY else 1
        smallest = view.sizes.minimum(price)
        if plan.min_lots is not None:
            smallest = max(smallest, plan.min_lots)
            size = min(max(size, smallest), int(budget / cost))
        if plan.max_lots is not None:
            size = min(size, plan.max_lots)
        if size >= smallest:
            budget -= size * cost
            yield Level(side, price, size, tolerance=tolerance)
