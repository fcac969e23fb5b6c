"""A small local venue for the engine's tests: two accounts, one perpetual, one spot market, no driver."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from services.exchange.engine.venue import LocalVenue
from services.exchange.markets import SOL_USDC, SOL_USDC_PERP
from services.exchange.model import (
    AccountSpec,
    BookChange,
    Event,
    Order,
    OrderEvent,
    OrderEventKind,
    OrderRequest,
    OrderType,
    PositionEvent,
    Reason,
    Refused,
    Side,
    TimeInForce,
    Trade,
)

PERP = SOL_USDC_PERP.symbol
SPOT = SOL_USDC.symbol
START_NS = 1_700_000_000 * 10**9
SECOND_NS = 10**9
FAIR = Decimal("150.00")


def refused(reason: Reason) -> pytest.RaisesExc[Refused]:
    return pytest.raises(Refused, check=lambda error: error.reason is reason)


def account(name: str, usdc: str = "10000", sol: str = "0") -> AccountSpec:
    return AccountSpec(name, (("USDC", Decimal(usdc)), ("SOL", Decimal(sol))))


@dataclass
class Bench:
    """A venue with its events, and orders in few words: price and quantity as decimal strings."""

    venue: LocalVenue
    events: list[Event] = field(default_factory=list)
    now_ns: int = START_NS

    def order(self, name: str, side: Side, price: str | None, quantity: str | None, **more: Any) -> Order:
        request = OrderRequest(
            symbol=more.pop("symbol", PERP),
            side=side,
            type=OrderType.LIMIT if price is not None else OrderType.MARKET,
            quantity=None if quantity is None else Decimal(quantity),
            price=None if price is None else Decimal(price),
            **more,
        )
        return self.venue.place(name, request, self.now_ns)

    def buy(self, name: str, price: str | None, quantity: str | None, **more: Any) -> Order:
        return self.order(name, Side.BUY, price, quantity, **more)

    def sell(self, name: str, price: str | None, quantity: str | None, **more: Any) -> Order:
        return self.order(name, Side.SELL, price, quantity, **more)

    def ioc(self, name: str, side: Side, price: str, quantity: str, **more: Any) -> Order:
        return self.order(name, side, price, quantity, time_in_force=TimeInForce.IOC, **more)

    def fok(self, name: str, side: Side, price: str, quantity: str, **more: Any) -> Order:
        return self.order(name, side, price, quantity, time_in_force=TimeInForce.FOK, **more)

    def cancel(self, order: Order) -> None:
        self.venue.cancel(order.account, order.symbol, self.now_ns, order_id=order.id)

    def pass_time(self, seconds: float) -> None:
        self.now_ns += int(seconds * SECOND_NS)
        self.venue.on_time(self.now_ns)

    def set_index(self, price: str) -> None:
        self.venue.set_index(PERP, float(Decimal(price) * 100), self.now_ns)

    def usdc(self, name: str) -> Decimal:
        return self.balance(name, "USDC")

    def balance(self, name: str, asset: str) -> Decimal:
        state = next(state for state in self.venue.balances(name) if state.asset == asset)
        return state.available + state.locked

    def locked(self, name: str, asset: str) -> Decimal:
        return next(state.locked for state in self.venue.balances(name) if state.asset == asset)

    def trades(self) -> list[tuple[int, int]]:
        """Return the printed (ticks, lots)."""
        return [(event.price, event.quantity) for event in self.events if isinstance(event, Trade)]

    def order_events(self, order: Order) -> list[OrderEventKind]:
        return [e.kind for e in self.events if isinstance(e, OrderEvent) and e.order.id == order.id]

    def book_changes(self, symbol: str = PERP) -> list[BookChange]:
        return [e for e in self.events if isinstance(e, BookChange) and e.symbol == symbol]

    def position_events(self) -> list[PositionEvent]:
        return [event for event in self.events if isinstance(event, PositionEvent)]


def bench(*accounts: AccountSpec, **market_changes: Any) -> Bench:
    """Return a venue whose perpetual has an index of 150.00; accounts `ann` and `bob` unless given."""
    specs = accounts or (account("ann", sol="100"), account("bob", sol="100"))
    perp = replace(SOL_USDC_PERP, **market_changes)
    venue = LocalVenue((perp, SOL_USDC), specs, id_base=1000)
    made = Bench(venue)
    venue.listen(made.events.append)
    made.set_index(str(FAIR))
    venue.on_time(START_NS)
    made.events.clear()
    return made
