"""What is kept in Redis: records with decimals at full precision, and the names of their keys.

Times called `at_ns` are the writer's wall clock, `venue_ns` the venue's.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from shared.messages import OrderStatus, Side


class StoredPosition(msgspec.Struct, frozen=True):
    """Signed position in base units. `seq` grows with every change, over restarts too; newest wins."""

    quantity: Decimal
    entry_price: Decimal | None
    is_known: bool
    seq: int
    venue_ns: int
    at_ns: int


class StoredEquity(msgspec.Struct, frozen=True):
    """Equity in quote units; None = unknown."""

    equity_usd: Decimal | None
    available_usd: Decimal | None
    at_ns: int


class StoredOrder(msgspec.Struct, frozen=True):
    """One order of ours that is, or may be, live; price in quote units, sizes in base units."""

    client_order_id: int
    venue_order_id: str | None
    side: Side
    price: Decimal
    quantity: Decimal
    filled: Decimal
    status: OrderStatus
    reduce_only: bool
    placed_ns: int


class StoredOrders(msgspec.Struct, frozen=True):
    """Every order of a symbol, and the execution state (`Working.state`)."""

    orders: tuple[StoredOrder, ...]
    state: str
    seq: int
    at_ns: int


class FillEntry(msgspec.Struct, frozen=True, tag="fill"):
    """One execution of ours in the journal; fee > 0 is a cost, `mid` None = no book then."""

    symbol: str
    trade_id: int
    venue_order_id: str
    client_order_id: int | None
    side: Side
    price: Decimal
    quantity: Decimal
    is_maker: bool
    fee: Decimal
    fee_asset: str
    mid: Decimal | None
    position_after: Decimal
    is_target: bool
    venue_ns: int
    at_ns: int

    @property
    def identity(self) -> str:
        """What makes it the same fill: both sides of a self-trade share the trade id."""
        return f"fill|{self.symbol}|{self.trade_id}|{self.venue_order_id}"


class FundingEntry(msgspec.Struct, frozen=True, tag="funding"):
    """One funding payment in the journal; amount > 0 was received. `venue_ns` = end of its interval."""

    symbol: str
    amount: Decimal
    asset: str
    venue_ns: int
    at_ns: int

    @property
    def identity(self) -> str:
        return f"funding|{self.symbol}|{self.venue_ns}"


JournalEntry = FillEntry | FundingEntry


class Keys:
    """Names of all keys of a deployment."""

    def __init__(self, deployment: str) -> None:
        self._prefix = f"makerd:{deployment}"
        self.halt = f"{self._prefix}:halt"

    def position(self, account: str, symbol: str) -> str:
        return f"{self._prefix}:position:{account}:{symbol}"

    def orders(self, account: str, symbol: str) -> str:
        return f"{self._prefix}:orders:{account}:{symbol}"

    def equity(self, account: str) -> str:
        return f"{self._prefix}:equity:{account}"

    def ledger(self, account: str) -> str:
        return f"{self._prefix}:ledger:{account}"

    def client_ids(self, account: str) -> str:
        return f"{self._prefix}:client_ids:{account}"

    def fills(self, account: str) -> str:
        return f"{self._prefix}:fills:{account}"

    def seen(self, account: str) -> str:
        return f"{self._prefix}:seen:{account}"

    def cursor(self, account: str) -> str:
        return f"{self._prefix}:cursor:{account}"
