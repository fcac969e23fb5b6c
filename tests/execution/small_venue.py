"""A small venue: its own reading of what a venue does with orders, and what it shows of them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.execution.account.statements import Statement
from services.execution.requests import (
    ReadKind,
    SendCancel,
    StartRead,
)
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import (
    InstrumentInfo,
    Side,
)
from shared.venues.base import (
    Accepted,
    Capabilities,
    NewOrder,
    Outcome,
    PrivateEvent,
    RateLimit,
    Rejected,
    TimeInForce,
    VenueBalance,
    VenueEquity,
    VenueFill,
    VenueOrder,
    VenuePosition,
)

ACCOUNT = "main"
SYMBOL = "SOL_USDC_PERP"
TAG = 77
WINDOW_MS = 2_000
START_NS = 1_000 * NS_PER_S
VENUE_MS = 1_700_000_000_000
CAPABILITIES = Capabilities(
    reply_is_final=True, client_id_bits=32, signing_window_ms=WINDOW_MS, cancel_window_ms=60_000,
    limits=(RateLimit(2_000),),
)  # fmt: skip
INFO = InstrumentInfo(
    "backpack", SYMBOL, "SOL", "USDC", True, "0.01", "0.01", "0.01", None, None, None, None, "fixed", "1"
)
LONG_NS = 3_600 * NS_PER_S


@dataclass
class Resting:
    """An order at the venue."""

    id: str
    client_order_id: int | None
    side: Side
    price: int
    size: int
    reduce_only: bool = False
    filled: int = 0
    is_live: bool = True
    status: str = "live"
    created_ms: int = VENUE_MS - 60_000

    @property
    def leaves(self) -> int:
        return self.size - self.filled


class SmallVenue:
    """Orders, position and fills of one account in one symbol; `stream` is what it has to tell."""

    now_ns = START_NS

    def __init__(self) -> None:
        self.orders: list[Resting] = []
        self.position = 0
        self.fills: list[VenueFill] = []
        self.stream: list[PrivateEvent] = []
        self.next_id = 1
        self.info = INFO
        self.equity = Decimal(1_000)
        self.deposits = Decimal(0)
        #: an order that takes finds so many lots at once; None = all that it wants
        self.depth: int | None = None
        #: venue id -> symbol of orders that are of another one than ours
        self.symbols_of: dict[str, str] = {}

    @property
    def venue_ms(self) -> int:
        return VENUE_MS + (self.now_ns - START_NS) // NS_PER_MS

    def fill(self, order: Resting, lots: int, is_maker: bool = True, is_told: bool = True) -> None:
        """An order trades at the venue."""
        order.filled += lots
        self.position += order.side.sign * lots
        if not order.leaves and order.is_live:
            order.is_live, order.status = False, "filled"
        fill = VenueFill(
            SYMBOL, len(self.fills) + 1, order.id, order.client_order_id, order.side,
            Decimal(order.price) / 100, Decimal(lots) / 100, is_maker, Decimal("0.001"), "USDC",
            self.venue_ms * NS_PER_MS,
        )  # fmt: skip
        self.fills.append(fill)
        if is_told:
            self.stream += [self._shown(order, "fill"), fill]

    def show(self, order: Resting, event: str = "modified") -> None:
        """The stream has to tell that the venue has changed an order by itself."""
        self.stream.append(self._shown(order, event))

    def manual_order(self, side: Side, price: int, size: int) -> Resting:
        order = Resting(self._new_id(), None, side, price, size)
        self.orders.append(order)
        return order

    def live(self) -> list[Resting]:
        return [order for order in self.orders if order.is_live]

    def ours(self) -> list[Resting]:
        return [order for order in self.live() if order.client_order_id is not None]

    def _new_id(self) -> str:
        self.next_id += 1
        return str(self.next_id)

    def place(self, new: NewOrder) -> Outcome:
        order = Resting(self._new_id(), new.client_order_id, new.side, new.price, new.size, new.reduce_only)
        order.created_ms = self.venue_ms
        self.orders.append(order)
        if new.time_in_force is TimeInForce.IOC:
            if new.reduce_only and new.size > -self.position * new.side.sign:
                order.is_live = False
                return Rejected("reduce_only", "Reduce only")
            lots = new.size if self.depth is None else min(new.size, self.depth)
            if lots:
                self.fill(order, lots, is_maker=False)
            if order.is_live:
                order.is_live, order.status = False, "cancelled"
            return Accepted(order.id, order.filled, True)
        self.stream.append(self._shown(order, "accepted"))
        return Accepted(order.id)

    def cancel(self, request: SendCancel) -> Outcome:
        for order in self.live():
            if order.client_order_id == request.client_order_id or order.id == request.venue_order_id:
                order.is_live, order.status = False, "cancelled"
                self.stream.append(self._shown(order, "cancelled"))
                return Accepted(order.id, is_done=True, executed=Decimal(order.filled) / 100)
        return Rejected("unknown_order", "Not Found")

    def _shown(self, order: Resting, event: str = "") -> VenueOrder:
        return VenueOrder(
            self.symbols_of.get(order.id, SYMBOL), order.id, order.client_order_id, order.side,
            Decimal(order.price) / 100, Decimal(order.size) / 100, Decimal(order.filled) / 100,
            order.is_live, order.status, order.reduce_only, event,
            (self.venue_ms if event else order.created_ms) * NS_PER_MS,
        )  # fmt: skip

    def statement(self, mark: Decimal = Decimal(100)) -> Statement:
        """Return balance and position: unrealised profit is in the position until it is settled."""
        fees = sum((fill.fee for fill in self.fills), Decimal(0))
        cash = sum((-fill.side.sign * fill.price * fill.quantity for fill in self.fills), Decimal(0))
        quantity = Decimal(self.position) / 100
        position = VenuePosition(SYMBOL, quantity, None, mark, quantity * mark + cash)
        total = Decimal(1_000) + self.deposits - fees
        return Statement([VenueBalance("USDC", total, total)], [position])

    def answer_of(self, read: StartRead) -> Any:
        if read.kind is ReadKind.OPEN_ORDERS:
            return [self._shown(order) for order in self.live()]
        if read.kind is ReadKind.FIND_ORDER:
            found = [order for order in self.orders if order.client_order_id == read.client_order_id]
            return self._shown(found[-1]) if found else None
        if read.kind is ReadKind.ORDER_HISTORY:
            return [self._shown(order) for order in self.orders]
        if read.kind is ReadKind.POSITIONS:
            quantity = Decimal(self.position) / 100
            return [VenuePosition(SYMBOL, quantity, None, None, Decimal(0))] if self.position else []
        if read.kind is ReadKind.FILLS:
            return [fill for fill in self.fills if fill.venue_ns >= read.since_ms * NS_PER_MS]
        if read.kind is ReadKind.BALANCES:
            return [VenueBalance("USDC", Decimal(1_000), Decimal(1_000))]
        if read.kind is ReadKind.EQUITY:
            return VenueEquity(self.equity, self.equity)
        if read.kind is ReadKind.STATEMENT:
            return self.statement()
        return [self.info] if read.kind is ReadKind.INSTRUMENTS else []
