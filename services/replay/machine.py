"""The whole deployment in one process, on a simulated clock: the very same cores as live.

Each recorded message happens at the venue first (`SimulatedVenue`: it may fill our orders), and
reaches our processes after the feed's latency. From there messages travel as on the bus: a hop to
the quoter and from it to execution; risk, signals and execution's prices are read in batches, as
their processes do. Every core's timer ticks; states are repeated on a heartbeat.

Not simulated: the processor. A handler takes no time, so nothing queues behind a slow one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from functools import partial
from heapq import heappop
from typing import Any

from services.quoter.core import Quoter
from services.replay.agenda import NEVER_NS, Agenda
from services.replay.batches import BATCHED_BY_RISK, BATCHED_BY_SIGNALS, Batches
from services.replay.beginning import begin, watch_signals
from services.replay.desk_link import DeskLink, Ways
from services.replay.latency import Latency
from services.replay.parts import Listener, Parts
from services.replay.risk_duty import RiskDuty
from services.replay.venue.simulated import SimulatedVenue
from services.risk.core import Risk
from services.signals.core import Signals
from shared.clock import NS_PER_MS
from shared.messages import (
    Depth,
    Equity,
    FeedState,
    Fill,
    Flow,
    InstrumentInfo,
    Intensity,
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
from shared.service import handlers_of


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
                self.publish, partial(self._shown_changed, venues[venue]), now_ns,
            )
            for account, venue in parts.venues.items()
        }  # fmt: skip
        self.quoters = {(s.venue, s.symbol): Quoter(s) for s in parts.quoters}
        self.account_of = {s.symbol: s.account for s in parts.quoters} | parts.legs
        self.duty = RiskDuty(self.risk, self.links.values(), self.publish)
        self._accounts = {(s.account, s.symbol): (s.venue, s.symbol) for s in parts.quoters}
        self._on_quoter = {key: handlers_of(core) for key, core in self.quoters.items()}
        self._on_top = {key: core.on_top for key, core in self.quoters.items()}
        signals_wanted = watch_signals(self.signals, parts)
        self._batches = Batches(agenda, self.publish, self._top_to_execution)
        self._batches.listen(handlers_of(self.risk), BATCHED_BY_RISK)
        if signals_wanted:
            self._batches.listen(handlers_of(self.signals), BATCHED_BY_SIGNALS)
        #: what some process of ours listens to: the rest of the market need not travel
        self._heard = frozenset((Top, InstrumentInfo, *_KEPT_STATES, *self._batches.kinds)).union(
            *self._on_quoter.values()
        )
        self._states: dict[tuple[type, str, str], Message] = {}
        self._calls = agenda.calls
        self._on_market = listener.on_market
        begin(self, parts, signals_wanted, now_ns)

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
                    self.publish(answers, now_ns)
            self._batches.add_top(key, fields, now_ns)
            return
        self._to_quoter(key, message, now_ns)
        if kind in _KEPT_STATES:
            self._states[kind, key[0], key[1]] = message
        if kind is InstrumentInfo:
            self._rules(fields, now_ns)
        self._batches.add(message, now_ns)

    def _rules(self, info: InstrumentInfo, now_ns: int) -> None:
        for link in self.links.values():
            if link.venue is self.venues[info.scope]:
                link.do(link.core.on_instrument_info(info, now_ns), now_ns)

    def _shown_changed(self, venue: SimulatedVenue, symbol: str, now_ns: int) -> None:
        """Our orders in a market have changed: tell it where it shows other best prices for that.

        The recording alone tells how fresh the market is: a feed that is silent stays so.
        """
        market = venue.markets[symbol]
        shown = market.shown_anew(now_ns)
        if shown is None or market.top is None:
            return
        self._on_market(market.top, shown, now_ns)
        self._arrive(shown, now_ns)

    def _tell_streams(self, now_ns: int) -> None:
        for link in self.links.values():
            link.tell_stream(now_ns)

    # --- the bus --------------------------------------------------------------------------------------

    def publish(self, messages: Iterable[Message], now_ns: int) -> None:
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
        self._batches.add(message, now_ns)

    def _to_quoter(self, key: tuple[str, str] | None, message: Message, now_ns: int) -> None:
        handlers = self._on_quoter.get(key) if key is not None else None
        handler = None if handlers is None else handlers.get(type(message))
        if handler is not None:
            answers = handler(message, now_ns)
            if answers:
                self.publish(answers, now_ns)

    def heartbeat(self, now_ns: int) -> None:
        """Repeat every state, as publishers do."""
        for (kind, scope, symbol), message in list(self._states.items()):
            if kind in _KEPT_STATES:
                self._to_quoter((scope, symbol), message, now_ns)
                self._batches.add(message, now_ns)
            else:
                self._from_execution(kind, message, now_ns)

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
