"""One market at work: orders meet, trades print, and the book's changes are chained by id."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count

from services.exchange.accounts.account import Account
from services.exchange.accounts.margin import MarginRule
from services.exchange.accounts.marks import MarkPrice
from services.exchange.accounts.settlement import Settlement
from services.exchange.engine.admission import Admission
from services.exchange.engine.displayed import Display, Shown, orders_beyond, print_at
from services.exchange.engine.matching import Book, next_match
from services.exchange.engine.order_life import OUTSIDER, OrderLife
from services.exchange.engine.outbox import Outbox
from services.exchange.engine.rules import MARK_GRID, Rules
from services.exchange.engine.tape import Tape
from services.exchange.model import (
    BookChange,
    Depth,
    Market,
    Order,
    OrderRequest,
    OrderStatus,
    OrderType,
    Reason,
    Refused,
    SelfTrade,
    Side,
    TimeInForce,
    Trade,
)


class MarketEngine:
    """Book, tape, mark and rules of one symbol; each public method is one complete operation."""

    def __init__(
        self,
        market: Market,
        accounts: dict[str, Account],
        outbox: Outbox,
        next_id: Callable[[], int],
        id_base: int,
    ) -> None:
        self.symbol = market.symbol
        self.rules = Rules(market)
        self.book = Book()
        self._display = Display(self.book)
        self.tape = Tape(self.rules)
        self.marks = MarkPrice(self.rules)
        self.margin = MarginRule(self.rules)
        self.is_closed = False
        self.book_id = id_base
        self._changed_ns = 0
        self._trade_ids = count(id_base + 1)
        self._outbox = outbox
        self._next_id = next_id
        self.settlement = Settlement(self.rules, self.marks, self.margin, outbox, next_id)
        self.life = OrderLife(self.rules, self.book, accounts, self.settlement, outbox)

    # -- orders of accounts

    def place(self, account: Account, request: OrderRequest, now_ns: int) -> Order:
        """Match an order and rest what remains of it. Raises Refused, and then nothing has changed."""
        if self.is_closed:
            raise Refused(Reason.MARKET_CLOSED, f"{self.symbol} is closed")
        mark = self.marks.mark if self.rules.is_perp else None
        mid = self.book.mid(MARK_GRID)
        admission = Admission(self.rules, self.margin, self.book, self.tape.last, mark, mid)
        admitted = admission.admit(account, request)
        order = self._order(account.name, request.side, admitted.limit, admitted.lots, now_ns)
        _take_over(order, request)
        self.life.accept(account, order, now_ns)
        if not request.post_only:
            self._match(order, admitted.limit, now_ns)
        self._dispose_of_rest(order, now_ns)
        self.finish(now_ns)
        return order

    def cancel(self, order: Order, now_ns: int) -> None:
        self.life.end(order, OrderStatus.CANCELLED, None, now_ns)
        self.finish(now_ns)

    # -- orders and displays of everybody else

    def enter(self, side: Side, ticks: int, lots: int, now_ns: int, *, rests: bool = True) -> Order:
        """Place an outsider's limit order; what does not trade rests, or is dropped if not `rests`."""
        order = self._order(OUTSIDER, side, ticks, lots, now_ns)
        self._match(order, ticks, now_ns)
        if order.leaves and rests:
            self.life.rest(order, ticks)
        self.finish(now_ns)
        return order

    def show(self, levels: Iterable[Shown], now_ns: int, recorded_ns: int) -> None:
        """Set displayed levels, as of `recorded_ns` of their recording; nothing is filled by it."""
        self._display.show(levels, recorded_ns)
        self.finish(now_ns)

    def blank(self, now_ns: int) -> None:
        """Take the whole display away: the recording does not know it. Our orders keep their places."""
        self._display.blank()
        self.finish(now_ns)

    def print_trade(self, side: Side, ticks: int, lots: int, now_ns: int, recorded_ns: int) -> None:
        """Print a recorded trade (`side` the taker's): `lots` for the orders in its way and the rest.

        Orders at better prices come first, each at its own price: the taker would have met them first.
        """
        makers = self.book.side(side.opposite)
        for order in orders_beyond(makers, ticks):
            lots -= self._fill_by_outsider(order, lots, now_ns)
        level = makers.levels.get(ticks)
        if level is not None and lots > 0:
            for order, reached in print_at(level, lots, recorded_ns):
                lots -= self._fill_by_outsider(order, reached, now_ns)
        if lots > 0:
            self._print(side, ticks, lots, self._next_id(), self._next_id(), now_ns)
        self.finish(now_ns)

    def depth(self, limit: int | None) -> Depth:
        bids, asks = (
            [(level.price, level.size) for level, _ in zip(side, range(limit or 1 << 62), strict=False)]
            for side in (self.book.bids, self.book.asks)
        )
        return Depth(bids, asks, self.book_id, self._changed_ns)

    def finish(self, now_ns: int) -> None:
        """End an operation: chain the book's changes, tell balances, deliver the events."""
        self._display.settle()
        changes = self.book.collect()
        if changes is not None:
            self.book_id += 1
            self._changed_ns = now_ns
            if self._outbox.is_heard and not self.is_closed:
                self._outbox.add(self._book_change(*changes))
        self.life.publish_balances(now_ns)
        self._outbox.deliver()

    def _book_change(
        self, bids: tuple[tuple[int, int], ...], asks: tuple[tuple[int, int], ...]
    ) -> BookChange:
        best_bid, best_ask = self.book.bids.best_size(), self.book.asks.best_size()
        book_id = self.book_id
        return BookChange(self.symbol, book_id, book_id, bids, asks, best_bid, best_ask, self._changed_ns)

    # -- matching

    def _order(self, account: str, side: Side, ticks: int, lots: int, now_ns: int) -> Order:
        return Order(
            id=self._next_id(),
            account=account,
            symbol=self.symbol,
            side=side,
            type=OrderType.LIMIT,
            price=ticks,
            quantity=lots,
            time_in_force=TimeInForce.GTC,
            post_only=False,
            reduce_only=False,
            client_id=None,
            self_trade=SelfTrade.REJECT_TAKER,
            created_ns=now_ns,
        )

    def _match(self, taker: Order, limit: int, now_ns: int) -> None:
        """Trade `taker` against the book until it is filled, dead or at its limit."""
        opposite = self.book.side(taker.side.opposite)
        while taker.leaves and taker.is_live:
            level = opposite.best()
            if level is None or not opposite.accepts(level.price, limit):
                return
            maker, lots = next_match(level)
            lots = min(lots, taker.leaves)
            if maker is None:
                trade = self._print_taker(taker, level.price, lots, self._next_id(), now_ns)
                self.book.take_displayed(opposite.side, level, lots)
                self.life.fill(taker, lots, trade, is_maker=False)
            elif maker.account == taker.account != OUTSIDER:
                self._prevent_self_trade(taker, maker, now_ns)
            else:
                trade = self._print_taker(taker, level.price, lots, maker.id, now_ns)
                self.life.fill(maker, lots, trade, is_maker=True)
                self.life.fill(taker, lots, trade, is_maker=False)

    def _prevent_self_trade(self, taker: Order, maker: Order, now_ns: int) -> None:
        if taker.self_trade is not SelfTrade.REJECT_TAKER:
            self.life.end(maker, OrderStatus.EXPIRED, Reason.SELF_TRADE, now_ns)
        if taker.self_trade is not SelfTrade.REJECT_MAKER:
            self.life.end(taker, OrderStatus.EXPIRED, Reason.SELF_TRADE, now_ns)

    def _dispose_of_rest(self, order: Order, now_ns: int) -> None:
        """Rest what remains of a good-till-cancelled limit order; expire any other remainder."""
        if not order.is_live:
            return
        if order.type is OrderType.MARKET:
            self.life.end(order, OrderStatus.EXPIRED, Reason.INSUFFICIENT_LIQUIDITY, now_ns)
        elif order.time_in_force is TimeInForce.GTC and order.price is not None:
            self.life.rest(order, order.price)
        else:
            self.life.end(order, OrderStatus.EXPIRED, Reason.IMMEDIATE_OR_CANCEL, now_ns)

    def _fill_by_outsider(self, order: Order, lots: int, now_ns: int) -> int:
        """Fill at most `lots` of a resting order by somebody outside; return the lots filled."""
        if not order.is_live or order.price is None or not lots:
            return 0
        lots = min(lots, order.leaves)
        taker_side, taker_id = order.side.opposite, self._next_id()
        trade = self._print(taker_side, order.price, lots, taker_id, order.id, now_ns)
        self.life.fill(order, lots, trade, is_maker=True)
        return lots

    def _print_taker(self, taker: Order, ticks: int, lots: int, maker_id: int, now_ns: int) -> Trade:
        return self._print(taker.side, ticks, lots, taker.id, maker_id, now_ns)

    def _print(self, side: Side, ticks: int, lots: int, taker_id: int, maker_id: int, now_ns: int) -> Trade:
        buyer, seller = (taker_id, maker_id) if side is Side.BUY else (maker_id, taker_id)
        trade = Trade(next(self._trade_ids), self.symbol, ticks, lots, side, buyer, seller, now_ns)
        self.tape.add(trade)
        if self._outbox.is_heard and not self.is_closed:
            self._outbox.add(trade)
        return trade


def _take_over(order: Order, request: OrderRequest) -> None:
    """Copy what the client asked for; a market order keeps no price."""
    order.type = request.type
    if request.type is OrderType.MARKET:
        order.price = None
    order.time_in_force = request.time_in_force
    order.post_only = request.post_only
    order.reduce_only = request.reduce_only
    order.client_id = request.client_id
    order.self_trade = request.self_trade
    order.quote_quantity = request.quote_quantity
