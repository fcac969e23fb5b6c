"""Execution: makes the orders at the venue what quoters want, within what risk permits.

In          Quotes, Permit, Target, Top, InstrumentInfo; replies, private stream and reads of the venue
Out         orders and cancels; Working, OrderUpdate, Fill, Position, Equity; journal entries
State       live orders, the ledger, positions; the venue and the journal can rebuild all of it
On failure  no new risk: quotes are cancelled, the venue is asked, nothing is sent twice

Pure. Every handler returns what is to be sent, asked, stored and published, in that order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.execution.account.accounting import Accounting
from services.execution.account.reconciliation import Reconciliation
from services.execution.account.restore import Stored, restore
from services.execution.account.rules import Rules
from services.execution.account.statements import Statements
from services.execution.config import ExecutionConfig
from services.execution.desk import Desk
from services.execution.gate import Gate
from services.execution.housekeeping import Housekeeping
from services.execution.reads.answers import Answers
from services.execution.reads.open_orders import OpenOrders
from services.execution.reads.recovery import Recovery
from services.execution.reads.schedule import NEVER_NS, Reads
from services.execution.reads.settle import Settler
from services.execution.reads.streamed import Streamed
from services.execution.requests import Output, ReadKind, SendCancel, StartRead
from services.execution.sending.quoting import Quoting
from services.execution.sending.sender import Sender
from services.execution.told import tell_touched
from shared.clock import NS_PER_MS
from shared.messages import InstrumentInfo, Permit, Quotes, Target, Top
from shared.permits import is_same_permit
from shared.venues.base import Capabilities, Outcome, PrivateEvent


class Execution:
    """The core of one account."""

    timer_ns = 20 * NS_PER_MS

    def __init__(
        self, account: str, config: ExecutionConfig, capabilities: Capabilities, *, tag: int,
        now_ns: int, venue_ms: int,
    ) -> None:  # fmt: skip
        """now_ns, venue_ms: the start by the monotonic and by the venue's clock."""
        #: until then, if nothing else is called before, `on_timer` does nothing; 0 = it may do something
        self.idle_until_ns = 0
        self.desk = desk = Desk(account, config, capabilities, tag, now_ns)
        desk.position_seq = venue_ms  # grows over restarts, for no account changes once a millisecond
        self._reads = Reads(desk, venue_ms)
        self._recovery = Recovery(desk, self._reads, now_ns)
        self.gate = Gate(desk, self._reads, self._recovery)
        self._sender = Sender(desk)
        self._accounting = Accounting(desk, self._reads)
        self._settler = Settler(desk, self._sender, lambda: self._reads.last_good_ns(ReadKind.FILLS))
        self._reconciliation = Reconciliation(desk, self._accounting, self._reads)
        self._streamed = Streamed(
            desk, self._reads, self._recovery, self._settler, self._accounting, self._reconciliation
        )
        self._rules = Rules(desk, self._reads)
        self._statements = Statements(desk, self._reads, self._accounting, now_ns, venue_ms)
        self._answers = Answers(
            desk, self.gate, self._reads, self._settler, OpenOrders(desk, self._settler, self._reads),
            self._accounting, self._reconciliation, self._rules, self._statements,
        )  # fmt: skip
        self._quoting = Quoting(desk, self._sender, self.gate)
        self._housekeeping = Housekeeping(
            desk, self.gate, self._reads, self._recovery, self._sender, self._settler, self._accounting,
            self._reconciliation, self._rules, self._statements,
        )  # fmt: skip
        #: most often busy first
        self._ticking = (self._settler, self._housekeeping, self._quoting, desk.stream)

    # --- the bus -----------------------------------------------------------------------------------

    def on_quotes(self, quotes: Quotes, now_ns: int) -> list[Output]:
        symbol = self.desk.symbol(quotes.symbol)
        if symbol is None or quotes.scope != self.desk.account:
            return []
        symbol.quotes = quotes
        if self.desk.starved:
            self.desk.starve(symbol)  # the budget binds: the most wrong goes first, on the timer
        else:
            self._quoting.requote(symbol, quotes.cause_ns, now_ns)
        return self._finish(now_ns)

    def on_permit(self, permit: Permit, now_ns: int) -> list[Output]:
        symbol = self.desk.symbol(permit.symbol)
        if symbol is not None and permit.scope == self.desk.account:
            last, symbol.permit = symbol.permit, permit
            is_in_force = last is not None and now_ns < min(last.expires_ns, permit.expires_ns)
            if last is None or not is_in_force or not is_same_permit(permit, last):
                self.desk.wake(symbol)
        return self._conclude(now_ns)

    def on_target(self, target: Target, now_ns: int) -> list[Output]:
        symbol = self.desk.symbol(target.symbol)
        if symbol is not None and target.scope == self.desk.account:
            symbol.target = target if target.style != "none" else None
            self.desk.wake(symbol)
        return self._conclude(now_ns)

    def on_instrument_info(self, info: InstrumentInfo, now_ns: int) -> list[Output]:
        """Marketdata tells which ticks and lots everybody else counts in."""
        return self._conclude(now_ns) if self._rules.on_told(info, now_ns) else []

    def on_top(self, top: Top, now_ns: int) -> list[Output]:
        symbol = self.desk.symbols.get(top.symbol)
        if symbol is None:
            return []
        symbol.on_top(top)
        if symbol.target is None:
            return []
        self._quoting.work_target(symbol, now_ns)
        return self._finish(now_ns)

    def on_demand(self, name: str, now_ns: int) -> list[Output]:
        """Somebody wants this symbol's Working: publish it, quoted or not."""
        symbol = self.desk.symbol(name)
        if symbol is not None:
            symbol.told_working = None
            self.desk.touch(symbol)
        return self._conclude(now_ns)

    def on_halts(self, halts: Mapping[str, str], now_ns: int) -> list[Output]:
        """Take up everything that is halted now ("ALL" or a symbol) -> reason."""
        return self._conclude(now_ns) if self.desk.take_halts(halts) else []

    # --- orders ------------------------------------------------------------------------------------

    def on_place_sent(self, client_order_id: int, sent_ns: int, stamp_ms: int) -> list[Output]:
        """stamp_ms: the venue's time that it was signed with."""
        order = self.desk.orders.find(client_order_id)
        if order is not None:
            self._sender.on_place_sent(order, sent_ns, stamp_ms)
            if not order.is_target:  # a slice takes room from the quotes of its side
                self.desk.awake.pop(order.symbol, None)
        return self._finish(sent_ns)

    def on_place_not_sent(self, client_order_id: int, reason: str, now_ns: int) -> list[Output]:
        order = self.desk.orders.find(client_order_id)
        if order is not None:
            self._sender.on_place_not_sent(order, reason, now_ns)
        return self._conclude(now_ns)

    def on_place_reply(
        self, client_order_id: int, outcome: Outcome, sent_ns: int, now_ns: int
    ) -> list[Output]:
        """A placement's outcome; also a late reply, after it was Unknown."""
        order = self.desk.orders.find(client_order_id)
        if order is not None:
            self._sender.on_place_reply(order, outcome, sent_ns, now_ns)
        return self._conclude(now_ns)

    def on_cancel_sent(self, cancel: SendCancel, sent_ns: int) -> list[Output]:
        order = self.desk.orders.find(cancel.client_order_id)
        if order is not None:
            self._sender.on_cancel_sent(order, cancel.cause_ns, sent_ns)
            self.desk.awake.pop(order.symbol, None)
        return self._finish(sent_ns)

    def on_cancel_not_sent(self, client_order_id: int, now_ns: int) -> list[Output]:
        order = self.desk.orders.find(client_order_id)
        if order is not None:
            self._sender.on_cancel_not_sent(order)
        return self._conclude(now_ns)

    def on_cancel_reply(
        self, client_order_id: int, outcome: Outcome, sent_ns: int, now_ns: int, is_late: bool = False
    ) -> list[Output]:
        order = self.desk.orders.find(client_order_id)
        if order is not None and is_late:
            self._sender.on_late_cancel_reply(order, outcome, now_ns)
        elif order is not None:
            self._sender.on_cancel_reply(order, outcome, sent_ns, now_ns)
        return self._conclude(now_ns)

    def on_venue_event(self, event: PrivateEvent, now_ns: int) -> list[Output]:
        """Something the private stream says."""
        self._streamed.on_event(event, now_ns)
        return self._conclude(now_ns)

    def on_stream(self, is_up: bool, now_ns: int) -> list[Output]:
        """The private stream is subscribed, or lost."""
        self.gate.on_stream(is_up, now_ns)
        return self._conclude(now_ns)

    # --- reads and the store ---------------------------------------------------------------------------

    def on_read(self, read: StartRead, answer: Any, begun_ns: int, now_ns: int) -> list[Output]:
        """A read is answered; `answer` is what the account client returned for its kind."""
        self._answers.on_read(read, answer, begun_ns, now_ns)
        return self._conclude(now_ns)

    def on_read_failed(
        self, read: StartRead, text: str, retry_after_s: float | None, begun_ns: int, now_ns: int
    ) -> list[Output]:
        """A read was not answered: nothing is known from it."""
        self._answers.on_failed(read, text, retry_after_s, begun_ns, now_ns)
        return self._conclude(now_ns)

    def on_read_withheld(self, read: StartRead, now_ns: int) -> list[Output]:
        """A read was not sent, or not to its end, for our own reasons: it says nothing of the venue."""
        self._answers.on_withheld(read, now_ns)
        return self._conclude(now_ns)

    def on_rate_limited(self, retry_after_s: float | None, sent_ns: int, now_ns: int) -> list[Output]:
        """A request beside the reads was refused for the rate: everything is silent."""
        self.desk.budget.on_rate_limited(retry_after_s, sent_ns, now_ns)
        return self._conclude(now_ns)

    def on_requests(self, count: int) -> None:
        """Reads have sent so many requests to the venue: they count against the budget."""
        self.desk.budget.charge(count)

    def on_loaded(self, stored: Stored, now_ns: int) -> list[Output]:
        """The stored state; comes after the instruments."""
        restore(self.desk, self._reads, stored)
        self._recovery.on_loaded()
        return self._conclude(now_ns)

    def on_ids(self, block: range, now_ns: int) -> list[Output]:
        """A reserved block of client id sequence numbers; empty = it could not be reserved."""
        self.desk.ids.add(block)
        return self._conclude(now_ns)

    def on_store(self, is_ok: bool, now_ns: int) -> list[Output]:
        """Whether Redis takes our writes."""
        self.gate.on_store(is_ok)
        return self._conclude(now_ns)

    def on_timer(self, now_ns: int) -> list[Output]:
        if not self.idle_until_ns:
            idle_until_ns = self._idle_until_ns(now_ns)
            if now_ns < idle_until_ns:  # whatever has happened since the last tick left nothing to do
                self.idle_until_ns = idle_until_ns
                return []
        self.gate.check_stream(now_ns)
        self._settler.tick(now_ns)
        self._housekeeping.tick(now_ns)
        self._quoting.tick(now_ns)
        outputs = self._conclude(now_ns)
        if not outputs:
            self.idle_until_ns = self._idle_until_ns(now_ns)
        return outputs

    def _idle_until_ns(self, now_ns: int) -> int:
        """Return until when a tick has nothing to do; 0 = it has now."""
        until_ns = NEVER_NS
        for part in self._ticking:
            until_ns = min(until_ns, part.idle_until_ns())
            if until_ns <= now_ns:
                return 0
        return until_ns

    def on_stop_request(self, now_ns: int) -> list[Output]:
        """Stop placing, cancel everything of ours; `is_stopped` tells when the venue has confirmed it."""
        self.gate.stop(now_ns)
        return self._conclude(now_ns)

    def is_stopped(self) -> bool:
        """True when the venue has shown, after the stop, that none of our orders is open."""
        return self.gate.is_stopped()

    def is_ledger_read(self) -> bool:
        """True when everything that belongs in the ledger was read after the stop."""
        return self.gate.is_ledger_read()

    def on_stop(self, now_ns: int) -> list[Output]:
        """Return the last state of every symbol."""
        for symbol in self.desk.symbols.values():
            symbol.told_working = None
            self.desk.touch(symbol)
        return self._finish(now_ns)

    def _conclude(self, now_ns: int) -> list[Output]:
        """Judge the account again, then finish."""
        self.gate.refresh(now_ns)
        return self._finish(now_ns)

    def _finish(self, now_ns: int) -> list[Output]:
        """Look at every symbol that something happened to, publish what has changed."""
        desk = self.desk
        self.idle_until_ns = 0
        while desk.awake:
            symbol = desk.awake.pop(next(iter(desk.awake)))
            if desk.starved:
                desk.starve(symbol)
                continue
            self._quoting.requote(symbol, 0, now_ns)
            self._quoting.work_target(symbol, now_ns)
        if desk.touched and not desk.sends:  # what is sent now comes back at once as sent, or not: told then
            tell_touched(desk, self.gate)
        return desk.take_outputs()
