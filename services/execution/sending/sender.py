"""Orders out, replies in: the only place where placements and cancels are asked for.

A reply is Accepted, Rejected or Unknown. Unknown keeps the order as exposure until the
venue, asked, has settled it; nothing is sent again. Cancels may be repeated: they are, after
0.5, 1 and 1.5 s; an order that still cannot be cancelled blocks its side.
"""

from __future__ import annotations

from services.execution.config import CANCEL_AGAIN_NS, CANCEL_RETRY_NS
from services.execution.desk import Desk
from services.execution.orders.records import Order
from services.execution.orders.refusals import NO_ANSWER, POST_ONLY
from services.execution.orders.transitions import Event
from services.execution.requests import NO_CONNECTION, CheckClock, SendCancel, SendPlace
from services.execution.sending.admission import Approved, admit
from services.execution.sending.admission import Refused as NotAdmitted
from services.execution.sending.patience import PATIENCE_NS, is_too_early
from services.execution.symbols import Symbol
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import Level, OrderStatus, Side
from shared.venues.base import Accepted, Outcome, Rejected, Unknown

#: pauses between attempts while no connection is open to send on
FIRST_UNSENT_NS = 20 * NS_PER_MS
LARGEST_UNSENT_NS = NS_PER_S
#: an accepted write of a venue that only queues is asked about when nothing was heard for so long
QUEUED_NS = NS_PER_S
#: an order's verdict when its acceptance has been counted
ACCEPTED = "accepted"
_MOST_TRIES = len(CANCEL_RETRY_NS)
_UNSETTLED = (OrderStatus.UNKNOWN, OrderStatus.PENDING_CANCEL)
#: refusals that mean that our copy of the instrument's rules is old
RULE_REASONS = frozenset(("price_precision", "quantity", "price_band", "unknown_symbol"))


class Sender:
    """Sends for one account. `wants_rules` is set when the instruments should be read again."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.wants_rules = False
        self._unsent_ns = 0
        self._line_due_ns = 0

    # --- placements ---------------------------------------------------------------------------

    def quote(self, symbol: Symbol, level: Level, cause_ns: int, now_ns: int) -> None:
        """Place a wanted level if it is admitted, its side is not refused, and the budget allows."""
        desk, refusals = self._desk, symbol.sides[level.side]
        if not refusals.may_place(now_ns):
            return
        client_order_id = desk.ids.next()
        if client_order_id is None:
            desk.starve(symbol)
            return
        approved = admit(symbol, level, client_order_id, desk.gross_usd(), now_ns)
        if isinstance(approved, NotAdmitted):
            desk.tell_reject(symbol, level.side, level.price, approved.reason, now_ns)
            return
        if self._place(symbol, approved, cause_ns, now_ns, is_target=False):
            refusals.on_sent(now_ns)

    def slice(self, symbol: Symbol, approved: Approved, now_ns: int) -> bool:
        """Send a slice of a target."""
        return self._place(symbol, approved, 0, now_ns, is_target=True)

    def _place(self, symbol: Symbol, approved: Approved, cause_ns: int, now_ns: int, is_target: bool) -> bool:
        desk, new = self._desk, approved.order
        if now_ns < self._line_due_ns or not desk.budget.take_place(now_ns):
            desk.starve(symbol)
            return False
        desk.ids.use()
        desk.orders.add(
            Order(
                new.client_order_id, symbol.name, new.side, new.price, new.size, new.post_only,
                new.reduce_only, is_target, cause_ns, now_ns,
            )
        )  # fmt: skip
        desk.sends.append(SendPlace(approved))
        return True

    def on_place_sent(self, order: Order, sent_ns: int, stamp_ms: int) -> None:
        order.sent_ns, order.stamp_ms = sent_ns, stamp_ms
        self._unsent_ns = 0
        self._desk.tell_order(order, "", order.cause_ns, sent_ns)

    def on_place_not_sent(self, order: Order, reason: str, now_ns: int) -> None:
        """No byte has left: the order never was."""
        desk = self._desk
        desk.budget.give_back()
        if reason == NO_CONNECTION and now_ns >= self._line_due_ns:  # an attempt costs an id: not each tick
            self._unsent_ns = min(2 * self._unsent_ns or FIRST_UNSENT_NS, LARGEST_UNSENT_NS)
            self._line_due_ns = now_ns + self._unsent_ns
        order.is_placing = False
        desk.orders.apply(order, Event.ABSENT, now_ns)
        desk.tell_order(order, reason)
        symbol = desk.symbols[order.symbol]
        desk.awake.pop(order.symbol, None)  # not at once: what was missing is missing still
        desk.starve(symbol)

    def on_place_reply(self, order: Order, outcome: Outcome, sent_ns: int, now_ns: int) -> None:
        """Take up what became of a placement; a late reply after a timeout comes here too."""
        order.is_placing = False
        if isinstance(outcome, Accepted):
            self._on_placed(order, outcome, sent_ns, now_ns)
        elif isinstance(outcome, Rejected):
            self._on_place_rejected(order, outcome, sent_ns, now_ns)
        else:
            self._on_unanswered(outcome, sent_ns, now_ns)
            self._desk.orders.apply(order, Event.NO_ANSWER, now_ns)
            if order.status in _UNSETTLED:  # otherwise the stream has told
                self._on_refused(order, NO_ANSWER, outcome.text, now_ns)
        if order.status in _UNSETTLED and not isinstance(outcome, Accepted):
            order.ask_due_ns = now_ns

    def _on_placed(self, order: Order, accepted: Accepted, sent_ns: int, now_ns: int) -> None:
        desk = self._desk
        self._on_answered(sent_ns)
        desk.stream.expect(sent_ns, now_ns)
        if not desk.capabilities.reply_is_final:
            order.ask_due_ns = now_ns + QUEUED_NS
            return
        desk.orders.set_venue_id(order, accepted.venue_order_id)
        desk.orders.apply(order, Event.ACCEPTED, now_ns)
        desk.orders.claim(order, min(accepted.filled, order.size), now_ns)
        if accepted.is_done:
            desk.orders.apply(order, Event.EXPIRED, now_ns)
        if accepted.reason:
            self.on_ended(order, accepted.reason, now_ns)
        else:
            self.on_accepted(order)
            desk.tell_order(order)

    def _on_place_rejected(self, order: Order, rejected: Rejected, sent_ns: int, now_ns: int) -> None:
        desk = self._desk
        desk.orders.apply(order, Event.REJECTED, now_ns)
        if rejected.reason == "rate_limit":
            desk.budget.on_rate_limited(rejected.retry_after_s, sent_ns, now_ns)
            desk.tell_order(order, rejected.reason)
            return
        self._on_answered(sent_ns)
        self._on_refused(order, rejected.reason, rejected.text, now_ns)

    def _on_refused(self, order: Order, reason: str, text: str, now_ns: int) -> None:
        if order.verdict == reason:
            return  # stream and reply both say it
        order.verdict = reason
        desk, symbol = self._desk, self._desk.symbols[order.symbol]
        refusals = symbol.refusals_of(order)
        symbol.agreed = None  # its levels may move
        if reason == POST_ONLY:
            refusals.on_would_take(order.side, order.price)
        elif reason in RULE_REASONS:
            self.wants_rules = True
        elif reason == "auth":
            desk.outbox.append(CheckClock())
        if refusals.on_refused(reason, now_ns):
            desk.alert(
                "orders refused repeatedly",
                symbol=order.symbol,
                side=order.side.name,
                reason=reason,
                text=text,
            )
        desk.tell_reject(symbol, order.side, order.price, reason, now_ns)
        desk.tell_order(order, reason)

    def on_accepted(self, order: Order) -> None:
        """The venue has taken an order: its side is refused no longer."""
        if order.verdict not in ("", NO_ANSWER):
            return  # counted already
        order.verdict = ACCEPTED
        symbol = self._desk.symbols[order.symbol]
        refusals = symbol.refusals_of(order)
        order.refusals_before = refusals.on_accepted()
        symbol.rejects.pop(order.side, None)

    def on_ended(self, order: Order, reason: str, now_ns: int) -> None:
        """The venue has ended an order unasked, nothing of it filled: it was refused, late."""
        if order.verdict == ACCEPTED:
            symbol = self._desk.symbols[order.symbol]
            refusals = symbol.refusals_of(order)
            refusals.take_back(order.refusals_before)
        self._on_refused(order, reason, "the venue has ended the order", now_ns)

    # --- cancels ----------------------------------------------------------------------------------

    def cancel(self, order: Order, cause_ns: int, now_ns: int) -> None:
        """Cancel an order unless that is under way, too early, or beyond the budget."""
        if order.is_cancelling or now_ns < order.cancel_due_ns or not order.is_live:
            return
        if is_too_early(order, now_ns):
            return
        desk = self._desk
        symbol = desk.symbols[order.symbol]
        if not desk.budget.take_cancel(now_ns):
            desk.starve(symbol)
            return
        desk.orders.apply(order, Event.CANCEL_SENT, now_ns)
        order.is_cancelling = True
        order.cancel_tries += 1
        desk.touch(symbol)
        desk.sends.append(
            SendCancel(symbol.instrument, order.client_order_id, order.venue_order_id, cause_ns)
        )

    def on_cancel_sent(self, order: Order, cause_ns: int, sent_ns: int) -> None:
        self._desk.tell_order(order, "", cause_ns, sent_ns)

    def on_cancel_not_sent(self, order: Order) -> None:
        self._desk.budget.give_back()
        order.is_cancelling = False
        order.cancel_tries -= 1

    def on_cancel_reply(self, order: Order, outcome: Outcome, sent_ns: int, now_ns: int) -> None:
        """Take up what became of a cancel."""
        order.is_cancelling = False
        desk = self._desk
        if isinstance(outcome, Accepted):
            self._on_answered(sent_ns)
            if outcome.is_done:  # what is only queued, the stream cannot tell yet
                desk.stream.expect(sent_ns, now_ns)
            self._on_cancelled(order, outcome, now_ns)
        elif isinstance(outcome, Unknown):
            self._on_unanswered(outcome, sent_ns, now_ns)
            desk.orders.apply(order, Event.CANCEL_NO_ANSWER, now_ns)
            self._on_cancel_failed(order, outcome.text, now_ns)
        elif outcome.reason == "rate_limit":
            desk.budget.on_rate_limited(outcome.retry_after_s, sent_ns, now_ns)
            order.cancel_tries -= 1  # it is due again as soon as the venue listens
        else:
            self._on_answered(sent_ns)
            if outcome.reason == "unknown_order":
                desk.orders.apply(order, Event.CANCEL_REFUSED, now_ns)
            self._on_cancel_failed(order, outcome.reason, now_ns)
        desk.tell_order(order)

    def on_late_cancel_reply(self, order: Order, outcome: Outcome, now_ns: int) -> None:
        """A cancel that had timed out is answered after all; only good news counts."""
        if isinstance(outcome, Accepted):
            self._on_cancelled(order, outcome, now_ns)
            self._desk.tell_order(order)

    def _on_cancelled(self, order: Order, accepted: Accepted, now_ns: int) -> None:
        desk = self._desk
        executed = accepted.executed
        if accepted.is_done and executed is not None and desk.capabilities.reply_is_final:
            instrument = desk.symbols[order.symbol].instrument
            desk.orders.claim(order, min(instrument.lots_floor(executed), order.size), now_ns)
            desk.orders.apply(order, Event.CANCELLED, now_ns)
        else:  # queued, or silent on what was filled: the stream tells, or we ask
            reason = "no word of what was filled" if accepted.is_done else "accepted, not done"
            self._on_cancel_failed(order, reason, now_ns, PATIENCE_NS)

    def _on_cancel_failed(self, order: Order, reason: str, now_ns: int, patience_ns: int = 0) -> None:
        """Ask, and cancel again later.

        patience_ns  the stream is given so long to tell that it is done after all
        """
        if not order.is_live:
            return
        tries = max(order.cancel_tries, 1)  # a late reply may follow a count that was taken back
        order.ask_due_ns = now_ns + patience_ns
        if tries <= len(CANCEL_RETRY_NS):
            order.cancel_due_ns = now_ns + CANCEL_RETRY_NS[tries - 1]
            return
        order.cancel_due_ns = now_ns + CANCEL_AGAIN_NS
        if tries == len(CANCEL_RETRY_NS) + 1:
            self._desk.alert(
                "an order cannot be cancelled; its side stays without quotes", symbol=order.symbol,
                side=order.side.name, client_order_id=order.client_order_id, reason=reason,
            )  # fmt: skip

    # --- the venue ----------------------------------------------------------------------------------

    def _on_answered(self, sent_ns: int) -> None:
        desk = self._desk
        desk.budget.on_answered(sent_ns)
        if desk.venue.on_answered(sent_ns):
            desk.wake_all()

    def _on_unanswered(self, unknown: Unknown, sent_ns: int, now_ns: int) -> None:
        desk = self._desk
        if desk.venue.is_answering:
            desk.alert("the venue does not answer orders", reason=unknown.text)
        desk.venue.on_failed(now_ns)
        if unknown.retry_after_s is not None:
            desk.budget.on_rate_limited(unknown.retry_after_s, sent_ns, now_ns)


def blocked_sides(symbol: Symbol) -> tuple[Side, ...]:
    """Return the sides on which an order has resisted its cancels."""
    return tuple([order.side for order in symbol.orders.live.values() if order.cancel_tries > _MOST_TRIES])
