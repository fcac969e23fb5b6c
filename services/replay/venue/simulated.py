"""The simulated venue: recorded markets, orders that arrive after their way, fills by a model.

Everything happens at the venue's time; ways to and from it are the caller's business
(`machine.py`). Nothing that we do changes what was recorded: a taker order of ours takes what is
displayed, which is there again with the next recorded update.
"""

from __future__ import annotations

from services.execution.requests import SendCancel
from services.replay.venue.account import SimAccount
from services.replay.venue.answers import shown
from services.replay.venue.book import Market, Resting
from services.replay.venue.queue import FillModel, level_shows, traded_at
from shared.messages import Depth, FeedState, FeedStatus, InstrumentInfo, Mark, Message, Side, Top, Trade
from shared.venues.base import (
    Accepted,
    NewOrder,
    Outcome,
    PrivateEvent,
    Rejected,
    TimeInForce,
    VenueFunding,
)

#: how many dead orders a question about an order still finds
KEPT_ORDERS = 4_096


class SimulatedVenue:
    """One venue. `told` is what its private streams have to say, as (account, event), in order."""

    def __init__(self, model: FillModel) -> None:
        self.model = model
        self.markets: dict[str, Market] = {}
        self.accounts: dict[str, SimAccount] = {}
        self.told: list[tuple[str, PrivateEvent]] = []
        self.funded: list[tuple[str, VenueFunding]] = []
        self._next_id = 0

    def add_account(self, account: SimAccount) -> None:
        self.accounts[account.name] = account

    # --- the recording --------------------------------------------------------------------------

    def on_message(self, message: Message, now_ns: int) -> Message:
        """Take one recorded message; return what the market shows of it, our orders included."""
        if isinstance(
            message, Trade
        ):  # the most frequent one: whoever drives the venue calls `on_top` itself
            self.on_trade(message, now_ns)
        elif isinstance(message, Top):
            return self.on_top(message, now_ns)
        elif isinstance(message, Depth):
            return self.on_depth(message, now_ns)
        elif isinstance(message, Mark):
            self._on_mark(message, now_ns)
        elif isinstance(message, FeedState):
            market = self.markets.get(message.symbol)
            if market is not None:
                market.is_usable = message.status is FeedStatus.LIVE
        elif isinstance(message, InstrumentInfo):
            self._on_info(message)
        return message

    def on_top(self, top: Top, now_ns: int) -> Top:
        market = self.markets[top.symbol]
        market.top = top
        market.bid, market.bid_size = top.bid, top.bid_size
        market.ask, market.ask_size = top.ask, top.ask_size
        bids, asks = market.our_bids, market.our_asks
        are_bids_reached = bool(bids) and _is_reached(bids[0].price, 1, top.bid, top.ask)
        are_asks_reached = bool(asks) and _is_reached(asks[0].price, -1, top.ask, top.bid)
        if not are_bids_reached and not are_asks_reached:
            market.shown = top
            return top
        if are_bids_reached:
            self._meet(market, bids, top.bid, top.bid_size, top.ask, now_ns)
        if are_asks_reached:
            self._meet(market, asks, top.ask, top.ask_size, top.bid, now_ns)
        market.shown = shown = market.shown_top(top)
        return shown

    def _meet(
        self, market: Market, ours: list[Resting], best: int | None, size: int, opposite: int | None,
        now_ns: int,
    ) -> None:  # fmt: skip
        """Fill what others quote through; take what is displayed at our prices."""
        for order in tuple(ours):
            price = order.price
            is_bid = order.side is Side.BUY
            if opposite is not None and (opposite <= price if is_bid else opposite >= price):
                if market.is_usable and not market.is_crossed:
                    self._fill(market, order, order.size - order.filled, price, True, now_ns)
            elif not market.is_usable:
                continue  # a book in doubt proves nothing
            elif price == best:
                level_shows(order, size, now_ns)
            elif best is None or (price > best if is_bid else price < best):
                level_shows(order, 0, now_ns)

    def on_depth(self, depth: Depth, now_ns: int) -> Depth:
        market = self.markets[depth.symbol]
        market.bids, market.asks = depth.bids, depth.asks
        for order in (*market.our_bids, *market.our_asks):
            if order.price != (market.bid if order.side is Side.BUY else market.ask):
                size = market.size_at(order.side, order.price)
                if size is not None:
                    level_shows(order, size, now_ns)
        return market.shown_depth(depth)

    def on_trade(self, trade: Trade, now_ns: int) -> None:
        market = self.markets[trade.symbol]
        ours = market.our_bids if trade.side is Side.SELL else market.our_asks
        if not ours or not market.is_usable:
            return
        lots, sign = trade.size, -trade.side
        if (ours[0].price - trade.price) * sign < 0:
            return  # not even our best price was reached
        for order in tuple(ours):
            beyond = (order.price - trade.price) * sign
            if beyond < 0 or lots <= 0:
                break
            if beyond > 0:
                filled = min(order.size - order.filled, lots)
                lots -= filled
            else:
                filled, lots = traded_at(order, lots, self.model, now_ns)
            if filled:
                self._fill(market, order, filled, order.price, True, now_ns)

    def _on_info(self, info: InstrumentInfo) -> None:
        market = self.markets.get(info.symbol)
        if market is None:
            market = self.markets[info.symbol] = Market(info)
        elif market.info != info:
            market.set_info(info)
        for account in self.accounts.values():
            account.open(market)

    def _on_mark(self, mark: Mark, now_ns: int) -> None:
        market = self.markets[mark.symbol]
        due_ns = market.next_funding_ns
        if due_ns is not None and market.funding_rate is not None and (mark.venue_ns or now_ns) >= due_ns:
            for account in self.accounts.values():
                payment = account.pay_funding(market, market.funding_rate, mark.mark_price, now_ns)
                if payment is not None:
                    self.funded.append((account.name, payment))
        market.mark_price = mark.mark_price
        market.funding_rate, market.next_funding_ns = mark.funding_rate, mark.next_funding_ns

    # --- orders ---------------------------------------------------------------------------------------

    def place(self, account: str, new: NewOrder, now_ns: int) -> Outcome:
        """An order arrives."""
        market = self.markets[new.instrument.symbol]
        refusal = self._refusal(market, account, new)
        if refusal is not None:
            return refusal
        self._next_id += 1
        order = Resting(str(self._next_id), account, new, now_ns)
        self._remember(order)
        is_ioc = new.time_in_force is TimeInForce.IOC
        if is_ioc or not new.post_only:
            self._take(market, order, now_ns)
        if is_ioc:
            order.is_live = False
            if order.status == "live":
                order.status = "expired"
                self._tell(order, "expired", now_ns)
            return Accepted(order.id, order.filled, True)
        if not order.leaves:
            return Accepted(order.id, order.filled, True)
        order.ahead = market.size_at(order.side, order.price)
        market.add(order)
        self._tell(order, "accepted", now_ns)
        return Accepted(order.id, order.filled)

    def _refusal(self, market: Market, account: str, new: NewOrder) -> Rejected | None:
        position = self.accounts[account].positions[market.info.symbol]
        if new.reduce_only and new.size > -position * new.side.sign:
            return Rejected("reduce_only", "the order would not reduce the position")
        if not market.info.is_perp and not self.accounts[account].can_pay(market, new, self.markets):
            return Rejected("insufficient_funds", "more than is held and not in other orders")
        opposite = market.ask if new.side is Side.BUY else market.bid
        if new.post_only and opposite is not None and (opposite - new.price) * new.side.sign <= 0:
            return Rejected("post_only", "the order would take")
        return None

    def _take(self, market: Market, order: Resting, now_ns: int) -> None:
        """Trade with what is displayed on the other side, up to the order's price."""
        if not market.is_usable:
            return
        is_buy = order.side is Side.BUY
        best, size = (market.ask, market.ask_size) if is_buy else (market.bid, market.bid_size)
        levels = [] if best is None else [(best, size)]
        behind = market.asks if is_buy else market.bids
        levels += [level for level in behind if best is None or (level[0] - best) * order.side.sign > 0]
        for price, lots in levels:
            if not order.leaves or (price - order.price) * order.side.sign > 0:
                break
            filled = min(lots, order.leaves)
            if not filled:
                continue
            market.take(order.side, price, filled)
            self._fill(market, order, filled, price, False, now_ns)

    def cancel(self, account: str, request: SendCancel, now_ns: int) -> Outcome:
        """A cancel arrives."""
        ours = self.accounts[account]
        order = ours.by_client_id.get(request.client_order_id)
        if order is None or not order.is_live:
            return Rejected("unknown_order", "no such open order")
        order.is_live, order.status = False, "cancelled"
        self.markets[order.symbol].remove(order)
        self._tell(order, "cancelled", now_ns)
        executed = self.markets[order.symbol].instrument.quantity(order.filled)
        return Accepted(order.id, order.filled, True, executed)

    def _fill(
        self, market: Market, order: Resting, lots: int, price: int, is_maker: bool, now_ns: int
    ) -> None:
        account = self.accounts[order.account]
        if order.reduce_only:  # no further than flat, whatever else has filled meanwhile
            lots = min(lots, max(0, -account.positions[order.symbol] * order.side.sign))
        if lots:
            order.filled += lots
            fill = account.fill(market, order, lots, price, is_maker, now_ns)
            if not order.leaves:
                self._end(market, order, "filled")
            self._tell(order, "fill", now_ns)
            self.told.append((order.account, fill))
        elif is_maker:
            self._end(market, order, "cancelled")
            self._tell(order, "cancelled", now_ns)

    def _end(self, market: Market, order: Resting, status: str) -> None:
        order.is_live, order.status = False, status
        market.remove(order)

    def _remember(self, order: Resting) -> None:
        ours = self.accounts[order.account].by_client_id
        ours[order.client_order_id] = order
        if len(ours) > KEPT_ORDERS:
            for client_order_id in [key for key, known in ours.items() if not known.is_live][
                : KEPT_ORDERS // 2
            ]:
                del ours[client_order_id]

    def _tell(self, order: Resting, event: str, now_ns: int) -> None:
        self.told.append((order.account, shown(self.markets[order.symbol], order, event, now_ns)))


def _is_reached(price: int, sign: int, best: int | None, opposite: int | None) -> bool:
    """True when best prices say anything of our best order of a side (+1 bids, -1 asks) or of one behind it.

    They do not while others quote better than it, and nobody quotes through it.
    """
    if best is None or (price - best) * sign >= 0:
        return True
    return opposite is not None and (price - opposite) * sign >= 0
