"""The execution core against a small venue of its own, every delay and loss under control.

Pure, and its own reading of what a venue does: requests travel, arrive or are too late;
replies, stream events and answers of reads are delivered when the test says so, or lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.execution.account.restore import Stored
from services.execution.config import ExecutionConfig
from services.execution.core import Execution
from services.execution.requests import (
    Alert,
    JournalFill,
    Output,
    ReconnectStream,
    ReserveIds,
    SendCancel,
    SendPlace,
    StartRead,
)
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import Level, Message, OrderUpdate, Permit, Quotes, Side, Target, Top, Working
from shared.venues.base import NewOrder, Outcome, Rejected, Unknown
from tests.execution.small_venue import ACCOUNT, CAPABILITIES, SYMBOL, TAG, WINDOW_MS, Resting, SmallVenue

LONG_NS = 3_600 * NS_PER_S


@dataclass
class Travelling:
    """A request on its way, or its reply."""

    request: SendPlace | SendCancel
    sent_ns: int
    outcome: Outcome | None = None
    is_late: bool = False


@dataclass
class Asked:
    """A read; `answer` is set when the venue has looked."""

    read: StartRead
    begun_ns: int
    answer: Any = None
    is_answered: bool = False


class World(SmallVenue):
    """Core and venue. Prices are ticks, sizes lots."""

    def __init__(self, config: ExecutionConfig | None = None) -> None:
        super().__init__()
        self.config = config or ExecutionConfig(requests_per_min=1_000_000)
        self.requests: list[Travelling] = []
        self.replies: list[Travelling] = []
        self.reads: list[Asked] = []
        self.published: list[Message] = []
        self.alerts: list[Alert] = []
        self.journal: list[JournalFill] = []
        self.reconnects = 0
        self.sent_ids: list[int] = []
        self.sequence = 0
        self.stored = Stored()
        self.is_stream_silent = False
        self.has_prices = True
        #: reason with which every placement, or every cancel of these ids, is refused
        self.place_refusal: str | None = None
        self.cancel_refusals: dict[int, str] = {}
        #: (when, request) as they reached the venue
        self.arrivals: list[tuple[int, SendPlace | SendCancel]] = []
        self.core = self.new_core()

    def new_core(self) -> Execution:
        """Return a core that marketdata has told its rules."""
        core = self.bare_core()
        core.on_instrument_info(self.info, self.now_ns)
        return core

    def bare_core(self) -> Execution:
        return Execution(
            ACCOUNT, self.config, CAPABILITIES, tag=TAG, now_ns=self.now_ns, venue_ms=self.venue_ms
        )

    # --- driving -----------------------------------------------------------------------------

    def do(self, outputs: list[Output]) -> None:
        for output in outputs:
            if isinstance(output, SendPlace | SendCancel):
                self._send(output)
            elif isinstance(output, StartRead):
                self.reads.append(Asked(output, self.now_ns))
            elif isinstance(output, ReserveIds):
                first = max(self.sequence, output.above) + 1
                self.sequence = first + output.count - 1
                self.do(self.core.on_ids(range(first, self.sequence + 1), self.now_ns))
            elif isinstance(output, JournalFill):
                self.journal.append(output)
            elif isinstance(output, Alert):
                self.alerts.append(output)
            elif isinstance(output, ReconnectStream):
                self.reconnects += 1
            elif isinstance(output, Message):
                self.published.append(output)

    def _send(self, request: SendPlace | SendCancel) -> None:
        self.requests.append(Travelling(request, self.now_ns))
        if isinstance(request, SendPlace):
            identity = request.approved.order.client_order_id
            assert self.now_ns < request.approved.expires_ns
            self.sent_ids.append(identity)
            self.do(self.core.on_place_sent(identity, self.now_ns, self.venue_ms))
        else:
            self.do(self.core.on_cancel_sent(request, self.now_ns))

    def tick(self, ms: int = 20) -> None:
        """Let time pass, then call the timer once."""
        self.now_ns += ms * NS_PER_MS
        self.do(self.core.on_timer(self.now_ns))

    def run(self, ms: int, step_ms: int = 20) -> None:
        """Let time pass with everything delivered at once."""
        for _ in range(max(1, ms // step_ms)):
            self.tick(step_ms)
            self.settle()

    def settle(self) -> None:
        """Deliver everything that is under way, in order, until nothing is."""
        while self.requests or self.replies or self.stream or self.reads:
            self.now_ns += 10_000
            if self.requests:
                self.arrive()
            elif self.stream:
                self.tell()
            elif self.replies:
                self.reply()
            else:
                self.look()
                self.answer()

    def start(self) -> None:
        """Bring the core to ready."""
        self.do(self.core.on_stream(True, self.now_ns))
        self.do(self.core.on_store(True, self.now_ns))
        self.run(40)
        self.do(self.core.on_demand(SYMBOL, self.now_ns))
        self.do(self.core.on_loaded(self.stored, self.now_ns))
        for _ in range(400):
            self.run(20)
            if self.core.gate.reason is None and self.core.desk.symbols[SYMBOL].is_known:
                return
        raise AssertionError(self.core.gate.reason)

    def permit(self, limit: int = 1_000, **changes: Any) -> None:
        values: dict[str, Any] = {
            "scope": ACCOUNT, "symbol": SYMBOL, "max_long": limit, "max_short": limit, "max_order": limit,
            "max_gross_usd": 1e9, "may_buy": True, "may_sell": True, "reduce_only": False, "halted": False,
            "reason": "", "expires_ns": self.now_ns + LONG_NS,
        }  # fmt: skip
        self.do(self.core.on_permit(Permit(**(values | changes)), self.now_ns))

    def quote(
        self, *levels: Level, exclusive: bool = False, ttl_ns: int = LONG_NS, cause_ns: int = 0
    ) -> None:
        symbol = self.core.desk.symbols.get(SYMBOL)
        if self.has_prices and symbol is not None and not symbol.price:  # who quotes has seen one
            self.top(9_999, 10_001)
        quotes = Quotes(ACCOUNT, SYMBOL, levels, exclusive, self.now_ns + ttl_ns, cause_ns, "test")
        self.do(self.core.on_quotes(quotes, self.now_ns))

    def target(self, minimum: int, maximum: int, **changes: Any) -> None:
        values: dict[str, Any] = {
            "scope": ACCOUNT, "symbol": SYMBOL, "minimum": minimum, "maximum": maximum, "style": "ioc",
            "limit_price": None, "max_slice": 1_000, "may_open": False,
            "position_seq": self.core.desk.symbols[SYMBOL].position_seq,
            "expires_ns": self.now_ns + LONG_NS, "reason": "test",
        }  # fmt: skip
        self.do(self.core.on_target(Target(**(values | changes)), self.now_ns))

    def top(self, bid: int, ask: int) -> None:
        now_ns = self.now_ns
        top = Top("backpack", SYMBOL, bid, 10, ask, 10, 1, 0, now_ns, now_ns, now_ns)
        self.do(self.core.on_top(top, now_ns))

    # --- what happens ------------------------------------------------------------------------------

    def arrive(self, index: int = 0, reject: str | None = None) -> None:
        """A request reaches the venue, which acts and answers; the reply is under way then."""
        travelling = self.requests.pop(index)
        request = travelling.request
        self.arrivals.append((self.now_ns, request))
        reject = reject or self.place_refusal
        if isinstance(request, SendCancel) and request.client_order_id in self.cancel_refusals:
            travelling.outcome = Rejected(self.cancel_refusals[request.client_order_id], "no")
        elif isinstance(request, SendCancel):
            travelling.outcome = self.cancel(request)
        elif self.now_ns - travelling.sent_ns > WINDOW_MS * NS_PER_MS:
            travelling.outcome = Rejected("auth", "Request has expired")
        elif reject is not None:
            travelling.outcome = Rejected(reject, reject)
        else:
            travelling.outcome = self.place(request.approved.order)
        self.replies.append(travelling)

    def vanish(self, index: int = 0) -> None:
        """A request is lost before it reaches the venue; no reply comes."""
        travelling = self.requests.pop(index)
        travelling.outcome = Unknown("lost")
        self.replies.append(travelling)

    def time_out(self, index: int = 0) -> None:
        """A request that is still under way counts as unanswered; it may arrive after all."""
        travelling = self.requests[index]
        if not travelling.is_late:
            self._report(travelling, Unknown("no reply in time"))
            travelling.is_late = True

    def reply(self, index: int = 0, is_lost: bool = False) -> None:
        """A reply is delivered, or lost: then the request counts as unanswered."""
        travelling = self.replies.pop(index)
        outcome = Unknown("no reply") if is_lost else travelling.outcome
        assert outcome is not None
        if not travelling.is_late or not isinstance(outcome, Unknown):
            self._report(travelling, outcome)

    def _report(self, travelling: Travelling, outcome: Outcome) -> None:
        request, now_ns = travelling.request, self.now_ns
        if isinstance(request, SendPlace):
            identity = request.approved.order.client_order_id
            self.do(self.core.on_place_reply(identity, outcome, travelling.sent_ns, now_ns))
        else:
            self.do(
                self.core.on_cancel_reply(
                    request.client_order_id, outcome, travelling.sent_ns, now_ns, travelling.is_late
                )
            )

    def tell(self) -> None:
        """The private stream delivers its next event."""
        event = self.stream.pop(0)
        if not self.is_stream_silent:
            self.do(self.core.on_venue_event(event, self.now_ns))

    def look(self, index: int = 0) -> None:
        """The venue works out the answer of a read."""
        asked = self.reads[index]
        asked.answer, asked.is_answered = self.answer_of(asked.read), True

    def answer(self, index: int = 0) -> None:
        asked = self.reads.pop(index)
        self.do(self.core.on_read(asked.read, asked.answer, asked.begun_ns, self.now_ns))

    def fail_read(self, index: int = 0) -> None:
        asked = self.reads.pop(index)
        self.do(self.core.on_read_failed(asked.read, "HTTP 503", None, asked.begun_ns, self.now_ns))

    # --- looking -------------------------------------------------------------------------------------

    def out(self) -> list[Resting | NewOrder]:
        """Return every order of ours that is live at the venue, or under way to it."""
        return [*self.ours(), *self.placing()]

    def working(self) -> Working:
        """Return the Working that was published last."""
        return next(message for message in reversed(self.published) if isinstance(message, Working))

    def updates(self) -> list[OrderUpdate]:
        return [message for message in self.published if isinstance(message, OrderUpdate)]

    def placing(self) -> list[NewOrder]:
        """Return the placements that have not reached the venue and still may."""
        return [
            travelling.request.approved.order
            for travelling in self.requests
            if isinstance(travelling.request, SendPlace)
            and self.now_ns - travelling.sent_ns <= WINDOW_MS * NS_PER_MS
        ]


def bid(price: int, size: int = 10, **more: Any) -> Level:
    return Level(Side.BUY, price, size, **more)


def ask(price: int, size: int = 10, **more: Any) -> Level:
    return Level(Side.SELL, price, size, **more)


def ready(**more: Any) -> World:
    """Return a world whose core quotes, with a permit."""
    world = World(**more)
    world.start()
    world.permit()
    world.top(9_999, 10_001)
    return world
