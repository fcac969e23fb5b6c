"""Which symbols somebody wants: subscriptions counted, and remembered for a while. Pure.

A quoter that is being restarted must not cost a new subscription at the venue.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection

#: the kinds whose subscription means that a symbol's feed is wanted
KINDS = frozenset(("InstrumentInfo", "Top", "Depth", "Trade", "Mark", "FeedState"))
#: so many symbols are named to somebody who asks for one that is not listed
NAMED_SYMBOLS = 8


class Demand:
    """Counts subscribers by kind and symbol."""

    def __init__(self, keep_ns: int) -> None:
        self._keep_ns = keep_ns
        self._counts: dict[str, Counter[str]] = {}
        self._left_ns: dict[str, int] = {}

    def change(self, kind: str, symbol: str, wanted: bool, now_ns: int) -> None:
        """Count a subscriber that came or left."""
        if kind not in KINDS:
            return
        counts = self._counts.setdefault(symbol, Counter())
        counts[kind] = max(0, counts[kind] + (1 if wanted else -1))
        if counts.total():
            self._left_ns.pop(symbol, None)
        else:
            self._left_ns.setdefault(symbol, now_ns)

    def symbols(self) -> tuple[str, ...]:
        """Return the wanted symbols, in the order in which they were first asked for."""
        return tuple(self._counts)

    def wants(self, kind: str, symbol: str) -> bool:
        """True while somebody subscribes to this kind of this symbol."""
        counts = self._counts.get(symbol)
        return counts is not None and counts[kind] > 0

    def take_expired(self, now_ns: int) -> list[str]:
        """Return, once, the symbols that nobody has wanted for `keep_ns`."""
        gone = [symbol for symbol, left_ns in self._left_ns.items() if now_ns - left_ns >= self._keep_ns]
        for symbol in gone:
            del self._left_ns[symbol], self._counts[symbol]
        return gone


def unknown_symbol(name: str, listed: Collection[str]) -> str:
    """Return the one line for somebody who asked for a symbol that is not listed."""
    near = difflib.get_close_matches(name, listed, n=NAMED_SYMBOLS, cutoff=0.5)
    named = near or sorted(listed)[:NAMED_SYMBOLS]
    rest = f" and {len(listed) - len(named)} more" if len(listed) > len(named) else ""
    return f"unknown symbol {name}; the venue lists {', '.join(named)}{rest}"
