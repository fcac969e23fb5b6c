"""The other services of a deployment, as far as a quoter hears them: publishers in the test's own process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import msgspec
import zmq

from shared.bus import Addresses, Inbox, Publisher
from shared.clock import NS_PER_S, SystemClock
from shared.messages import Message, Quotes, Side, Trade, WorkingOrder
from tests.quoter.builders import (
    ACCOUNT,
    INFO,
    SYMBOL,
    VENUE,
    depth,
    equity,
    feed,
    permit,
    position,
    top,
    working,
)

ROOT = Path(__file__).resolve().parents[2]
STEP_S = 0.02


class BusStand:
    """marketdata, execution and risk on a real bus; signals and quoter are real processes."""

    def __init__(self, directory: Path, config: str) -> None:
        self.run_dir = directory / "run"
        self.config = directory / "paper.toml"
        self.config.write_text(f'[deployment]\nrun_dir = "{self.run_dir}"\n{config}')
        self._clock = SystemClock()
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        addresses = Addresses(self.run_dir)
        names = (f"marketdata.{VENUE}", f"execution.{ACCOUNT}", "risk")
        self._publishers = [Publisher(self._context, addresses.of(name), self._clock) for name in names]
        self.market, self.execution, self.risk = self._publishers
        self.demand: list[tuple[str, str, str, bool]] = []
        self.market.on_demand = lambda *request: self.demand.append(request)
        self.inbox = Inbox(self._context, self._clock)
        for name in (f"quoter.{SYMBOL}", "signals"):
            self.inbox.connect(addresses.of(name))
        self.processes: list[subprocess.Popen[str]] = []
        self.heard: list[Message] = []
        self.taker = Side.BUY
        #: best bid of everybody and its size, the level of others behind it, and our orders in the market
        self.bid, self.bid_size = 19_999, 500
        self.behind = (19_998, 500)
        self.resting: tuple[WorkingOrder, ...] = ()
        self._trades = 0

    def start(self, service: str, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", f"services.{service}", "--config", str(self.config), *options]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process

    def run_until(self, is_true: Callable[[], bool], limit_s: float = 20.0) -> None:
        """Publish a living market until something is true. Raises: AssertionError after `limit_s`."""
        deadline = time.monotonic() + limit_s
        while not is_true():
            assert time.monotonic() < deadline, f"heard only {self.heard[-3:]}; {self.exits()}"
            self._publish()
            for publisher in self._publishers:
                publisher.on_readable()
            self.heard += self.inbox.drain()
            time.sleep(STEP_S)

    def exits(self) -> list[int | None]:
        """Return the exit code of each process that was started, None = it runs."""
        return [process.poll() for process in self.processes]

    def newest_quotes(self) -> Quotes | None:
        return next((m for m in reversed(self.heard) if isinstance(m, Quotes)), None)

    def _publish(self) -> None:
        now_ns = self._clock.monotonic_ns()
        self._trades += 1
        trade = Trade(VENUE, SYMBOL, self.taker, 20_000, 10, self._trades, 0, now_ns)
        best = top(bid=self.bid, bid_size=self.bid_size, now_ns=now_ns)
        book = depth(((self.bid, self.bid_size), self.behind), ((20_001, 500),), now_ns)
        for message in (INFO, feed(now_ns=now_ns), best, book, trade):
            self.market.publish(message)
        for state in (position(), working(*self.resting), equity(now_ns=now_ns)):
            self.execution.publish(state)
        self.risk.publish(msgspec.structs.replace(permit(), expires_ns=now_ns + NS_PER_S))

    def __enter__(self) -> BusStand:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
            if process.stderr:
                process.stderr.close()
        for publisher in self._publishers:
            publisher.close()
        self.inbox.close()
        self._context.term()
