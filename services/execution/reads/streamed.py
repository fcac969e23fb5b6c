"""What the private stream says, to whom it concerns."""

from __future__ import annotations

from services.execution.account.accounting import Accounting
from services.execution.account.ledger import key_of
from services.execution.account.reconciliation import Reconciliation
from services.execution.desk import Desk
from services.execution.reads.recovery import Recovery
from services.execution.reads.schedule import Reads
from services.execution.reads.settle import Settler
from services.execution.requests import ReadKind
from shared.venues.base import PrivateEvent, VenueFill, VenueOrder, VenuePosition


class Streamed:
    """Takes every event of the stream."""

    def __init__(
        self, desk: Desk, reads: Reads, recovery: Recovery, settler: Settler, accounting: Accounting,
        reconciliation: Reconciliation,
    ) -> None:  # fmt: skip
        self._desk, self._reads, self._recovery, self._settler = desk, reads, recovery, settler
        self._accounting, self._reconciliation = accounting, reconciliation

    def on_event(self, event: PrivateEvent, now_ns: int) -> None:
        desk = self._desk
        if desk.stream.on_event(now_ns):
            desk.alert("the private stream speaks again", is_error=False)
        if isinstance(event, VenueFill):
            desk.stream.told_fill(key_of(event))
            if self._recovery.is_loaded:  # before, nothing tells whether it is counted: it is read then
                self._accounting.on_fill(event, now_ns)
        elif isinstance(event, VenueOrder):
            self._on_order(event, now_ns)
        elif isinstance(event, VenuePosition):
            self._reconciliation.on_told(event, now_ns)

    def _on_order(self, event: VenueOrder, now_ns: int) -> None:
        desk = self._desk
        order = desk.orders.find(event.client_order_id, event.venue_order_id)
        if order is not None and order.symbol == event.symbol:
            self._settler.venue_says(order, event, now_ns, is_stream=True)
        elif desk.ids.is_ours(event.client_order_id) and event.is_live:
            self._reads.hurry(ReadKind.OPEN_ORDERS, now_ns)
