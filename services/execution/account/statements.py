"""The periodic tie-out: what the venue says we own, against what the ledger says. Pure.

A statement holds balances and positions of one moment. It is compared once fills and funding
have been read since, and only when nothing was counted from before it until then: else the
two are not of the same moment. The first one begins the session; a difference that two in a row
show is an alert.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.execution.account.accounting import Accounting
from services.execution.account.tieout import differences, expected_cash, free_cash
from services.execution.desk import Desk
from services.execution.reads.schedule import NEVER_NS, Reads
from services.execution.requests import ReadKind, StoreLedger
from shared.accounting.money.exact import EXACT, ZERO
from shared.clock import NS_PER_MS, NS_PER_S
from shared.venues.base import VenueBalance, VenuePosition

#: pause after a statement that could not be compared, or that differs
AGAIN_NS = 5 * NS_PER_S
#: pause while the session has not begun: it begins with the first one
FIRST_NS = 500 * NS_PER_MS
#: a statement is compared within this, or not at all
PATIENCE_NS = 10 * NS_PER_S
_NEEDED = (ReadKind.FILLS, ReadKind.FUNDING)


@dataclass(frozen=True, slots=True)
class Statement:
    """Balances, and positions that were the same before and after the balances were read."""

    balances: Sequence[VenueBalance]
    positions: Sequence[VenuePosition]


@dataclass(frozen=True, slots=True)
class _Pending:
    cash: dict[str, Decimal]
    begun_ns: int
    ended_ns: int


class Statements:
    """Compares statements with the ledger.

    now_ns, venue_ms  one moment by the monotonic and by the venue's clock
    """

    def __init__(self, desk: Desk, reads: Reads, accounting: Accounting, now_ns: int, venue_ms: int) -> None:
        self._desk, self._reads, self._accounting = desk, reads, accounting
        self._zero_ms = venue_ms - now_ns // NS_PER_MS
        self._pending: _Pending | None = None
        self._again_ns: int | None = None
        self._differences: dict[str, Decimal] = {}
        self._told: dict[str, Decimal] = {}

    def on_statement(self, statement: Statement | None, begun_ns: int, now_ns: int) -> None:
        """Take up an answer; None = the positions would not stand still."""
        if statement is None:
            self._again(now_ns)
            return
        cash = free_cash(statement.balances, statement.positions, self._desk.instruments)
        self._pending = _Pending(cash, begun_ns, now_ns)

    def idle_until_ns(self) -> int:
        """Return until when `tick` has nothing to do."""
        if self._pending is not None:
            return 0
        return NEVER_NS if self._again_ns is None else self._again_ns

    def tick(self, now_ns: int) -> None:
        """Compare what can be compared; ask again where that is due."""
        if self._again_ns is not None and now_ns >= self._again_ns:
            self._again_ns = None
            self._reads.hurry(ReadKind.STATEMENT, now_ns)
        pending = self._pending
        if pending is None:
            return
        missing = [kind for kind in _NEEDED if self._reads.last_good_ns(kind) <= pending.ended_ns]
        if missing and now_ns - pending.ended_ns <= PATIENCE_NS:
            for kind in missing:
                self._reads.hurry(kind, now_ns)
            return
        self._pending = None
        is_moment = self._accounting.counted_ns < pending.begun_ns and not any(self._desk.orders.owed())
        if missing or not is_moment or not self._conclude(pending):
            self._again(now_ns)

    def _again(self, now_ns: int) -> None:
        has_begun = self._desk.ledger.started_ms is not None
        self._again_ns = now_ns + (AGAIN_NS if has_begun else FIRST_NS)

    def _conclude(self, pending: _Pending) -> bool:
        """Begin the session, or compare; True when all is well."""
        if self._desk.ledger.started_ms is None:
            return self._start(pending)
        found = differences(self._desk.ledger.snapshot(), pending.cash, self._desk.instruments)
        is_confirmed, self._differences = found == self._differences, found
        if is_confirmed and found != self._told:
            self._told = found
            texts = {asset: f"{difference:f}" for asset, difference in found.items()}
            if found:
                self._desk.alert("the ledger differs from the venue", venue_minus_ledger=str(texts))
            else:
                self._desk.alert("the ledger agrees with the venue again", is_error=False)
        return not found and is_confirmed

    def _start(self, pending: _Pending) -> bool:
        """Note what the session begins with, less what is in the sums already."""
        equity, ledger = self._accounting.equity.last, self._desk.ledger
        if equity is None:
            return False
        counted = expected_cash(ledger.snapshot(), self._desk.instruments)
        cash = {
            asset: EXACT.subtract(amount, counted.get(asset, ZERO)) for asset, amount in pending.cash.items()
        }
        began = ledger.start(equity.equity, cash, self._zero_ms + pending.begun_ns // NS_PER_MS)
        self._desk.outbox.append(StoreLedger(began))
        return True
