"""One account's execution core on the simulated clock: what it asks for travels, arrives, is answered."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from services.execution.account.restore import Stored
from services.execution.config import ExecutionConfig
from services.execution.core import Execution
from services.execution.requests import (
    Alert,
    Output,
    ReconnectStream,
    ReserveIds,
    SendCancel,
    SendPlace,
    StartRead,
)
from services.replay.agenda import Agenda
from services.replay.venue.answers import answer
from services.replay.venue.simulated import SimulatedVenue
from shared.clock import NS_PER_MS, seconds_to_ns
from shared.messages import Message, Working
from shared.venues.base import Capabilities, Outcome, PrivateEvent, Unknown

#: what our own store and our own sockets take
OWN_NS = NS_PER_MS
KEPT_ALERTS = 100
Publish = Callable[[Sequence[Message], int], None]


class Ways:
    """How long requests and answers travel, ns, and after how long a request counts as unanswered."""

    __slots__ = ("order_ns", "reply_ns", "timeout_ns")

    def __init__(self, order_ns: int, reply_ns: int, timeout_ns: int) -> None:
        self.order_ns, self.reply_ns, self.timeout_ns = order_ns, reply_ns, timeout_ns

    @property
    def is_in_time(self) -> bool:
        return self.order_ns + self.reply_ns < self.timeout_ns


class DeskLink:
    """Carries out what one execution core returns, as `services/execution/live` does on sockets.

    publish     takes what is for the bus
    on_display  is told that our orders in a market have changed, as (symbol, now_ns)
    """

    def __init__(
        self, account: str, config: ExecutionConfig, capabilities: Capabilities, tag: int,
        venue: SimulatedVenue, agenda: Agenda, ways: Ways, publish: Publish,
        on_display: Callable[[str, int], None], now_ns: int,
    ) -> None:  # fmt: skip
        self.account, self.venue = account, venue
        self._agenda, self._ways = agenda, ways
        self._publish, self._on_display = publish, on_display
        self.alerts: deque[tuple[int, Alert]] = deque(maxlen=KEPT_ALERTS)
        self._last_id = 0
        self._depth = 0
        self._changed: dict[str, Working] = {}
        self._messages: list[Message] = []
        self.core = Execution(
            account, config, capabilities, tag=tag, now_ns=now_ns, venue_ms=now_ns // NS_PER_MS
        )
        self._actions: dict[type, Callable[[Any, int], None]] = {
            SendPlace: self._place,
            SendCancel: self._cancel,
            StartRead: self._read,
            ReserveIds: self._reserve,
            ReconnectStream: self._reconnect,
            Alert: self._alert,
        }

    def start(self, now_ns: int) -> None:
        """Bring it up with an empty store and a private stream that is there."""
        core = self.core
        self.do(core.on_halts({}, now_ns), now_ns)
        self.do(core.on_stream(True, now_ns), now_ns)
        self.do(core.on_store(True, now_ns), now_ns)
        self._load(now_ns)

    def _load(self, now_ns: int, _argument: None = None) -> None:
        """Hand over the (empty) stored state once the instruments were read, as the live shell does."""
        if self.core.desk.instruments:
            self.do(self.core.on_loaded(Stored(), now_ns), now_ns)
        else:
            self._agenda.at(now_ns + OWN_NS, self._load)

    def on_timer(self, now_ns: int) -> None:
        """Let the core's timer tick, unless the core has told that it would do nothing."""
        if now_ns < self.core.idle_until_ns:
            return
        outputs = self.core.on_timer(now_ns)
        if outputs:
            self.do(outputs, now_ns)

    def do(self, outputs: Iterable[Output], now_ns: int) -> None:
        """Carry out outputs in order; what rests is told once, when all is done."""
        actions = self._actions
        self._depth += 1
        for output in outputs:
            action = actions.get(type(output))
            if action is not None:
                action(output, now_ns)
            elif isinstance(output, Working):
                self._changed[output.symbol] = output
            elif isinstance(output, Message):
                self._messages.append(output)
        self._depth -= 1
        if self._depth:
            return
        if self._changed:
            changed, self._changed = self._changed, {}
            self._messages.extend(changed.values())
        if self._messages:
            messages, self._messages = self._messages, []
            self._publish(messages, now_ns)

    # --- orders --------------------------------------------------------------------------------

    def _place(self, send: SendPlace, now_ns: int) -> None:
        approved = send.approved
        identity = approved.order.client_order_id
        if now_ns >= approved.expires_ns:
            self.do(self.core.on_place_not_sent(identity, "expired", now_ns), now_ns)
            return
        self._agenda.at(now_ns + self._ways.order_ns, self._place_arrives, (send, now_ns))
        self._give_up(self._place_replied, identity, now_ns)
        self.do(self.core.on_place_sent(identity, now_ns, now_ns // NS_PER_MS), now_ns)

    def _place_arrives(self, now_ns: int, travelling: tuple[SendPlace, int]) -> None:
        send, sent_ns = travelling
        order = send.approved.order
        outcome = self.venue.place(self.account, order, now_ns)
        self._after(order.instrument.symbol, now_ns)
        self._answer(self._place_replied, order.client_order_id, outcome, sent_ns, now_ns)
        self.tell_stream(now_ns)

    def _place_replied(self, now_ns: int, reply: tuple[int, Outcome, int, bool]) -> None:
        identity, outcome, sent_ns, _is_late = reply
        self.do(self.core.on_place_reply(identity, outcome, sent_ns, now_ns), now_ns)

    def _cancel(self, send: SendCancel, now_ns: int) -> None:
        self._agenda.at(now_ns + self._ways.order_ns, self._cancel_arrives, (send, now_ns))
        self._give_up(self._cancel_replied, send.client_order_id, now_ns)
        self.do(self.core.on_cancel_sent(send, now_ns), now_ns)

    def _cancel_arrives(self, now_ns: int, travelling: tuple[SendCancel, int]) -> None:
        send, sent_ns = travelling
        outcome = self.venue.cancel(self.account, send, now_ns)
        self._after(send.instrument.symbol, now_ns)
        self._answer(self._cancel_replied, send.client_order_id, outcome, sent_ns, now_ns)
        self.tell_stream(now_ns)

    def _cancel_replied(self, now_ns: int, reply: tuple[int, Outcome, int, bool]) -> None:
        identity, outcome, sent_ns, is_late = reply
        self.do(self.core.on_cancel_reply(identity, outcome, sent_ns, now_ns, is_late), now_ns)

    def _give_up(self, replied: Callable[[int, Any], None], identity: int, sent_ns: int) -> None:
        """Where no reply can come in time, call the request unknown at its timeout."""
        if not self._ways.is_in_time:
            unknown = (identity, Unknown("no reply in time"), sent_ns, False)
            self._agenda.at(sent_ns + self._ways.timeout_ns, replied, unknown)

    def _answer(
        self, replied: Callable[[int, Any], None], identity: int, outcome: Outcome, sent_ns: int, now_ns: int
    ) -> None:
        """Send a reply on its way; one that comes after the timeout was unknown before."""
        is_late = not self._ways.is_in_time
        self._agenda.at(now_ns + self._ways.reply_ns, replied, (identity, outcome, sent_ns, is_late))

    def _after(self, symbol: str, now_ns: int) -> None:
        self._on_display(symbol, now_ns)

    # --- the private stream ----------------------------------------------------------------------

    def tell_stream(self, now_ns: int) -> None:
        """Send what the venue has to tell this account on its way."""
        told = self.venue.told
        if told:
            mine = [event for account, event in told if account == self.account]
            self.venue.told = [entry for entry in told if entry[0] != self.account]
            if mine:
                self._agenda.at(now_ns + self._ways.reply_ns, self._on_events, mine)

    def _on_events(self, now_ns: int, events: list[PrivateEvent]) -> None:
        for event in events:
            self.do(self.core.on_venue_event(event, now_ns), now_ns)

    def _reconnect(self, _wanted: ReconnectStream, now_ns: int) -> None:
        self.do(self.core.on_stream(False, now_ns), now_ns)
        self._agenda.at(now_ns + self._ways.reply_ns, self._connected)

    def _connected(self, now_ns: int, _argument: None) -> None:
        self.do(self.core.on_stream(True, now_ns), now_ns)

    # --- reads -------------------------------------------------------------------------------------

    def _read(self, read: StartRead, now_ns: int) -> None:
        self._agenda.at(now_ns + self._ways.order_ns, self._read_arrives, (read, now_ns))

    def _read_arrives(self, now_ns: int, asked: tuple[StartRead, int]) -> None:
        read, begun_ns = asked
        found = answer(self.venue.accounts[self.account], self.venue.markets, read, now_ns)
        self._agenda.at(now_ns + self._ways.reply_ns, self._read_answered, (read, found, begun_ns))

    def _read_answered(self, now_ns: int, answered: tuple[StartRead, Any, int]) -> None:
        read, answer, begun_ns = answered
        self.core.on_requests(1)
        self.do(self.core.on_read(read, answer, begun_ns, now_ns), now_ns)

    def _reserve(self, wanted: ReserveIds, now_ns: int) -> None:
        first = max(self._last_id, wanted.above) + 1
        self._last_id = first + wanted.count - 1
        self._agenda.at(now_ns + OWN_NS, self._reserved, range(first, self._last_id + 1))

    def _reserved(self, now_ns: int, block: range) -> None:
        self.do(self.core.on_ids(block, now_ns), now_ns)

    def _alert(self, alert: Alert, now_ns: int) -> None:
        self.alerts.append((now_ns, alert))


def ways_of(order_ms: float, reply_ms: float, config: ExecutionConfig) -> Ways:
    """Return the ways of the settings; a request is unanswered after execution's own timeout."""
    return Ways(
        round(order_ms * NS_PER_MS), round(reply_ms * NS_PER_MS), seconds_to_ns(config.order_timeout_s)
    )
