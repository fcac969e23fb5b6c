"""Enumerations of the venue's model, and the refusal."""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    """Side of an order; of a trade it is the taker's."""

    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class MarketType(StrEnum):
    SPOT = "spot"
    PERP = "perp"


class OrderType(StrEnum):
    LIMIT = "limit"
    MARKET = "market"


class TimeInForce(StrEnum):
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


class SelfTrade(StrEnum):
    """Which side dies when an account would trade with itself."""

    REJECT_TAKER = "reject_taker"
    REJECT_MAKER = "reject_maker"
    REJECT_BOTH = "reject_both"


class OrderStatus(StrEnum):
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Reason(StrEnum):
    """Why the venue refused a request or ended an order by itself."""

    UNKNOWN_SYMBOL = "unknown_symbol"
    UNKNOWN_ORDER = "unknown_order"
    BAD_REQUEST = "bad_request"
    PRICE_PRECISION = "price_precision"
    QUANTITY_PRECISION = "quantity_precision"
    QUANTITY_RANGE = "quantity_range"
    PRICE_BAND = "price_band"
    POST_ONLY_WOULD_TAKE = "post_only_would_take"
    FILL_OR_KILL = "fill_or_kill"
    IMMEDIATE_OR_CANCEL = "immediate_or_cancel"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    INSUFFICIENT_MARGIN = "insufficient_margin"
    INSUFFICIENT_LIQUIDITY = "insufficient_liquidity"
    REDUCE_ONLY = "reduce_only"
    SELF_TRADE = "self_trade"
    DUPLICATE_CLIENT_ID = "duplicate_client_id"
    ORDER_LIMIT = "order_limit"
    MARKET_CLOSED = "market_closed"


class Refused(Exception):
    """The engine refuses a request; nothing has changed. `text` names value and rule."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text
