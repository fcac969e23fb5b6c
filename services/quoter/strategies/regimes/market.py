"""Which regime the market is in, and the spread and size that it asks for.

The regime is that of the very first sample, not of the first change, and no history has to be
rebuilt after a restart. It gets wilder at once and calmer only when the market is well within
the calmer one: an ordinary market lies on the bound of low volatility and normal.

Source: the quoting of the earlier Backpack bot AK47, as its formulas were recorded.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from services.quoter.strategies.base import Levels

DEPTH_LEVELS = 3
#: of the composite: weight of the volatility, weight of the pressure
VOLATILITY_WEIGHT, PRESSURE_WEIGHT = 0.7, 0.3
#: share of the market's spread that a full inventory adds
INVENTORY_SPREAD = 0.3
#: share of the order that a full inventory takes away
INVENTORY_SIZE = 0.4
#: of the composite: how far within a calmer regime a market must be for it
DEAD_BAND = 0.1
LEAST_RATIO, MOST_RATIO = 0.3, 1.5


class Regime(NamedTuple):
    """Multipliers of risk aversion, largest inventory, order size and spread."""

    name: str
    gamma: float
    q_max: float
    size: float
    spread: float


NORMAL = Regime("normal", 1.0, 2.0, 1.0, 1.0)
HIGH_VOLATILITY = Regime("high volatility", 1.4, 1.2, 0.5, 1.8)
LOW_VOLATILITY = Regime("low volatility", 0.7, 2.6, 1.4, 0.7)
STRESS = Regime("stress", 2.0, 0.8, 0.3, 2.5)
CALMEST_FIRST = (LOW_VOLATILITY, NORMAL, HIGH_VOLATILITY, STRESS)


def liquidity_ratio(bids: Levels, asks: Levels) -> float:
    """Return the size of the best three bids over that of the best three asks (best first, not empty)."""
    return sum(size for _, size in bids[:DEPTH_LEVELS]) / sum(size for _, size in asks[:DEPTH_LEVELS])


def composite(sigma: float, sigma_normal: float, ratio: float) -> float:
    """Return how unusual the market is: 0.7 in a balanced one of ordinary volatility.

    sigma, sigma_normal  annualised, as fractions; ratio > 0 as of `liquidity_ratio`
    """
    pressure = 0.5 * abs(math.log(ratio))
    return VOLATILITY_WEIGHT * sigma / sigma_normal + PRESSURE_WEIGHT * pressure


def regime_of(value: float, last: Regime | None = None) -> Regime:
    """Return the regime of a composite. last  the one in force, None = this is the first sample"""
    found = _regime_at(value)
    if last is None or CALMEST_FIRST.index(found) >= CALMEST_FIRST.index(last):
        return found
    return min(last, _regime_at(value + DEAD_BAND), key=CALMEST_FIRST.index)


def _regime_at(value: float) -> Regime:
    if value > 2.0:
        return STRESS
    if value > 1.5:
        return HIGH_VOLATILITY
    return LOW_VOLATILITY if value < 0.7 else NORMAL


def spread_of(risk: float, fullness: float, market_spread: float, multiplier: float) -> float:
    """Return the whole spread, in the unit of the market's: risk + 0.3 (q/Q) cs + k cs.

    risk      gamma x sigma^2 x tau; fullness abs(q)/Q >= 0; multiplier k of the regime
    """
    return risk + INVENTORY_SPREAD * fullness * market_spread + multiplier * market_spread


def size_factor(regime: Regime, fullness: float, sigma: float, sigma_normal: float, ratio: float) -> float:
    """Return the order as a multiple of the base order, above 0 and at most 4.2."""
    for_volatility = 1 / (1 + 0.5 * (sigma / sigma_normal - 1))
    for_inventory = 1 - INVENTORY_SIZE * min(1.0, fullness)
    for_liquidity = min(MOST_RATIO, max(LEAST_RATIO, ratio))
    return regime.size * for_inventory * for_volatility * for_liquidity
