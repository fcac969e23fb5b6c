"""The market data process: the core, its websocket, its REST reads.

The websocket is drained in the loop and its frames go to the core at once; REST reads run
in worker threads. What the core wishes for is asked for on its timer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import TypeVar

from services.marketdata.config import MarketDataConfig
from services.marketdata.core import MarketData
from services.marketdata.located import LocatedClient
from services.marketdata.recorded import MARKETDATA
from shared.bus import Addresses
from shared.clock import NS_PER_MS, NS_PER_S, seconds_to_ns
from shared.config import Config, parse
from shared.errors import BadInput, RateLimited, Unknown, one_line
from shared.messages import KINDS, Candles, FeedState, FeedStatus, InstrumentInfo, Message
from shared.net.backoff import Backoff
from shared.net.stream import StreamListener, WebSocketStream
from shared.recording.core import live_core
from shared.service import Service
from shared.venues.access import endpoints_of
from shared.venues.clock_offset import ClockOffset
from shared.venues.market_data import RawSnapshot
from shared.venues.registry import adapter_of

#: levels a side of the snapshot that starts a book, and of a price read
SNAPSHOT_LEVELS = 1000
PRICE_LEVELS = 5
#: reads of a symbol at a time: a venue that hangs must leave a worker for the next connect
MAX_READS = 3
#: beside them: the next connect, the instruments, the clock
WORKERS = MAX_READS + 3
#: how often the venue's clock is read: lag is measured against it
CLOCK_NS = 30 * NS_PER_S
#: execution closes a symbol while our rules are not the venue's: they must not be old for long
INSTRUMENTS_NS = 60 * NS_PER_S
FAR_NS = 2**63
MIN_LOG_NS = 10 * NS_PER_S
T = TypeVar("T")
#: told of a read that failed: symbol, reason, now, how long the venue wants silence
Failed = Callable[[str, str, int, int], Iterable[Message]]
log = logging.getLogger("marketdata")


class MarketDataService(StreamListener):
    """The core on the bus and at the venue."""

    def __init__(
        self, service: Service, core: MarketData, client: LocatedClient, config: MarketDataConfig,
        required: tuple[str, ...],
    ) -> None:  # fmt: skip
        """required: symbols of the configuration; one that is not listed ends the process."""
        self._service, self._core, self._client, self._required = service, core, client, required
        self._clock, self._loop = service.clock, service.loop
        self._venue = service.name.partition(".")[2]
        self._stream = WebSocketStream(
            service.loop, service.clock, client.ws_url, self,
            ping_ns=seconds_to_ns(config.ping_s), silence_ns=seconds_to_ns(config.silence_s),
            text_ping=core.ping,
        )  # fmt: skip
        self._statuses: dict[str, FeedStatus] = {}
        self._reads = 0  # of a symbol, under way
        self._instruments_ns: int | None = None  # when they were last read
        self._instruments_due_ns = FAR_NS  # not before the venue's clock was asked
        self._instruments_in_flight = False
        self._offset = ClockOffset(service.clock)
        self._clock_in_flight = False
        self._instruments_backoff = Backoff(NS_PER_S // 2, 30 * NS_PER_S)
        self._logged_ns = -MIN_LOG_NS
        service.attach(core)
        service.publisher.on_demand = self._on_demand
        service.loop.every(core.timer_ns, self._ask)
        service.loop.every(CLOCK_NS, self._read_clock)
        self._read_clock()  # the instruments follow, then the stream: a clock comes first if it can be had

    # --- the stream ---

    def on_open(self) -> None:
        log.info("connected")
        self._publish(self._core.on_connected(self._clock.monotonic_ns()))

    def on_frames(self, frames: list[bytes], recv_ns: int) -> None:
        self._publish(self._core.on_frames(frames, recv_ns))

    def on_pong(self) -> None:
        """A pong proves a link, not a feed: nothing follows from it."""

    def on_closed(self, reason: str) -> None:
        log.warning("disconnected", extra={"reason": reason})
        self._publish(self._core.on_disconnected(reason, self._clock.monotonic_ns()))

    # --- the bus ---

    def _on_demand(self, kind: str, scope: str, symbol: str, wanted: bool) -> None:
        if scope == self._venue:
            self._publish(self._core.on_demand(kind, symbol, wanted, self._clock.monotonic_ns()))

    def _publish(self, messages: Iterable[Message]) -> None:
        publish = self._service.publisher.publish
        states: list[FeedState] = []
        for message in messages:
            publish(message)
            if isinstance(message, FeedState) and message.status is not self._statuses.get(message.symbol):
                states.append(message)
        self._send_outgoing()
        for state in states:  # last: a line costs more than all of the above
            self._log(state)

    def _send_outgoing(self) -> None:
        for frame in self._core.take_outgoing():
            self._stream.send_text(frame)

    def _log(self, state: FeedState) -> None:
        self._statuses[state.symbol] = state.status
        is_good = state.status in (FeedStatus.LIVE, FeedStatus.SYNCING)
        log.log(
            logging.INFO if is_good else logging.WARNING,
            f"feed {state.status.name.lower()}",
            extra={"symbol": state.symbol, "reason": state.reason},
        )

    # --- REST ---

    def _ask(self) -> None:
        """Ask the venue for what the core wishes."""
        now_ns = self._clock.monotonic_ns()
        core = self._core
        for name in core.snapshot_wishes(now_ns, MAX_READS - self._reads):
            self._read_depth(name, SNAPSHOT_LEVELS, core.on_snapshot, core.on_snapshot_failed)
        self._send_outgoing()  # a wish may be a new subscription
        price_of = core.price_wish(now_ns) if self._reads < MAX_READS else None
        if price_of is not None:
            self._read_depth(price_of, PRICE_LEVELS, core.on_rest_prices, core.on_rest_prices_failed)
        candles_of = core.candle_wish(now_ns) if not self._reads else None  # nobody quotes on them
        if candles_of is not None:
            self._read_candles(candles_of, core.candles_since_s(now_ns))
        reason = core.reconnect_reason(now_ns)
        if reason:
            self._stream.reconnect(reason)
        if now_ns >= self._instruments_due_ns and core.may_read(now_ns):
            self._read_instruments()
        self._tidy(now_ns)

    def _read_depth(
        self, name: str, levels: int, good: Callable[[str, RawSnapshot, int], Iterable[Message]], bad: Failed
    ) -> None:
        self._read(name, lambda: self._client.depth(name, levels), good, bad)

    def _read_candles(self, name: str, since_s: int) -> None:
        core = self._core
        self._read(name, lambda: self._client.candles(name, since_s), core.on_candles, core.on_candles_failed)

    def _read(
        self, name: str, ask: Callable[[], T], good: Callable[[str, T, int], Iterable[Message]], bad: Failed
    ) -> None:
        def answered(future: Future[T]) -> None:
            self._reads -= 1
            now_ns = self._clock.monotonic_ns()
            error = future.exception()
            if isinstance(error, Unknown):
                wait_s = error.retry_after_s if isinstance(error, RateLimited) else 0.0
                self._publish(bad(name, str(error), now_ns, seconds_to_ns(wait_s)))
            else:
                self._publish(good(name, future.result(), now_ns))

        self._reads += 1
        self._loop.in_worker(ask, answered)

    def _read_clock(self) -> None:
        if not self._clock_in_flight and self._core.may_read(self._clock.monotonic_ns()):
            self._clock_in_flight = True
            self._loop.in_worker(lambda: self._offset.measure(self._client.server_time_ms), self._on_clock)

    def _on_clock(self, future: Future[None]) -> None:
        """Tell the core what the venue's clock shows. Raises: BadInput."""
        self._clock_in_flight = False
        error = future.exception()
        if isinstance(error, Unknown):
            self._on_read_failed(error)
        else:
            future.result()
        ahead_ns, error_ms = self._offset.ahead_ns(), self._offset.error_ms()
        if ahead_ns is not None and error_ms is not None:
            self._core.on_clock(ahead_ns, round(error_ms * NS_PER_MS))
        if self._instruments_ns is None:
            self._read_instruments()

    def _on_read_failed(self, error: Unknown) -> None:
        wait_s = error.retry_after_s if isinstance(error, RateLimited) else 0.0
        self._core.on_read_failed(str(error), self._clock.monotonic_ns(), seconds_to_ns(wait_s))

    def _read_instruments(self) -> None:
        if not self._instruments_in_flight:
            self._instruments_in_flight = True
            self._loop.in_worker(self._client.instruments, self._on_instruments)

    def _on_instruments(self, future: Future[list[InstrumentInfo]]) -> None:
        """Learn the instruments; the stream starts with the first answer. Raises: BadInput."""
        self._instruments_in_flight = False
        error = future.exception()
        if isinstance(error, Unknown):
            log.warning("instruments not read", extra={"reason": one_line(str(error))})
            self._on_read_failed(error)
            wait_ns = seconds_to_ns(error.retry_after_s) if isinstance(error, RateLimited) else 0
            wait_ns = max(wait_ns, self._instruments_backoff.take_ns())
            self._instruments_due_ns = self._clock.monotonic_ns() + wait_ns
            return
        is_first = self._instruments_ns is None
        self._instruments_ns = self._clock.monotonic_ns()
        self._instruments_due_ns = self._instruments_ns + INSTRUMENTS_NS
        self._instruments_backoff.reset()
        self._publish(self._core.on_instruments(future.result(), self._instruments_ns))
        if is_first:
            for name in self._required:
                if not self._core.is_listed(name):
                    raise BadInput(self._core.unknown_symbol(name))
            self._stream.start()

    def _tidy(self, now_ns: int) -> None:
        """End the topics of symbols that nobody wants; log, now and then, what could not be read."""
        for name in self._core.take_forgotten():
            self._statuses.pop(name, None)
            for kind in KINDS.values():
                self._service.publisher.forget(kind, self._venue, name)
        for name in self._core.take_forgotten_candles():
            self._service.publisher.forget(Candles, self._venue, name)
        if self._core.unreadable and now_ns - self._logged_ns > MIN_LOG_NS:
            log.warning("unreadable", extra={"reason": self._core.take_unreadable()})
            self._logged_ns = now_ns


def serve(config: Config, venue_name: str) -> None:
    """Run until stopped. Raises: BadInput for a venue or a symbol that is not there."""
    if venue_name not in config.venues:
        raise BadInput(f"venue {venue_name!r} is not configured; known: {', '.join(config.venues)}")
    venue = config.venues[venue_name]
    settings = parse(config.marketdata, MarketDataConfig, "marketdata")
    adapter = adapter_of(venue.protocol)
    endpoints_of(venue, config.run_dir)  # waits for the venue, and complains before anything starts
    required = tuple(
        symbol for symbol, quoter in config.quoters.items()
        if config.accounts[quoter.account].venue == venue_name
    )  # fmt: skip
    addresses = Addresses(config.run_dir, config.addresses)
    service = Service(f"marketdata.{venue_name}", config.run_dir, addresses, workers=WORKERS)
    client = LocatedClient(
        lambda: endpoints_of(venue, config.run_dir, wait_s=0),
        lambda endpoints: adapter.public_client(venue_name, endpoints, None),
    )
    core = live_core(MARKETDATA, service, config, venue_name, venue.protocol, settings)
    MarketDataService(service, core, client, settings, required)
    service.run()
