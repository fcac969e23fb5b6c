"""Tick-to-order with 1, 10 and 50 quoters, each a process with live orders of its own symbol.

The venue's updates are shared out: the same number a second in all, whatever the number of
symbols. Half-spreads differ from symbol to symbol, so that all rest at different prices.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.bench import tick_to_order
from tests.bench.deployment import two_sided
from tests.bench.results import Result, distribution
from tests.bench.venue import Venue

TOTAL_UPDATES_PER_S = 500
NEAREST_TICKS = 10.0
STEPS = 20


def measure(directory: Path, count: int, seconds: float) -> list[Result]:
    """Return the latency with so many quoters, and what each service used of the processors."""
    quoters = _quoters(count)
    venue = Venue(directory / "venue", list(quoters), TOTAL_UPDATES_PER_S / count)
    try:
        block = tick_to_order.run_block(venue, quoters, directory / "stack", seconds)
    finally:
        venue.stop()
    shares = ", ".join(f"{name} {share:.0%}" for name, share in block.cpu_shares.items())
    note = f"{TOTAL_UPDATES_PER_S} updates/s in all; the venue's request budget lifted; processor: {shares}"
    return [
        distribution(f"quoters_{count}", "us", block.wire_us, note),
        Result(f"quoters_{count}_cpu", "processors", count, value=round(sum(block.cpu_shares.values()), 3)),
    ]


def _quoters(count: int) -> Mapping[str, Mapping[str, Any]]:
    return {
        f"S{number:02}_USDC_PERP": two_sided(NEAREST_TICKS + number % STEPS) for number in range(1, count + 1)
    }
