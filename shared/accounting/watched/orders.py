"""Counts of what our orders did, from their updates: each order once, however often it is told."""

from __future__ import annotations

from shared.messages import OrderStatus, OrderUpdate, Quotes

#: orders that are remembered as placed or ended
MOST_REMEMBERED = 10_000


class Remembered:
    """A set that forgets its oldest members; `add` tells whether one was new."""

    __slots__ = ("_keys", "_most")

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._keys: dict[object, None] = {}
        self._most = most

    def add(self, key: object) -> bool:
        if key in self._keys:
            return False
        self._keys[key] = None
        if len(self._keys) > self._most:
            del self._keys[next(iter(self._keys))]
        return True


class OrderCounts:
    """How often quotes changed, and what became of orders.

    quotes    times the wanted set became another, non-empty one
    placed    quotes sent, without reductions and hedges; `rejected` of both
    cancels   orders that ended unfilled, by cancel or expiry
    """

    def __init__(self) -> None:
        self.quotes = self.placed = self.rejected = self.cancels = 0
        self._levels: object = ()
        self._ended = Remembered()
        self._sent = Remembered()

    def on_quotes(self, quotes: Quotes) -> None:
        if quotes.levels != self._levels:
            self._levels = quotes.levels
            self.quotes += bool(quotes.levels)

    def on_order_update(self, update: OrderUpdate) -> None:
        status, key = update.status, update.client_order_id
        if status is OrderStatus.PENDING_NEW:
            self.placed += not update.is_target and self._sent.add(key)
        elif status is OrderStatus.REJECTED:
            self.rejected += self._ended.add(key)
        elif status in (OrderStatus.CANCELLED, OrderStatus.EXPIRED):
            self.cancels += self._ended.add(key)
