"""The book of others in one symbol, as the recording tells it, and our orders in it.

What is displayed is both: whoever watches the market sees our orders, as live.
"""

from __future__ import annotations

from decimal import Decimal

from shared.instrument import Instrument
from shared.messages import Depth, InstrumentInfo, Side, Top
from shared.venues.base import NewOrder

Levels = tuple[tuple[int, int], ...]
#: a display without prices: nothing is known of the market
_UNKNOWN: tuple[int | None, int] = (None, 0)


class Resting:
    """One of our orders in the book; ticks and lots.

    ahead   lots of others before it at its price; None = that price is beyond what the recording shows
    credit  lots by which `ahead` was cut because the level shrank: a trade told later may be the cause
    """

    __slots__ = (
        "account", "ahead", "client_order_id", "credit", "credit_ns", "filled", "id", "is_live", "price",
        "reduce_only", "side", "size", "status", "symbol", "venue_ns", "worked",
    )  # fmt: skip

    def __init__(self, identity: str, account: str, order: NewOrder, venue_ns: int) -> None:
        self.id = identity
        self.account = account
        self.symbol = order.instrument.symbol
        self.client_order_id = order.client_order_id
        self.side = order.side
        self.price = order.price
        self.size = order.size
        self.reduce_only = order.reduce_only
        self.filled = 0
        self.is_live = True
        self.status = "live"
        self.venue_ns = venue_ns
        self.ahead: int | None = 0
        self.worked = 0
        self.credit = self.credit_ns = 0

    @property
    def leaves(self) -> int:
        return self.size - self.filled


class Market:
    """One symbol: best prices and depth of others, our live orders by side, best first."""

    __slots__ = (
        "ask", "ask_size", "asks", "bid", "bid_size", "bids", "funding_rate", "info", "instrument",
        "is_usable", "mark_price", "next_funding_ns", "our_asks", "our_bids", "shown", "top", "unit_value",
    )  # fmt: skip

    def __init__(self, info: InstrumentInfo) -> None:
        self.bid: int | None = None
        self.ask: int | None = None
        self.bid_size = self.ask_size = 0
        self.bids: Levels = ()
        self.asks: Levels = ()
        self.top: Top | None = None
        #: best prices as they were shown last, our orders in them
        self.shown: Top | None = None
        #: False while the recording's book is in doubt: then nothing fills
        self.is_usable = False
        self.our_bids: list[Resting] = []
        self.our_asks: list[Resting] = []
        self.mark_price: float | None = None
        self.funding_rate: float | None = None
        self.next_funding_ns: int | None = None
        self.set_info(info)

    def set_info(self, info: InstrumentInfo) -> None:
        self.info = info
        self.instrument = Instrument.from_info(info)
        #: quote units of one lot at a price of one tick
        self.unit_value: Decimal = self.instrument.notional(1, 1)

    @property
    def is_crossed(self) -> bool:
        """True when the recording's own best prices cross: a fault of it, by which nobody traded."""
        return self.bid is not None and self.ask is not None and self.bid >= self.ask

    def take(self, side: Side, price: int, lots: int) -> None:
        """Show less at a price from which a buyer or seller of ours took, until the next update."""
        is_buy = side is Side.BUY
        if is_buy and price == self.ask:
            self.ask_size -= lots
        elif not is_buy and price == self.bid:
            self.bid_size -= lots
        elif is_buy:
            self.asks = tuple((level, size - lots * (level == price)) for level, size in self.asks)
        else:
            self.bids = tuple((level, size - lots * (level == price)) for level, size in self.bids)

    def ours(self, side: Side) -> list[Resting]:
        return self.our_bids if side is Side.BUY else self.our_asks

    def add(self, order: Resting) -> None:
        """Add an order behind those of ours that are at least as good."""
        ours, sign = self.ours(order.side), order.side.sign
        index = 0
        while index < len(ours) and ours[index].price * sign >= order.price * sign:
            index += 1
        ours.insert(index, order)

    def remove(self, order: Resting) -> None:
        ours = self.ours(order.side)
        if order in ours:
            ours.remove(order)

    def size_at(self, side: Side, price: int) -> int | None:
        """Return the lots of others at a price; None where the recording does not show it."""
        if side is Side.BUY:
            best, size, levels = self.bid, self.bid_size, self.bids
            is_inside = best is None or price > best
        else:
            best, size, levels = self.ask, self.ask_size, self.asks
            is_inside = best is None or price < best
        if is_inside:
            return 0
        if price == best:
            return size
        for level, lots in levels:
            if level == price:
                return lots
        if not levels:
            return None
        worst = levels[-1][0]
        return 0 if (price > worst if side is Side.BUY else price < worst) else None

    def shown_top(self, top: Top) -> Top:
        """Return best prices with our orders in them."""
        bids, asks = self.our_bids, self.our_asks
        bid, bid_size, ask, ask_size = top.bid, top.bid_size, top.ask, top.ask_size
        if bids and (bid is None or bids[0].price >= bid):
            bid, bid_size = _with_ours(bids, bid, bid_size)
        if asks and (ask is None or asks[0].price <= ask):
            ask, ask_size = _with_ours(asks, ask, ask_size)
        if bid_size == top.bid_size and ask_size == top.ask_size and bid == top.bid and ask == top.ask:
            return top
        return Top(
            top.scope, top.symbol, bid, bid_size, ask, ask_size, top.update_id, top.venue_ns, top.recv_ns,
            top.as_of_ns, top.cause_ns,
        )  # fmt: skip

    def shown_anew(self, now_ns: int) -> Top | None:
        """Return best prices as our orders make them now; None where they were shown like that last."""
        top, last = self.top, self.shown
        if top is None or last is None or not self.is_usable:
            return None
        now = self.shown_top(top)
        if (
            now.bid == last.bid
            and now.bid_size == last.bid_size
            and now.ask == last.ask
            and now.ask_size == last.ask_size
        ):
            return None
        self.shown = Top(
            top.scope, top.symbol, now.bid, now.bid_size, now.ask, now.ask_size, top.update_id,
            top.venue_ns, now_ns, top.as_of_ns, now_ns,
        )  # fmt: skip
        return self.shown

    def shown_depth(self, depth: Depth) -> Depth:
        """Return a depth with our orders in it."""
        if not self.our_bids and not self.our_asks:
            return depth
        return Depth(
            depth.scope, depth.symbol, _merged(depth.bids, self.our_bids, Side.BUY),
            _merged(depth.asks, self.our_asks, Side.SELL), depth.update_id, depth.venue_ns, depth.recv_ns,
            depth.as_of_ns, depth.cause_ns,
        )  # fmt: skip


def _with_ours(ours: list[Resting], best: int | None, size: int) -> tuple[int, int]:
    price = ours[0].price
    own = 0
    for order in ours:
        if order.price != price:
            break
        own += order.size - order.filled
    return price, own + (size if price == best else 0)


def _merged(levels: Levels, ours: list[Resting], side: Side) -> Levels:
    if not ours:
        return levels
    merged, sign = list(levels), int(side)
    for order in ours:
        price, lots = order.price, order.size - order.filled
        index = 0
        while index < len(merged) and (merged[index][0] - price) * sign > 0:
            index += 1
        if index < len(merged) and merged[index][0] == price:
            merged[index] = (price, merged[index][1] + lots)
        else:
            merged.insert(index, (price, lots))
    return tuple(merged)
