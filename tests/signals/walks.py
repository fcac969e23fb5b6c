"""Prices for the tests of volatility: blocks of seconds, and walks with a known deviation."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable

from services.signals.volatility.block import Block, Estimator

YEAR_S = 365 * 24 * 3600


def block(at_s: int, log_return: float, span_s: int = 1, one_tick: float = 1e-9) -> Block:
    high, low = max(log_return, 0.0), min(log_return, 0.0)
    return Block(at_s, span_s, log_return, high, low, one_tick)


def feed_returns(estimator: Estimator, returns: Iterable[float], first_s: int = 1) -> int:
    """Feed one return a second; return the last second."""
    at_s = first_s - 1
    for at_s, moved in enumerate(returns, first_s):
        estimator.add(block(at_s, moved))
    return at_s


def walk(count: int, deviation: float = 1e-4, seed: int = 7) -> list[float]:
    generator = random.Random(seed)
    return [generator.gauss(0.0, deviation) for _ in range(count)]


def annualised(deviation: float) -> float:
    return 100 * deviation * math.sqrt(YEAR_S)
