"""The whole deployment in one process, on a simulated clock: the very same cores as live.

Each recorded message happens at the venue first (`SimulatedVenue`: it may fill our orders), and
reaches our processes after the feed's latency. From there messages travel as on the bus: a hop to
the quoter and from it to execution; risk, signals and execution's prices are read in batches, as
their processes do. Every core's timer ticks; states are repeated on a heartbeat.

Not simulated: the processor. A handler takes no time, so nothing queues behind a slow one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from heapq import heappop
from typing import Any, Protocol

from services.execution.config import ExecutionConfig
from services.quoter.config import Settings
from services.quoter.core import Quoter
from services.replay.agenda import NEVER_NS, Agenda
from services.replay.desk_link import DeskLink, Ways
from services.replay.latency import Latency
from services.replay.risk_duty import CHECK_NS, RiskDuty
from services.replay.venue.simulated import SimulatedVenue
from services.risk.config import Config as RiskConfig
from services.risk.core import Risk
from services.signals.config import Config as SignalsConfig
from services.signals.core import Signals
from shared.bus import HEARTBEAT_NS
from shared.clock import NS_PER_MS
from shared.messages import (
    Depth,
    Equity,
    FeedState,
    Fill,
    Flow,
    InstrumentInfo,
    Intensity,
    Mark,
    Message,
    Permit,
    Position,
    Quotes,
    Target,
    Top,
    Trade,
    Volatility,
    Working,
)
from shared.service import BATCH_NS, Handler, handlers_of
from shared.venues.base import Capabilities, VenueFunding

#: what the processes off the hot path take in batches
_BATCHED_BY_RISK: tuple[type[Message], ...] = (
    InstrumentInfo,
    FeedState,
    Top,
    Depth,
    Mark,
    Position,
    Equity,
    Working,
    Fill,
)
_BATCHED_BY_SIGNALS: tuple[type[Message], ...] = (InstrumentInfo, FeedState, Top, Trade)
#: timers begin apart, as processes do
_STAGGER_NS = 1_300_000


class Listener(Protocol):
    """Whoever watches: sees what is published, and the market as recorded and as shown with our orders."""

    def on_market(self, message: Message, shown: Message, now_ns: int) -> None: ...
    def on_published(self, message: Message, now_ns: int) -> None: ...
    def on_funding(self, payment: VenueFunding, now_ns: int) -> None: ...


class Parts:
    """What a machine is built of, read from a configuration once."""

    __slots__ = ("capabilities", "execution", "legs", "quoters", "risk", "signals", "tag", "venues")

    def __init__(
        self, quoters: Sequence[Settings], venues: Mapping[str, str], risk: RiskConfig,
        signals: SignalsConfig, execution: ExecutionConfig, capabilities: Mapping[str, Capabilities],
        tag: int, legs: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """venues: account -> venue; capabilities: venue -> what it can do; legs: symbol -> account."""
        self.legs = dict(legs or {})
        self.quoters, self.venues = quoters, venues
        self.risk, self.signals, self.execution = risk, signals, execution
        self.capabilities, self.tag = capabilities, tag


class Machine:
    """Cores, venues and the clock between them."""

    def __init__(
        self, parts: Parts, venues: Mapping[str, SimulatedVenue], hop: Latency, feed_ns: int, ways: Ways,
        listener: Listener, now_ns: int,
    ) -> None:  # fmt: skip
        self.agenda = agenda = Agenda()
        self.venues = venues
        self.listener = listener
        self.event_count = 0
        self._hop, self._feed_ns = hop, feed_ns
        #: feed and one hop; None = drawn
        self._way_ns = None if hop.constant_ns is None else feed_ns + hop.constant_ns
        self._arrivals: deque[tuple[int, Message]] = deque()
        self._arrives_ns = NEVER_NS
        self._last_arrival_ns = 0
        self.risk = Risk(parts.risk, parts.venues)
        self.signals = Signals(parts.signals)
        self.links = {
            account: DeskLink(
                account, parts.execution, parts.capabilities[venue], parts.tag, venues[venue], agenda, ways,
                self._publish, partial(self._shown_changed, venues[venue]), now_ns,
            )
            for account, venue in parts.venues.items()
        }  # fmt: skip
        self.quoters = {(s.venue, s.symbol): Quoter(s) for s in parts.quoters}
        self.account_of = {s.symbol: s.account for s in parts.quoters} | parts.legs
        self.duty = RiskDuty(self.risk, self.links.values(), self._publish)
        self._accounts = {(s.account, s.symbol): (s.venue, s.symbol) for s in parts.quoters}
        self._on_quoter = {key: handlers_of(core) for key, core in self.quoters.items()}
        self._on_top = {key: core.on_top for key, core in self.quoters.items()}
        self._wire_batches(parts)
        #: what some process of ours listens to: the rest of the market need not travel
        self._heard = frozenset((Top, InstrumentInfo, *_KEPT_STATES, *self._batched)).union(
            *self._on_quoter.values()
        )
        self._states: dict[tuple[type, str, str], Message] = {}
        self._calls = agenda.calls
        self._on_market = listener.on_market
        self._start(parts, now_ns)

    # --- building --------------------------------------------------------------------------------

    def _wire_batches(self, parts: Parts) -> None:
        self._pending_states: dict[tuple[type, str, str], Message] = {}
        self._pending_facts: list[Message] = []
        self._pending_tops: dict[tuple[str, str], Top] = {}
        self._batch_ns = 0
        self._is_batch_due = False
        self._batched: dict[type[Message], list[Handler]] = {}
        on_risk, on_signals = handlers_of(self.risk), handlers_of(self.signals)
        self._signals_wanted = self._watch_signals(parts)
        for kind in _BATCHED_BY_RISK:
            self._batched.setdefault(kind, []).append(on_risk[kind])
        if self._signals_wanted:
            for kind in _BATCHED_BY_SIGNALS:
                self._batched.setdefault(kind, []).append(on_signals[kind])

    def _watch_signals(self, parts: Parts) -> bool:
        is_wanted = False
        for settings in parts.quoters:
            needs = settings.strategy.needs(settings.params)
            if needs.flow or needs.volatility or needs.intensity:
                self.signals.watch(settings.venue, settings.symbol)
                is_wanted = True
        return is_wanted

    def _start(self, parts: Parts, now_ns: int) -> None:
        agenda = self.agenda
        for settings in parts.quoters:
            self.risk.watch(settings.account, settings.symbol)
            self.risk.set_quoted(settings.account, settings.symbol, True)
        for symbol, account in parts.legs.items():
            self.risk.watch(account, symbol)
        self._publish(list(self.risk.on_halts({}, now_ns, True)), now_ns)
        for link in self.links.values():
            link.start(now_ns)
            agenda.every(now_ns + _STAGGER_NS, link.core.timer_ns, link.on_timer)
        for symbol, account in self.account_of.items():
            agenda.at(now_ns + NS_PER_MS, self._demand, (self.links[account], symbol))
        for number, core in enumerate(self.quoters.values()):
            agenda.every(now_ns + (2 + number) * _STAGGER_NS, core.timer_ns, self._timer(core.on_timer))
        agenda.every(now_ns + self.risk.timer_ns, self.risk.timer_ns, self._timer(self.risk.on_timer))
        agenda.every(now_ns + CHECK_NS, CHECK_NS, self.duty.check)
        if self._signals_wanted:
            agenda.every(
                now_ns + self.signals.timer_ns, self.signals.timer_ns, self._timer(self.signals.on_timer)
            )
        agenda.every(now_ns + HEARTBEAT_NS, HEARTBEAT_NS, self._heartbeat)

    def _demand(self, now_ns: int, demand: tuple[DeskLink, str]) -> None:
        """A quoter asks execution for its symbol, until that knows it."""
        link, symbol = demand
        if link.core.desk.symbol(symbol) is None:
            self.agenda.at(now_ns + NS_PER_MS, self._demand, demand)
        else:
            link.do(link.core.on_demand(symbol, now_ns), now_ns)

    def _timer(self, on_timer: Callable[[int], Iterable[Message]]) -> Callable[[int], None]:
        def tick(now_ns: int) -> None:
            messages = on_timer(now_ns)
            if messages:
                self._publish(list(messages), now_ns)

        return tick

    # --- the market ---------------------------------------------------------------------------------

    def on_market(self, message: Any, now_ns: int) -> None:
        """Take the next recorded message; everything that is due before it happens first."""
        if self._arrives_ns <= now_ns or self._calls[0][0] <= now_ns:
            self.run_until(now_ns)
        self.event_count += 1
        kind, venue = type(message), self.venues[message.scope]
        shown = venue.on_top(message, now_ns) if kind is Top else venue.on_message(message, now_ns)
        self._on_market(message, shown, now_ns)
        if self._way_ns is None:
            self._arrive(shown, now_ns)
        elif kind in self._heard:
            due_ns = now_ns + self._way_ns
            if not self._arrivals:
                self._arrives_ns = due_ns
            self._arrivals.append((due_ns, shown))
        if venue.told:
            if kind is Trade:  # what it has filled is no longer shown
                self._shown_changed(venue, message.symbol, now_ns)
            self._tell_streams(now_ns)
        if venue.funded:
            funded, venue.funded = venue.funded, []
            for _account, payment in funded:
                self.listener.on_funding(payment, now_ns)

    def run_until(self, until_ns: int) -> None:
        """Do everything that is due until then."""
        calls = self._calls
        while True:
            due_ns = calls[0][0]
            if self._arrives_ns <= due_ns:
                if self._arrives_ns > until_ns:
                    return
                self._take_arrival()
            elif due_ns > until_ns:
                return
            else:
                due_ns, _, call, argument = heappop(calls)
                call(due_ns, argument)

    def _arrive(self, message: Message, now_ns: int) -> None:
        """Send a market message to our processes; they arrive in the order of the market."""
        due_ns = now_ns + (self._way_ns or self._feed_ns + self._hop.draw_ns())
        if due_ns < self._last_arrival_ns:
            due_ns = self._last_arrival_ns
        self._last_arrival_ns = due_ns
        if not self._arrivals:
            self._arrives_ns = due_ns
        self._arrivals.append((due_ns, message))

    def _take_arrival(self) -> None:
        arrivals = self._arrivals
        now_ns, message = arrivals.popleft()
        self._arrives_ns = arrivals[0][0] if arrivals else NEVER_NS
        kind = type(message)
        fields: Any = message
        key = (fields.scope, fields.symbol)
        if kind is Top:
            on_top = self._on_top.get(key)
            if on_top is not None:
                answers = on_top(fields, now_ns)
                if answers:
                    self._publish(answers, now_ns)
            self._pending_tops[key] = fields
            if not self._is_batch_due:
                self._expect_batch(now_ns)
            return
        self._to_quoter(key, message, now_ns)
        if kind in _KEPT_STATES:
            self._states[kind, key[0], key[1]] = message
        if kind is InstrumentInfo:
            self._rules(fields, now_ns)
        self._to_batch(message, now_ns)

    def _rules(self, info: InstrumentInfo, now_ns: int) -> None:
        for link in self.links.values():
            if link.venue is self.venues[info.scope]:
                link.do(link.core.on_instrument_info(info, now_ns), now_ns)

    def _shown_changed(self, venue: SimulatedVenue, symbol: str, now_ns: int) -> None:
        """Our orders in a market have changed: it shows other best prices.

        The recording alone tells how fresh the market is: a feed that is silent stays so.
        """
        market = venue.markets[symbol]
        if market.top is None or not market.is_usable:
            return
        top = market.top
        fresh = Top(
            top.scope, top.symbol, top.bid, top.bid_size, top.ask, top.ask_size, top.update_id,
            top.venue_ns, now_ns, top.as_of_ns, now_ns,
        )  # fmt: skip
        shown = market.shown_top(fresh)
        self._on_market(top, shown, now_ns)
        self._arrive(shown, now_ns)

    def _tell_streams(self, now_ns: int) -> None:
        for link in self.links.values():
            link.tell_stream(now_ns)

    # --- the bus --------------------------------------------------------------------------------------

    def _publish(self, messages: Iterable[Message], now_ns: int) -> None:
        """Send what a core has returned to whoever listens, one hop away."""
        on_published = self.listener.on_published
        sent = []
        for message in messages:
            on_published(message, now_ns)
            if type(message) in _ROUTED:
                sent.append(message)
        if sent:
            self.agenda.at(now_ns + self._hop.draw_ns(), self._take_published, sent)

    def _take_published(self, now_ns: int, messages: list[Message]) -> None:
        for message in messages:
            kind = type(message)
            fields: Any = message
            if kind is Quotes:
                link = self.links[fields.scope]
                link.do(link.core.on_quotes(fields, now_ns), now_ns)
            elif kind is Permit:
                self._to_quoter(self._accounts.get((fields.scope, fields.symbol)), message, now_ns)
                link = self.links[fields.scope]
                link.do(link.core.on_permit(fields, now_ns), now_ns)
            elif kind is Target:
                link = self.links[fields.scope]
                link.do(link.core.on_target(fields, now_ns), now_ns)
            elif kind in _SIGNALS:
                self._to_quoter((fields.scope, fields.symbol), message, now_ns)
            else:
                self._from_execution(kind, fields, now_ns)

    def _from_execution(self, kind: type[Message], message: Any, now_ns: int) -> None:
        symbol = getattr(message, "symbol", "-")
        if message.is_state:
            self._states[kind, message.scope, symbol] = message
        if kind is Equity:
            for account, name in self._accounts:
                if account == message.scope:
                    self._to_quoter(self._accounts[account, name], message, now_ns)
        elif kind is not Fill:
            self._to_quoter(self._accounts.get((message.scope, symbol)), message, now_ns)
        self._to_batch(message, now_ns)

    def _to_quoter(self, key: tuple[str, str] | None, message: Message, now_ns: int) -> None:
        handlers = self._on_quoter.get(key) if key is not None else None
        handler = None if handlers is None else handlers.get(type(message))
        if handler is not None:
            answers = handler(message, now_ns)
            if answers:
                self._publish(answers, now_ns)

    def _heartbeat(self, now_ns: int) -> None:
        """Repeat every state, as publishers do."""
        for (kind, scope, symbol), message in list(self._states.items()):
            if kind in _KEPT_STATES:
                self._to_quoter((scope, symbol), message, now_ns)
                self._to_batch(message, now_ns)
            else:
                self._from_execution(kind, message, now_ns)

    # --- batches ------------------------------------------------------------------------------------------

    def _to_batch(self, message: Any, now_ns: int) -> None:
        kind = type(message)
        if kind not in self._batched:
            return
        if message.is_state:
            self._pending_states[kind, message.scope, getattr(message, "symbol", "-")] = message
        else:
            self._pending_facts.append(message)
        if not self._is_batch_due:
            self._expect_batch(now_ns)

    def _expect_batch(self, now_ns: int) -> None:
        self._is_batch_due = True
        self.agenda.at(max(now_ns, self._batch_ns + BATCH_NS), self._take_batch)

    def _take_batch(self, now_ns: int, _argument: None) -> None:
        """Facts first, then every state as it is now: several of one kind have become one."""
        self._is_batch_due, self._batch_ns = False, now_ns
        if self._pending_facts or self._pending_states:
            states, self._pending_states = self._pending_states, {}
            facts, self._pending_facts = self._pending_facts, []
            for message in (*facts, *states.values()):
                for handler in self._batched.get(type(message), ()):
                    answers = handler(message, now_ns)
                    if answers:
                        self._publish(answers, now_ns)
        if self._pending_tops:
            tops, self._pending_tops = self._pending_tops, {}
            for top in tops.values():
                for handler in self._batched[Top]:
                    answers = handler(top, now_ns)
                    if answers:
                        self._publish(answers, now_ns)
                self._top_to_execution(top, now_ns)

    def _top_to_execution(self, top: Any, now_ns: int) -> None:
        for link in self.links.values():
            if link.venue is self.venues[top.scope]:
                outputs = link.core.on_top(top, now_ns)
                if outputs:
                    link.do(outputs, now_ns)

    # --- the end --------------------------------------------------------------------------------------------

    def stop(self, now_ns: int, patience_ns: int) -> bool:
        """Cancel everything and wait until the venue has confirmed it; False = it did not in time."""
        self.run_until(now_ns)
        for link in self.links.values():
            link.do(link.core.on_stop_request(now_ns), now_ns)
        end_ns, step_ns = now_ns + patience_ns, 50 * NS_PER_MS
        while now_ns < end_ns:
            now_ns += step_ns
            self.run_until(now_ns)
            if all(link.core.is_stopped() and link.core.is_ledger_read() for link in self.links.values()):
                return True
        return False


_KEPT_STATES = frozenset((FeedState, Depth))
_SIGNALS = frozenset((Flow, Volatility, Intensity))
_ROUTED = frozenset((Quotes, Permit, Target, Position, Working, Equity, Fill)) | _SIGNALS
