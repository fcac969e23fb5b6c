"""The market data process on a local venue, and a subscriber that writes down what it says."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import zmq

from shared.bus import Addresses, Inbox
from shared.clock import NS_PER_S, SystemClock
from shared.messages import Depth, FeedState, FeedStatus, InstrumentInfo, Mark, Message, Top, Trade

KINDS: tuple[type[Message], ...] = (InstrumentInfo, Top, Depth, Trade, Mark, FeedState)
M = TypeVar("M", bound=Message)
CONFIG = """
[deployment]
run_dir = "{run_dir}"
[venues.backpack]
protocol = "backpack"
ready_file = "{ready_file}"
[accounts.main]
venue = "backpack"
{more}
"""


def write_config(directory: Path, ready_file: Path, more: str = "") -> Path:
    path = directory / "config.toml"
    path.write_text(CONFIG.format(run_dir=directory / "run", ready_file=ready_file, more=more))
    return path


def start(config: Path, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "services.marketdata", "--config", str(config), "--venue", "backpack"]
    with log.open("ab") as out:
        return subprocess.Popen(command, stdout=out, stderr=out)


class Subscriber:
    """Hears one symbol; `seen` is everything, with the time (monotonic s) at which it was read."""

    def __init__(self, run_dir: Path, symbol: str) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._inbox = Inbox(self._context, SystemClock())
        self._inbox.connect(Addresses(run_dir).of("marketdata.backpack"))
        for kind in KINDS:
            self._inbox.subscribe(kind, "backpack", symbol)
        self.seen: list[tuple[float, Message]] = []

    def hear(self) -> None:
        self._inbox.socket.poll(20)
        now = time.monotonic()
        self.seen += [(now, message) for message in self._inbox.drain()]

    def until(self, condition: Callable[[], bool], timeout_s: float = 10.0) -> float:
        """Hear until a condition holds; return when it did."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, f"did not come true; last: {self.states()[-3:]}"
            self.hear()
        return time.monotonic()

    def until_status(self, *statuses: FeedStatus, timeout_s: float = 10.0) -> float:
        return self.until(
            lambda: bool(self.states()) and self.states()[-1].status in statuses, timeout_s
        )  # fmt: skip

    def all(self, kind: type[M], since: float = 0.0) -> list[M]:
        return [message for at, message in self.seen if at >= since and isinstance(message, kind)]

    def states(self, since: float = 0.0) -> list[FeedState]:
        return self.all(FeedState, since)

    def last_top(self) -> Top:
        return self.all(Top)[-1]

    def close(self) -> None:
        self._inbox.close()
        self._context.term()


def age_s(stamp_ns: int) -> float:
    """Return how long ago a monotonic stamp was."""
    return time.monotonic() - stamp_ns / NS_PER_S


@contextmanager
def running_feed(
    directory: Path, ready_file: Path, symbol: str, more: str = ""
) -> Iterator[tuple[Subscriber, subprocess.Popen[bytes]]]:
    """Run market data until the block ends; the subscriber is the only one who wants the symbol."""
    log = directory / "marketdata.log"
    (directory / "run").mkdir()
    process = start(write_config(directory, ready_file, more), log)
    subscriber = Subscriber(directory / "run", symbol)
    try:
        yield subscriber, process
    finally:
        subscriber.close()
        process.terminate()
        process.wait(10)
