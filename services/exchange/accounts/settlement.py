"""What a fill, a mark and a funding interval do to an account.

Fees: spot buys pay in the base asset, spot sells and perpetuals in the quote
asset. Every amount is a product or a sum of exact decimals; nothing is divided.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from services.exchange.accounts.account import Account
from services.exchange.accounts.margin import MarginRule
from services.exchange.accounts.marks import MarkPrice
from services.exchange.accounts.positions import Position
from services.exchange.engine.outbox import Outbox
from services.exchange.engine.rules import Rules
from services.exchange.model import (
    BalanceEvent,
    FundingPayment,
    Order,
    PositionEvent,
    PositionEventKind,
    PositionState,
    Side,
)


class Settlement:
    """Moves money in one market."""

    def __init__(
        self, rules: Rules, marks: MarkPrice, margin: MarginRule, outbox: Outbox, next_id: Callable[[], int]
    ) -> None:
        self._rules = rules
        self._marks = marks
        self._margin = margin
        self._outbox = outbox
        self._next_id = next_id

    def fill(
        self, account: Account, order: Order, ticks: int, lots: int, is_maker: bool, now_ns: int
    ) -> Decimal:
        """Book a fill of `lots` at `ticks`; return the fee."""
        rate = account.fee_rate(self._rules, is_maker)
        order.filled_quote += self._rules.quote(ticks, lots)
        if self._rules.is_perp:
            return self._fill_perp(account, order.side, ticks, lots, rate, now_ns)
        return self._fill_spot(account, order.side, ticks, lots, rate)

    def fee_asset(self, side: Side) -> str:
        market = self._rules.market
        return market.base if not self._rules.is_perp and side is Side.BUY else market.quote

    def _fill_spot(self, account: Account, side: Side, ticks: int, lots: int, rate: Decimal) -> Decimal:
        market, quote, base = self._rules.market, self._rules.quote(ticks, lots), self._rules.quantity(lots)
        if side is Side.BUY:
            fee = base * rate
            account.credit(market.quote, -quote)
            account.credit(market.base, base - fee)
            return fee
        fee = quote * rate
        account.credit(market.base, -base)
        account.credit(market.quote, quote - fee)
        return fee

    def _fill_perp(
        self, account: Account, side: Side, ticks: int, lots: int, rate: Decimal, now_ns: int
    ) -> Decimal:
        position = account.position(self._rules)
        signed = lots if side is Side.BUY else -lots
        closing = position.closing_part(signed)
        fee = self._rules.quote(ticks, abs(closing)) * rate
        if closing:
            realised = position.close(ticks) * self._rules.mark_unit
            position.fees += fee
            account.credit(self._rules.market.quote, realised - fee)
            self._publish(account, position, PositionEventKind.CLOSED, now_ns)
        if signed != closing:
            fee += self._adjust(account, position, signed - closing, ticks, rate, now_ns)
        self.revalue(account, position)
        return fee

    def _adjust(
        self, account: Account, position: Position, lots: int, ticks: int, rate: Decimal, now_ns: int
    ) -> Decimal:
        """Apply a fill that does not close; it may open, enlarge or reduce. Return its fee."""
        kind = PositionEventKind.ADJUSTED if position.lots else PositionEventKind.OPENED
        if not position.lots:
            position.open(self._next_id())
        position.add(lots, ticks)
        fee = self._rules.quote(ticks, abs(lots)) * rate
        position.fees += fee
        account.credit(self._rules.market.quote, -fee)
        self._publish(account, position, kind, now_ns)
        return fee

    def revalue(self, account: Account, position: Position) -> None:
        """Bring the account's margin and PnL sums up to date with one position."""
        mark = self._marks.mark or 0
        margin = self._margin.initial_margin(position.worst_lots(), mark)
        account.revalue(position, margin, position.unrealised(mark) * self._rules.mark_unit)

    def realise(self, account: Account, position: Position, now_ns: int) -> None:
        """Move the unrealised PnL at the mark into the balance."""
        mark = self._marks.mark
        if mark is None or not position.lots:
            return
        amount = position.realise(mark)
        if amount:
            account.credit(self._rules.market.quote, amount * self._rules.mark_unit)
            self.revalue(account, position)
            self._publish(account, position, PositionEventKind.UPDATED, now_ns)

    def pay_funding(
        self, account: Account, position: Position, end_ns: int, rate: Decimal, now_ns: int
    ) -> None:
        """Pay one interval: rate x quantity x mark; longs pay when the rate is positive."""
        mark = self._marks.mark
        if mark is None or not position.lots:
            return
        amount = -rate * (position.lots * mark * self._rules.mark_unit)
        position.funding += amount
        symbol = self._rules.market.symbol
        account.funding.append(FundingPayment(account.name, symbol, rate, position.lots, amount, end_ns))
        account.credit(self._rules.market.quote, amount)
        self._publish(account, position, PositionEventKind.UPDATED, now_ns)

    def state(self, account: Account, position: Position) -> PositionState:
        mark = self._marks.mark or 0
        notional = self._margin.notional(position.worst_lots(), mark)
        initial, maintenance = self._margin.initial.of(notional), self._margin.maintenance.of(notional)
        return position.state(account.name, mark, initial, maintenance)

    def _publish(self, account: Account, position: Position, kind: PositionEventKind, now_ns: int) -> None:
        if self._outbox.is_heard:
            self._outbox.add(PositionEvent(kind, self.state(account, position), now_ns))


def publish_balances(account: Account, outbox: Outbox, now_ns: int) -> None:
    """Tell the listeners the balances that the running operation changed."""
    if outbox.is_heard:
        for asset in account.touched:
            outbox.add(BalanceEvent(account.balance(asset), now_ns))
    account.touched.clear()
