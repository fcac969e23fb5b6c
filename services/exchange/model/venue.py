"""What a protocol front may ask of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from services.exchange.model.accounts import AccountSpec, Collateral, FundingPayment
from services.exchange.model.events import BalanceState, Listener, MarkChange, PositionState, Trade
from services.exchange.model.orders import Fill, Market, Order, OrderRequest


@dataclass(slots=True)
class DayStats:
    """Rolling 24 h figures of a market: prices in ticks, volume in lots."""

    first: int = 0
    high: int = 0
    low: int = 0
    last: int = 0
    volume: int = 0
    quote_volume: Decimal = Decimal(0)
    trades: int = 0


@dataclass(frozen=True, slots=True)
class Depth:
    """A snapshot; both sides best first, (ticks, lots). `last_id` belongs to the diff chain."""

    bids: list[tuple[int, int]] = field(default_factory=list)
    asks: list[tuple[int, int]] = field(default_factory=list)
    last_id: int = 0
    engine_ns: int = 0


class Venue(Protocol):
    """What a protocol front may ask of the engine. Every answer comes from engine state.

    A request that is not `post_only` has already waited out the taker delay when it
    reaches `place`: the front holds it for `taker_delay_ns`, so that a cancel can overtake it.
    """

    markets: dict[str, Market]
    accounts: dict[str, AccountSpec]
    taker_delay_ns: int

    def listen(self, listener: Listener) -> None: ...

    def place(self, account: str, request: OrderRequest, now_ns: int) -> Order: ...
    def cancel(
        self,
        account: str,
        symbol: str,
        now_ns: int,
        *,
        order_id: int | None = None,
        client_id: str | None = None,
    ) -> Order: ...
    def cancel_all(self, account: str, symbol: str | None, now_ns: int) -> list[Order]: ...
    def order(
        self,
        account: str,
        symbol: str,
        *,
        order_id: int | None = None,
        client_id: str | None = None,
    ) -> Order: ...
    def open_orders(self, account: str, symbol: str | None = None) -> list[Order]: ...
    def order_history(self, account: str) -> Sequence[Order]: ...
    def fills(self, account: str) -> Sequence[Fill]: ...
    def funding_payments(self, account: str) -> Sequence[FundingPayment]: ...

    def depth(self, symbol: str, limit: int | None = None) -> Depth: ...
    def trades(self, symbol: str, limit: int = 100) -> list[Trade]: ...
    def mark(self, symbol: str) -> MarkChange | None: ...
    def funding_rates(self, symbol: str) -> list[tuple[int, Decimal]]: ...
    def open_interest(self, symbol: str) -> int: ...
    def day_stats(self, symbol: str) -> DayStats | None: ...

    def balances(self, account: str) -> list[BalanceState]: ...
    def positions(self, account: str) -> list[PositionState]: ...
    def collateral(self, account: str) -> Collateral: ...
    def asset_price(self, asset: str) -> Decimal: ...
    def on_time(self, now_ns: int) -> None:
        """Settle marks and funding that are due; called at least four times a second."""
        ...
