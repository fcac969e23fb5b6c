"""Breakers: a market that moves too fast or stands too wide is left alone for a while."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from services.risk.policies.policy import ALLOW, Action, Decision, Market
from services.risk.policies.ratio import Limit


@dataclass(frozen=True, slots=True)
class MidMove:
    """Freeze when the mid moved by more than `limit` within the window.

    The move is measured from the lowest and from the highest mid of the window, as a share of
    that mid. Rows R14, R16; ruling C1 (a move equal to the limit is allowed when strict).
    """

    limit: Limit
    window_ns: int
    cool_down_ns: int

    def decide(self, view: Market) -> Decision:
        now = view.twice_mid
        if self.limit.is_exceeded(now - view.low, view.low):
            return self._freeze(now - view.low, view.low)
        if self.limit.is_exceeded(view.high - now, view.high):
            return self._freeze(now - view.high, view.high)
        return ALLOW

    def _freeze(self, move: int, start: int) -> Decision:
        reason = f"mid moved {100 * move / start:+.2f} % in {self.window_ns / 1e9:g} s: cool-down"
        return Decision(Action.FREEZE, reason, self.cool_down_ns)


@dataclass(frozen=True, slots=True)
class WideSpread:
    """Freeze while the spread is more than `limit` of the mid. Rows R15, R16; ruling C1."""

    limit: Limit
    cool_down_ns: int

    def decide(self, view: Market) -> Decision:
        spread = view.ask - view.bid
        if not self.limit.is_exceeded(2 * spread, view.twice_mid):
            return ALLOW
        reason = f"spread is {200 * spread / view.twice_mid:.2f} % of the mid: cool-down"
        return Decision(Action.FREEZE, reason, self.cool_down_ns)


class TrailingExtremes:
    """Least and greatest value of a trailing window, each in constant time per sample.

    A value exactly `window_ns` old still counts.
    """

    def __init__(self, window_ns: int) -> None:
        self._window_ns = window_ns
        self._lows: deque[tuple[int, int]] = deque()
        self._highs: deque[tuple[int, int]] = deque()

    def add(self, now_ns: int, value: int) -> tuple[int, int]:
        """Add a sample; return (low, high) of the window that ends with it."""
        while self._lows and self._lows[-1][1] >= value:
            self._lows.pop()
        while self._highs and self._highs[-1][1] <= value:
            self._highs.pop()
        self._lows.append((now_ns, value))
        self._highs.append((now_ns, value))
        oldest_ns = now_ns - self._window_ns
        for samples in (self._lows, self._highs):
            while samples[0][0] < oldest_ns:
                samples.popleft()
        return self._lows[0][1], self._highs[0][1]

    def restart(self) -> None:
        """Forget every sample: a move that was acted on is not acted on again."""
        self._lows.clear()
        self._highs.clear()
