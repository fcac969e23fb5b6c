"""What the engine tells its listeners, and the states that it tells of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from services.exchange.model.orders import Fill, Order
from services.exchange.model.words import (
    Side,
)


@dataclass(frozen=True, slots=True)
class Trade:
    """One public trade. `side` is the taker's; order ids as the venue prints them."""

    id: int
    symbol: str
    price: int
    quantity: int
    side: Side
    buyer_order_id: int
    seller_order_id: int
    time_ns: int


@dataclass(frozen=True, slots=True)
class BookChange:
    """Levels that changed, as (ticks, absolute lots; 0 = gone), and the resulting best levels.

    `first_id..last_id` continue the market's book id chain without a hole.
    """

    symbol: str
    first_id: int
    last_id: int
    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]
    best_bid: tuple[int, int] | None
    best_ask: tuple[int, int] | None
    engine_ns: int


@dataclass(frozen=True, slots=True)
class MarkChange:
    """Mark, index (quote units), estimated funding (fraction per interval), next funding (ns)."""

    symbol: str
    mark: Decimal
    index: Decimal
    funding_rate: Decimal
    next_funding_ns: int
    engine_ns: int


class OrderEventKind(StrEnum):
    ACCEPTED = "accepted"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    MODIFIED = "modified"


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """A private order event: `order` is a copy taken at the event."""

    kind: OrderEventKind
    order: Order
    fill: Fill | None
    engine_ns: int


@dataclass(frozen=True, slots=True)
class PositionState:
    """A perp position of an account; `quantity` signed lots, money in the quote asset."""

    account: str
    symbol: str
    id: int
    quantity: int
    entry_price: Decimal
    break_even_price: Decimal
    mark: Decimal
    net_cost: Decimal
    pnl_realized: Decimal
    pnl_unrealized: Decimal
    funding_paid: Decimal
    imf: Decimal
    mmf: Decimal


class PositionEventKind(StrEnum):
    OPENED = "opened"
    ADJUSTED = "adjusted"
    CLOSED = "closed"
    UPDATED = "updated"


@dataclass(frozen=True, slots=True)
class PositionEvent:
    kind: PositionEventKind
    position: PositionState
    engine_ns: int


@dataclass(frozen=True, slots=True)
class BalanceState:
    """`available` + `locked` = the account's holding of the asset."""

    account: str
    asset: str
    available: Decimal
    locked: Decimal


@dataclass(frozen=True, slots=True)
class BalanceEvent:
    balance: BalanceState
    engine_ns: int


Event = Trade | BookChange | MarkChange | OrderEvent | PositionEvent | BalanceEvent
Listener = Callable[[Event], None]
