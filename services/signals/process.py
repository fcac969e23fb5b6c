"""The signals process: subscribes at the venues to what its own subscribers ask for."""

from __future__ import annotations

from services.signals.config import parse_signals
from services.signals.core import Signals
from services.signals.demand import Demand
from services.signals.recorded import SIGNALS
from shared.bus import Addresses
from shared.clock import NS_PER_S
from shared.config import Config
from shared.messages import (
    Candles,
    FeedState,
    Flow,
    InstrumentInfo,
    Intensity,
    Message,
    Top,
    Trade,
    Volatility,
)
from shared.recording.core import live_core
from shared.service import Service, give_way

KEEP_DEMAND_NS = 60 * NS_PER_S
CHECK_DEMAND_NS = 5 * NS_PER_S
INPUTS: tuple[type[Message], ...] = (InstrumentInfo, FeedState, Top, Trade)
OUTPUTS = (Flow, Volatility, Intensity)


class SignalsService:
    """The core on the bus, with the symbols that somebody subscribed to."""

    def __init__(self, service: Service, core: Signals, venues: tuple[str, ...]) -> None:
        self._service, self._core, self._venues = service, core, venues
        self._demand = Demand(KEEP_DEMAND_NS)
        self._seeding: set[tuple[str, str]] = set()  # whose candles are subscribed
        service.attach(core)
        service.publisher.on_demand = self._on_demand
        service.loop.every(CHECK_DEMAND_NS, self._drop_unwanted)

    def _on_demand(self, kind: str, scope: str, symbol: str, wanted: bool) -> None:
        if kind not in (output.__name__ for output in OUTPUTS) or scope not in self._venues:
            return
        if not wanted:
            self._demand.left(scope, symbol, self._service.clock.monotonic_ns())
        elif self._demand.joined(scope, symbol):
            self._core.watch(scope, symbol)
            name = f"marketdata.{scope}"
            self._service.listen_to(name, *INPUTS, Candles, scope=scope, symbol=symbol, in_batches=True)
            self._seeding.add((scope, symbol))

    def _drop_unwanted(self) -> None:
        for scope, symbol in self._demand.expired(self._service.clock.monotonic_ns()):
            self._core.forget(scope, symbol)
            for kind in INPUTS:
                self._service.stop_listening(kind, scope, symbol)
            for kind in OUTPUTS:
                self._service.publisher.forget(kind, scope, symbol)
        for scope, symbol in [key for key in self._seeding if not self._core.wants_seed(*key)]:
            self._seeding.remove((scope, symbol))
            self._service.stop_listening(Candles, scope, symbol)


def serve(config: Config) -> None:
    """Run until stopped."""
    give_way()
    settings = parse_signals(config.signals)
    service = Service("signals", config.run_dir, Addresses(config.run_dir, config.addresses))
    core = live_core(SIGNALS, service, config, settings)
    SignalsService(service, core, tuple(config.venues))
    service.run()
