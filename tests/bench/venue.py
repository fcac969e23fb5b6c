"""The local venue under measurement, and its two traces: frames sent, requests received."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import requests

from tests.bench.processes import Children

START_S = 20.0
CONTROL_TIMEOUT_S = 30.0
ACCEPTED = 200
#: client ids are 32 bits, and so is what is kept of a frame's stamp in one (wraps after 71 minutes)
STAMP_MASK = 0xFFFF_FFFF


class Frame(NamedTuple):
    """A public frame that the venue sent: its own stamp E in µs, and when (monotonic)."""

    stream: str
    symbol: str
    event_us: int
    sent_ns: int


class Request(NamedTuple):
    """An order-entry request that the venue received (monotonic)."""

    method: str
    symbol: str | None
    client_id: int | None
    order_id: str | None
    status: int | None
    recv_ns: int


class Venue:
    """A venue of its own process: tracing, without a rate limit."""

    def __init__(self, directory: Path, symbols: Sequence[str], updates_per_s: float) -> None:
        """Start it and wait until it serves. Raises: BenchFailure."""
        self.ready_file = directory / "venue.json"
        self._children = Children(directory / "logs")
        self._process = self._children.start(
            "exchange", "tests.bench.lively_exchange", "--venue", "backpack",
            "--ready-file", str(self.ready_file), "--symbols", ",".join(symbols),
            "--updates-per-s", str(updates_per_s), "--informed", "off", "--seed", "7",
            "--rate-limit", "off", "--trace", "--follow-parent", "--parent-grace-s", "0",
        )  # fmt: skip
        try:
            self._children.wait_until(self.ready_file.exists, "the venue serves", START_S)
        except BaseException:
            self._children.stop()
            raise
        self._control_url: str = orjson.loads(self.ready_file.read_bytes())["control"]
        self._session = requests.Session()
        self._session.trust_env = False
        self._position = {"frames": 0, "log": 0}

    @property
    def pid(self) -> int:
        return self._process.pid

    def frames_since(self, start_ns: int) -> list[Frame]:
        """Return the frames sent at or after `start_ns`. What is older is dropped for good."""
        frames = (Frame(*entry) for entry in self._read("frames"))
        return [frame for frame in frames if frame.sent_ns >= start_ns]

    def requests_since(self, start_ns: int) -> list[Request]:
        """Return the order-entry requests received at or after `start_ns`; drops what is older."""
        return [_request(entry) for entry in self._read("log") if entry["recv_ns"] >= start_ns]

    def stop(self) -> None:
        self._session.close()
        self._children.stop()

    def _read(self, trace: str) -> list[Any]:
        entries: list[Any] = []
        while True:
            url = f"{self._control_url}/_control/{trace}?since={self._position[trace]}"
            reply = self._session.get(url, timeout=CONTROL_TIMEOUT_S)
            reply.raise_for_status()
            page = orjson.loads(reply.content)
            self._position[trace] = page["next"]
            if not page["entries"]:
                return entries
            entries += page["entries"]


def quoted_symbols(venue: Venue, symbols: Iterable[str]) -> Callable[[], bool]:
    """Return a condition: from now on an order of each symbol has been placed at the venue."""
    start_ns, missing = time.monotonic_ns(), set(symbols)

    def all_quoted() -> bool:
        for request in venue.requests_since(start_ns):
            if request.method == "POST" and request.status == ACCEPTED:
                missing.discard(request.symbol or "")
        return not missing

    return all_quoted


def _request(entry: dict[str, Any]) -> Request:
    client_id = entry["client_id"]
    return Request(
        entry["method"], entry["symbol"], None if client_id is None else int(client_id),
        entry["order_id"], entry["status"], entry["recv_ns"],
    )  # fmt: skip
