"""The whole deployment as real processes, started for one block of measurement and stopped by id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.bench.deployment import ACCOUNT, VENUE, write_config
from tests.bench.machine import Usage, usage_of
from tests.bench.processes import Children
from tests.bench.venue import Venue, quoted_symbols

#: until every symbol has an order at the venue; each quoter is a process of its own to start
START_S = 40.0
START_PER_QUOTER_S = 1.5


@dataclass(frozen=True, slots=True)
class Running:
    """A process of the stack while it runs."""

    service: str
    usage: Usage


class Stack:
    """redis, marketdata, signals, risk, execution and the quoters of some symbols at one venue."""

    def __init__(self, directory: Path, venue: Venue, quoters: Mapping[str, Mapping[str, Any]]) -> None:
        """Start everything and wait until every symbol is quoted. Raises: BenchFailure."""
        self.directory = directory
        self.children = Children(directory / "logs")
        config = ("--config", str(write_config(directory, venue.ready_file, quoters)))
        start = self.children.start
        start("redis", "shared.state.valkey", "--run-dir", str(directory))
        start("marketdata", "services.marketdata", *config, "--venue", VENUE)
        start("signals", "services.signals", *config)
        start("risk", "services.risk", *config)
        self._execution = start("execution", "services.execution", *config, "--account", ACCOUNT)
        for symbol in quoters:
            start(f"quoter.{symbol}", "services.quoter", *config, "--symbol", symbol)
        try:
            timeout_s = START_S + START_PER_QUOTER_S * len(quoters)
            self.children.wait_until(quoted_symbols(venue, quoters), "orders of every symbol", timeout_s)
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Stack:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def running(self) -> list[Running]:
        """Return what every process has used; a quoter's service is "quoter"."""
        return [Running(child.name.partition(".")[0], usage_of(child.pid)) for child in self.children.all]

    def stop(self) -> None:
        """Stop execution first: it cancels everything while the rest is still there."""
        if self._execution in self.children.all:
            self.children.stop_one(self._execution)
        self.children.stop()
