"""The words the matching engine, the accounts and the protocol fronts share.

Prices are integer ticks and sizes integer lots of one `Market`; money is an
exact `Decimal` of an asset. Times are wall-clock nanoseconds since 1970 and are
always passed in. Nothing here knows a venue's wire format.
"""

from __future__ import annotations

from services.exchange.model.accounts import AccountSpec, Collateral, FundingPayment
from services.exchange.model.events import (
    BalanceEvent,
    BalanceState,
    BookChange,
    Event,
    Listener,
    MarkChange,
    OrderEvent,
    OrderEventKind,
    PositionEvent,
    PositionEventKind,
    PositionState,
    Trade,
)
from services.exchange.model.orders import Fill, Market, Order, OrderRequest
from services.exchange.model.venue import DayStats, Depth, Venue
from services.exchange.model.words import (
    MarketType,
    OrderStatus,
    OrderType,
    Reason,
    Refused,
    SelfTrade,
    Side,
    TimeInForce,
)

__all__ = [
    "AccountSpec",
    "BalanceEvent",
    "BalanceState",
    "BookChange",
    "Collateral",
    "DayStats",
    "Depth",
    "Event",
    "Fill",
    "FundingPayment",
    "Listener",
    "MarkChange",
    "Market",
    "MarketType",
    "Order",
    "OrderEvent",
    "OrderEventKind",
    "OrderRequest",
    "OrderStatus",
    "OrderType",
    "PositionEvent",
    "PositionEventKind",
    "PositionState",
    "Reason",
    "Refused",
    "SelfTrade",
    "Side",
    "TimeInForce",
    "Trade",
    "Venue",
]
