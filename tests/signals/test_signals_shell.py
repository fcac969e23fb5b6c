"""The signals' process: whom it listens to, and for how long."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from services.signals.config import Config
from services.signals.core import Signals
from services.signals.process import KEEP_DEMAND_NS, SignalsService
from shared.clock import NS_PER_S, ManualClock
from shared.messages import Candles, Message
from tests.quoter.builders import SYMBOL, VENUE


class Shell:
    """Stands for the service: writes down what is subscribed."""

    def __init__(self) -> None:
        self.clock = ManualClock(START_NS)
        self.subscribed: set[tuple[str, str, str]] = set()
        self.forgotten: list[tuple[str, str, str]] = []
        self.timers: list[Any] = []
        self.loop = SimpleNamespace(every=lambda _ns, call: self.timers.append(call))
        self.publisher = SimpleNamespace(
            on_demand=None,
            forget=lambda kind, scope, symbol: self.forgotten.append((kind.__name__, scope, symbol)),
        )

    def attach(self, core: Signals) -> None:
        self.core = core

    def listen_to(self, name: str, *kinds: type[Message], scope: str, symbol: str, in_batches: bool) -> None:
        assert name == f"marketdata.{scope}" and in_batches
        self.subscribed |= {(kind.__name__, scope, symbol) for kind in kinds}

    def stop_listening(self, kind: type[Message], scope: str, symbol: str) -> None:
        self.subscribed.remove((kind.__name__, scope, symbol))

    def demand(self, kind: str, wanted: bool = True, scope: str = VENUE) -> None:
        self.publisher.on_demand(kind, scope, SYMBOL, wanted)

    def kinds(self) -> set[str]:
        return {kind for kind, _, _ in self.subscribed}

    def check(self) -> None:
        for timer in self.timers:
            timer()


START_NS = 1_000 * NS_PER_S
INPUTS = {"InstrumentInfo", "FeedState", "Top", "Trade"}


def shell() -> Shell:
    found = Shell()
    SignalsService(found, Signals(Config()), (VENUE,))  # type: ignore[arg-type]
    return found


def test_every_signal_is_told_on_demand_and_at_known_venues_only() -> None:
    for kind in ("Flow", "Volatility", "Intensity"):
        found = shell()
        found.demand(kind, scope="elsewhere")
        found.demand("Top")
        assert found.kinds() == set()
        found.demand(kind)
        assert found.kinds() == INPUTS | {"Candles"}


def test_D11_candles_are_listened_to_until_the_seed_is_there() -> None:
    found = shell()
    found.demand("Volatility")
    found.check()
    assert "Candles" in found.kinds()
    rows = tuple((START_NS - second * NS_PER_S, 100, 100, 100) for second in (2, 1))
    found.core.on_candles(Candles(VENUE, SYMBOL, 1, rows), START_NS)
    found.check()
    assert found.kinds() == INPUTS
    found.check()  # once is enough: it is not subscribed any more


def test_what_nobody_wants_is_dropped_with_its_candles_and_asked_for_again_later() -> None:
    found = shell()
    found.demand("Volatility")
    found.demand("Volatility", wanted=False)
    found.clock.advance(KEEP_DEMAND_NS)
    found.check()
    assert found.kinds() == set()
    assert {kind for kind, _, _ in found.forgotten} == {"Flow", "Volatility", "Intensity"}
    found.demand("Flow")
    assert found.kinds() == INPUTS | {"Candles"}
