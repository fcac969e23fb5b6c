"""How often takers reach an order at a distance from the mid: A exp(-k d), estimated from trades.

A taker who reaches a price within the spread leaves no trade, so the distance from the mid
says nothing of the near part, but the memoryless shape does: what a taker goes *beyond the
best price* has the same decay k, whatever the spread was. Hence two steps, both of maximum
likelihood:

    k   from the ticks beyond the best price: takers who went on to the next tick, over all who
        might have. Fewer than `MIN_WENT_ON` who did say nothing of it. Those beyond the 99th
        percentile count as just reaching it, so one trade through the whole book does not own
        the decay. Half a taker is added on either side, so that k is finite for any counts.
    A   arrivals over the seconds at risk, each weighed with exp(-k half-spread) of its time.
        From within a spread of many decay lengths nothing is seen: beyond `MOST_DECAYS` the
        rate at the mid would be made up, and none is told.

An arrival is all trades of one side at one time of the venue: an order that walks the book
is one taker, who began at the best price and reached the last of them. Where it began is read
from the trades: a book that comes by another way is often behind them, or already before them.

Source: Avellaneda and Stoikov, High-frequency trading in a limit order book, Quantitative
Finance 8 (2008), 217-224, section 2.5, for the shape; the likelihood is that of a geometric
excess censored at a bound, and of a Poisson process with a known exposure.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from typing import NamedTuple

from shared.messages import Side

#: the window moves on by so many parts
SLICES = 90
#: distances beyond these count as these: what is kept is bounded
MAX_EXCESS, MAX_SPREAD = 1_000, 4_000
#: a burst in the first seconds is no rate
MIN_OBSERVED_S = 30
CENSORED_SHARE = 0.01
#: takers who went beyond the best price, so that k is known to a third (1 / sqrt(10))
MIN_WENT_ON = 10
#: decay lengths from the best price to the mid (mean over the time) over which the rate is carried at most
MOST_DECAYS = 5.0


class Estimate(NamedTuple):
    """One side's arrivals a second at the mid, and their decay per tick; both positive and finite."""

    arrivals_per_s: float
    decay_per_tick: float


class _Slice:
    """What was seen in one part of the window: arrivals by excess, seconds by spread, both in ticks."""

    __slots__ = ("excess", "spread_s", "until_s")

    def __init__(self, until_s: int) -> None:
        self.until_s = until_s
        self.excess: Counter[int] = Counter()
        self.spread_s: Counter[int] = Counter()


class IntensityWindow:
    """Arrivals and seconds of the last `window_s`; constant time per trade."""

    def __init__(self, window_s: int, min_trades: int) -> None:
        self._slice_s = max(1, window_s // SLICES)
        self._window_s = window_s
        self._min_trades = min_trades
        self.clear()

    def clear(self) -> None:
        self._slices: deque[_Slice] = deque()
        self._open: _Slice | None = None
        self._excess: Counter[int] = Counter()
        self._spread_s: Counter[int] = Counter()
        self._last: tuple[Side, int, int, int] | None = None  # side, time, nearest and furthest price
        self.trade_count = 0

    def on_trade(self, side: Side, price: int, at_ns: int) -> None:
        """Take a trade.

        at_ns  the venue's time, or ours: trades of one side at one time are one arrival
        """
        part = self._open
        if part is None:
            return  # the time of this trade is not observed
        near = far = price
        last = self._last
        if last is not None and last[0] is side and last[1] == at_ns:
            near, far = min(last[2] * side, price * side) * side, max(last[3] * side, price * side) * side
            if (near, far) == (last[2], last[3]):
                return
            self._count(part, last[2], last[3], -1)
        else:
            self.trade_count += 1
        self._count(part, near, far, 1)
        self._last = (side, at_ns, near, far)

    def _count(self, part: _Slice, near: int, far: int, by: int) -> None:
        excess = min(abs(far - near), MAX_EXCESS)
        part.excess[excess] += by
        self._excess[excess] += by

    def on_second(self, at_s: int, spread: int | None) -> None:
        """A whole second was observed, at the end of which the spread was this; None = no book."""
        part = self._open
        if part is not None and spread is not None:
            ticks = min(spread, MAX_SPREAD)
            part.spread_s[ticks] += 1
            self._spread_s[ticks] += 1
        if part is None or at_s >= part.until_s:
            self._open = _Slice(at_s + self._slice_s)
            self._slices.append(self._open)
            self._last = None
        while self._slices[0].until_s <= at_s - self._window_s:
            self._drop(self._slices.popleft())

    def break_off(self) -> None:
        """Trades may be missing: the unfinished part of the window is void, what is finished holds."""
        if self._open is not None:
            self._drop(self._slices.pop())
            self._open = self._last = None

    def _drop(self, part: _Slice) -> None:
        self.trade_count -= part.excess.total()
        for kept, gone in ((self._excess, part.excess), (self._spread_s, part.spread_s)):
            kept.subtract(gone)
            for ticks in gone:
                if not kept[ticks]:
                    del kept[ticks]

    def estimate(self) -> Estimate | None:
        """Return the estimate; None until enough arrivals and seconds are seen, or the mid is too far."""
        count, observed_s = self.trade_count, self._spread_s.total()
        if count < self._min_trades or observed_s < MIN_OBSERVED_S:
            return None
        if count - self._excess[0] < MIN_WENT_ON:
            return None
        decay = decay_of(self._excess, count)
        exposure_s = math.fsum(
            seconds * math.exp(-decay * ticks / 2) for ticks, seconds in self._spread_s.items()
        )
        if exposure_s < observed_s * math.exp(-MOST_DECAYS):
            return None
        return Estimate(count / (2 * exposure_s), decay)


def decay_of(excess: Counter[int], count: int) -> float:
    """Return k per tick from arrivals by the ticks that they went beyond the best price."""
    bound, beyond = 1, count - excess[0] - excess[1]
    for ticks in sorted(ticks for ticks in excess if ticks > 1):
        if beyond <= CENSORED_SHARE * count:
            break
        bound, beyond = ticks, beyond - excess[ticks]
    went_on = sum(min(ticks, bound) * arrivals for ticks, arrivals in excess.items())
    stopped = sum(arrivals for ticks, arrivals in excess.items() if ticks < bound)
    return math.log1p((stopped + 0.5) / (went_on + 0.5))
