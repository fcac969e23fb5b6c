"""An order book side by side: absolute sizes at integer prices.

Keyed by ticks, never by strings; prices kept sorted, so that the best level and the
first twenty cost nothing however unsorted the venue sends them.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable


class BookSide:
    """Levels of one side: `sizes` maps ticks to lots, `prices` is ascending."""

    __slots__ = ("prices", "sizes")

    def __init__(self) -> None:
        self.sizes: dict[int, int] = {}
        self.prices: list[int] = []

    def set(self, price: int, size: int) -> None:
        """Set the absolute size of a level; 0 removes it."""
        if size > 0:
            if price not in self.sizes:
                insort(self.prices, price)
            self.sizes[price] = size
        elif self.sizes.pop(price, None) is not None:
            del self.prices[bisect_left(self.prices, price)]

    def replace(self, levels: Iterable[tuple[int, int]]) -> None:
        """Forget everything and take these levels."""
        self.sizes = {price: size for price, size in levels if size > 0}
        self.prices = sorted(self.sizes)


class Book:
    """Both sides of one symbol. `update_id` is the venue's id of the last applied change."""

    __slots__ = ("asks", "bids", "update_id")

    def __init__(self) -> None:
        self.bids = BookSide()
        self.asks = BookSide()
        self.update_id = 0

    def best_bid(self) -> tuple[int, int] | None:
        prices = self.bids.prices
        return (prices[-1], self.bids.sizes[prices[-1]]) if prices else None

    def best_ask(self) -> tuple[int, int] | None:
        prices = self.asks.prices
        return (prices[0], self.asks.sizes[prices[0]]) if prices else None

    def top_bids(self, count: int) -> tuple[tuple[int, int], ...]:
        """Return the best `count` bids, best first."""
        sizes = self.bids.sizes
        return tuple((price, sizes[price]) for price in self.bids.prices[: -count - 1 : -1])

    def top_asks(self, count: int) -> tuple[tuple[int, int], ...]:
        """Return the best `count` asks, best first."""
        sizes = self.asks.sizes
        return tuple((price, sizes[price]) for price in self.asks.prices[:count])

    def is_crossed(self) -> bool:
        """True when the best bid is at or above the best ask: such a book prices nothing."""
        return bool(self.bids.prices and self.asks.prices and self.bids.prices[-1] >= self.asks.prices[0])

    def clear(self) -> None:
        self.bids.replace(())
        self.asks.replace(())
        self.update_id = 0
