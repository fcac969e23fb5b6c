"""The taker speed bump: orders wait one after another and leave in the order in which they came."""

from __future__ import annotations

import asyncio
from collections import deque

from shared.clock import NS_PER_S, Clock


class SpeedBump:
    """One queue with one timer: separate timers of an event loop may overtake each other."""

    def __init__(self, clock: Clock, delay_ns: int) -> None:
        self._clock = clock
        self._delay_ns = delay_ns
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def cross(self) -> None:
        """Return after the delay, and after everybody who came before."""
        if self._delay_ns <= 0:
            return
        passed = asyncio.get_running_loop().create_future()
        self._waiting.append((self._clock.monotonic_ns() + self._delay_ns, passed))
        if len(self._waiting) == 1:
            self._arm()
        await passed

    def _arm(self) -> None:
        left_ns = self._waiting[0][0] - self._clock.monotonic_ns()
        asyncio.get_running_loop().call_later(max(0, left_ns) / NS_PER_S, self._let_pass)

    def _let_pass(self) -> None:
        """Wake those who are due, first come first; a timer may be early by a fraction of a millisecond."""
        now_ns = self._clock.monotonic_ns()
        while self._waiting and self._waiting[0][0] <= now_ns:
            _, passed = self._waiting.popleft()
            if not passed.done():
                passed.set_result(None)
        if self._waiting:
            self._arm()
