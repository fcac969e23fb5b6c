"""Our orders: what we asked for, what the venue told, and what they may still do to the position.

Exposure of an order = the lots that may still change the position: all that are not yet
counted in the ledger while it may be live; after its death those which the venue says were
filled and whose fills have not arrived. Totals are kept per symbol and side.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from services.execution.orders.transitions import MAYBE_LIVE, Event, next_status
from shared.clock import NS_PER_MS, NS_PER_S
from shared.errors import Fatal
from shared.messages import OrderStatus, Side, WorkingOrder

#: a dead order is remembered for so long, to attribute late fills and reads that overlap its death
REMEMBERED_NS = 120 * NS_PER_S
#: a read that begins sooner after the venue has told something may be answered from before
CONSISTENT_NS = 500 * NS_PER_MS


@dataclass(slots=True, eq=False)
class Order:
    """One of our orders; ticks and lots.

    filled         the most that fills, stream, replies or reads have told
    counted        lots of it that are in the ledger
    sent_ns        when the first byte of the placement left (0 = not yet)
    seen_ns        when the venue last showed it to us (0 = never: it may not exist)
    changed_ns     when its status last changed
    cancel_*       the cancel under way: attempts, when the next one is due, whether one is in flight
    ask_due_ns     when the venue must be asked about it; None = nothing to ask
    asked_ns       when the question under way (is_asking) was asked
    absent_reads   reads begun after its window that did not show it
    is_inherited   it has filled before it was taken up: which of those fills the ledger holds is not known
    stamp_ms       venue time that its placement was signed with (0 = not by this process)
    told           what was published of it last
    verdict        what its side has counted of it: "" = nothing yet, "accepted", or why it was refused
    refusals_before  what of its side's refusals its acceptance ended
    """

    client_order_id: int
    symbol: str
    side: Side
    price: int
    size: int
    post_only: bool
    reduce_only: bool
    is_target: bool
    cause_ns: int
    created_ns: int
    status: OrderStatus = OrderStatus.PENDING_NEW
    venue_order_id: str | None = None
    filled: int = 0
    counted: int = 0
    sent_ns: int = 0
    seen_ns: int = 0
    changed_ns: int = 0
    is_placing: bool = True
    is_cancelling: bool = False
    cancel_tries: int = 0
    cancel_due_ns: int = 0
    ask_due_ns: int | None = None
    is_asking: bool = False
    asked_ns: int = 0
    asks: int = 0
    absent_reads: int = 0
    is_inherited: bool = False
    stamp_ms: int = 0
    told: tuple[OrderStatus, int, int, str | None] | None = None
    verdict: str = ""
    refusals_before: tuple[int, int] = (0, 0)

    @property
    def is_live(self) -> bool:
        """True while it may be live at the venue."""
        return self.status in MAYBE_LIVE

    @property
    def leaves(self) -> int:
        return self.size - self.filled

    @property
    def exposure(self) -> int:
        """Lots that may still change the position."""
        return (self.size if self.status in MAYBE_LIVE else self.filled) - self.counted

    def to_working(self) -> WorkingOrder:
        return WorkingOrder(
            self.client_order_id, self.venue_order_id, self.side, self.price, self.size, self.filled,
            self.status, self.sent_ns or self.created_ns, self.reduce_only,
        )  # fmt: skip


class SymbolOrders:
    """Our orders of one symbol that may be live, in order of creation, with their exposure.

    version  grows with whatever makes a difference to what rests for a wanted level, or to the exposure
    """

    __slots__ = ("buying", "live", "owed", "quiet_since_ns", "selling", "version")

    def __init__(self) -> None:
        self.live: dict[int, Order] = {}
        #: dead orders with fills that have not arrived
        self.owed: dict[int, Order] = {}
        self.buying = 0
        self.selling = 0
        self.version = 0
        #: when an order of this symbol was last sent, shown or changed: a read begun later proves something
        self.quiet_since_ns = 0

    def exposure(self, side: Side) -> int:
        return self.buying if side is Side.BUY else self.selling


class OwnOrders:
    """Every order of an account that is, or recently was, ours."""

    def __init__(self) -> None:
        self._orders: dict[int, Order] = {}
        self._by_venue_id: dict[str, Order] = {}
        self._symbols: dict[str, SymbolOrders] = {}
        self._dead: deque[tuple[int, int]] = deque()  # (died_ns, client order id)
        self._inherited: dict[int, Order] = {}

    def of(self, symbol: str) -> SymbolOrders:
        found = self._symbols.get(symbol)
        if found is None:
            found = self._symbols[symbol] = SymbolOrders()
        return found

    def find(self, client_order_id: int | None, venue_order_id: str | None = None) -> Order | None:
        order = None if client_order_id is None else self._orders.get(client_order_id)
        if order is None and venue_order_id is not None:
            order = self._by_venue_id.get(venue_order_id)
        return order

    def live(self) -> Iterator[Order]:
        """Yield every order that may be live, by symbol."""
        for symbol in self._symbols.values():
            yield from symbol.live.values()

    def owed(self) -> Iterator[Order]:
        for symbol in self._symbols.values():
            yield from symbol.owed.values()

    def has_owed(self) -> bool:
        return any(symbol.owed for symbol in self._symbols.values())

    def has_inherited(self) -> bool:
        return bool(self._inherited)

    def has_live(self) -> bool:
        return any(symbol.live for symbol in self._symbols.values())

    def add(self, order: Order) -> None:
        """Take up an order before its first byte leaves. Raises: Fatal when its id is in use."""
        if order.client_order_id in self._orders:
            raise Fatal(f"client order id {order.client_order_id} is used twice")
        self._orders[order.client_order_id] = order
        if order.is_inherited:
            self._inherited[order.client_order_id] = order
        self.set_venue_id(order, order.venue_order_id)
        self._update(order, 0, order.created_ns)

    def set_venue_id(self, order: Order, venue_order_id: str | None) -> None:
        if venue_order_id and order.venue_order_id != venue_order_id:
            order.venue_order_id = venue_order_id
        if order.venue_order_id:
            self._by_venue_id[order.venue_order_id] = order

    def apply(self, order: Order, event: Event, now_ns: int) -> bool:
        """Let an event happen to an order; True when its status changed. Raises: Fatal."""
        before, old = order.exposure, order.status
        order.status = new = next_status(old, event)
        if event is Event.ACCEPTED or event is Event.REVIVED:
            order.seen_ns = now_ns
        # an order stands for its level from its sending on: its acceptance makes no difference
        is_same = new is old or (old is OrderStatus.PENDING_NEW and new is OrderStatus.LIVE)
        self._update(order, before, now_ns, not is_same)
        if new is old:
            return False
        order.changed_ns = now_ns
        return True

    def claim(self, order: Order, filled: int, now_ns: int) -> bool:
        """The venue tells how much of an order is filled in all; True when that is news.

        Raises: Fatal when it is more than the order's size.
        """
        if filled <= order.filled:
            return False
        if filled > order.size:
            raise Fatal(f"order {order.client_order_id} of {order.size} lots has filled {filled}")
        before = order.exposure
        order.filled = filled
        order.seen_ns = now_ns
        order.status = next_status(order.status, Event.FILL_ALL if not order.leaves else Event.FILL_PART)
        order.changed_ns = now_ns
        self._update(order, before, now_ns)
        return True

    def count(self, order: Order, lots: int, now_ns: int) -> bool:
        """A fill of this order has entered the ledger; True when the order's own state changed."""
        before = order.exposure
        order.counted += lots
        if order.is_inherited:  # what was settled by `settle_inherited` may still turn up one by one
            order.counted = min(order.counted, order.size)
        self._update(order, before, now_ns)
        return self.claim(order, order.counted, now_ns)

    def resize(self, order: Order, size: int, now_ns: int) -> None:
        """The venue has changed an order's size (it shrinks reduce-only orders)."""
        before = order.exposure
        order.size = max(size, order.filled, 1)
        self._update(order, before, now_ns)

    def inherit(self, order: Order) -> None:
        """Which of its fills the ledger holds is not known."""
        order.is_inherited = True
        self._inherited[order.client_order_id] = order

    def revive(self, order: Order, filled: int, now_ns: int) -> None:
        """An order that was dead to us rests at the venue, with so much filled: believe it.

        Its leaves are exposure again. Lots beyond `filled` that are in the ledger were not its own.
        """
        before = order.exposure
        order.status = next_status(order.status, Event.REVIVED)
        order.filled = min(filled, order.size - 1)  # what rests has something left
        order.counted = min(order.counted, order.filled)
        order.seen_ns = order.changed_ns = now_ns
        self.inherit(order)
        self._update(order, before, now_ns)

    def settle_inherited(self, fills_read_ns: int, now_ns: int) -> None:
        """Count what inherited orders have filled as in the ledger, once a read of fills proves it.

        fills_read_ns  a good read of fills began then: what it did not bring was counted before
        """
        for order in self._inherited.values():
            if order.counted < order.filled and fills_read_ns > order.changed_ns + CONSISTENT_NS:
                before = order.exposure
                order.counted = order.filled
                self._update(order, before, now_ns)

    def forgive(self, order: Order, now_ns: int) -> None:
        """Give up waiting for fills which the venue claimed and its history does not show."""
        before = order.exposure
        order.filled = order.counted
        self._update(order, before, now_ns)

    def forget(self, now_ns: int) -> None:
        """Drop orders that have been dead for long."""
        while self._dead and self._dead[0][0] <= now_ns - REMEMBERED_NS:
            _, client_order_id = self._dead.popleft()
            order = self._orders.get(client_order_id)
            if order is None or order.is_live or order.exposure:
                continue
            if order.changed_ns > now_ns - REMEMBERED_NS:
                continue  # revived since, and dead once more: a later entry is for it
            del self._orders[client_order_id]
            self._inherited.pop(client_order_id, None)
            if order.venue_order_id:
                self._by_venue_id.pop(order.venue_order_id, None)

    def drop_dead(self, symbol: str) -> None:
        """Forget the dead orders of a symbol at once: their ticks and lots are not the symbol's any more."""
        for order in list(self._orders.values()):
            if order.symbol == symbol and not order.is_live and not order.exposure:
                del self._orders[order.client_order_id]
                if order.venue_order_id:
                    self._by_venue_id.pop(order.venue_order_id, None)

    def _update(self, order: Order, before: int, now_ns: int, is_different: bool = True) -> None:
        symbol = self.of(order.symbol)
        if now_ns > symbol.quiet_since_ns:
            symbol.quiet_since_ns = now_ns
        after = order.exposure
        if is_different or after != before:
            symbol.version += 1
        if order.side is Side.BUY:
            symbol.buying += after - before
        else:
            symbol.selling += after - before
        identity = order.client_order_id
        if order.status in MAYBE_LIVE:
            symbol.owed.pop(identity, None)
            if identity not in symbol.live:
                symbol.live[identity] = order
            return
        is_news = symbol.live.pop(identity, None) is not None
        if after:
            symbol.owed[identity] = order
        elif symbol.owed.pop(identity, None) is not None or is_news:
            self._dead.append((now_ns, identity))
