"""What the core asks of its shell, beside the messages for the bus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from services.execution.sending.admission import Approved
from shared.instrument import Instrument
from shared.messages import Message
from shared.venues.base import VenueFill, VenueFunding

#: why a placement was not sent: no connection was open
NO_CONNECTION = "no connection"


class ReadKind(Enum):
    """Questions to the venue."""

    OPEN_ORDERS = "open orders"
    POSITIONS = "positions"
    FILLS = "fills"
    BALANCES = "balances"
    EQUITY = "equity"
    FUNDING = "funding"
    STATEMENT = "statement"
    FIND_ORDER = "find order"
    ORDER_HISTORY = "order history"
    INSTRUMENTS = "instruments"

    __hash__ = object.__hash__  # an enum's own goes through its name, in Python


@dataclass(frozen=True, slots=True)
class SendPlace:
    """Sign and send an order, unless its approval has expired; then `on_sent` or `on_not_sent`."""

    approved: Approved


@dataclass(frozen=True, slots=True)
class SendCancel:
    """Sign and send a cancel; then `on_sent` or `on_not_sent`."""

    instrument: Instrument
    client_order_id: int
    venue_order_id: str | None
    cause_ns: int


@dataclass(frozen=True, slots=True)
class StartRead:
    """Ask the venue in a worker; then `on_read` or `on_read_failed`.

    since_ms  venue time from which fills or funding are wanted
    newest_ns venue time of the newest fill that was counted when it was asked
    symbol, client_order_id  of FIND_ORDER
    """

    kind: ReadKind
    since_ms: int = 0
    newest_ns: int = 0
    symbol: str = ""
    client_order_id: int = 0


@dataclass(frozen=True, slots=True)
class ReserveIds:
    """Reserve a block of client id sequence numbers above `above`; then `on_ids`."""

    count: int
    above: int


@dataclass(frozen=True, slots=True)
class HeldPosition:
    """A position at full precision, for the store."""

    symbol: str
    quantity: Decimal
    entry_price: Decimal | None
    is_known: bool
    seq: int
    venue_ns: int


@dataclass(frozen=True, slots=True)
class JournalFill:
    """Journal a fill with the position and the whole ledger that it makes."""

    fill: VenueFill
    client_order_id: int | None
    mid: Decimal | None
    is_target: bool
    position: HeldPosition
    ledger: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class JournalFunding:
    """Journal a funding payment."""

    funding: VenueFunding
    asset: str
    ledger: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class StorePosition:
    """Store a position that no fill explains (loaded, adopted, doubted)."""

    position: HeldPosition


@dataclass(frozen=True, slots=True)
class StoreLedger:
    """Store ledger fields that no journal entry changes (the start of the session)."""

    ledger: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class ReconnectStream:
    """Close the private stream and open a new one; then `on_stream`."""

    reason: str


@dataclass(frozen=True, slots=True)
class CheckClock:
    """Measure the venue's clock again: it refuses our signatures."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One line for the log that an operator acts on."""

    event: str
    fields: Mapping[str, object] = field(default_factory=dict)
    is_error: bool = True


Request = (
    SendPlace
    | SendCancel
    | StartRead
    | ReserveIds
    | JournalFill
    | JournalFunding
    | StorePosition
    | StoreLedger
    | ReconnectStream
    | CheckClock
    | Alert
)
Output = Message | Request
