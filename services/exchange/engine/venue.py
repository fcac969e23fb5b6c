"""The local venue: accounts and markets under one roof, without a wire protocol.

In          orders and cancels of accounts; orders, displays, prints and index prices of a market driver
Out         events to listeners, once per completed operation; answers read from engine state
State       books, orders, balances and positions, in memory only
On failure  a request that breaks a rule raises `Refused`, and nothing has changed
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import partial
from itertools import count

from services.exchange.accounts.account import Account
from services.exchange.accounts.equity import asset_price, collateral
from services.exchange.accounts.settlement import publish_balances
from services.exchange.engine.market_engine import MarketEngine
from services.exchange.engine.outbox import Outbox
from services.exchange.engine.rules import MARK_GRID
from services.exchange.model import (
    AccountSpec,
    BalanceState,
    Collateral,
    DayStats,
    Depth,
    Fill,
    FundingPayment,
    Listener,
    MarkChange,
    Market,
    Order,
    OrderRequest,
    PositionState,
    Reason,
    Refused,
    Trade,
)

DEFAULT_TAKER_DELAY_NS = 100_000_000
_MARK_INTERVAL_NS = 1_000_000_000
_SETTLEMENT_INTERVAL_NS = 10_000_000_000


class LocalVenue:
    """Implements `model.Venue` on one matching engine per market.

    id_base  order, trade, position and book ids start above it; a live process derives it
             from the clock, so that no id is used twice between runs
    """

    def __init__(
        self,
        markets: Iterable[Market],
        accounts: Iterable[AccountSpec],
        *,
        id_base: int = 0,
        taker_delay_ns: int = DEFAULT_TAKER_DELAY_NS,
        max_open_orders: int = 1000,
    ) -> None:
        self.markets = {market.symbol: market for market in markets}
        self.accounts = {spec.name: spec for spec in accounts}
        self.taker_delay_ns = taker_delay_ns
        self._outbox = Outbox()
        next_id = partial(next, count(id_base + 1))
        self._accounts = {name: Account(spec, max_open_orders) for name, spec in self.accounts.items()}
        self._engines = {
            symbol: MarketEngine(market, self._accounts, self._outbox, next_id, id_base)
            for symbol, market in self.markets.items()
        }
        self._next_mark_ns = 0
        self._next_settlement_ns = 0
        self._now_ns = 0

    def listen(self, listener: Listener) -> None:
        self._outbox.listen(listener)

    def engine(self, symbol: str) -> MarketEngine:
        """Return the engine of one market, for a market driver. Raises Refused UNKNOWN_SYMBOL."""
        engine = self._engines.get(symbol)
        if engine is None:
            raise Refused(Reason.UNKNOWN_SYMBOL, f"unknown symbol {symbol}")
        return engine

    def close(self, symbol: str) -> None:
        """Close a market: no more placements, prints, marks or public events; cancels still work."""
        self.engine(symbol).is_closed = True

    def set_index(self, symbol: str, price: float, now_ns: int) -> None:
        """Set the index price, in ticks (fractional); the first one opens a perpetual."""
        self.engine(symbol).marks.set_index(round(price * MARK_GRID), now_ns)

    # -- orders

    def place(self, account: str, request: OrderRequest, now_ns: int) -> Order:
        return self.engine(request.symbol).place(self._account(account), request, now_ns)

    def cancel(
        self,
        account: str,
        symbol: str,
        now_ns: int,
        *,
        order_id: int | None = None,
        client_id: str | None = None,
    ) -> Order:
        engine = self.engine(symbol)
        order = self._account(account).find(symbol, order_id, client_id)
        engine.cancel(order, now_ns)
        return order

    def cancel_all(self, account: str, symbol: str | None, now_ns: int) -> list[Order]:
        orders = self.open_orders(account, symbol)
        for order in orders:
            self.engine(order.symbol).cancel(order, now_ns)
        return orders

    def order(
        self, account: str, symbol: str, *, order_id: int | None = None, client_id: str | None = None
    ) -> Order:
        """Return an open order. Raises Refused UNKNOWN_ORDER, also for one that has ended."""
        self.engine(symbol)
        return self._account(account).find(symbol, order_id, client_id)

    def open_orders(self, account: str, symbol: str | None = None) -> list[Order]:
        return [order for order in self._account(account).open.values() if symbol in (None, order.symbol)]

    def order_history(self, account: str) -> Sequence[Order]:
        """Return the newest 20,000 orders, open ones included, oldest first. Do not keep it."""
        return self._account(account).history

    def fills(self, account: str) -> Sequence[Fill]:
        """Return the newest 20,000 fills, oldest first. Do not keep it."""
        return self._account(account).fills

    def funding_payments(self, account: str) -> Sequence[FundingPayment]:
        """Return the newest 5,000 payments, oldest first. Do not keep it."""
        return self._account(account).funding

    # -- market data

    def depth(self, symbol: str, limit: int | None = None) -> Depth:
        return self.engine(symbol).depth(limit)

    def trades(self, symbol: str, limit: int = 100) -> list[Trade]:
        """Return the newest trades, newest first."""
        return self.engine(symbol).tape.newest(limit)

    def mark(self, symbol: str) -> MarkChange | None:
        return self.engine(symbol).marks.state(self._now_ns)

    def funding_rates(self, symbol: str) -> list[tuple[int, Decimal]]:
        """Return (interval end ns, rate), newest first, the running interval's estimate included."""
        marks = self.engine(symbol).marks
        if marks.mark is None:
            return []
        return [(marks.next_funding_ns, marks.estimated_rate()), *reversed(marks.rates)]

    def open_interest(self, symbol: str) -> int:
        """Return the lots of open positions: the larger of all longs and all shorts of accounts."""
        self.engine(symbol)
        held = [account.positions[symbol].lots for account in self._holders(symbol)]
        return max(sum(lots for lots in held if lots > 0), -sum(lots for lots in held if lots < 0))

    def day_stats(self, symbol: str) -> DayStats | None:
        return self.engine(symbol).tape.day(self._now_ns)

    # -- accounts

    def balances(self, account: str) -> list[BalanceState]:
        holder = self._account(account)
        return [holder.balance(asset) for asset in holder.balances]

    def positions(self, account: str) -> list[PositionState]:
        """Return the open positions."""
        holder = self._account(account)
        return [
            self._engines[symbol].settlement.state(holder, position)
            for symbol, position in holder.positions.items()
            if position.lots
        ]

    def collateral(self, account: str) -> Collateral:
        return collateral(self._account(account), self._engines)

    def asset_price(self, asset: str) -> Decimal:
        """Return what one unit is worth in quote money, 0 while nothing tells."""
        return asset_price(asset, self._engines)

    # -- time

    def on_time(self, now_ns: int) -> None:
        """Update marks every second, pay due funding, realise PnL every ten seconds."""
        self._now_ns = now_ns
        if not _is_due(self._next_mark_ns, now_ns, _MARK_INTERVAL_NS):
            return
        self._next_mark_ns = now_ns + _MARK_INTERVAL_NS
        realises = _is_due(self._next_settlement_ns, now_ns, _SETTLEMENT_INTERVAL_NS)
        if realises:
            self._next_settlement_ns = now_ns + _SETTLEMENT_INTERVAL_NS
        for engine in self._engines.values():
            if engine.rules.is_perp and not engine.is_closed:
                self._update_mark(engine, now_ns, realises)
        for account in self._accounts.values():
            publish_balances(account, self._outbox, now_ns)
        self._outbox.deliver()

    def _update_mark(self, engine: MarketEngine, now_ns: int, realises: bool) -> None:
        engine.marks.update(engine.book.mid(MARK_GRID), now_ns)
        ended = engine.marks.close_interval(now_ns)
        for account in self._holders(engine.symbol):
            position = account.positions[engine.symbol]
            engine.settlement.revalue(account, position)
            if realises:
                engine.settlement.realise(account, position, now_ns)
            if ended is not None:
                engine.settlement.pay_funding(account, position, *ended, now_ns)
        state = engine.marks.state(now_ns)
        if state is not None and self._outbox.is_heard:
            self._outbox.add(state)

    def _holders(self, symbol: str) -> list[Account]:
        return [account for account in self._accounts.values() if symbol in account.positions]

    def _account(self, name: str) -> Account:
        account = self._accounts.get(name)
        if account is None:
            raise Refused(Reason.BAD_REQUEST, f"unknown account {name}")
        return account


def _is_due(next_ns: int, now_ns: int, interval_ns: int) -> bool:
    """Return whether it is time; more than an interval ahead means that the clock was set back."""
    return not now_ns < next_ns <= now_ns + interval_ns
