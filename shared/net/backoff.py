"""Reconnect delays: 1, 2, 4 ... 60 s, back to 1 after a success."""

from __future__ import annotations

from shared.clock import NS_PER_S


class Backoff:
    """Doubles from `first_ns` to `largest_ns`."""

    def __init__(self, first_ns: int = NS_PER_S, largest_ns: int = 60 * NS_PER_S) -> None:
        self._first_ns = first_ns
        self._largest_ns = largest_ns
        self._next_ns = first_ns

    def take_ns(self) -> int:
        """Return the delay before the next attempt, and double it."""
        delay_ns = self._next_ns
        self._next_ns = min(2 * delay_ns, self._largest_ns)
        return delay_ns

    def reset(self) -> None:
        self._next_ns = self._first_ns
