"""Request budget per account over a sliding minute."""

from __future__ import annotations

from collections import deque

WINDOW_NS = 60_000_000_000


class RateLimit:
    """Admits at most `per_minute` requests of an account in any 60 s; None admits all."""

    def __init__(self, per_minute: int | None) -> None:
        self._per_minute = per_minute
        self._admitted: dict[str, deque[int]] = {}

    def admits(self, account: str, now_ns: int) -> bool:
        """Count the request if it fits; a refused request costs nothing."""
        if self._per_minute is None:
            return True
        times = self._admitted.setdefault(account, deque())
        while times and times[0] <= now_ns - WINDOW_NS:
            times.popleft()
        if len(times) >= self._per_minute:
            return False
        times.append(now_ns)
        return True
