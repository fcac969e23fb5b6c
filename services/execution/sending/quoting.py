"""The hot part: what is wanted and permitted, against what works. Pure."""

from __future__ import annotations

from dataclasses import replace

from services.execution.desk import Desk
from services.execution.gate import Gate
from services.execution.orders.reconcile import reconcile, wrongness
from services.execution.reads.schedule import NEVER_NS
from services.execution.sending.admission import Refused, admit_slice, permitted, room_for_slice
from services.execution.sending.agreement import agreement, waits_for_venue
from services.execution.sending.maker import follow, may_rest, resting
from services.execution.sending.sender import Sender, blocked_sides
from services.execution.sending.targets import (
    FLATTEN,
    PACE_NS,
    Slice,
    clear_of,
    distance,
    in_the_way,
    is_in_flight,
    next_slice,
)
from services.execution.symbols import Symbol
from shared.errors import Refused as Refusal
from shared.messages import Level, OrderStatus

#: how far from the wanted price the order rests that only asks whether the stream speaks
PROBE_DISTANCE = 0.03


def _is_outdated(symbol: Symbol) -> bool:
    """True while what is wanted is a function of an older position: an order that filled is not repeated.

    Fills that are known of and not yet counted make a newer one, too.
    """
    quotes = symbol.quotes
    if quotes is None or not quotes.position_seq:
        return False
    return quotes.position_seq < symbol.position_seq or bool(symbol.orders.owed)


class Quoting:
    """Brings the orders of a symbol to what is wanted; works its target."""

    def __init__(self, desk: Desk, sender: Sender, gate: Gate) -> None:
        self._desk = desk
        self._sender = sender
        self._gate = gate

    def tick(self, now_ns: int) -> None:
        """Look at what had to wait, at what has expired, at every target."""
        self._feed_starved(now_ns)
        self._expire(now_ns)
        for symbol in self._desk.symbols.values():
            if symbol.target is not None or resting(symbol) is not None:
                self.work_target(symbol, now_ns)

    def idle_until_ns(self) -> int:
        """Return until when `tick` has nothing to do; 0 = it has, or may have, at once."""
        if self._desk.starved:
            return 0
        until_ns = NEVER_NS
        for symbol in self._desk.symbols.values():
            if symbol.target is not None or resting(symbol) is not None:
                return 0
            if symbol.orders.live:
                if symbol.quotes is None or symbol.permit is None:
                    return 0
                until_ns = min(until_ns, symbol.quotes.expires_ns, symbol.permit.expires_ns)
        return until_ns

    def requote(self, symbol: Symbol, cause_ns: int, now_ns: int) -> None:
        """Send the difference between what may rest and what works.

        cause_ns  of the market event behind it, 0 when something else set it off
        """
        is_open = self._gate.reason is None
        if symbol.agreed is not None:
            if is_open and symbol.agreed.holds(symbol, self._desk.gross_usd(), now_ns):
                return
            symbol.agreed = None
        if waits_for_venue(symbol, now_ns):
            return
        live, gross_usd = symbol.orders.live, self._desk.gross_usd()
        coming = None if symbol.target is None else self._slice(symbol, now_ns)
        is_waiting = coming is not None and not is_in_flight(symbol)  # in flight, it counts by itself
        levels = permitted(symbol, gross_usd, now_ns, coming if is_waiting else None)
        if coming is not None:
            levels = clear_of(levels, coming)
        if not is_open:
            levels = self._probe(symbol, levels, now_ns)
        if not levels and not live:
            return
        quotes, blocked = symbol.quotes, blocked_sides(symbol)
        cancels, places = reconcile(
            levels, live.values(), is_exclusive=quotes is not None and quotes.exclusive, now_ns=now_ns,
            blocked=blocked,
        )  # fmt: skip
        if is_open and not cancels and not places:
            symbol.agreed = agreement(symbol, levels, blocked, gross_usd)
        for order in cancels:
            self._sender.cancel(order, cause_ns, now_ns)
        if not levels:
            self._cancel_unknown(symbol, now_ns)
        elif places and self._desk.venue.is_answering and not _is_outdated(symbol):
            for level in places:
                self._sender.quote(symbol, level, cause_ns, now_ns)

    def _cancel_unknown(self, symbol: Symbol, now_ns: int) -> None:
        """Nothing is wanted: what may be live is cancelled too, whether it exists or not."""
        for order in list(symbol.orders.live.values()):
            if order.status is OrderStatus.UNKNOWN:
                self._sender.cancel(order, 0, now_ns)

    def _probe(self, symbol: Symbol, levels: tuple[Level, ...], now_ns: int) -> tuple[Level, ...]:
        """Return nothing, or one smallest, far level while only the private stream has to prove itself."""
        gate, stream = self._gate, self._desk.stream
        if not levels or gate.is_stopping or not gate.is_store_ok or not gate.is_recovered:
            return ()
        if self._desk.orders.has_live() or not stream.take_probe(now_ns):
            return ()
        level = levels[0]
        # far enough not to trade: a stream that may be deaf is no reason for new risk
        price = symbol.instrument.quote_ticks(
            level.price * (1 - level.side.sign * PROBE_DISTANCE), level.side
        )
        lots = symbol.instrument.min_lots
        try:
            symbol.instrument.check_order(price, lots)
        except Refusal:
            lots = level.size  # a minimum notional
        return (Level(level.side, price, lots, 0, 0, True, level.reduce_only),)

    # --- targets -----------------------------------------------------------------------------------

    def _slice(self, symbol: Symbol, now_ns: int) -> Slice | None:
        if symbol.target is None or self._is_barred(symbol):
            return None
        config, may_open = self._desk.config, self._may_open(symbol)
        lots = distance(symbol.target, symbol.position, may_open)
        follow(symbol, lots, config.maker_try_ns, config.maker_tries, now_ns)
        return next_slice(symbol, now_ns, config.max_top_age_ns, may_open)

    def _is_barred(self, symbol: Symbol) -> bool:
        """True while no target is worked, whatever it says."""
        gate = self._gate
        if gate.is_stopping or not gate.is_recovered or not symbol.is_open:
            return True
        if symbol.halt_reason is None:
            return symbol.target is not None and symbol.target.style == FLATTEN
        return not self._desk.config.flatten_when_halted

    def _may_open(self, symbol: Symbol) -> bool:
        """In any doubt about the account a target only reduces."""
        return symbol.target is not None and symbol.target.may_open and self._gate.reason is None

    def work_target(self, symbol: Symbol, now_ns: int) -> None:
        """Send the next slice of the symbol's target, once our own orders are out of its way."""
        self._tend_maker(symbol, now_ns)
        if symbol.target is None or now_ns < symbol.slice_due_ns or not self._desk.venue.is_answering:
            return
        coming = self._slice(symbol, now_ns)
        if coming is None or is_in_flight(symbol):
            return
        refusals = symbol.maker_refusals if coming.post_only else symbol.slice_refusals
        if not refusals.may_place(now_ns):
            return
        obstacles = in_the_way(symbol, coming)
        for order in obstacles:
            self._sender.cancel(order, 0, now_ns)
        if obstacles:
            return
        room = room_for_slice(symbol, coming.side, now_ns)
        if room < coming.size and symbol.orders.exposure(coming.side):
            self.requote(symbol, 0, now_ns)  # cuts the quotes of that side
            room = room_for_slice(symbol, coming.side, now_ns)
            if room < symbol.instrument.min_lots:
                return
            coming = replace(coming, size=min(room, coming.size))  # what has room does not wait
        self._send_slice(symbol, coming, now_ns)

    def _tend_maker(self, symbol: Symbol, now_ns: int) -> None:
        """Cancel the resting order of a maker target unless it may stay."""
        order, target = resting(symbol), symbol.target
        if order is None:
            return
        if target is not None and now_ns < target.expires_ns and not self._is_barred(symbol):
            lots = distance(target, symbol.position, self._may_open(symbol))
            config = self._desk.config
            follow(symbol, lots, config.maker_try_ns, config.maker_tries, now_ns)
            if may_rest(symbol, order, lots, now_ns - config.max_top_age_ns, now_ns):
                return
        self._sender.cancel(order, 0, now_ns)

    def _send_slice(self, symbol: Symbol, coming: Slice, now_ns: int) -> None:
        client_order_id = self._desk.ids.next()
        if client_order_id is None:
            return
        gross_usd, may_open = self._desk.gross_usd(), self._may_open(symbol)
        approved = admit_slice(symbol, coming, client_order_id, gross_usd, now_ns, may_open)
        if isinstance(approved, Refused):
            self._desk.tell_reject(symbol, coming.side, coming.price, approved.reason, now_ns)
        elif self._sender.slice(symbol, approved, now_ns):
            symbol.slice_due_ns = now_ns + PACE_NS
            (symbol.maker_refusals if coming.post_only else symbol.slice_refusals).on_sent(now_ns)
            if coming.post_only and symbol.pursuit is not None:
                symbol.pursuit.begin_try(now_ns)

    # --- what had to wait ---------------------------------------------------------------------------

    def _feed_starved(self, now_ns: int) -> None:
        """Look again at what had to wait for budget or a connection, the most wrong first."""
        desk = self._desk
        if not desk.starved or desk.budget.is_silent(now_ns):
            return
        waiting, desk.starved = desk.starved, {}
        ranked = [
            (-wrongness(self._wanted(symbol), symbol.orders.live.values()), row, symbol)
            for row, symbol in enumerate(waiting.values())
        ]
        ranked.sort(key=lambda entry: entry[:2])
        for _, _, symbol in ranked:
            self.requote(symbol, 0, now_ns)

    def _wanted(self, symbol: Symbol) -> tuple[Level, ...]:
        if self._gate.reason is not None or symbol.halt_reason is not None or symbol.quotes is None:
            return ()
        return symbol.quotes.levels

    def _expire(self, now_ns: int) -> None:
        """Look at every symbol whose wanted set or permit has run out under its orders."""
        for symbol in self._desk.symbols.values():
            if not symbol.orders.live:
                continue
            quotes, permit = symbol.quotes, symbol.permit
            if quotes is None or permit is None or now_ns >= quotes.expires_ns or now_ns >= permit.expires_ns:
                self.requote(symbol, 0, now_ns)
