"""A market without our own orders: no quote of ours moves the prices that it is judged by."""

from __future__ import annotations

from shared.clock import seconds_to_ns
from shared.messages import Depth, Top, Working, WorkingOrder
from shared.own_orders import DEFAULT_SETTLE_S, OwnOrders


class MarketOfOthers:
    """One symbol of one venue; the orders of every account of ours there are left out."""

    def __init__(self) -> None:
        self._own = OwnOrders(seconds_to_ns(DEFAULT_SETTLE_S))
        self._orders: dict[str, tuple[WorkingOrder, ...]] = {}
        self._depth: Depth | None = None

    def on_working(self, working: Working, now_ns: int) -> None:
        self._orders[working.scope] = working.orders
        self._own.report((order for orders in self._orders.values() for order in orders), now_ns)

    def on_depth(self, depth: Depth) -> None:
        self._depth = depth

    def top(self, top: Top, now_ns: int) -> Top:
        """Return best prices of others; a side on which they cannot be told is None."""
        return self._own.top_of_others(top, self._depth, now_ns)
