"""The words the matching engine, the accounts and the protocol fronts share.

Prices are integer ticks and sizes integer lots of one `Market`; money is an
exact `Decimal` of an asset. Times are wall-clock nanoseconds since 1970 and are
always passed in. Nothing here knows a venue's wire format.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Protocol


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


@dataclass(frozen=True, slots=True)
class FundingPayment:
    """One hourly payment; `amount` > 0 was received by the account."""

    account: str
    symbol: str
    rate: Decimal
    quantity: int
    amount: Decimal
    interval_end_ns: int


@dataclass(frozen=True, slots=True)
class Collateral:
    """Margin summary of an account, all in the quote asset."""

    assets_value: Decimal
    net_equity: Decimal
    net_equity_available: Decimal
    net_equity_locked: Decimal
    exposure: Decimal
    pnl_unrealized: Decimal
    imf: Decimal
    mmf: Decimal
    margin_fraction: Decimal | None


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """A user of the venue. Fees are fractions of notional (0.0002 = 2 bps; negative = rebate)."""

    name: str
    balances: tuple[tuple[str, Decimal], ...]
    maker_fee_perp: Decimal = Decimal("0.0002")
    taker_fee_perp: Decimal = Decimal("0.0005")
    maker_fee_spot: Decimal = Decimal("0.0008")
    taker_fee_spot: Decimal = Decimal("0.0010")


Event = Trade | BookChange | MarkChange | OrderEvent | PositionEvent | BalanceEvent
Listener = Callable[[Event], None]


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
    def order_history(self, account: str, symbol: str | None = None) -> Sequence[Order]: ...
    def fills(self, account: str, symbol: str | None = None) -> Sequence[Fill]: ...
    def funding_payments(self, account: str, symbol: str | None = None) -> Sequence[FundingPayment]: ...

    def depth(self, symbol: str, limit: int | None = None) -> Depth: ...
    def trades(self, symbol: str, limit: int = 100) -> list[Trade]: ...
    def mark(self, symbol: str) -> MarkChange | None: ...
    def funding_rates(self, symbol: str) -> list[tuple[int, Decimal]]: ...
    def open_interest(self, symbol: str) -> int: ...
    def day_stats(self, symbol: str) -> DayStats | None: ...

    def balances(self, account: str) -> list[BalanceState]: ...
    def positions(self, account: str) -> list[PositionState]: ...
    def collateral(self, account: str) -> Collateral: ...
    def on_time(self, now_ns: int) -> None:
        """Settle marks and funding that are due; called at least four times a second."""
        ...
