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
        bids, asks = (self._depth.bids, self._depth.asks) if self._depth is not None else ((), ())
        own = self._own
        bid = None if top.bid is None else own.bids.best(top.bid, top.bid_size, bids, now_ns)
        ask = None if top.ask is None else own.asks.best(top.ask, top.ask_size, asks, now_ns)
        if bid == (top.bid, top.bid_size) and ask == (top.ask, top.ask_size):
            return top
        bid_price, bid_size = (None, 0) if bid is None else bid
        ask_price, ask_size = (None, 0) if ask is None else ask
        return Top(
            top.scope, top.symbol, bid_price, bid_size, ask_price, ask_size, top.update_id, top.venue_ns,
            top.recv_ns, top.as_of_ns, top.cause_ns,
        )  # fmt: skip
