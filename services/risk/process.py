"""The risk process: listens to every account and to the markets it is in; keeps the halt flags."""

from __future__ import annotations

import logging
from collections import Counter
from concurrent.futures import Future
from contextlib import suppress
from functools import partial

from services.risk.account.memory_file import MemoryFile
from services.risk.config import parse_risk
from services.risk.core import Risk
from services.risk.hedging import check_accounts, members
from services.risk.recorded import RISK
from shared.bus import Addresses
from shared.clock import NS_PER_MS, NS_PER_S
from shared.config import Config
from shared.errors import Unknown
from shared.halt import HaltFlags
from shared.messages import (
    Depth,
    Equity,
    FeedState,
    Fill,
    InstrumentInfo,
    Mark,
    Message,
    Permit,
    Position,
    Top,
    Working,
)
from shared.recording.core import live_core
from shared.service import Service, give_way
from shared.state.store import StateStore

ACCOUNT_INPUTS: tuple[type[Message], ...] = (Position, Equity, Working, Fill)
MARKET_INPUTS: tuple[type[Message], ...] = (InstrumentInfo, FeedState, Top, Depth, Mark)
CHECK_NS = 100 * NS_PER_MS
READ_REDIS_NS = NS_PER_S
KEEP_NS = NS_PER_S
log = logging.getLogger("risk")


class RiskService:
    """The core on the bus, and the halt flags in files and Redis."""

    def __init__(
        self, service: Service, core: Risk, flags: HaltFlags, store: StateStore, memory: MemoryFile
    ) -> None:
        self._service, self._core, self._flags, self._store = service, core, flags, store
        core.restore(memory.read().to_bytes())
        self._markets_heard = 0
        self._redis_flags: dict[str, str] | None = None
        self._is_reading = False
        self._quoters: Counter[tuple[str, str]] = Counter()  # who asks for a symbol's permit
        self.check()  # a halt counts before anything is permitted
        self._read_redis()
        service.attach(core)
        service.publisher.on_demand = self._on_demand
        service.loop.every(CHECK_NS, self.check)
        service.loop.every(READ_REDIS_NS, self._read_redis)
        service.loop.every(KEEP_NS, lambda: memory.write(core.memory(service.clock.monotonic_ns())))

    def check(self) -> None:
        """Follow the halt flags; write those which policies want; subscribe to new markets."""
        flags = {**(self._redis_flags or {}), **self._flags.read()}
        is_complete = self._redis_flags is not None  # before that a halt known to Redis alone may be missed
        now_ns = self._service.clock.monotonic_ns()
        self._service.publish_all(self._core.on_halts(flags, now_ns, is_complete))
        for scope, reason in self._core.wanted_halts().items():
            log.error("halted by a policy", extra={"scope": scope, "reason": reason})
            self._flags.set(scope, reason)
            self._service.loop.in_worker(partial(self._store.set_halt, scope, reason), _ignore_unknown)
        for account, symbol, alert in self._core.take_alerts():
            log.error("alert", extra={"account": account, "symbol": symbol, "reason": alert})
        self._subscribe()

    def _on_demand(self, kind: str, scope: str, symbol: str, wanted: bool) -> None:
        """Whoever asks for the permit of exactly one symbol is its quoter."""
        if kind == Permit.__name__:
            count = self._quoters[scope, symbol] = self._quoters[scope, symbol] + (1 if wanted else -1)
            self._core.set_quoted(scope, symbol, count > 0)

    def _subscribe(self) -> None:
        for venue, symbol in list(self._core.markets)[self._markets_heard :]:
            name = f"marketdata.{venue}"
            self._service.listen_to(name, *MARKET_INPUTS, scope=venue, symbol=symbol, in_batches=True)
            self._markets_heard += 1

    def _read_redis(self) -> None:
        if not self._is_reading:
            self._is_reading = True
            self._service.loop.in_worker(self._store.halts, self._on_redis_flags)

    def _on_redis_flags(self, read: Future[dict[str, str]]) -> None:
        self._is_reading = False
        with suppress(Unknown):  # what was halted stays halted; the files work without Redis
            self._redis_flags = read.result()


def _ignore_unknown(written: Future[None]) -> None:
    """The file is the flag that counts; Redis tells the others."""
    with suppress(Unknown):
        written.result()


def serve(config: Config) -> None:
    """Run until stopped."""
    give_way()
    settings = parse_risk(config.risk)
    check_accounts(settings.hedges, config.accounts, ((q.account, n) for n, q in config.quoters.items()))
    venues = {name: account.venue for name, account in config.accounts.items()}
    service = Service("risk", config.run_dir, Addresses(config.run_dir, config.addresses))
    core = live_core(RISK, service, config, settings, venues)
    for symbol, quoter in config.quoters.items():
        core.set_quoted(quoter.account, symbol, True)
    RiskService(
        service,
        core,
        HaltFlags(config.run_dir),
        StateStore.of(config),
        MemoryFile(config.run_dir, service.clock),
    )
    for account in config.accounts:
        service.listen_to(f"execution.{account}", *ACCOUNT_INPUTS, scope=account, in_batches=True)
    for name, symbol in members(settings.hedges):  # quoted or not: execution tells what somebody asks for
        service.listen_to(f"execution.{name}", Working, scope=name, symbol=symbol, in_batches=True)
    service.run()
