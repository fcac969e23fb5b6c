"""What the timer looks after: reads that somebody waits for, client ids, things that grow old. Pure."""

from __future__ import annotations

from services.execution.account.accounting import Accounting
from services.execution.account.reconciliation import Reconciliation
from services.execution.account.rules import Rules
from services.execution.account.statements import Statements
from services.execution.desk import Desk
from services.execution.gate import Gate
from services.execution.orders.client_ids import BLOCK
from services.execution.reads.recovery import Recovery
from services.execution.reads.schedule import Reads
from services.execution.reads.settle import Settler
from services.execution.requests import ReadKind, ReserveIds
from services.execution.sending.sender import Sender
from shared.clock import NS_PER_MS, NS_PER_S

#: fills that are claimed but have not come after this are read
OWED_NS = 300 * NS_PER_MS
SLOW_NS = NS_PER_S
#: what shows the ids that were used before, should Redis have lost them
_ID_SOURCES = (ReadKind.OPEN_ORDERS, ReadKind.ORDER_HISTORY, ReadKind.FILLS)


class Housekeeping:
    """Runs on every tick; what may be slow runs once a second."""

    def __init__(
        self, desk: Desk, gate: Gate, reads: Reads, recovery: Recovery, sender: Sender, settler: Settler,
        accounting: Accounting, reconciliation: Reconciliation, rules: Rules, statements: Statements,
    ) -> None:  # fmt: skip
        self._desk, self._gate, self._reads, self._recovery = desk, gate, reads, recovery
        self._sender, self._settler = sender, settler
        self._accounting, self._reconciliation, self._rules = accounting, reconciliation, rules
        self._statements = statements
        self._slow_due_ns = 0

    def tick(self, now_ns: int) -> None:
        self._rules.tick(now_ns)
        self._statements.tick(now_ns)
        self._hurry_reads(now_ns)
        self._reads.tick(now_ns, self._recovery.held())
        self._desk.orders.settle_inherited(self._reads.last_good_ns(ReadKind.FILLS), now_ns)
        self._reserve_ids()
        if now_ns >= self._slow_due_ns:
            self._slow_due_ns = now_ns + SLOW_NS
            self._reconciliation.tick(now_ns)
            self._accounting.equity.tick(now_ns)
            self._accounting.forgive(self._reads.last_good_ns(ReadKind.FILLS), now_ns)
            self._desk.orders.forget(now_ns)

    def idle_until_ns(self) -> int:
        """Return until when `tick` has nothing to do; 0 = it has, or may have, at once."""
        desk, soonest_ns = self._desk, self._reads.idle_until_ns
        if not soonest_ns:
            return 0
        if not self._recovery.is_complete or self._gate.is_stopping or desk.halts or desk.strays:
            return 0
        if desk.has_new_symbol or self._sender.wants_rules or self._settler.wants_fills:
            return 0
        if desk.orders.has_owed() or desk.orders.has_inherited() or desk.ids.needs_block():
            return 0
        for symbol in desk.symbols.values():
            if not symbol.is_open or symbol.pending is not None:
                return 0
        return min(self._slow_due_ns, soonest_ns, self._statements.idle_until_ns())

    def _hurry_reads(self, now_ns: int) -> None:
        """Make at once the reads that something waits for."""
        desk, reads = self._desk, self._reads
        if desk.has_new_symbol:
            desk.has_new_symbol = False
            reads.hurry(ReadKind.POSITIONS, now_ns)
            reads.hurry(ReadKind.BALANCES, now_ns)
        if self._sender.wants_rules:
            self._sender.wants_rules = False
            reads.hurry(ReadKind.INSTRUMENTS, now_ns)
        is_owed = desk.orders.has_owed() and any(
            now_ns - order.changed_ns > OWED_NS for order in desk.orders.owed()
        )
        if is_owed or self._settler.wants_fills:
            self._settler.wants_fills = False
            reads.hurry(ReadKind.FILLS, now_ns)
        self._recovery.hurry(now_ns)
        self._gate.seek_confirmation(now_ns)

    def _reserve_ids(self) -> None:
        """Reserve ahead of need; the first block only when the venue has shown which ids it knows."""
        ids, reads = self._desk.ids, self._reads
        if ids.needs_block() and (ids.left or all(reads.last_good_ns(kind) for kind in _ID_SOURCES)):
            ids.on_reserving()
            self._desk.outbox.append(ReserveIds(BLOCK, ids.highest))
