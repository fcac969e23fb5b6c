"""Markets, orders and fills. Prices are ticks, sizes lots, money exact decimals."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from services.exchange.model.words import (
    MarketType,
    OrderStatus,
    OrderType,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
)


@dataclass(frozen=True, slots=True)
class Market:
    """Trading rules of one symbol. `tick_size`, `lot_size`, bounds: decimals in quote or base units."""

    symbol: str
    base: str
    quote: str
    type: MarketType
    tick_size: Decimal
    lot_size: Decimal
    min_quantity: Decimal
    max_quantity: Decimal | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    #: order prices must lie inside these multiples of the last traded price
    last_price_band: tuple[Decimal, Decimal] = (Decimal("0.25"), Decimal("2"))
    #: and inside these multiples of the mark (perp) or mid (spot)
    mark_price_band: tuple[Decimal, Decimal] = (Decimal("0.925"), Decimal("1.075"))
    initial_margin: Decimal = Decimal("0.02")
    initial_margin_factor: Decimal = Decimal("0.000075")
    maintenance_margin: Decimal = Decimal("0.0135")
    maintenance_margin_factor: Decimal = Decimal("0.0000375")
    funding_interval_ns: int = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A validated-for-shape order, not yet checked against market or account.

    price     decimal in quote units; None for market orders
    quantity  decimal in base units; None only for a market order given by `quote_quantity`
    """

    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal | None
    price: Decimal | None = None
    quote_quantity: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False
    client_id: str | None = None
    self_trade: SelfTrade = SelfTrade.REJECT_TAKER


@dataclass(slots=True)
class Order:
    """One order at the venue; mutated by the engine alone. Price in ticks, sizes in lots."""

    id: int
    account: str
    symbol: str
    side: Side
    type: OrderType
    price: int | None
    quantity: int
    time_in_force: TimeInForce
    post_only: bool
    reduce_only: bool
    client_id: str | None
    self_trade: SelfTrade
    created_ns: int
    quote_quantity: Decimal | None = None
    filled: int = 0
    filled_quote: Decimal = Decimal(0)
    status: OrderStatus = OrderStatus.NEW
    expiry_reason: Reason | None = None
    #: displayed lots (a recording's, nobody's order here) that trade before this order
    queue_ahead: int = 0

    @property
    def leaves(self) -> int:
        """Lots still open."""
        return self.quantity - self.filled

    @property
    def is_live(self) -> bool:
        return self.status in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution seen from one account. `fee` > 0 is a cost, < 0 a rebate, in `fee_asset`."""

    trade_id: int
    order_id: int
    client_id: str | None
    account: str
    symbol: str
    side: Side
    price: int
    quantity: int
    is_maker: bool
    fee: Decimal
    fee_asset: str
    time_ns: int
