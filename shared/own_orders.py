"""Our own orders are subtracted from the book before anything else.

Book and `Working` come over different ways and disagree for a while after each placement,
fill or cancel. So of each price we keep what of it *was* ours at the least and at the most
within the last `settle_ns` (what we only just asked for counts as "at the most"), and of
the size displayed at the best price:

    above the most       others are there: the best price is theirs
    at most the least    it is ours alone: the best of others is the next level behind
    in between           nobody can tell yet: hold the price last known to be others', unless
                         it is better than the book's; after two settle times count it as ours

Each rule errs towards the less aggressive price, so a quote of ours is never what the next
quote improves upon: we do not chase ourselves up tick by tick. That holds while the book
shows what `Working` told within `settle_ns`; a book that lags by more shows ghosts of ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from shared.messages import Depth, Level, Side, Top, WorkingOrder

Levels = tuple[tuple[int, int], ...]
#: longer than market data may lag and still count as live: a ghost of an order of ours must not outlive it
SettleSeconds = Annotated[float, Meta(ge=0.05, le=6)]
DEFAULT_SETTLE_S = 1.5
NEVER_NS = 1 << 62


class _OwnSize:
    """How much at one price is ours: by the last report, and within which bounds lately."""

    __slots__ = ("changed_ns", "high", "low", "reported")

    def __init__(self, now_ns: int) -> None:
        self.reported = self.low = self.high = 0
        self.changed_ns = now_ns

    def report(self, size: int, now_ns: int, settle_ns: int) -> None:
        self.settle(now_ns, settle_ns)
        if size != self.reported:
            self.reported = size
            self.low, self.high = min(self.low, size), max(self.high, size)
            self.changed_ns = now_ns

    def expect(self, size: int, now_ns: int, settle_ns: int) -> None:
        self.settle(now_ns, settle_ns)
        if size > self.high:
            self.high = size
            self.changed_ns = now_ns

    def settle(self, now_ns: int, settle_ns: int) -> None:
        if now_ns - self.changed_ns >= settle_ns:
            self.low = self.high = self.reported


class OwnSide:
    """One side of the book with our orders in it; `best` and `depth` are without them."""

    __slots__ = (
        "_forget_due_ns", "_held_since_ns", "_is_bid", "_known", "_own", "_reported", "_settle_ns",
        "is_behind",
    )  # fmt: skip

    def __init__(self, side: Side, settle_ns: int) -> None:
        self._is_bid = side is Side.BUY
        self._settle_ns = settle_ns
        self._own: dict[int, _OwnSize] = {}
        self._reported: dict[int, int] = {}
        self._forget_due_ns = 0
        self._known: tuple[int, int] | None = None
        self._held_since_ns: int | None = None
        #: True while the best price is ours alone and the level behind it is what counts
        self.is_behind = False

    def report(self, sizes: dict[int, int], now_ns: int) -> None:
        """Take what execution says: price -> lots of ours that may be live."""
        last, self._reported = self._reported, sizes
        if sizes != last:
            known, settle_ns = self._own, self._settle_ns
            for price, size in sizes.items():
                own = known.get(price)
                if own is None:
                    own = known[price] = _OwnSize(now_ns)
                own.report(size, now_ns, settle_ns)
            for price in last:
                if price not in sizes and price in known:
                    known[price].report(0, now_ns, settle_ns)
        if now_ns >= self._forget_due_ns:
            self._forget(now_ns)

    def _forget(self, now_ns: int) -> None:
        """Let go of prices at which nothing of ours is, nor was lately."""
        self._forget_due_ns = now_ns + self._settle_ns // 4
        for price, own in list(self._own.items()):
            own.settle(now_ns, self._settle_ns)
            if own.high == 0:
                del self._own[price]

    def expect(self, price: int, size: int, now_ns: int) -> None:
        """Take note that an order of ours may appear at a price: we have just asked for it."""
        own = self._own.get(price)
        if own is None:
            own = self._own[price] = _OwnSize(now_ns)
        own.expect(size, now_ns, self._settle_ns)

    def best(self, price: int, size: int, behind: Levels, now_ns: int) -> tuple[int, int] | None:
        """Return the best price of others and its size; None = not known.

        price, size  the best level with everyone's orders in it
        behind       a recent depth of this side, best first
        """
        self.is_behind = False
        own = self._own.get(price)
        if own is not None:
            own.settle(now_ns, self._settle_ns)
            if size <= own.high:
                return self._best_where_ours(price, size <= own.low, behind, now_ns)
            size -= own.high
        self._held_since_ns = None
        self._known = (price, size)
        return self._known

    def is_at(self, price: int | None) -> bool:
        """True when some of what is at the best price is ours, or was when it was looked at last."""
        return self.is_behind or price in self._own

    def depth(self, levels: Levels, now_ns: int) -> Levels:
        """Return the levels of others: each less what may be ours, those that may be ours alone left out."""
        if not self._own:
            return levels
        return tuple(
            (price, rest) for price, size in levels if (rest := self._others(price, size, now_ns)) > 0
        )

    def settles_ns(self) -> int:
        """Return when next, unless something is told before, less than now may be ours; NEVER_NS = never."""
        return min(
            (
                own.changed_ns + self._settle_ns
                for own in self._own.values()
                if not own.low == own.high == own.reported
            ),
            default=NEVER_NS,
        )

    def _best_where_ours(
        self, price: int, is_surely_ours: bool, behind: Levels, now_ns: int
    ) -> tuple[int, int] | None:
        if not is_surely_ours:
            if self._held_since_ns is None:
                self._held_since_ns = now_ns
            is_brief = now_ns - self._held_since_ns < 2 * self._settle_ns
            if is_brief and self._known is not None and not self._is_better(self._known[0], price):
                return self._known
        self.is_behind = True
        found = self._first_behind(price, behind, now_ns)
        if found is not None:
            self._known = found
        return found

    def _first_behind(self, price: int, levels: Levels, now_ns: int) -> tuple[int, int] | None:
        for level, size in levels:
            if self._is_better(price, level):
                rest = self._others(level, size, now_ns)
                if rest > 0:
                    return level, rest
        return None

    def _others(self, price: int, size: int, now_ns: int) -> int:
        own = self._own.get(price)
        if own is None:
            return size
        own.settle(now_ns, self._settle_ns)
        return size - own.high

    def _is_better(self, price: int, other: int) -> bool:
        return price > other if self._is_bid else price < other


class OwnOrders:
    """Both sides."""

    __slots__ = ("asks", "bids")

    def __init__(self, settle_ns: int) -> None:
        self.bids = OwnSide(Side.BUY, settle_ns)
        self.asks = OwnSide(Side.SELL, settle_ns)

    def report(self, orders: Iterable[WorkingOrder], now_ns: int) -> None:
        """Take the orders that may be live, whatever their status."""
        bids: dict[int, int] = {}
        asks: dict[int, int] = {}
        for order in orders:
            sizes = bids if order.side is Side.BUY else asks
            price = order.price
            sizes[price] = sizes.get(price, 0) + order.size - order.filled
        self.bids.report(bids, now_ns)
        self.asks.report(asks, now_ns)

    def are_at(self, top: Top | None) -> bool:
        """True when what is told of our orders may make a difference to the best prices of others."""
        return top is None or self.bids.is_at(top.bid) or self.asks.is_at(top.ask)

    def settles_ns(self) -> int:
        """Return until when the depth of others follows from the book alone; NEVER_NS = for good."""
        return min(self.bids.settles_ns(), self.asks.settles_ns())

    def expect(self, levels: Iterable[Level], now_ns: int) -> None:
        """Take note of what was just asked for."""
        for level in levels:
            side = self.bids if level.side is Side.BUY else self.asks
            side.expect(level.price, level.size, now_ns)

    def top_of_others(self, top: Top, depth: Depth | None, now_ns: int) -> Top:
        """Return best prices without our orders; a side on which they cannot be told is None.

        depth  a recent one, with our orders in it or not; None = nothing is known of what is behind
        """
        bids, asks = (depth.bids, depth.asks) if depth is not None else ((), ())
        bid = None if top.bid is None else self.bids.best(top.bid, top.bid_size, bids, now_ns)
        ask = None if top.ask is None else self.asks.best(top.ask, top.ask_size, asks, now_ns)
        if bid == (top.bid, top.bid_size) and ask == (top.ask, top.ask_size):
            return top
        bid_price, bid_size = (None, 0) if bid is None else bid
        ask_price, ask_size = (None, 0) if ask is None else ask
        return Top(
            top.scope, top.symbol, bid_price, bid_size, ask_price, ask_size, top.update_id, top.venue_ns,
            top.recv_ns, top.as_of_ns, top.cause_ns,
        )  # fmt: skip
