"""The three chains of one update rate, in short blocks that take turns on one venue and market."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import bare_chain, memory, one_process, tick_to_order
from tests.bench.deployment import two_sided
from tests.bench.results import Result, distribution
from tests.bench.stack import Running
from tests.bench.venue import Venue

SYMBOL = "SOL_USDC_PERP"
HALF_SPREAD_TICKS = 10.0
INSIDE = (
    "frame received until the call that sends the request has come back, as makerd tells it: by then the "
    "venue may have it already, so this is no part of tick_to_order and may exceed it"
)
QUOTERS = {SYMBOL: two_sided(HALF_SPREAD_TICKS)}


@dataclass(frozen=True, slots=True)
class Plan:
    """How often each chain runs, and for how long each time."""

    rounds: int
    seconds: float


@dataclass(slots=True)
class Samples:
    """Latencies in µs of every block."""

    bare: list[float] = field(default_factory=list)
    one: list[float] = field(default_factory=list)
    wire: list[float] = field(default_factory=list)
    inside: list[float] = field(default_factory=list)
    running: list[Running] = field(default_factory=list)


def measure(directory: Path, updates_per_s: int, suffix: str, plan: Plan) -> list[Result]:
    """Return the results of all three, their names ending in `suffix`, and the memory of each process."""
    samples = Samples()
    venue = Venue(directory / "venue", [SYMBOL], updates_per_s)
    try:
        for number in range(plan.rounds):
            _round(venue, directory / str(number), plan.seconds, samples)
        samples.running.append(memory.of_process("exchange", venue.pid))
    finally:
        venue.stop()
    return [*_latencies(samples, updates_per_s, suffix), *memory.results(samples.running)]


def _round(venue: Venue, directory: Path, seconds: float, samples: Samples) -> None:
    samples.bare += bare_chain.run_block(venue, SYMBOL, directory / "bare", seconds)
    block = tick_to_order.run_block(venue, QUOTERS, directory / "stack", seconds)
    samples.wire += block.wire_us
    samples.inside += block.inside_us
    samples.running = block.running
    samples.one += one_process.run_block(venue, QUOTERS, directory / "one", seconds)


def _latencies(samples: Samples, updates_per_s: int, suffix: str) -> list[Result]:
    note = f"{updates_per_s} updates/s; the venue's request budget lifted"
    sides = "venue sends frame to venue has first request"
    return [
        distribution(f"tick_to_order{suffix}", "us", samples.wire, f"{note}; {sides}"),
        distribution(f"tick_to_order_inside{suffix}", "us", samples.inside, INSIDE),
        distribution(f"bare_chain{suffix}", "us", samples.bare, f"{note}; the same hops without logic"),
        distribution(f"one_process{suffix}", "us", samples.one, f"{note}; the same logic without a bus"),
    ]
