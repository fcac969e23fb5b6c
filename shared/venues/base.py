"""What a venue is to the rest of the system: narrow gateways and a description.

Three gateways: market data (`feed`), order entry and account (`client`). The order-entry
part is split so that the hot path owns its sockets: an adapter *builds* a signed request
as bytes and *reads* the reply's bytes; `shared/net/orders.py` moves them. A venue whose
orders travel over a websocket builds frames instead; the reply may mean only "queued".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Protocol

from shared.instrument import Instrument
from shared.messages import InstrumentInfo, Side


class TimeInForce(Enum):
    GTC = "gtc"
    IOC = "ioc"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a venue can do.

    amend            "none" | "replace" (loses the queue) | "reduce" (keeps it when only shrinking)
    batch_place      most orders in one request (1 = no batch); batch_cancel likewise, by id
    dead_man_s       shortest timer the venue holds for us; None = none
    reply_is_final   False = an accepted reply means only "queued": the private stream decides
    client_id_bits   size of the client order id
    signing_window_ms  how long after its timestamp a signed placement may still be executed
    cancel_window_ms   the same of a cancel, which may be signed so long ahead (0 = nonces forbid that)
    requests_per_min the account's documented budget; None = none documented
    """

    amend: str
    batch_place: int
    batch_cancel: int
    dead_man_s: float | None
    reply_is_final: bool
    client_id_bits: int
    signing_window_ms: int
    cancel_window_ms: int
    requests_per_min: int | None


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order about to be sent: ticks and lots of `instrument`."""

    instrument: Instrument
    client_order_id: int
    side: Side
    price: int
    size: int
    post_only: bool
    reduce_only: bool
    time_in_force: TimeInForce


# --- what became of a write ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Accepted:
    """The venue has it. `filled` lots so far; `is_done` = nothing rests any more.

    executed   of a cancel: the quantity that the order had filled in all; None = the reply does not tell
    """

    venue_order_id: str
    filled: int = 0
    is_done: bool = False
    executed: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The venue refuses, and nothing has changed there. `reason` is one of REJECT_REASONS."""

    reason: str
    text: str
    retry_after_s: float | None = None  # of "rate_limit": nothing may be sent for so long


@dataclass(frozen=True, slots=True)
class Unknown:
    """A timeout, a dead connection, a 5xx, an unreadable reply: ask the venue, send nothing again."""

    text: str
    retry_after_s: float | None = None


Outcome = Accepted | Rejected | Unknown

#: the words that execution acts on; adapters map their venue's codes to these
REJECT_REASONS = (
    "post_only",  # would take: re-price by a tick, bounded
    "insufficient_funds",
    "reduce_only",
    "price_band",
    "price_precision",
    "quantity",
    "rate_limit",  # refused before the engine: nothing has changed; obey retry_after
    "duplicate_client_id",
    "unknown_order",  # of a cancel: filled, cancelled or never existed; ask
    "unknown_symbol",
    "market_closed",
    "auth",
    "self_trade",
    "maintenance",
    "other",
)


# --- what a venue says of an account ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """An order as the venue shows it. client_order_id None = not one of ours (a manual order)."""

    symbol: str
    venue_order_id: str
    client_order_id: int | None
    side: Side
    price: Decimal | None
    quantity: Decimal
    filled: Decimal
    is_live: bool
    status: str  # "live" | "filled" | "cancelled" | "expired"
    reduce_only: bool
    event: str = ""  # of a stream: "accepted" | "fill" | "cancelled" | "expired" | "modified"
    venue_ns: int = 0


@dataclass(frozen=True, slots=True)
class VenueFill:
    """One execution of ours; `fee` > 0 is a cost in `fee_asset`."""

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
    venue_ns: int


@dataclass(frozen=True, slots=True)
class VenuePosition:
    """A position as the venue shows it. Missing from a good answer = flat; a failed query raises."""

    symbol: str
    quantity: Decimal
    entry_price: Decimal | None
    mark_price: Decimal | None
    unrealised_pnl: Decimal
    venue_ns: int = 0


@dataclass(frozen=True, slots=True)
class VenueBalance:
    """total = all of the asset; available = what is not locked."""

    asset: str
    total: Decimal
    available: Decimal
    venue_ns: int = 0


@dataclass(frozen=True, slots=True)
class VenueEquity:
    """Equity of the account in quote units, resting orders not subtracted."""

    equity: Decimal
    available: Decimal


@dataclass(frozen=True, slots=True)
class VenueFunding:
    """One funding payment; amount > 0 was received."""

    symbol: str
    amount: Decimal
    interval_end_ns: int


class OrderCodec(Protocol):
    """Pure: builds signed requests, reads replies. Only `execution` holds one: it has the key."""

    capabilities: Capabilities

    def place(self, order: NewOrder, timestamp_ms: int) -> bytes:
        """Return the complete request, ready for the socket."""
        ...

    def cancel(
        self, instrument: Instrument, client_order_id: int, venue_order_id: str | None, timestamp_ms: int
    ) -> bytes: ...

    def cancel_all(self, symbol: str, timestamp_ms: int) -> bytes: ...

    def read_place(
        self, instrument: Instrument, status: int, headers: dict[bytes, bytes], body: bytes
    ) -> Outcome:
        """Return what became of a placement. Whatever cannot be read is Unknown."""
        ...

    def read_cancel(self, status: int, headers: dict[bytes, bytes], body: bytes) -> Outcome: ...


class PublicClient(Protocol):
    """Blocking public reads, for worker threads. Raises: shared.errors.Unknown, RateLimited."""

    def instruments(self) -> list[InstrumentInfo]: ...
    def server_time_ms(self) -> int: ...


class AccountClient(Protocol):
    """Blocking signed reads, for worker threads. Raises: Unknown, RateLimited; never returns a default."""

    def open_orders(self, symbol: str | None = None) -> list[VenueOrder]: ...
    def find_order(self, symbol: str, client_order_id: int, since_ms: int = 0) -> VenueOrder | None:
        """Return the order if the venue knows it, live or in history; None = it shows no such order.

        since_ms  venue time before which it cannot have been placed: history is not searched further back
        """
        ...

    def recent_orders(self) -> Sequence[VenueOrder]:
        """Return the account's newest orders, live or dead, the oldest of them first: the last thousand."""
        ...

    def fills(self, since_ms: int, symbol: str | None = None) -> Sequence[VenueFill]:
        """Return every fill at or after `since_ms`, oldest first, all pages."""
        ...

    def funding(self, since_ms: int) -> Sequence[VenueFunding]: ...
    def positions(self) -> list[VenuePosition]: ...
    def balances(self) -> list[VenueBalance]: ...
    def equity(self) -> VenueEquity: ...


#: what a private stream yields
PrivateEvent = VenueOrder | VenueFill | VenuePosition | VenueBalance
