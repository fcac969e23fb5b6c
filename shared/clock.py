"""Clocks, as values to pass in: nothing in a core reads a clock of its own.

Bus stamps, ages and expiries are monotonic nanoseconds; `wall_ns` is only for what
a venue or a person reads.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

NS_PER_US = 1_000
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
SECONDS_PER_YEAR = 365 * 86_400  # crypto trades on every day


class Clock(Protocol):
    """Two readings, both integer nanoseconds."""

    def monotonic_ns(self) -> int: ...
    def wall_ns(self) -> int: ...


class SystemClock:
    """The machine's clocks."""

    monotonic_ns = staticmethod(time.monotonic_ns)
    wall_ns = staticmethod(time.time_ns)


@dataclass(slots=True)
class ManualClock:
    """A clock that moves only when told to (tests, replay)."""

    now_ns: int = 0
    wall_offset_ns: int = 0

    def monotonic_ns(self) -> int:
        return self.now_ns

    def wall_ns(self) -> int:
        return self.now_ns + self.wall_offset_ns

    def advance(self, delta_ns: int) -> None:
        self.now_ns += delta_ns


def seconds_to_ns(seconds: float) -> int:
    return round(seconds * NS_PER_S)
