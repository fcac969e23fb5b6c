"""What happens to one order after it was admitted: accepted, filled, resting, shrunk, ended.

Orders of outsiders (background participants) belong to no account: they trade
like any other, but nobody is told and no money moves.
"""

from __future__ import annotations

from dataclasses import fields

from services.exchange.accounts.account import Account
from services.exchange.accounts.settlement import Settlement, publish_balances
from services.exchange.engine.matching import Book
from services.exchange.engine.outbox import Outbox
from services.exchange.engine.rules import Rules
from services.exchange.model import Fill, Order, OrderEvent, OrderEventKind, OrderStatus, Reason, Side, Trade

#: the account name of everybody who has no account here
OUTSIDER = ""

_KIND_OF_END = {OrderStatus.CANCELLED: OrderEventKind.CANCELLED, OrderStatus.EXPIRED: OrderEventKind.EXPIRED}
_ORDER_FIELDS = tuple(field.name for field in fields(Order))


class OrderLife:
    """Applies each step of an order's life to the book and its account."""

    def __init__(
        self, rules: Rules, book: Book, accounts: dict[str, Account], settlement: Settlement, outbox: Outbox
    ) -> None:
        self._rules = rules
        self._book = book
        self._accounts = accounts
        self._settlement = settlement
        self._outbox = outbox
        #: accounts that the running operation concerns
        self._concerned: dict[str, Account] = {}

    def accept(self, account: Account, order: Order, now_ns: int) -> None:
        account.add_order(order)
        self._tell(OrderEventKind.ACCEPTED, order, None, now_ns)

    def rest(self, order: Order, price: int) -> None:
        self._book.rest(order, price)
        account = self._accounts.get(order.account)
        if account is not None:
            account.hold(order, self._rules, order.leaves)
            self._revalue(account)

    def fill(self, order: Order, lots: int, trade: Trade, is_maker: bool) -> None:
        """Fill `lots` of an order; a maker's are taken from its resting quantity."""
        if is_maker:
            self._book.fill(order, lots)
        else:
            order.filled += lots
        order.status = OrderStatus.PARTIALLY_FILLED if order.leaves else OrderStatus.FILLED
        account = self._accounts.get(order.account)
        if account is not None:
            self._fill_account(account, order, lots, trade, is_maker)

    def _fill_account(self, account: Account, order: Order, lots: int, trade: Trade, is_maker: bool) -> None:
        if is_maker:
            account.release(order, self._rules, lots, ended=not order.leaves)
        fee = self._settlement.fill(account, order, trade.price, lots, is_maker, trade.time_ns)
        fill = Fill(
            trade_id=trade.id,
            order_id=order.id,
            client_id=order.client_id,
            account=account.name,
            symbol=trade.symbol,
            side=order.side,
            price=trade.price,
            quantity=lots,
            is_maker=is_maker,
            fee=fee,
            fee_asset=self._settlement.fee_asset(order.side),
            time_ns=trade.time_ns,
        )
        account.fills.append(fill)
        if not order.leaves:
            account.end_order(order)
        self._concerned[account.name] = account
        self._tell(OrderEventKind.FILLED, order, fill, trade.time_ns)
        self._shrink_reduce_only(account, trade.time_ns)

    def end(self, order: Order, status: OrderStatus, reason: Reason | None, now_ns: int) -> None:
        """Cancel or expire what is left of an order, resting or not."""
        is_resting = self._book.is_resting(order)
        if is_resting:
            self._book.remove(order)
        order.status = status
        order.expiry_reason = reason
        account = self._accounts.get(order.account)
        if account is None:
            return
        if is_resting:
            account.release(order, self._rules, order.leaves, ended=True)
            self._revalue(account)
        account.end_order(order)
        self._concerned[account.name] = account
        self._tell(_KIND_OF_END[status], order, None, now_ns)

    def _shrink_reduce_only(self, account: Account, now_ns: int) -> None:
        """Keep resting reduce-only orders no larger than the position they reduce."""
        position = account.positions.get(self._rules.market.symbol)
        if position is None or not position.reduce_only:
            return
        for order in tuple(position.reduce_only.values()):
            room = -position.lots if order.side is Side.BUY else position.lots
            if room <= 0:
                self.end(order, OrderStatus.EXPIRED, Reason.REDUCE_ONLY, now_ns)
            elif order.leaves > room:
                self._book.reduce(order, order.leaves - room)
                self._tell(OrderEventKind.MODIFIED, order, None, now_ns)

    def _revalue(self, account: Account) -> None:
        self._concerned[account.name] = account
        if self._rules.is_perp:
            self._settlement.revalue(account, account.position(self._rules))

    def _tell(self, kind: OrderEventKind, order: Order, fill: Fill | None, now_ns: int) -> None:
        if self._outbox.is_heard:
            self._outbox.add(OrderEvent(kind, copy_order(order), fill, now_ns))

    def publish_balances(self, now_ns: int) -> None:
        """End the operation: tell the balances of everybody it concerned."""
        for account in self._concerned.values():
            publish_balances(account, self._outbox, now_ns)
        self._concerned.clear()


def copy_order(order: Order) -> Order:
    return Order(**{name: getattr(order, name) for name in _ORDER_FIELDS})
