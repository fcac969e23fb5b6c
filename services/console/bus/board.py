"""What the console knows from the bus. A state that is not heard any more counts as unknown (None).

Orders, fills and money are counted by the books of a run (services/console/running/books.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TypeVar

from shared.bus import STATE_TTL_NS
from shared.config import Config
from shared.instrument import Instrument
from shared.messages import (
    Equity,
    FeedState,
    Fill,
    InstrumentInfo,
    Message,
    OrderUpdate,
    Permit,
    Position,
    Target,
    Top,
    Working,
)
from shared.stats import quantile

M = TypeVar("M", bound=Message)
#: latencies that are kept of the whole run, and of each symbol: the newest
MAX_SAMPLES = 100_000
MAX_SYMBOL_SAMPLES = 1_000
#: kinds the console listens to; by scope, so that listening is not taken for demand
MARKET_KINDS = (InstrumentInfo, Top, FeedState)
ACCOUNT_KINDS = (Position, Equity, Working, OrderUpdate, Fill)


class Board:
    """The newest state of every topic and counters of the facts."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._states: dict[tuple[type[Message], str, str], tuple[Message, int]] = {}
        self._instruments: dict[tuple[str, str], Instrument] = {}
        self.tick_to_order_us = Samples(MAX_SAMPLES)
        self._by_symbol: dict[tuple[str, str], Samples] = {}
        self._last_cause: dict[tuple[str, str], int] = {}

    def on_messages(self, messages: Iterable[Message], now_ns: int) -> None:
        for message in messages:
            if isinstance(message, OrderUpdate):
                self._on_order_update(message)
            elif message.is_state:
                self._on_state(message, now_ns)

    def newest(self, kind: type[M], scope: str, symbol: str, now_ns: int) -> M | None:
        """Return the newest state of a topic, None when it is not heard any more."""
        message, heard_ns = self._states.get((kind, scope, symbol), (None, 0))
        if isinstance(message, kind) and now_ns - heard_ns <= STATE_TTL_NS:
            return message
        return None

    def heard_ns(self, kind: type[Message], scope: str, symbol: str) -> int:
        """Return when a topic was last heard (monotonic), 0 = never."""
        return self._states.get((kind, scope, symbol), (None, 0))[1]

    def samples_of(self, account: str, symbol: str) -> Samples:
        """Return the newest tick-to-order latencies of one symbol, us."""
        return self._by_symbol.setdefault((account, symbol), Samples(MAX_SYMBOL_SAMPLES))

    def instrument(self, venue: str, symbol: str) -> Instrument | None:
        return self._instruments.get((venue, symbol))

    def add_instrument(self, info: InstrumentInfo) -> None:
        self._instruments[info.scope, info.symbol] = Instrument.from_info(info)

    def symbols(self) -> list[tuple[str, str]]:
        """Return (account, symbol) of everything that is quoted or works somewhere."""
        known = {(quoter.account, symbol) for symbol, quoter in self._config.quoters.items()}
        known |= {(scope, symbol) for kind, scope, symbol in self._states if kind in (Working, Position)}
        return sorted(known)

    def _on_state(self, message: Message, now_ns: int) -> None:
        scope, symbol = str(getattr(message, "scope", "")), str(getattr(message, "symbol", "-"))
        self._states[type(message), scope, symbol] = (message, now_ns)
        if isinstance(message, InstrumentInfo):
            self.add_instrument(message)

    def _on_order_update(self, update: OrderUpdate) -> None:
        """Note how long the first request took that a frame has caused."""
        key = (update.scope, update.symbol)
        if update.sent_ns and update.cause_ns > self._last_cause.get(key, 0):
            self._last_cause[key] = update.cause_ns  # the first request that a frame caused
            latency_us = (update.sent_ns - update.cause_ns) / 1_000
            self.tick_to_order_us.add(latency_us)
            self.samples_of(*key).add(latency_us)


class Samples:
    """Percentiles of the newest samples, by the nearest rank. `n`: how many there were in all."""

    def __init__(self, most: int) -> None:
        self._values: deque[float] = deque(maxlen=most)
        self._sorted: list[float] | None = None
        self.n = 0

    def add(self, value: float) -> None:
        self._values.append(value)
        self._sorted = None
        self.n += 1

    def percentile(self, fraction: float) -> float | None:
        """Return the value at `fraction` (0..1) of the sorted samples, None when there is none."""
        if not self._values:
            return None
        if self._sorted is None:
            self._sorted = sorted(self._values)
        return quantile(self._sorted, fraction)


def permit_word(permit: Permit | None) -> str:
    """Return in a few words what may rest."""
    if permit is None:
        return "none"
    if permit.halted:
        return permit.reason if permit.reason.startswith("halted") else f"halted: {permit.reason}"
    if not permit.may_buy and not permit.may_sell:
        return f"stopped: {permit.reason}"
    if permit.reduce_only:
        return f"reduce only: {permit.reason}"
    return permit.reason or "quoting"


def target_word(target: Target | None) -> str:
    if target is None or target.style == "none":
        return ""
    if target.style == "flatten":
        return f"flattening if configured: {target.reason}"
    return f"{'hedging' if target.may_open else 'reducing'}: {target.reason}"
