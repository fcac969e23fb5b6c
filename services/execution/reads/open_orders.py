"""Open orders as the venue shows them, against what we believe. Pure.

Ours that we do not know are adopted, and then cancelled, for nobody wants them; ours that are
missing are asked about one by one; ours that live although they were dead are believed after
two reads. What carries our tag but cannot be read is cancelled by its id, and while it is
there nothing counts as clear. Orders without our tag are not touched.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.execution.desk import Desk
from services.execution.orders.records import CONSISTENT_NS, Order
from services.execution.orders.transitions import RESTING
from services.execution.reads.schedule import Reads
from services.execution.reads.settle import Settler
from services.execution.requests import ReadKind, SendCancel
from shared.clock import NS_PER_MS, NS_PER_S
from shared.instrument import Instrument
from shared.messages import OrderStatus
from shared.venues.base import VenueOrder

#: two reads that show a dead order open must begin so far apart: one answer may be old
REVIVING_NS = 300 * NS_PER_MS
#: pause between cancels of an order that cannot be read
STRAY_NS = NS_PER_S


class OpenOrders:
    """Takes up complete lists of the account's open orders."""

    def __init__(self, desk: Desk, settler: Settler, reads: Reads) -> None:
        self._desk = desk
        self._settler = settler
        self._reads = reads
        #: dead orders that the latest read showed open -> when the first such read began
        self._risen: dict[int, int] = {}
        self._strays_due_ns = 0

    def on_read(self, shown: Sequence[VenueOrder], begun_ns: int, now_ns: int) -> None:
        """Take up a complete list of open orders."""
        desk = self._desk
        ours: dict[int, VenueOrder] = {}
        for found in shown:
            if found.client_order_id is not None and desk.ids.is_ours(found.client_order_id):
                ours[found.client_order_id] = found
                desk.ids.saw(found.client_order_id)
        self._risen = {identity: first for identity, first in self._risen.items() if identity in ours}
        strays = {}
        for client_order_id, found in ours.items():
            if not self._on_shown(client_order_id, found, begun_ns, now_ns):
                strays[client_order_id] = found
        self._take_up_strays(strays, now_ns)
        for order in list(desk.orders.live()):
            if order.client_order_id not in ours:
                self._on_missing(order, begun_ns, now_ns)
        busy = {found.symbol for found in ours.values()}
        for symbol in desk.symbols.values():
            if symbol.name not in busy:
                symbol.shown_clear_ns = max(symbol.shown_clear_ns, begun_ns)
                desk.touch(symbol)

    def _on_shown(self, client_order_id: int, found: VenueOrder, begun_ns: int, now_ns: int) -> bool:
        """Take up one of ours; False when it cannot be read."""
        order = self._desk.orders.find(client_order_id)
        if order is None:
            return self._adopt(client_order_id, found, now_ns)
        if order.symbol != found.symbol:
            return False  # the sequence has wrapped over an order that was left elsewhere
        if order.is_live:
            self._settler.venue_says(order, found, now_ns)
        else:
            self._on_risen(order, found, begun_ns, now_ns)
        return True

    def _on_risen(self, order: Order, found: VenueOrder, begun_ns: int, now_ns: int) -> None:
        """A dead order is shown open: by an answer from before its death, or it lives."""
        desk, identity = self._desk, order.client_order_id
        if begun_ns <= order.changed_ns:
            return
        first_ns = self._risen.get(identity, 0)
        if first_ns <= order.changed_ns:
            self._risen[identity] = begun_ns
            desk.symbols[order.symbol].orders.quiet_since_ns = now_ns  # not clear before it is shown gone
            self._reads.hurry(ReadKind.OPEN_ORDERS, now_ns, REVIVING_NS)
        elif begun_ns >= first_ns + REVIVING_NS:
            del self._risen[identity]
            filled = desk.symbols[order.symbol].instrument.lots_floor(found.filled)
            desk.orders.revive(order, filled, now_ns)
            desk.alert("an order lives that was dead", symbol=order.symbol, client_order_id=identity)
            desk.tell_order(order, "the venue shows it open")

    def _adopt(self, client_order_id: int, found: VenueOrder, now_ns: int) -> bool:
        """Take up an order of ours from before; False when it cannot be read."""
        desk = self._desk
        symbol = desk.symbol(found.symbol)
        if symbol is None or found.price is None:
            return False
        size = max(1, symbol.instrument.lots_floor(found.quantity))
        # how much of what it has filled is in the ledger, only a read of fills can tell
        filled = min(symbol.instrument.lots_floor(found.filled), size - 1)
        order = Order(
            client_order_id, found.symbol, found.side, int(found.price / symbol.instrument.tick_size), size,
            False, found.reduce_only, False, 0, now_ns,
            status=OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.LIVE,
            venue_order_id=found.venue_order_id, filled=filled, sent_ns=now_ns, seen_ns=now_ns,
            changed_ns=now_ns, is_placing=False, is_inherited=True,
        )  # fmt: skip
        desk.orders.add(order)
        desk.tell_order(order, "found at the venue")
        return True

    def _on_missing(self, order: Order, begun_ns: int, now_ns: int) -> None:
        is_overdue = order.seen_ns and begun_ns > order.seen_ns + CONSISTENT_NS
        if is_overdue and order.ask_due_ns is None and not order.is_cancelling and order.status in RESTING:
            order.ask_due_ns = now_ns

    # --- what cannot be read ----------------------------------------------------------------------

    def _take_up_strays(self, strays: dict[int, VenueOrder], now_ns: int) -> None:
        """Cancel by symbol and id what carries our tag and cannot be read; it blocks until it is gone."""
        desk = self._desk
        for client_order_id, found in strays.items():
            if client_order_id not in desk.strays:
                desk.alert(
                    "an order of ours cannot be read", symbol=found.symbol, client_order_id=client_order_id
                )
        if bool(strays) is not bool(desk.strays):
            desk.touched.update(desk.symbols)
        desk.strays = strays
        if now_ns < self._strays_due_ns:
            return
        for client_order_id, found in strays.items():
            if desk.budget.take_cancel(now_ns):
                self._strays_due_ns = now_ns + STRAY_NS
                instrument = desk.instruments.get(found.symbol) or Instrument.unlisted(found.symbol)
                desk.sends.append(SendCancel(instrument, client_order_id, found.venue_order_id, 0))
