"""Money: fills counted once, whoever tells them first; positions that follow from them.

The stream, replies and reads all tell of fills; the ledger counts each by (symbol, trade id,
order id). Order and position change in the same step, so the worst case never has a hole.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from services.execution.account.equity import EquityWatch
from services.execution.account.ledger import FillKey, Holding, key_of
from services.execution.desk import Desk
from services.execution.reads.schedule import Reads
from services.execution.requests import JournalFill, JournalFunding, StorePosition
from services.execution.symbols import Symbol
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import Fill
from shared.venues.base import VenueFill, VenueFunding

#: fills that an order's total claims and the venue's history does not show are given up after this
FORGIVE_NS = 30 * NS_PER_S
#: a best price older than this is no mid of a fill
MID_TTL_NS = 5 * NS_PER_S


class Accounting:
    """Positions, ledger and equity of one account."""

    def __init__(self, desk: Desk, reads: Reads) -> None:
        self._desk = desk
        self.equity = EquityWatch(desk, reads)
        #: when a fill or a funding payment was last counted (monotonic)
        self.counted_ns = 0

    # --- fills -----------------------------------------------------------------------------

    def on_fill(self, fill: VenueFill, now_ns: int) -> bool:
        """Count a fill; True when it was news."""
        desk = self._desk
        symbol = desk.symbol(fill.symbol)
        if symbol is None:
            desk.alert("a fill of an unknown symbol", symbol=fill.symbol, trade_id=fill.trade_id)
            return False
        holding = desk.holding(fill.symbol)
        quantity_before = holding.quantity
        changed = desk.ledger.count(fill, symbol.instrument, holding)
        if changed is None:
            return False
        self.counted_ns = now_ns
        order = desk.orders.find(fill.client_order_id, fill.venue_order_id)
        lots = symbol.instrument.lots_floor(fill.quantity)
        if order is not None and order.symbol == fill.symbol:
            desk.orders.set_venue_id(order, fill.venue_order_id)
            if desk.orders.count(order, lots, now_ns):
                desk.tell_order(order)
        else:
            order = None
        desk.touch(symbol)
        desk.wake(symbol)
        is_target = order is not None and order.is_target
        client_order_id = fill.client_order_id if order is None else order.client_order_id
        mid = self._mid(symbol, now_ns)
        desk.outbox.append(
            Fill(
                desk.account, fill.symbol, fill.trade_id, client_order_id, fill.venue_order_id, fill.side,
                round(fill.price / symbol.instrument.tick_size), lots, fill.is_maker, f"{fill.fee:f}",
                fill.fee_asset, None if mid is None else f"{mid:f}",
                symbol.instrument.lots_floor(holding.quantity), is_target, fill.venue_ns, now_ns,
            )
        )  # fmt: skip
        if holding.quantity != quantity_before:  # told after the fill that explains it
            symbol.on_position_filled(quantity_before, now_ns)
            self._set_position(symbol, fill.venue_ns)
        held = desk.held(symbol, fill.venue_ns)
        desk.outbox.append(JournalFill(fill, client_order_id, mid, is_target, held, changed))
        return True

    def on_fills(self, fills: Sequence[VenueFill], now_ns: int) -> list[FillKey]:
        """Count what a read shows; return what was news."""
        return [key_of(fill) for fill in fills if self.on_fill(fill, now_ns)]

    def _mid(self, symbol: Symbol, now_ns: int) -> Decimal | None:
        top = symbol.top
        if top is None or not symbol.is_open or now_ns - top.as_of_ns > MID_TTL_NS:
            return None
        if top.bid is None or top.ask is None:
            return None
        return symbol.instrument.tick_size * (top.bid + top.ask) / 2

    def on_funding(self, payments: Sequence[VenueFunding], now_ns: int) -> None:
        """Count funding payments since the session began."""
        desk = self._desk
        started_ms = desk.ledger.started_ms
        for payment in payments:
            instrument = desk.instruments.get(payment.symbol)
            if instrument is None or started_ms is None:
                continue
            if payment.interval_end_ns < started_ms * NS_PER_MS:
                continue
            changed = desk.ledger.fund(payment)
            if changed is not None:
                self.counted_ns = now_ns
                desk.outbox.append(JournalFunding(payment, instrument.quote, changed))

    def forgive(self, fills_read_ns: int, now_ns: int) -> None:
        """Give up on fills that were claimed long ago and that good reads of history do not show."""
        for order in list(self._desk.orders.owed()):
            if now_ns - order.changed_ns > FORGIVE_NS and fills_read_ns > order.changed_ns + NS_PER_S:
                self._desk.alert(
                    "claimed fills do not show", symbol=order.symbol, client_order_id=order.client_order_id
                )
                self._desk.orders.forgive(order, now_ns)
                self._desk.touch(self._desk.symbols[order.symbol])

    # --- positions --------------------------------------------------------------------------

    def adopt(self, symbol: Symbol, quantity: Decimal, entry_price: Decimal | None) -> None:
        """Take a position from the venue: every fill that it contains is counted."""
        self._desk.holdings[symbol.name] = Holding(quantity, entry_price)
        symbol.is_known = True
        self._set_position(symbol, 0)
        self._desk.outbox.append(StorePosition(self._desk.held(symbol, 0)))

    def doubt(self, symbol: Symbol, is_known: bool) -> None:
        """Mark a position as in doubt, or as confirmed again."""
        if symbol.is_known is not is_known:
            symbol.is_known = is_known
            self._desk.tell_position(symbol, 0)
            self._desk.outbox.append(StorePosition(self._desk.held(symbol, 0)))

    def _set_position(self, symbol: Symbol, venue_ns: int) -> None:
        symbol.position = symbol.instrument.lots_floor(self._desk.holding(symbol.name).quantity)
        self._desk.tell_position(symbol, venue_ns)
        self._desk.touch(symbol)
