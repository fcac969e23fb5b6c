"""Settling by asking: what became of an order whose outcome is not known.

"It never existed" takes two reads, both begun after the signed window has passed, that show
it neither open nor in history. For an order which the venue has shown before, two such
reads mean that it is gone, and the fills must have been read since. One answer proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from services.execution.desk import Desk
from services.execution.orders.records import CONSISTENT_NS, Order
from services.execution.orders.transitions import Event
from services.execution.reads.schedule import ABANDON_NS, NEVER_NS
from services.execution.requests import ReadKind, StartRead
from services.execution.sending.sender import Sender
from shared.clock import NS_PER_MS
from shared.errors import Refused
from shared.messages import OrderStatus
from shared.venues.base import VenueOrder

#: pauses between questions about one order
ASK_AGAIN_NS = (100 * NS_PER_MS, 250 * NS_PER_MS, 500 * NS_PER_MS, 1_000 * NS_PER_MS)
#: by so much an order may seem to be older than the stamp that it was signed with
CLOCK_ERROR_NS = 5_000 * NS_PER_MS
#: what rests needs nothing, nor what is being placed: its reply, or that there is none, is told
_QUIET = (OrderStatus.LIVE, OrderStatus.PARTIALLY_FILLED, OrderStatus.PENDING_NEW)


class Settler:
    """Asks the venue about orders.

    fills_read_ns  returns when the latest good read of fills began
    """

    def __init__(self, desk: Desk, sender: Sender, fills_read_ns: Callable[[], int]) -> None:
        self._desk = desk
        self._sender = sender
        self._fills_read_ns = fills_read_ns
        self.wants_fills = False

    def tick(self, now_ns: int) -> None:
        """Ask what is due; repeat cancels that are due."""
        for order in tuple(self._desk.orders.live()):
            if order.status is OrderStatus.PENDING_CANCEL and not order.is_cancelling:
                self._sender.cancel(order, 0, now_ns)
            if order.status is OrderStatus.UNKNOWN and order.ask_due_ns is None:
                order.ask_due_ns = now_ns
            if order.is_asking and now_ns - order.asked_ns > ABANDON_NS:
                self.on_failed(order.client_order_id, now_ns)
            if order.ask_due_ns is not None and not order.is_asking and now_ns >= order.ask_due_ns:
                self._ask(order, now_ns)

    def idle_until_ns(self) -> int:
        """Return until when `tick` has nothing to do; 0 = it has, or may have, at once."""
        until_ns = NEVER_NS
        for order in self._desk.orders.live():
            is_waiting = order.status is OrderStatus.PENDING_CANCEL and order.is_cancelling
            if not (is_waiting or order.status in _QUIET):
                return 0
            if order.is_asking:
                until_ns = min(until_ns, order.asked_ns + ABANDON_NS)
            elif order.ask_due_ns is not None:
                until_ns = min(until_ns, order.ask_due_ns)
        return until_ns

    def _ask(self, order: Order, now_ns: int) -> None:
        if self._desk.budget.may_read(now_ns):
            order.is_asking = True
            order.asked_ns = now_ns
            self._desk.outbox.append(
                StartRead(ReadKind.FIND_ORDER, symbol=order.symbol, client_order_id=order.client_order_id)
            )

    def on_failed(self, client_order_id: int, now_ns: int) -> None:
        """The question was not answered: ask again."""
        order = self._desk.orders.find(client_order_id)
        if order is not None:
            order.is_asking = False
            self._ask_later(order, now_ns)

    def on_found(self, client_order_id: int, found: VenueOrder | None, begun_ns: int, now_ns: int) -> None:
        """Take up the answer. None = the venue shows no such order."""
        order = self._desk.orders.find(client_order_id)
        if order is None:
            return
        order.is_asking = False
        if found is not None and self._is_same(order, found):
            order.absent_reads = 0
            order.asks = 0
            order.ask_due_ns = None
            self.venue_says(order, found, now_ns)
            if order.status is OrderStatus.PENDING_CANCEL:
                order.ask_due_ns = now_ns + ASK_AGAIN_NS[-1]
        elif order.is_live:
            self._on_absent(order, begun_ns, now_ns)
        else:
            order.ask_due_ns = None

    def _is_same(self, order: Order, found: VenueOrder) -> bool:
        """False for an older order with the same id: the sequence wraps, or was lost with Redis."""
        if order.venue_order_id is not None:
            return found.venue_order_id == order.venue_order_id
        if found.side is not order.side:
            return False
        if not found.is_live and found.venue_ns and order.stamp_ms:
            earliest_ns = order.stamp_ms * NS_PER_MS - CLOCK_ERROR_NS
            if found.venue_ns < earliest_ns:
                return False  # dead, and from before ours was signed
        instrument = self._desk.symbols[order.symbol].instrument
        return found.price is None or found.price == instrument.price(order.price)

    def _on_absent(self, order: Order, begun_ns: int, now_ns: int) -> None:
        if begun_ns <= self._proving_ns(order):
            self._ask_later(order, now_ns, not_before_ns=self._proving_ns(order) + 1)
            return
        order.absent_reads += 1
        if order.absent_reads == 1:
            order.asks = 1
            self._ask_later(order, now_ns)
        elif order.seen_ns and self._fills_read_ns() <= self._proving_ns(order):
            self.wants_fills = True  # it is gone: filled, perhaps, and we have not heard of it
            self._ask_later(order, now_ns)
        else:
            order.ask_due_ns = None
            event = Event.CANCELLED if order.seen_ns else Event.ABSENT
            self._desk.orders.apply(order, event, now_ns)
            self._desk.tell_order(order, "the venue shows it neither open nor in history")

    def _proving_ns(self, order: Order) -> int:
        """Return after when a read must begin for absence to mean something."""
        if order.seen_ns:
            return order.seen_ns + CONSISTENT_NS
        return (order.sent_ns or order.created_ns) + self._desk.window_ns

    def _ask_later(self, order: Order, now_ns: int, not_before_ns: int = 0) -> None:
        pause_ns = ASK_AGAIN_NS[min(order.asks, len(ASK_AGAIN_NS) - 1)]
        order.asks += 1
        due_ns = now_ns + pause_ns
        # it may still appear before its window has passed, so the pauses hold until then
        order.ask_due_ns = min(due_ns, not_before_ns) if not_before_ns > now_ns else due_ns

    def venue_says(self, order: Order, said: VenueOrder, now_ns: int, is_stream: bool = False) -> None:
        """Apply the venue's view of an order: stream event, open orders or answer.

        A stream that tells what a reply has told is no reason to look at the symbol again.
        """
        desk, orders = self._desk, self._desk.orders
        symbol = desk.symbols[order.symbol]
        orders.set_venue_id(order, said.venue_order_id)
        try:
            size = symbol.instrument.lots(said.quantity)
            filled = symbol.instrument.lots(said.filled) if said.filled else 0
        except Refused:
            desk.alert("an order is not in whole lots", symbol=order.symbol, quantity=str(said.quantity))
            return
        before = (order.status, order.filled, order.size)
        if 0 < size < order.size and (said.is_live or said.status == "filled"):
            orders.resize(order, size, now_ns)
        was_new = not order.seen_ns
        orders.claim(order, min(filled, order.size), now_ns)
        if said.is_live:
            orders.apply(order, Event.ACCEPTED, now_ns)
        elif said.status == "cancelled":
            orders.apply(order, Event.CANCELLED, now_ns)
        elif order.status is not OrderStatus.FILLED:
            orders.apply(order, Event.EXPIRED, now_ns)
        if was_new:
            order.seen_ns = now_ns
        if said.reason and not order.is_live and not order.filled:
            self._sender.on_ended(order, said.reason, now_ns)
        elif was_new:
            self._sender.on_accepted(order)
        is_news = was_new or before != (order.status, order.filled, order.size)
        if is_news or not is_stream or (order.cancel_tries and order.is_live):
            desk.tell_order(order)
