"""Markouts: what a fill is worth some time later, by the mid then.

markout(h) = sign x (mid at fill time + h - price); > 0 is to our favour. The mean weighs fills
by notional and is in basis points of it. A fill whose mid is not known at that time is counted
as unknown, never as 0. Pending fills are bounded: the oldest are given up, and counted so.
"""

from __future__ import annotations

from collections import deque

import msgspec

from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import Side

HORIZONS_NS = (100 * NS_PER_MS, NS_PER_S, 10 * NS_PER_S, 60 * NS_PER_S)
MOST_PENDING = 100_000
NEVER_NS = 2**63 - 1
_BPS = 10_000


class Markout(msgspec.Struct, frozen=True):
    """One horizon. mean_bps None = no fill is that old; unknown = fills without a mid then."""

    horizon_s: float
    mean_bps: float | None
    fills: int
    unknown: int


class Horizon:
    """The fills that wait for one horizon, in order of time, and the sums of those that are due.

    Integers: half ticks x lots. `due_ns`: when the next one is due.
    """

    __slots__ = ("_most", "_pending", "_value", "_volume", "due_ns", "fills", "horizon_ns", "unknown")

    def __init__(self, horizon_ns: int, most_pending: int = MOST_PENDING) -> None:
        self.horizon_ns = horizon_ns
        self._most = most_pending
        self._pending: deque[tuple[int, int, int]] = deque()
        self._value = self._volume = 0
        self.fills = self.unknown = 0
        self.due_ns = NEVER_NS

    def add(self, side: Side, price: int, size: int, now_ns: int) -> None:
        """Take a fill: ticks, lots."""
        due_ns = now_ns + self.horizon_ns
        if self._pending and due_ns < self._pending[-1][0]:
            due_ns = self._pending[-1][0]  # told out of order: they stay in the order of time
        self._pending.append((due_ns, 2 * price, side.sign * size))
        if len(self._pending) > self._most:
            self._pending.popleft()
            self.unknown += 1
        self.due_ns = self._pending[0][0]

    def settle(self, mid2: int | None, now_ns: int) -> None:
        """Book every fill that is due by now at a mid (half ticks); None = there is none."""
        pending = self._pending
        while pending and pending[0][0] <= now_ns:
            _, price2, signed = pending.popleft()
            if mid2 is None:
                self.unknown += 1
                continue
            self._value += signed * (mid2 - price2)
            self._volume += abs(signed) * price2
            self.fills += 1
        self.due_ns = pending[0][0] if pending else NEVER_NS

    def result(self) -> Markout:
        mean = self._value / self._volume * _BPS if self._volume else None
        return Markout(self.horizon_ns / NS_PER_S, mean, self.fills, self.unknown)


class Markouts:
    """All horizons. `due_ns`: nothing is to be done before."""

    __slots__ = ("_horizons", "due_ns")

    def __init__(self, horizons_ns: tuple[int, ...] = HORIZONS_NS, most_pending: int = MOST_PENDING) -> None:
        self._horizons = tuple(Horizon(horizon_ns, most_pending) for horizon_ns in horizons_ns)
        self.due_ns = NEVER_NS

    def add(self, side: Side, price: int, size: int, now_ns: int) -> None:
        for horizon in self._horizons:
            horizon.add(side, price, size, now_ns)
        self.due_ns = min(horizon.due_ns for horizon in self._horizons)

    def settle(self, mid2: int | None, now_ns: int) -> None:
        """`mid2`: as it has been since the last change, so also at every time that is due by now."""
        for horizon in self._horizons:
            if horizon.due_ns <= now_ns:
                horizon.settle(mid2, now_ns)
        self.due_ns = min(horizon.due_ns for horizon in self._horizons)

    def results(self) -> tuple[Markout, ...]:
        return tuple(horizon.result() for horizon in self._horizons)
