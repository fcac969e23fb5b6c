"""The newest price of a symbol that nothing spoke against: what its positions are valued at.

A price in doubt (a mark far from the mid, a book in a cool-down, a dead feed) does not
replace it; after a while without a new one the value is no longer current, and says so.
"""

from __future__ import annotations


class TrustedPrice:
    """A price in quote units and when it was true; `usd` None = there was none yet."""

    __slots__ = ("_as_of_ns", "_max_age_ns", "usd")

    def __init__(self, max_age_ns: int) -> None:
        self._max_age_ns = max_age_ns
        self._as_of_ns = 0
        self.usd: float | None = None

    def take(self, usd: float, as_of_ns: int) -> None:
        self.usd, self._as_of_ns = usd, as_of_ns

    def is_old(self, now_ns: int) -> bool:
        return now_ns - self._as_of_ns > self._max_age_ns
