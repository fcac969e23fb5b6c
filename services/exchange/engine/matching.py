"""The book of one market: price-time priority over integer ticks and lots.

A level holds engine orders in arrival order and, in a replay, *displayed*
liquidity that belongs to nobody here. An order's `queue_ahead` counts the
displayed lots that trade before it. The book decides who trades next; what a
trade does to accounts is not its business.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from services.exchange.model import Order, Side


class Level:
    """One price: `orders` in time priority, their summed `leaves` in `lots`, plus `displayed` lots."""

    __slots__ = ("cut_ns", "cuts", "displayed", "lots", "orders", "price")

    def __init__(self, price: int) -> None:
        self.price = price
        self.orders: dict[int, Order] = {}
        self.lots = 0
        self.displayed = 0
        #: lots by which the display last pulled an order forward, and when (`displayed.py`)
        self.cuts: dict[int, int] = {}
        self.cut_ns = 0

    @property
    def size(self) -> int:
        return self.lots + self.displayed

    def front(self) -> Order | None:
        """Return the engine order with the highest time priority."""
        for order in self.orders.values():
            return order
        return None

    def advance_queue(self, lots: int) -> None:
        """Move every order `lots` of displayed liquidity nearer to the front."""
        for order in self.orders.values():
            order.queue_ahead = max(0, order.queue_ahead - lots)


class BookSide:
    """All levels of one side, best last in `_keys` so that the top is cheap to change."""

    __slots__ = ("_keys", "_sign", "levels", "side")

    def __init__(self, side: Side) -> None:
        self.side = side
        self.levels: dict[int, Level] = {}
        self._sign = 1 if side is Side.BUY else -1
        self._keys: list[int] = []

    def best(self) -> Level | None:
        return self.levels[self._keys[-1] * self._sign] if self._keys else None

    def best_size(self) -> tuple[int, int] | None:
        """Return (ticks, lots) of the best level."""
        level = self.best()
        return None if level is None else (level.price, level.size)

    def __iter__(self) -> Iterator[Level]:
        """Iterate the levels, best first."""
        for key in reversed(self._keys):
            yield self.levels[key * self._sign]

    def accepts(self, price: int, limit: int) -> bool:
        """Return whether a taker with `limit` would trade with this side at `price`."""
        return price >= limit if self.side is Side.BUY else price <= limit

    def level(self, price: int) -> Level:
        """Return the level at `price`, made if it is not there."""
        level = self.levels.get(price)
        if level is None:
            level = self.levels[price] = Level(price)
            key = price * self._sign
            keys = self._keys
            if not keys or key > keys[-1]:
                keys.append(key)
            else:
                keys.insert(bisect_left(keys, key), key)
        return level

    def drop_if_empty(self, level: Level) -> None:
        if level.orders or level.displayed:
            return
        del self.levels[level.price]
        key = level.price * self._sign
        if self._keys[-1] == key:
            self._keys.pop()
        else:
            del self._keys[bisect_left(self._keys, key)]


class Book:
    """Both sides of one market and the set of levels touched since they were last collected."""

    def __init__(self) -> None:
        self.bids = BookSide(Side.BUY)
        self.asks = BookSide(Side.SELL)
        self._touched_bids: dict[int, None] = {}
        self._touched_asks: dict[int, None] = {}

    def side(self, side: Side) -> BookSide:
        return self.bids if side is Side.BUY else self.asks

    def crosses(self, side: Side, price: int) -> bool:
        """Return whether an order of `side` at `price` would trade at once."""
        opposite = self.asks if side is Side.BUY else self.bids
        best = opposite.best()
        return best is not None and opposite.accepts(best.price, price)

    def is_resting(self, order: Order) -> bool:
        level = None if order.price is None else self.side(order.side).levels.get(order.price)
        return level is not None and order.id in level.orders

    def mid(self, scale: int) -> int | None:
        """Return the mid price in ticks * `scale` (even), None while a side is empty."""
        bid, ask = self.bids.best(), self.asks.best()
        return None if bid is None or ask is None else (bid.price + ask.price) * scale // 2

    def rest(self, order: Order, price: int) -> None:
        """Put `order` at the end of the queue at `price`."""
        level = self.side(order.side).level(price)
        order.queue_ahead = level.displayed
        level.orders[order.id] = order
        level.lots += order.leaves
        self.touch(order.side, price)

    def remove(self, order: Order) -> None:
        """Take a resting order out of the book."""
        side = self.side(order.side)
        level = side.levels[resting_price(order)]
        del level.orders[order.id]
        level.lots -= order.leaves
        self.touch(order.side, level.price)
        side.drop_if_empty(level)

    def reduce(self, order: Order, lots: int) -> None:
        """Lower a resting order's quantity by `lots` (fewer than its leaves); it keeps its place."""
        order.quantity -= lots
        level = self.side(order.side).levels[resting_price(order)]
        level.lots -= lots
        self.touch(order.side, level.price)

    def fill(self, order: Order, lots: int) -> None:
        """Fill `lots` of a resting order; a completely filled one leaves the book."""
        side = self.side(order.side)
        level = side.levels[resting_price(order)]
        order.filled += lots
        level.lots -= lots
        self.touch(order.side, level.price)
        if not order.leaves:
            del level.orders[order.id]
            side.drop_if_empty(level)

    def take_displayed(self, side: Side, level: Level, lots: int) -> None:
        """Let a taker consume `lots` of displayed liquidity at the front of `level`."""
        level.displayed -= lots
        level.advance_queue(lots)
        self.touch(side, level.price)
        self.side(side).drop_if_empty(level)

    def touch(self, side: Side, price: int) -> None:
        (self._touched_bids if side is Side.BUY else self._touched_asks)[price] = None

    def collect(self) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]] | None:
        """Return the levels touched since the last call as (ticks, lots), or None if there are none."""
        if not self._touched_bids and not self._touched_asks:
            return None
        changes = _sizes(self.bids, self._touched_bids), _sizes(self.asks, self._touched_asks)
        self._touched_bids.clear()
        self._touched_asks.clear()
        return changes


def next_match(level: Level) -> tuple[Order | None, int]:
    """Return whose turn it is at `level`: (engine order, its leaves) or (None, displayed lots before it)."""
    maker = level.front()
    if maker is None:
        return None, level.displayed
    ahead = min(maker.queue_ahead, level.displayed)
    return (None, ahead) if ahead else (maker, maker.leaves)


def resting_price(order: Order) -> int:
    if order.price is None:
        raise ValueError(f"order {order.id} has no price, so it cannot rest")
    return order.price


def _sizes(side: BookSide, prices: dict[int, None]) -> tuple[tuple[int, int], ...]:
    levels = side.levels
    return tuple((price, levels[price].size if price in levels else 0) for price in prices)
