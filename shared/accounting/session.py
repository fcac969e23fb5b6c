"""Statistics of one symbol over one session, fed with what happens as it happens.

In          Top, Trade, Mark, Fill, Working, OrderUpdate, Quotes, funding; the time of each
Out         `report()`: the present sums, at any time
State       sums, pending markouts and paths, all bounded whatever the length
On failure  nothing can fail: what is not known is None in the report

`on_top` is called for every market event: while nothing of ours is touched it compares a few
integers. The state before an event has held since the one before, so what is due in between
(a markout, a look) is settled with it.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from shared.accounting.fills import execution_of
from shared.accounting.money.exact import multiply
from shared.accounting.money.ledger import SymbolLedger
from shared.accounting.money.values import Denomination, Execution
from shared.accounting.report import Activity, Presences, Report, costs_of, goal_for, money_of, ratio
from shared.accounting.watched.looks import Looks
from shared.accounting.watched.markouts import Markouts
from shared.accounting.watched.mids import MidHistory
from shared.accounting.watched.orders import OrderCounts, Remembered
from shared.accounting.watched.paths import FillMark, FillMarks
from shared.accounting.watched.presence import Presence
from shared.accounting.watched.program import program_of
from shared.accounting.watched.queue import QueueWatch
from shared.clock import NS_PER_MS
from shared.instrument import Instrument
from shared.messages import Fill, Mark, OrderUpdate, Quotes, Side, Top, Trade, Working, WorkingOrder

LOOK_NS = 250 * NS_PER_MS


class SessionStats:
    """One symbol's ledger and everything that is counted beside it.

    start_ns      beginning of the session, on the clock of all the events
    top_has_own   whether the market's best sizes contain our own orders
    is_venue_time whether the times of events are the venue's own, as in a replay: fills are placed
                  among mids by their `venue_ns`, live by that of the market's messages
    goal_per_10k  what 10,000 of volume may cost, quote units; None = as `goal_for` says (row X20)
    """

    def __init__(
        self, instrument: Instrument, start_ns: int, *, top_has_own: bool = True,
        is_venue_time: bool = False, goal_per_10k: Decimal | None = None, volume_goal: Decimal | None = None,
    ) -> None:  # fmt: skip
        self.ledger = SymbolLedger(
            Denomination(
                instrument.base, instrument.quote, instrument.is_perp, instrument.contract_multiplier
            )
        )
        self.counts = OrderCounts()
        self._goals = (goal_for(instrument.base) if goal_per_10k is None else goal_per_10k, volume_goal)
        self._start_ns = self._now_ns = start_ns
        self._top_has_own, self._is_venue_time = top_has_own, is_venue_time
        self._presence = Presence(start_ns)
        self._seen_fills = Remembered()
        self._hedge_orders = Remembered()
        self._working: tuple[WorkingOrder, ...] = ()
        self._fills_buy = self._hedges = 0
        self._last_look_ns, self._look_ns = start_ns, start_ns + LOOK_NS
        self._count_in(instrument)

    def _count_in(self, instrument: Instrument) -> None:
        """Begin everything that is counted in an instrument's ticks and lots."""
        self.instrument = instrument
        self._half_tick = multiply(instrument.tick_size, Decimal("0.5"))
        self._tick_lot = float(instrument.notional(1, 1))
        self._queue = QueueWatch(includes_own=self._top_has_own)
        self._markouts, self._mids = Markouts(), MidHistory()
        self._looks, self._marks = Looks(self._now_ns), FillMarks()
        self._top: Top | None = None
        self._bid: int | None = None
        self._ask: int | None = None
        self._mid2 = 0  # half ticks, the newest that was known; 0 = none yet
        self._market_lot_ticks = self._own_maker_lot_ticks = 0
        self._due_ns = self._look_ns

    # --- what happens ------------------------------------------------------------------------

    def on_top(self, top: Top, now_ns: int) -> None:
        """Take the best prices."""
        if now_ns >= self._due_ns:
            self._settle(now_ns)
        self._top = top
        self._now_ns = now_ns
        if top.bid != self._bid or top.ask != self._ask:
            self._on_prices(top, now_ns)

    def on_blind(self, now_ns: int) -> None:
        """Nothing is known of the market from now on, until the next `on_top`: a gap, a dead feed."""
        if self._bid is None and self._ask is None:
            return
        if now_ns >= self._due_ns:
            self._settle(now_ns)
        self._now_ns = max(self._now_ns, now_ns)
        self._top = self._bid = self._ask = None
        self._presence.on_top(None, None, now_ns)

    def on_instrument(self, instrument: Instrument) -> None:
        """Take changed rules: money goes on; what is counted in ticks and lots begins anew."""
        if not self.instrument.counts_like(instrument):
            self._count_in(instrument)

    def on_trade(self, trade: Trade, now_ns: int) -> None:
        """Take a public trade: for our share of the volume and our places in the queue."""
        if now_ns >= self._due_ns:
            self._settle(now_ns)
        self._now_ns = now_ns
        self._market_lot_ticks += trade.price * trade.size
        self._queue.on_trade(trade)

    def on_fill(self, fill: Fill, now_ns: int) -> None:
        """Take a fill of ours: money and markouts. One that was told before changes nothing."""
        if self._watch(fill, now_ns):
            is_first = not self.ledger.fills and self.instrument.is_perp
            self.book(
                execution_of(fill, self.instrument, is_first=is_first),
                fill.venue_order_id,
                fill.is_target,
                fill.venue_ns,
            )

    def watch(self, fill: Fill, now_ns: int) -> None:
        """Take a fill for the markouts alone: where the money is booked from a journal."""
        self._watch(fill, now_ns)

    def book(self, execution: Execution, order_id: str, is_target: bool, venue_ns: int) -> None:
        """Book a fill once; `is_target`: a reduction or hedge, not a quote.

        Its mid is the one just before it at the venue; where that is not remembered, its own.
        """
        self._mark()
        mid2 = self._mids.before(venue_ns)
        if mid2 is not None:
            execution = msgspec.structs.replace(execution, mid=self._half_tick * mid2)
        self.ledger.fill(execution)
        self._fills_buy += execution.side is Side.BUY
        self._hedges += is_target and self._hedge_orders.add(order_id)
        self._looks.on_position(self.ledger.position)

    def on_funding(self, amount: Decimal, now_ns: int) -> None:
        """Book a funding payment, quote units; > 0 was received."""
        self._now_ns = max(self._now_ns, now_ns)
        self.ledger.fund(amount)

    def on_mark(self, mark: Mark, now_ns: int) -> None:
        """Take the venue's mark: what a position is worth while no book has been seen."""
        self._now_ns = max(self._now_ns, now_ns)
        if not self._mid2:
            self.ledger.mark(Decimal(str(mark.mark_price)))

    def on_working(self, working: Working, now_ns: int) -> None:
        """Take the orders of ours that rest."""
        if now_ns >= self._due_ns:
            self._settle(now_ns)
        self._now_ns = max(self._now_ns, now_ns)
        if working.orders != self._working:
            self._working = working.orders
            self._presence.on_orders(working.orders, (self._bid, self._ask), now_ns)

    def on_order_update(self, update: OrderUpdate, now_ns: int) -> None:
        """Take a step in the life of one of our orders."""
        self._now_ns = max(self._now_ns, now_ns)
        self.counts.on_order_update(update)
        self._queue.on_order_update(update, self._top)

    def on_quotes(self, quotes: Quotes, now_ns: int) -> None:
        """Take what should rest: counted when it has changed."""
        self._now_ns = max(self._now_ns, now_ns)
        self.counts.on_quotes(quotes)

    # --- what it comes to ----------------------------------------------------------------------

    def report(self, now_ns: int | None = None) -> Report:
        """Return the sums of now; None = at the last event. It may be asked at any time, and go on."""
        if now_ns is not None:
            self._settle(now_ns)
            self._now_ns = max(self._now_ns, now_ns)
        self._presence.count(self._now_ns)
        self._mark()
        ledger, instrument = self.ledger, self.instrument
        return Report(
            symbol=instrument.symbol,
            quote=instrument.quote,
            tick_size=instrument.tick_size,
            lot_size=instrument.lot_size,
            start_ns=self._start_ns,
            end_ns=self._now_ns,
            money=money_of(ledger),
            costs=costs_of(ledger.profit, ledger.volumes.total, *self._goals),
            activity=self._activity(),
            presence=self._presences(),
            program=program_of(
                ratio(self._own_maker_lot_ticks, self._market_lot_ticks),
                self._presences().in_band,
                self._presence.average_notional_usd,
                self._presence.average_spread_bps,
            ),
            markouts=self._markouts.results(),
            queue_lost=self._queue.result(self._tick_lot),
            position=ledger.position,
            start_position=ledger.start_position,
            unexplained=ledger.unexplained,
            path=self._looks.path.points(),
            fill_marks=self._marks.marks(),
        )

    def _activity(self) -> Activity:
        counts, ledger = self.counts, self.ledger
        volumes = ledger.volumes
        return Activity(
            quotes=counts.quotes,
            orders_placed=counts.placed,
            orders_rejected=counts.rejected,
            cancels=counts.cancels,
            hedges=self._hedges,
            fills=ledger.fills,
            fills_buy=self._fills_buy,
            fills_sell=ledger.fills - self._fills_buy,
            maker_fills=ledger.maker_fills,
            maker_share=ratio(float(volumes.maker), float(volumes.total)),
            cancels_per_fill=ratio(counts.cancels, ledger.fills),
        )

    def _presences(self) -> Presences:
        two_sided, bid, ask, in_band = self._presence.shares(self._now_ns - self._start_ns)
        return Presences(two_sided=two_sided, bid_at_best=bid, ask_at_best=ask, in_band=in_band)

    # --- pieces --------------------------------------------------------------------------------

    def _on_prices(self, top: Top, now_ns: int) -> None:
        bid, ask = top.bid, top.ask
        self._bid, self._ask = bid, ask
        if bid is not None and ask is not None:
            mid2 = bid + ask
            if not self._mid2:
                self.ledger.mark(self._half_tick * mid2)
            self._mid2 = mid2
            at_ns = now_ns if self._is_venue_time else top.venue_ns
            if at_ns is not None:
                self._mids.add((at_ns, mid2))
            self._looks.on_mid(mid2)
        if self._presence.orders:
            self._presence.on_top(bid, ask, now_ns)
        if bid in self._queue.unseen_bids or ask in self._queue.unseen_asks:
            self._queue.on_top(top)

    def _settle(self, now_ns: int) -> None:
        """Settle what has come due, by the state that has held until now."""
        if self._markouts.due_ns <= now_ns:
            is_open = self._bid is not None and self._ask is not None
            self._markouts.settle(self._mid2 if is_open else None, now_ns)
        if self._look_ns <= now_ns:
            at_ns = self._look_ns + (now_ns - self._look_ns) // LOOK_NS * LOOK_NS
            self._look(at_ns)
            self._last_look_ns, self._look_ns = at_ns, at_ns + LOOK_NS
        self._due_ns = min(self._look_ns, self._markouts.due_ns)

    def _look(self, at_ns: int) -> None:
        """Add a point to the paths. Without a market there is none."""
        bid, ask = self._bid, self._ask
        if bid is None or ask is None or bid + ask <= 0:
            return
        self._presence.look(bid + ask, self._tick_lot, at_ns - self._last_look_ns)
        self._mark()
        own = (self._presence.bid, self._presence.ask)
        self._looks.look(at_ns, (bid, ask), own, self.ledger.position, self.ledger.parts)

    def _mark(self) -> None:
        if self._mid2:
            self.ledger.mark(self._half_tick * self._mid2)

    def _watch(self, fill: Fill, now_ns: int) -> bool:
        """Note a fill for markouts and plots; False = it was told before."""
        if not self._seen_fills.add((fill.trade_id, fill.venue_order_id)):
            return False
        if now_ns >= self._due_ns:
            self._settle(now_ns)
        self._now_ns = max(self._now_ns, now_ns)
        if fill.is_maker:
            self._own_maker_lot_ticks += fill.price * fill.size
            at_ns = min(fill.venue_ns, now_ns) if self._is_venue_time and fill.venue_ns else now_ns
            self._markouts.add(fill.side, fill.price, fill.size, at_ns)
            self._due_ns = min(self._due_ns, self._markouts.due_ns)
        self._marks.add(FillMark(now_ns, fill.price, fill.side.sign * fill.size, fill.is_maker))
        return True
