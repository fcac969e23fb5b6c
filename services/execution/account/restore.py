"""What a start takes over from the store: the ledger and the latest fills in it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from services.execution.account.ledger import FillKey, Holding
from services.execution.desk import Desk
from services.execution.reads.schedule import OVERLAP_MS, Reads
from shared.clock import NS_PER_MS


@dataclass(frozen=True, slots=True)
class StoredPosition:
    """A position as it was stored: base units, and its seq."""

    symbol: str
    quantity: Decimal
    entry_price: Decimal | None
    seq: int


@dataclass(frozen=True, slots=True)
class Stored:
    """Everything that is taken over.

    fills         keys and venue times of the latest journalled fills
    last_fill_ns  venue time of the newest of them; None = none yet
    known_ns      fills from before it may be counted without being among them; 0 = all are
    """

    ledger: Mapping[str, Decimal] = field(default_factory=dict)
    positions: Sequence[StoredPosition] = ()
    fills: Sequence[tuple[FillKey, int]] = ()
    last_fill_ns: int | None = None
    known_ns: int = 0


def restore(desk: Desk, reads: Reads, stored: Stored) -> None:
    """Take over sums, counted fills and positions. Positions stay unknown until the venue confirms them."""
    desk.ledger.load(stored.ledger, stored.fills)
    if stored.last_fill_ns is not None:
        last_ms = stored.last_fill_ns // NS_PER_MS
        complete_ms = min(last_ms, desk.ledger.complete_ms or last_ms)
        reads.set_start(max(complete_ms - OVERLAP_MS, stored.known_ns // NS_PER_MS))
    for position in stored.positions:
        desk.position_seq = max(desk.position_seq, position.seq)
    for position in stored.positions:
        symbol = desk.symbol(position.symbol)
        if symbol is not None and position.quantity:
            desk.holdings[position.symbol] = Holding(position.quantity, position.entry_price)
            symbol.position = symbol.instrument.lots_floor(position.quantity)
