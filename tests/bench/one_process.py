"""The same logic in one process: what the separation into processes costs is the difference."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.bench.deployment import write_config
from tests.bench.listener import read
from tests.bench.processes import BenchFailure, Children
from tests.bench.tick_to_order import WARM_UP_S, wire_latencies_us
from tests.bench.venue import Venue, quoted_symbols

START_S = 40.0


def run_block(
    venue: Venue, quoters: Mapping[str, Mapping[str, Any]], directory: Path, seconds: float
) -> list[float]:
    """Run the one process on a venue's markets for so long; return its latencies in µs."""
    out = directory / "kept"
    config = write_config(directory, venue.ready_file, quoters)
    with Children(directory / "logs") as children:
        children.start("redis", "shared.state.valkey", "--run-dir", str(directory))
        one = children.start(
            "one_process", "tests.bench.one_process_main", "--config", str(config), "--out", str(out)
        )
        children.wait_until(quoted_symbols(venue, quoters), "orders of every symbol", START_S)
        time.sleep(WARM_UP_S)
        start_ns = time.monotonic_ns()
        time.sleep(seconds)
        end_ns = time.monotonic_ns()
        children.check()
        children.stop_one(one)
    heard = [kept for kept in read(out) if start_ns <= kept.arrived_ns <= end_ns]
    found = wire_latencies_us(heard, venue.frames_since(start_ns), venue.requests_since(start_ns))
    if not found:
        raise BenchFailure("one process: no request could be matched with the frame that caused it")
    return found
