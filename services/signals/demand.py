"""Who listens to what: a symbol is kept for a while after its last subscriber left.

A quoter that is being restarted must not cost a new subscription and a new window.
"""

from __future__ import annotations


class Demand:
    """Counts the subscribers of each (scope, symbol)."""

    def __init__(self, keep_ns: int) -> None:
        self._keep_ns = keep_ns
        self._counts: dict[tuple[str, str], int] = {}
        self._left_ns: dict[tuple[str, str], int] = {}

    def joined(self, scope: str, symbol: str) -> bool:
        """Count one subscriber more; return whether the symbol is new."""
        key = (scope, symbol)
        is_new = key not in self._counts
        self._counts[key] = self._counts.get(key, 0) + 1
        self._left_ns.pop(key, None)
        return is_new

    def left(self, scope: str, symbol: str, now_ns: int) -> None:
        """Count one subscriber less."""
        key = (scope, symbol)
        if self._counts.get(key, 0) > 0:
            self._counts[key] -= 1
            if self._counts[key] == 0:
                self._left_ns[key] = now_ns

    def expired(self, now_ns: int) -> list[tuple[str, str]]:
        """Return, once, the symbols that nobody has wanted for `keep_ns`."""
        gone = [key for key, left_ns in self._left_ns.items() if now_ns - left_ns >= self._keep_ns]
        for key in gone:
            del self._left_ns[key], self._counts[key]
        return gone
