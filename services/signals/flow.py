"""Order flow: who is taking, over a trailing window of the clock.

The window holds taker notional as integers (ticks x lots), so adding and dropping ten
thousand trades leaves no rounding error behind. The ratio enters the average as a
*bounded logarithm*: buyers and sellers weigh alike, and a window with one side only is
as strong as `max_ratio` and no stronger, so it is forgotten within a few hundred
milliseconds. (An average of the plain ratio with 999 for "no sellers" remembers that
window for seconds.) One consequence: a ratio of 0.5 is further from 1 than 1.5 is, so at a
threshold of 1.2 it switches the side at the first step of 100 ms and 1.5 at the second.
"""

from __future__ import annotations

import math
from collections import deque

from shared.clock import NS_PER_MS
from shared.messages import Side

ALPHA_PERIOD_NS = 100 * NS_PER_MS


class FlowWindow:
    """The trades of the last `window_ns`, pruned by the clock and not by trades."""

    __slots__ = ("_trades", "_window_ns", "buy", "sell")

    def __init__(self, window_ns: int) -> None:
        self._window_ns = window_ns
        self._trades: deque[tuple[int, int]] = deque()
        #: taker notional of the window in ticks x lots
        self.buy = 0
        self.sell = 0

    def add(self, recv_ns: int, side: Side, notional: int) -> None:
        if side is Side.BUY:
            self.buy += notional
            self._trades.append((recv_ns, notional))
        else:
            self.sell += notional
            self._trades.append((recv_ns, -notional))

    def prune(self, now_ns: int) -> None:
        """Drop the trades that are older than the window."""
        trades, oldest_ns = self._trades, now_ns - self._window_ns
        while trades and trades[0][0] < oldest_ns:
            notional = trades.popleft()[1]
            if notional > 0:
                self.buy -= notional
            else:
                self.sell += notional

    def clear(self) -> None:
        self._trades.clear()
        self.buy = self.sell = 0


def bounded_log_ratio(buy: float, sell: float, bound: float) -> float:
    """Return log(buy / sell) within +-bound; 0 without trades, +-bound with one side only."""
    if buy <= 0 and sell <= 0:
        return 0.0
    if sell <= 0:
        return bound
    if buy <= 0:
        return -bound
    return max(-bound, min(bound, math.log(buy / sell)))


class TimedAverage:
    """An exponential average whose memory is measured in time, not in calls.

    `alpha` is the weight of a value that held for `ALPHA_PERIOD_NS`; a value that held for
    dt weighs 1 - (1 - alpha) ** (dt / period), so a late call changes nothing.
    """

    __slots__ = ("_at_ns", "_log_keep", "value")

    def __init__(self, alpha: float) -> None:
        self._log_keep = math.log1p(-alpha) / ALPHA_PERIOD_NS
        self._at_ns: int | None = None
        self.value = 0.0

    def update(self, sample: float, now_ns: int) -> float:
        """Take `sample` as having held since the last update; return the average."""
        if self._at_ns is not None and now_ns > self._at_ns:
            keep = math.exp(self._log_keep * (now_ns - self._at_ns))
            self.value = sample + (self.value - sample) * keep
        self._at_ns = now_ns
        return self.value

    def reset(self) -> None:
        """Forget everything: neutral until the next two updates."""
        self._at_ns = None
        self.value = 0.0
