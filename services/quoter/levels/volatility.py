"""Volatility: from annualised percent to ticks, and the distance that it asks of every quote (Q33).

Pure. The distance is an option of every strategy: k standard deviations of the mid over a
horizon, which a level may not be nearer to the mid than. What a strategy puts further out stays.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

from services.quoter.levels.rounding import PriceGrid
from shared.clock import SECONDS_PER_YEAR
from shared.messages import Level, Side

Levels = tuple[Level, ...]
ROOT_OF_YEAR = math.sqrt(SECONDS_PER_YEAR)
#: an order further out than asked by up to this share of the distance keeps its place: an
#: estimate from 60 returns is itself uncertain by 1 / sqrt(2 x 60) = 9 %
SLACK = 0.1


def sigma_ticks(annualised_pct: float, mid: float) -> float:
    """Return the standard deviation of the mid over one second, ticks per root of a second, at most the mid.

    annualised_pct  percent per square root of a year of 365 days, as `Volatility` says it
    mid             ticks
    Over t seconds it is sqrt(t) times as much: returns of different seconds are taken as independent.
    """
    return mid * min(1.0, annualised_pct / 100 / ROOT_OF_YEAR)


def spread_distance(annualised_pct: float, mid: float, roots: float) -> float:
    """Return the least distance from the mid, ticks, at most the mid itself.

    roots  k x sqrt(horizon in seconds)
    """
    return min(sigma_ticks(annualised_pct, mid) * roots, mid)


def widened(levels: Levels, asked: Levels, mid: float, distance: float, prices: PriceGrid) -> Levels:
    """Return the levels with none nearer to the mid than `distance` ticks, rounded outwards.

    Never inwards of what the strategy wants; the order of the levels of a side stays, and so
    do different prices. The volatility is new each second and the mid more often, so an order
    keeps its place (the n-th of a side is compared with the n-th `asked` for) while it is not a
    whole tick too near, nor more than a tick and `SLACK` too far.
    """
    moved = {
        side: iter(_moved([level for level in levels if level.side is side], _prices(asked, side), mid,
                          distance, prices))
        for side in (Side.BUY, Side.SELL)
    }  # fmt: skip
    return tuple(next(moved[level.side]) for level in levels)


def _moved(
    levels: list[Level], asked: list[int], mid: float, distance: float, prices: PriceGrid
) -> Iterator[Level]:
    """Yield the levels of one side, best first, moved outwards. Prices count outwards here: sign x price."""
    last: tuple[int, int] | None = None
    for index, level in enumerate(levels):
        sign = -level.side.sign
        wanted = sign * level.price
        bound = sign * mid + distance
        place = sign * asked[index] if index < len(asked) else None
        if place is None or not _keeps(place, wanted, bound, distance, prices):
            place = wanted if wanted >= bound else sign * _outwards(level.side, sign * bound, prices)
        if last is not None:
            least = last[1] + (wanted > last[0])
            place = place if place >= least else sign * _outwards(level.side, sign * least, prices)
        last = wanted, place
        yield level if place == wanted else msgspec.structs.replace(level, price=sign * place)


def _keeps(place: int, wanted: int, bound: float, distance: float, prices: PriceGrid) -> bool:
    step = prices.step(abs(place))
    return place >= wanted and -step < place - bound < max(step, SLACK * distance)


def _outwards(side: Side, price: float, prices: PriceGrid) -> int:
    return prices.bid(price) if side is Side.BUY else prices.ask(price)


def _prices(levels: Levels, side: Side) -> list[int]:
    return [level.price for level in levels if level.side is side]
