"""Execution's side of Redis: what is loaded at start, what is written, client ids, halts.

Nothing here blocks the loop: reads run in workers, writes in the writer's thread. Orders
change far more often than anybody reads them from Redis, so they are handed over 20 times
a second at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from services.execution.account.restore import Stored
from services.execution.account.restore import StoredPosition as Taken
from services.execution.live import run_start
from services.execution.requests import HeldPosition, JournalFill, JournalFunding
from shared.clock import NS_PER_MS, Clock
from shared.errors import Unknown
from shared.instrument import Instrument
from shared.messages import Equity, Working
from shared.state.journal import Change, Journal
from shared.state.records import (
    FillEntry,
    FundingEntry,
    JournalEntry,
    StoredEquity,
    StoredOrder,
    StoredOrders,
    StoredPosition,
)
from shared.state.store import StateStore
from shared.state.writer import StateWriter

FLUSH_NS = 50 * NS_PER_MS
#: journal entries that are loaded to know which fills are counted: minutes of the busiest trading
TAIL = 5_000


class StoreLink:
    """The keys of one account."""

    def __init__(self, store: StateStore, account: str, clock: Clock, run_id: int | None = None) -> None:
        self._run_id = run_id
        self._store = store
        self._account = account
        self._clock = clock
        self._writer = StateWriter(store, account, clock)
        self._working: dict[str, tuple[Working, Instrument]] = {}
        self._seq = 0

    def start(self) -> None:
        self._writer.start()

    def is_healthy(self, now_ns: int) -> bool:
        return self._writer.is_healthy(now_ns)

    def stop(self) -> bool:
        """Write what is left; True when nothing was left behind."""
        self.flush()
        return self._writer.stop()

    # --- for workers -------------------------------------------------------------------------

    def load(self) -> Stored:
        """Read what a start takes over, all of one moment. Raises: Unknown."""
        run_start.begin(self._store, self._account, self._run_id)
        journal = self._store.journal(self._account)
        mark = journal.last_id()
        stored, entries = self._load(journal)
        if journal.last_id() != mark:
            raise Unknown("the journal grows while it is read")
        self._writer.remember(entries, stored.ledger)
        return stored

    def _load(self, journal: Journal) -> tuple[Stored, list[JournalEntry]]:
        entries = journal.tail(TAIL)
        fills = [
            ((entry.symbol, entry.trade_id, entry.venue_order_id), entry.venue_ns)
            for entry in entries
            if isinstance(entry, FillEntry)
        ]
        known_ns = max(entry.venue_ns for entry in entries[:1]) if len(entries) == TAIL else 0
        positions = [
            Taken(symbol, stored.quantity, stored.entry_price, stored.seq)
            for symbol, stored in self._store.positions(self._account).items()
        ]
        ledger = self._store.ledger(self._account)
        return Stored(ledger, positions, fills, journal.last_venue_ns(), known_ns), entries

    def reserve_ids(self, count: int, above: int) -> range:
        """Raises: Unknown."""
        return self._store.reserve_client_ids(self._account, count, above)

    def halts(self) -> dict[str, str]:
        """Raises: Unknown."""
        return self._store.halts()

    def forget_closing(self) -> None:
        """Forget how the last process ended. Raises: Unknown."""
        self._store.drop_ledger(self._account, run_start.CLOSING)

    def put_ledger(self, values: dict[str, Decimal]) -> None:
        """Raises: Unknown."""
        self._store.put_ledger(self._account, values)

    # --- for the loop ------------------------------------------------------------------------

    def keep_working(self, working: Working, instrument: Instrument) -> None:
        self._working[working.symbol] = (working, instrument)

    def keep_equity(self, equity: Equity) -> None:
        self._writer.put_equity(
            StoredEquity(_decimal(equity.equity_usd), _decimal(equity.available_usd), self._clock.wall_ns())
        )

    def keep_ledger(self, values: Mapping[str, Decimal]) -> None:
        self._writer.put_ledger(values)

    def keep_position(self, held: HeldPosition) -> None:
        self._writer.put_position(held.symbol, self._stored(held))

    def append_fill(self, journal: JournalFill) -> None:
        fill, held = journal.fill, journal.position
        entry = FillEntry(
            fill.symbol, fill.trade_id, fill.venue_order_id, journal.client_order_id, fill.side, fill.price,
            fill.quantity, fill.is_maker, fill.fee, fill.fee_asset, journal.mid, held.quantity,
            journal.is_target, fill.venue_ns, self._clock.wall_ns(),
        )  # fmt: skip
        self._writer.append(Change(entry, self._stored(held), journal.ledger))

    def append_funding(self, journal: JournalFunding) -> None:
        funding = journal.funding
        entry = FundingEntry(
            funding.symbol, funding.amount, journal.asset, funding.interval_end_ns, self._clock.wall_ns()
        )
        self._writer.append(Change(entry, None, journal.ledger))

    def flush(self) -> None:
        """Hand the newest orders of every changed symbol to the writer."""
        for symbol, (working, instrument) in self._working.items():
            self._seq += 1
            orders = tuple(
                StoredOrder(
                    order.client_order_id, order.venue_order_id, order.side, instrument.price(order.price),
                    instrument.quantity(order.size), instrument.quantity(order.filled), order.status,
                    order.reduce_only, order.placed_ns,
                )
                for order in working.orders
            )  # fmt: skip
            self._writer.put_orders(
                symbol, StoredOrders(orders, working.state, self._seq, self._clock.wall_ns())
            )
        self._working.clear()

    def _stored(self, held: HeldPosition) -> StoredPosition:
        return StoredPosition(
            held.quantity, held.entry_price, held.is_known, held.seq, held.venue_ns, self._clock.wall_ns()
        )


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))
