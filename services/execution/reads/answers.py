"""Answers of reads, each to the part that asked. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.execution.account.accounting import Accounting
from services.execution.account.reconciliation import Reconciliation
from services.execution.account.rules import Rules
from services.execution.account.statements import Statements
from services.execution.desk import Desk
from services.execution.gate import Gate
from services.execution.reads.open_orders import OpenOrders
from services.execution.reads.schedule import Reads
from services.execution.reads.settle import Settler
from services.execution.requests import CheckClock, ReadKind, StartRead
from shared.venues.base import VenueFill


class Answers:
    """Takes up what the venue answers; any answer shows that it is there."""

    def __init__(
        self,
        desk: Desk,
        gate: Gate,
        reads: Reads,
        settler: Settler,
        open_orders: OpenOrders,
        accounting: Accounting,
        reconciliation: Reconciliation,
        rules: Rules,
        statements: Statements,
    ) -> None:
        self._desk = desk
        self._gate = gate
        self._reads = reads
        self._settler = settler
        self._open_orders = open_orders
        self._accounting = accounting
        self._reconciliation = reconciliation
        self._rules = rules
        self._statements = statements

    def on_read(self, read: StartRead, answer: Any, begun_ns: int, now_ns: int) -> None:
        """`answer` is what the account client returned for this kind."""
        desk, kind = self._desk, read.kind
        desk.budget.on_answered(begun_ns)
        if desk.venue.on_answered(begun_ns):
            desk.wake_all()
            desk.touched.update(desk.symbols)
        if kind is ReadKind.FIND_ORDER:
            self._settler.on_found(read.client_order_id, answer, begun_ns, now_ns)
            return
        is_resynced = self._reads.last_good_ns(ReadKind.FILLS) > desk.stream.up_since_ns
        self._reads.on_done(kind, begun_ns)
        if kind is ReadKind.OPEN_ORDERS:
            self._open_orders.on_read(answer, begun_ns, now_ns)
        elif kind is ReadKind.ORDER_HISTORY:
            desk.ids.saw_history(order.client_order_id for order in answer)
        elif kind is ReadKind.POSITIONS:
            self._reconciliation.on_positions(answer, begun_ns, now_ns)
        elif kind is ReadKind.BALANCES:
            self._reconciliation.on_balances(answer, begun_ns, now_ns)
        elif kind is ReadKind.FILLS:
            desk.ledger.complete(read.newest_ns)
            self._on_fills(answer, is_resynced, now_ns)
        elif kind is ReadKind.EQUITY:
            self._accounting.equity.on_read(answer, begun_ns, now_ns)
        elif kind is ReadKind.FUNDING:
            self._accounting.on_funding(answer, now_ns)
        elif kind is ReadKind.STATEMENT:
            self._statements.on_statement(answer, begun_ns, now_ns)
        elif kind is ReadKind.INSTRUMENTS:
            self._rules.on_read(answer, now_ns)

    def on_failed(
        self, read: StartRead, text: str, retry_after_s: float | None, begun_ns: int, now_ns: int
    ) -> None:
        """A read was not answered: nothing follows for what it asked about."""
        desk = self._desk
        if retry_after_s is not None:
            desk.budget.on_rate_limited(retry_after_s, begun_ns, now_ns)
        else:
            desk.venue.on_failed(now_ns)
            desk.outbox.append(CheckClock())  # it may be our timestamps that it refuses
        if read.kind is ReadKind.FIND_ORDER:
            self._settler.on_failed(read.client_order_id, now_ns)
        else:
            self._reads.on_failed(read.kind, now_ns)
        desk.alert("a read failed", read=read.kind.value, error=text)

    def on_withheld(self, read: StartRead, now_ns: int) -> None:
        """A read was not made, for our own reasons: it is made when the budget allows."""
        if read.kind is ReadKind.FIND_ORDER:
            self._settler.on_failed(read.client_order_id, now_ns)
        else:
            self._reads.on_withheld(read.kind, now_ns)

    def _on_fills(self, fills: Sequence[VenueFill], is_resynced: bool, now_ns: int) -> None:
        desk = self._desk
        for fill in fills:
            if fill.client_order_id is not None:
                desk.ids.saw(fill.client_order_id)
        for key in self._accounting.on_fills(fills, now_ns):
            if is_resynced and self._gate.is_recovered:
                desk.stream.expect_fill(key, now_ns)
