"""Queue lost: progress in a queue that was given up by cancelling or replacing the order.

An order at the best price waits behind what rested there when it was first seen there (`ahead`);
trades at its price and a smaller level work that off. Ended with something left to fill, it has
lost what was worked off. Orders that never reached the best price have nothing to lose, as far
as the best prices tell.
"""

from __future__ import annotations

import msgspec

from shared.messages import OrderStatus, OrderUpdate, Side, Top, Trade

MOST_WATCHED = 10_000
_RESTS = frozenset({OrderStatus.LIVE, OrderStatus.PARTIALLY_FILLED})
_GIVEN_UP = frozenset({OrderStatus.CANCELLED, OrderStatus.EXPIRED})
_OVER = frozenset({OrderStatus.FILLED, OrderStatus.REJECTED, OrderStatus.NEVER_EXISTED})


class QueueLost(msgspec.Struct, frozen=True):
    """Orders that ended with a part of their queue worked off.

    notional    what was worked off, quote units
    mean_share  of what was ahead at first, 0..1
    """

    orders: int
    notional: float
    mean_share: float | None


class Place:
    """Where one order stands, lots; `first_ahead` None = it has not been at the best price."""

    __slots__ = ("ahead", "first_ahead", "leaves", "price", "side")

    def __init__(self, side: Side, price: int, leaves: int) -> None:
        self.side, self.price, self.leaves = side, price, leaves
        self.ahead = 0
        self.first_ahead: int | None = None

    def see(self, level_size: int, *, includes_own: bool) -> None:
        """Take the size of its level while that is the best one."""
        others = max(0, level_size - (self.leaves if includes_own else 0))
        if self.first_ahead is None:
            self.first_ahead = self.ahead = others
        else:
            self.ahead = min(self.ahead, others)


class QueueWatch:
    """The places of our live orders, and the sums of what was lost.

    includes_own  whether the market's sizes contain our own orders
    unseen_bids, unseen_asks  prices of orders that have not been the best yet: only these need be told
    """

    def __init__(self, *, includes_own: bool = True) -> None:
        self._includes_own = includes_own
        self._places: dict[int, Place] = {}
        self.unseen_bids: frozenset[int] = frozenset()
        self.unseen_asks: frozenset[int] = frozenset()
        self._highest_bid, self._lowest_ask = -1, 2**62
        self._orders = 0
        self._lot_ticks = 0
        self._shares = 0.0

    @property
    def watched(self) -> int:
        return len(self._places)

    def on_order_update(self, update: OrderUpdate, top: Top | None) -> None:
        """Follow an order: begin at its price, go on with fewer lots, settle when it is given up."""
        if update.is_target:
            return
        if update.status in _RESTS:
            self._rest(update, top)
        elif update.status in _GIVEN_UP:
            self._give_up(update.client_order_id, top)
        elif update.status in _OVER:
            self._remove(update.client_order_id)

    def on_top(self, top: Top) -> None:
        """Take another best price: places that have come to the best are seen for the first time."""
        for place in self._places.values():
            if place.first_ahead is None:
                self._see(place, top)
        self._note_unseen()

    def on_trade(self, trade: Trade) -> None:
        """A trade at a price works off what is ahead there; one beyond it, everything."""
        if trade.side is Side.SELL:
            if trade.price > self._highest_bid:
                return
        elif trade.price < self._lowest_ask:
            return
        for place in self._places.values():
            if place.side is trade.side or place.first_ahead is None:
                continue
            beyond = (place.price - trade.price) * place.side.sign
            if beyond == 0:
                place.ahead = max(0, place.ahead - trade.size)
            elif beyond > 0:
                place.ahead = 0

    def result(self, quote_per_tick_lot: float) -> QueueLost:
        mean = self._shares / self._orders if self._orders else None
        return QueueLost(self._orders, self._lot_ticks * quote_per_tick_lot, mean)

    def _rest(self, update: OrderUpdate, top: Top | None) -> None:
        place = self._places.get(update.client_order_id)
        leaves = update.size - update.filled
        if place is not None and place.price == update.price:
            place.leaves = leaves
            return
        if place is not None:  # amended to another price: its place is gone
            self._give_up(update.client_order_id, top)
        place = Place(update.side, update.price, leaves)
        self._places[update.client_order_id] = place
        if top is not None:
            self._see(place, top)
        if len(self._places) > MOST_WATCHED:
            self._remove(next(iter(self._places)))
        self._bound()

    def _give_up(self, client_order_id: int, top: Top | None) -> None:
        place = self._places.get(client_order_id)
        if place is None:
            return
        if top is not None:
            self._see(place, top)
        self._remove(client_order_id)
        if place.first_ahead and place.leaves > 0 and place.ahead < place.first_ahead:
            worked_off = place.first_ahead - place.ahead
            self._orders += 1
            self._lot_ticks += worked_off * place.price
            self._shares += worked_off / place.first_ahead

    def _remove(self, client_order_id: int) -> None:
        if self._places.pop(client_order_id, None) is not None:
            self._bound()

    def _bound(self) -> None:
        self._note_unseen()
        places = self._places.values()
        self._highest_bid = max((place.price for place in places if place.side is Side.BUY), default=-1)
        self._lowest_ask = min((place.price for place in places if place.side is Side.SELL), default=2**62)

    def _note_unseen(self) -> None:
        unseen = [place for place in self._places.values() if place.first_ahead is None]
        self.unseen_bids = frozenset(place.price for place in unseen if place.side is Side.BUY)
        self.unseen_asks = frozenset(place.price for place in unseen if place.side is Side.SELL)

    def _see(self, place: Place, top: Top) -> None:
        best, size = (top.bid, top.bid_size) if place.side is Side.BUY else (top.ask, top.ask_size)
        if best == place.price:
            place.see(size, includes_own=self._includes_own)
