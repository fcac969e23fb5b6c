"""Spacing: where the levels of a grid are. Decimals until the one rounding at the end.

Source: the grids of the earlier bots (lineage 5.5 and, for the martingale, 3.2).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal, localcontext

from services.quoter.levels.rounding import PriceGrid

_CONTEXT = Context(prec=34)
ONE = Decimal(1)


def arithmetic(lower: Decimal, upper: Decimal, count: int) -> list[Decimal]:
    """Return `count` (>= 2) levels at equal distances, both ends included."""
    step = (upper - lower) / (count - 1)
    return [lower + step * index for index in range(count - 1)] + [upper]


def geometric(lower: Decimal, upper: Decimal, count: int) -> list[Decimal]:
    """Return `count` (>= 2) levels (> 0) at equal ratios, both ends included."""
    with localcontext(_CONTEXT):
        ratio = (upper / lower) ** (ONE / (count - 1))
        return [lower * ratio**index for index in range(count - 1)] + [upper]


def martingale(step: Decimal, price_factor: Decimal, count: int) -> list[Decimal]:
    """Return the levels as shares of home, nearest first: 1 - step × (1 + factor + factor² + ...).

    A share that is not above 0 is no price: whoever uses them must refuse it. Vector G12.
    """
    shares, gap, share = [], step, ONE
    for _ in range(count):
        share -= gap
        shares.append(share)
        gap *= price_factor
    return shares


def on_ticks(levels: Iterable[Decimal], prices: PriceGrid) -> tuple[int, ...]:
    """Return the nearest legal prices (half a step: the lower), ascending, each once.

    A level is a price that a bid and, one fill later, an ask rest at: it is rounded once, for both.
    """
    return tuple(sorted({nearest(level, prices) for level in levels}))


def nearest(level: Decimal, prices: PriceGrid) -> int:
    """Return the legal price nearest to fractional ticks."""
    numerator, denominator = level.as_integer_ratio()
    below, above = prices.bid(numerator, denominator), prices.ask(numerator, denominator)
    return below if level - below <= above - level else above
