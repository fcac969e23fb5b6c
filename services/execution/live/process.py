"""The execution process: the core on the bus, at the venue and on Redis; the only holder of keys.

Orders leave on connections that are open already; reads of the venue and of Redis run in
workers, writes to Redis in a thread of their own. A stop cancels every order of ours, has
that confirmed by the venue and ties out the ledger; it fails when that is not confirmed in time.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future

from services.execution.account.restore import Stored
from services.execution.config import ExecutionConfig
from services.execution.core import Execution
from services.execution.live.ending import Ending
from services.execution.live.key_trial import KeyTrial
from services.execution.live.last_resort import LastResort, rules_of
from services.execution.live.run_start import run_id_of
from services.execution.live.store_link import FLUSH_NS, StoreLink
from services.execution.live.venue_link import VenueLink
from services.execution.recorded import EXECUTION
from services.execution.requests import (
    Alert,
    CheckClock,
    JournalFill,
    JournalFunding,
    Output,
    ReadKind,
    ReconnectStream,
    ReserveIds,
    SendCancel,
    SendPlace,
    StartRead,
    StoreLedger,
    StorePosition,
)
from shared.bus import Addresses
from shared.clock import NS_PER_MS, NS_PER_S
from shared.config import Config, parse
from shared.errors import Fatal, Unknown
from shared.halt import HaltFlags
from shared.messages import Equity, InstrumentInfo, Message, Permit, Position, Quotes, Target, Top, Working
from shared.recording.core import live_core
from shared.service import Service
from shared.state.store import StateStore
from shared.venues.access import endpoints_of, keys_of
from shared.venues.clock_offset import ClockOffset
from shared.venues.registry import adapter_of

#: reads may hang for seconds while the venue does not answer; the others must not wait for them
WORKERS = 16
HALT_FILES_NS = 250 * NS_PER_MS
HALT_REDIS_NS = NS_PER_S
RETRY_NS = 500 * NS_PER_MS
log = logging.getLogger("execution")


class ExecutionService:
    """Carries out what the core asks; to the shell of the process it looks like a core."""

    timer_ns = Execution.timer_ns

    def __init__(
        self, service: Service, core: Execution, store: StoreLink, config: Config, account: str
    ) -> None:
        self._service, self._core, self._store = service, core, store
        self._loop, self._clock = service.loop, service.clock
        self._config = config
        self._account, self._venue = account, config.accounts[account].venue
        self._flags = HaltFlags(config.run_dir)
        self._redis_halts: dict[str, str] = {}
        self._watched: set[str] = set()
        self._is_loading = False
        self._is_loaded = False
        self.link: VenueLink
        self.ending: Ending
        self._actions: dict[type, Callable[[object], None]] = {}
        self._depth = 0
        self._changed: dict[str, Working] = {}  # what is to be told of each symbol, in order

    def start(self, link: VenueLink) -> None:
        """Connect everything; the core does the rest."""
        store, service = self._store, self._service
        self.link = link
        self.ending = Ending(self._loop, self._clock, self._core, link, store, self._finish)
        self._actions = _actions(self, link, store)
        service.attach(self)
        service.on_stop = self._stop
        service.publisher.on_demand = self._on_demand
        service.listen_to("risk", Permit, Target, scope=self._account)
        self._loop.every(FLUSH_NS, self._flush)
        self._loop.every(HALT_FILES_NS, self._read_halt_files)
        self._loop.every(HALT_REDIS_NS, self._read_redis_halts)
        self._read_halt_files()
        store.start()
        link.start()
        key_file = self._config.accounts[self._account].key_file or "the ready file"
        where = f"accounts.{self._account} ({key_file})"
        KeyTrial(self._loop, self._clock, lambda: link.ask_now(ReadKind.BALANCES), where).begin()

    def do(self, outputs: Iterable[Output]) -> None:
        """Carry out what the core returned, in order; what rests is told once, when all is done.

        A request that leaves comes back to the core, whose outputs end here again, one level down.
        """
        actions = self._actions
        self._depth += 1
        for output in outputs:
            if isinstance(output, Working):
                self._changed[output.symbol] = output
                continue
            action = actions.get(type(output))
            if action is not None:
                action(output)
            if isinstance(output, Message):
                self._service.publisher.publish(output)
        self._depth -= 1
        if self._changed and not self._depth:
            self._tell_working()

    def _tell_working(self) -> None:
        changed, self._changed = self._changed, {}
        for name, working in changed.items():
            self._store.keep_working(working, self._core.desk.symbols[name].instrument)
            self._service.publisher.publish(working)

    # --- from the bus -------------------------------------------------------------------------------

    def on_quotes(self, quotes: Quotes, now_ns: int) -> Iterable[Message]:
        self.do(self._core.on_quotes(quotes, now_ns))
        return ()

    def on_permit(self, permit: Permit, now_ns: int) -> Iterable[Message]:
        self.do(self._core.on_permit(permit, now_ns))
        return ()

    def on_target(self, target: Target, now_ns: int) -> Iterable[Message]:
        self.do(self._core.on_target(target, now_ns))
        return ()

    def on_instrument_info(self, info: InstrumentInfo, now_ns: int) -> Iterable[Message]:
        self.do(self._core.on_instrument_info(info, now_ns))
        return ()

    def on_top(self, top: Top, now_ns: int) -> Iterable[Message]:
        self.do(self._core.on_top(top, now_ns))
        return ()

    def on_timer(self, now_ns: int) -> Iterable[Message]:
        self.do(self._core.on_timer(now_ns))
        return ()

    def _on_demand(self, kind: str, scope: str, symbol: str, is_wanted: bool) -> None:
        """A quoter that wants our Working is there to be listened to."""
        if kind == Working.__name__ and scope == self._account and is_wanted:
            self._service.listen_to(f"quoter.{symbol}", Quotes, scope=self._account, symbol=symbol)
            self._watch_prices(symbol)
            self.do(self._core.on_demand(symbol, self._clock.monotonic_ns()))

    def _watch_prices(self, symbol: str) -> None:
        if symbol not in self._watched:
            self._watched.add(symbol)
            self._service.listen_to(
                f"marketdata.{self._venue}", InstrumentInfo, Top, scope=self._venue, symbol=symbol,
                in_batches=True,
            )  # fmt: skip

    # --- state ----------------------------------------------------------------------------------------

    def on_position_out(self, position: Position) -> None:
        """A position needs prices, whether its symbol is quoted or not."""
        self._watch_prices(position.symbol)

    def reserve_ids(self, wanted: ReserveIds) -> None:
        def reserved(future: Future[range]) -> None:
            error = future.exception()
            if isinstance(error, Unknown):
                empty = self._core.on_ids
                self._loop.after(RETRY_NS, lambda: self.do(empty(range(0), self._clock.monotonic_ns())))
            else:
                self.do(self._core.on_ids(future.result(), self._clock.monotonic_ns()))

        self._loop.in_worker(lambda: self._store.reserve_ids(wanted.count, wanted.above), reserved)

    def _flush(self) -> None:
        now_ns = self._clock.monotonic_ns()
        self._store.flush()
        self.do(self._core.on_store(self._store.is_healthy(now_ns), now_ns))
        if not self._is_loaded and not self._is_loading and self._core.desk.instruments:
            self._is_loading = True
            self._loop.in_worker(self._store.load, self._on_loaded)

    def _on_loaded(self, future: Future[Stored]) -> None:
        self._is_loading = False
        if isinstance(future.exception(), Unknown):
            return  # the next flush tries again
        self._is_loaded = True
        self.do(self._core.on_loaded(future.result(), self._clock.monotonic_ns()))

    def _read_halt_files(self) -> None:
        halts = self._redis_halts | self._flags.read()
        self.do(self._core.on_halts(halts, self._clock.monotonic_ns()))

    def _read_redis_halts(self) -> None:
        def done(future: Future[dict[str, str]]) -> None:
            if not isinstance(future.exception(), Unknown):  # what is not known stays as it was
                self._redis_halts = future.result()

        self._loop.in_worker(self._store.halts, done)

    # --- the end --------------------------------------------------------------------------------------

    def on_stop(self, now_ns: int) -> Iterable[Message]:
        """Publish the last state of every symbol."""
        self.do(self._core.on_stop(now_ns))
        return ()

    def _stop(self, reason: str) -> None:
        del reason
        self.do(self._core.on_stop_request(self._clock.monotonic_ns()))
        self.ending.begin()

    def _finish(self) -> None:
        self.link.close()
        self._service.finish()
        if not self._store.stop():
            log.error("the last changes are not in redis; the next start reads them from the venue")


def _actions(service: ExecutionService, link: VenueLink, store: StoreLink) -> dict[type, Callable[..., None]]:
    return {
        SendPlace: link.place,
        SendCancel: link.cancel,
        StartRead: link.read,
        ReconnectStream: lambda wanted: link.reconnect(wanted.reason),
        CheckClock: lambda _wanted: link.measure_clock(),
        ReserveIds: service.reserve_ids,
        StoreLedger: lambda wanted: store.keep_ledger(wanted.ledger),
        StorePosition: lambda wanted: store.keep_position(wanted.position),
        JournalFill: store.append_fill,
        JournalFunding: store.append_funding,
        Alert: _log_alert,
        Position: service.on_position_out,
        Equity: store.keep_equity,
    }


def _log_alert(alert: Alert) -> None:
    level = logging.ERROR if alert.is_error else logging.INFO
    log.log(level, alert.event, extra=dict(alert.fields))


def serve(config: Config, account: str) -> None:
    """Run until stopped. Raises: Fatal when the end is not confirmed by the venue."""
    settings = parse(config.execution, ExecutionConfig, "execution")
    venue = config.venue_of(account)
    name = config.accounts[account].venue
    adapter = adapter_of(venue.protocol)
    endpoints = endpoints_of(venue, config.run_dir)
    keys = keys_of(config.accounts[account], venue, config.run_dir)
    addresses = Addresses(config.run_dir, config.addresses)
    service = Service(f"execution.{account}", config.run_dir, addresses, workers=WORKERS)
    offset = ClockOffset(service.clock)
    requests: list[int] = []
    try:
        offset.measure(adapter.public_client(name, endpoints, requests.append).server_time_ms)
    except Unknown as error:
        log.warning("the venue's clock cannot be read", extra={"error": str(error)})
    core = live_core(
        EXECUTION, service, config, account, settings, adapter.capabilities, config.deployment.tag,
        service.clock.monotonic_ns(), offset.timestamp_ms(),
    )  # fmt: skip
    core.on_requests(sum(requests))
    # every deployment on this account needs a tag of its own, or they cancel each other's orders
    log.info("orders with our tag are ours", extra={"account": account, "tag": config.deployment.tag})
    store = StoreLink(StateStore.of(config), account, service.clock, run_id_of(os.environ))
    execution = ExecutionService(service, core, store, config, account)
    execution.start(
        VenueLink(
            service.loop, service.clock, adapter, endpoints, keys, offset, settings, name, core, execution.do
        )
    )
    try:
        service.run()
    finally:
        if not execution.ending.is_over:  # something has escaped from the loop
            LastResort(
                endpoints, adapter.account_client(endpoints, keys, offset, None),
                adapter.order_codec(endpoints, keys), core.desk.ids.is_ours, rules_of(core.desk.instruments),
                offset.timestamp_ms,
            ).run()  # fmt: skip
    if not execution.ending.is_confirmed:
        raise Fatal(f"execution.{account}: the venue has not confirmed that our orders are gone")
