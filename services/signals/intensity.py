"""How often takers reach an order at a distance from the mid: A exp(-k d), estimated from trades.

A taker who reaches a price within the spread leaves no trade, so the distance from the mid
says nothing of the near part, but the memoryless shape does: what a taker goes *beyond the
best price* has the same decay k, whatever the spread was. Hence two steps, both of maximum
likelihood:

    k   from the ticks beyond the best price: takers who went on to the next tick, over all who
        might have. Those beyond the 99th percentile count as just reaching it, so one trade
        through the whole book does not own the decay. Half a taker is added on either side,
        so that when all stop at the best price k is large and finite.
    A   arrivals over the seconds at risk, each weighed with exp(-k half-spread) of its time.

An arrival is all trades of one side at one time of the venue: an order that walks the book
is one taker, who reached the last of them.

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
#: so little of a market's time says something of the mid that nothing can be told of it
MIN_EXPOSURE_S = 1e-9


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
        self._last: tuple[Side, int, int, int] | None = None  # side, time, best price, excess
        self.trade_count = 0

    def on_trade(self, side: Side, price: int, best: int, at_ns: int) -> None:
        """Take a trade.

        best   the price at the top of the side that was taken, before this arrival
        at_ns  the venue's time, or ours: trades of one side at one time are one arrival
        """
        part = self._open
        if part is None:
            return  # the time of this trade is not observed
        last = self._last
        if last is not None and last[0] is side and last[1] == at_ns:
            best = last[2]
            excess = min(max(0, (price - best) * side), MAX_EXCESS)
            if excess <= last[3]:
                return
            part.excess[last[3]] -= 1
            self._excess[last[3]] -= 1
        else:
            excess = min(max(0, (price - best) * side), MAX_EXCESS)
            self.trade_count += 1
        part.excess[excess] += 1
        self._excess[excess] += 1
        self._last = (side, at_ns, best, excess)

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
        """Return the estimate, None until enough arrivals and seconds are seen."""
        count = self.trade_count
        if count < self._min_trades or self._spread_s.total() < MIN_OBSERVED_S:
            return None
        decay = decay_of(self._excess, count)
        exposure_s = math.fsum(
            seconds * math.exp(-decay * ticks / 2) for ticks, seconds in self._spread_s.items()
        )
        return Estimate(count / (2 * exposure_s), decay) if exposure_s > MIN_EXPOSURE_S else None


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
