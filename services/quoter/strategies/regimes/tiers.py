"""The four inventory tiers: how far each side is from the mid.

Inventory is measured on a scale that ends where hedging begins, so every tier is reached
before a taker order does the work of the quotes.

Source: the quoting of the earlier Backpack bot AK47; its tiers lay beyond its hedge.
"""

from __future__ import annotations

from services.quoter.strategies.base import MarketView
from shared.messages import Side

#: (fullness from which it holds, half-spreads of the side that adds, of the side that reduces)
TIERS = ((0.7, 1.8, 0.5), (0.4, 1.3, 0.9), (0.0, 1.0, 1.0))
ONE_SIDED_FROM = 0.9
#: what the single quote of the last tier is away from the opposite best price
ONE_BP = 10_000


def factors(fullness: float) -> tuple[float, float] | None:
    """Return the half-spreads of the adding and of the reducing side; None = only the reducing one."""
    if fullness >= ONE_SIDED_FROM:
        return None
    return next((adds, reduces) for start, adds, reduces in TIERS if fullness >= start)


def distances(position: int, fullness: float, half: float, least_spread: float) -> tuple[float, float] | None:
    """Return how far bid and ask are from the mid, ticks; None = only the reducing side is quoted.

    half          half-spread, ticks (> 0)
    least_spread  of bid to ask, ticks: where they would be nearer both move out in proportion
    """
    tier = factors(fullness)
    if tier is None:
        return None
    half = max(half, least_spread / sum(tier))
    adds, reduces = tier[0] * half, tier[1] * half
    return (reduces, adds) if position < 0 else (adds, reduces)


def one_sided(view: MarketView) -> tuple[Side, int]:
    """Return side and price of the reducing quote: 1 bp from the opposite best, not behind its own.

    1 bp rounded outwards is at least a tick, so it does not cross however narrow the spread is.
    """
    if view.position > 0:
        price = view.prices.ask(view.bid * (ONE_BP + 1), ONE_BP)
        return Side.SELL, min(price, view.prices.ask(view.ask))
    price = view.prices.bid(view.ask * (ONE_BP - 1), ONE_BP)
    return Side.BUY, max(price, view.prices.bid(view.bid))


def sane_prices(
    view: MarketView, away: tuple[float, float], largest_gap: float
) -> tuple[int | None, int | None]:
    """Return bid and ask, rounded outwards; one that is further from the mid than the gap, ticks, is none."""
    bid, ask = away
    return (
        view.prices.bid(view.mid - bid) if bid < largest_gap else None,
        view.prices.ask(view.mid + ask) if ask < largest_gap else None,
    )
