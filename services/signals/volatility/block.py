"""What every estimator is fed: the move of the price over some whole seconds.

A block of one second is one return. A longer one (a minute's candle, a candle after
seconds without a trade) is `span_s` seconds whose squared returns add up to the square of
its move: that is what a walk does, and so no second of it is invented, neither a still one
nor one with the whole move in it.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

from shared.clock import SECONDS_PER_YEAR

#: log returns are counted in this unit: sums of integers do not drift, however long they run
UNIT = 1e-15


class Block(NamedTuple):
    """at_s is its last second, one of a steady clock; log_high >= 0 >= log_low are since its start.

    one_tick  one tick, as a log return
    """

    at_s: int
    span_s: int
    log_return: float
    log_high: float
    log_low: float
    one_tick: float


class Estimator(Protocol):
    """Blocks in, in the order of time; the standard deviation of a one-second log return out."""

    @property
    def needs_range(self) -> bool:
        """Whether highs and lows within a second matter."""
        ...

    @property
    def count(self) -> int:
        """Seconds that the estimate stands on."""
        ...

    def add(self, block: Block) -> None: ...

    def deviation(self, now_s: int) -> float | None:
        """Return the estimate as of a second not before the last block; None = not enough is seen."""
        ...


def units(log_return: float) -> int:
    return round(log_return / UNIT)


def is_fine_enough(span_s: int, memory_s: float) -> bool:
    """Whether a block says something to an estimate that remembers `memory_s` seconds: ten are enough."""
    return span_s == 1 or 10 * span_s <= memory_s


def annualised_pct(deviation: float) -> float:
    """Return percent a year, of 365 days of seconds, from the deviation of one second."""
    return 100.0 * deviation * math.sqrt(SECONDS_PER_YEAR)
