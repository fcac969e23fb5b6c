"""The bare chain: venue frame -> process -> bus -> process -> bus -> process -> request. No logic.

The same frames arrive as at market data, and about as many of them end in a request. Its
client id holds the frame's own stamp, so that it is matched with exactly its frame. The
listener of the other chain is attached here too.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from shared.clock import NS_PER_US
from tests.bench.processes import Children
from tests.bench.venue import STAMP_MASK, Frame, Request, Venue

LINKS = ("send", "decide", "receive")
START_S = 15.0
WARM_UP_S = 1.0


def run_block(venue: Venue, symbol: str, directory: Path, seconds: float) -> list[float]:
    """Run the chain on a venue's market for so long; return its latencies in µs."""
    with Children(directory / "logs") as children:
        for link in LINKS:
            children.start(
                f"bare.{link}", "tests.bench.bare_process", link, "--run-dir", str(directory),
                "--ready-file", str(venue.ready_file), "--symbol", symbol,
            )  # fmt: skip
        children.start(
            "listener", "tests.bench.listener", "--run-dir", str(directory), "--lazy", "--to",
            "bare.receive", "--prefixes", "Top.", "--out", str(directory / "heard"),
        )  # fmt: skip
        start_ns = time.monotonic_ns()
        children.wait_until(lambda: bool(venue.requests_since(start_ns)), "the first request", START_S)
        time.sleep(WARM_UP_S)
        start_ns = time.monotonic_ns()
        time.sleep(seconds)
        children.check()
    return latencies_us(venue.frames_since(start_ns), venue.requests_since(start_ns), symbol)


def latencies_us(frames: Sequence[Frame], requests: Sequence[Request], symbol: str) -> list[float]:
    """Return, of each request, the time since its frame was sent."""
    stream = f"depth.{symbol}"
    sent_ns = {frame.event_us & STAMP_MASK: frame.sent_ns for frame in frames if frame.stream == stream}
    return [
        (request.recv_ns - sent_ns[request.client_id]) / NS_PER_US
        for request in requests
        if request.client_id in sent_ns
    ]
