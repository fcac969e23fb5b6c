"""`python -m tests.bench [NAMES...] [--quick] [--out run/bench.json]`

NAMES choose what is run: `chains` (tick_to_order, bare_chain, one_process, memory_...),
`feed_capacity`, `quoters`, `matching_engine`, `replay`, `sweep`; or the
name of any result of these. None = all.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tests.bench import chains, feed_capacity, matching, quoters, replaying, sweeps
from tests.bench.machine import describe_machine
from tests.bench.processes import BenchFailure
from tests.bench.results import MIN_FEED_CAPACITY, Result, ratios, show, write

RATE, SLOW_RATE = 500, 100
EXIT_FAILURE = 1
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Benchmark:
    """`prefixes`: how the names of its results begin."""

    name: str
    prefixes: tuple[str, ...]
    measure: Callable[[Path, bool], list[Result]]

    def is_meant(self, name: str) -> bool:
        return name == self.name or name.startswith(self.prefixes)


def _matching(_directory: Path, quick: bool) -> list[Result]:
    return matching.measure(50_000 if quick else 300_000)


def _chains(directory: Path, quick: bool) -> list[Result]:
    if quick:
        return chains.measure(directory, RATE, "", chains.Plan(rounds=1, seconds=3))
    found = chains.measure(directory / "fast", RATE, "", chains.Plan(rounds=8, seconds=8))
    slow = chains.measure(directory / "slow", SLOW_RATE, f"_{SLOW_RATE}", chains.Plan(rounds=2, seconds=10))
    return [*found, *(one for one in slow if not one.name.startswith("memory_"))]


def _feed(directory: Path, quick: bool) -> list[Result]:
    rates = (MIN_FEED_CAPACITY,) if quick else (20_000, 30_000, 40_000, 60_000, 80_000, 100_000)
    return feed_capacity.measure(directory, rates, seconds=2 if quick else 5)


def _quoters(directory: Path, quick: bool) -> list[Result]:
    results: list[Result] = []
    for count in (1, 10, 50):
        results += quoters.measure(directory / str(count), count, seconds=1.5 if quick else 10)
    return results


def _replay(_directory: Path, quick: bool) -> list[Result]:
    return replaying.measure(quick)


def _sweep(directory: Path, quick: bool) -> list[Result]:
    if quick:
        return sweeps.measure(directory, sweeps.Size(rounds=2, job_s=60, long_s=600))
    return sweeps.measure(directory, sweeps.Size(rounds=5, job_s=200, long_s=2_000))


BENCHMARKS = (
    Benchmark("matching_engine", ("matching_engine",), _matching),
    Benchmark("chains", ("tick_to_order", "bare_chain", "one_process", "memory_"), _chains),
    Benchmark("feed_capacity", ("feed_capacity",), _feed),
    Benchmark("quoters", ("quoters_",), _quoters),
    Benchmark("replay", ("replay_",), _replay),
    Benchmark("sweep", ("sweep_",), _sweep),
)


def main(arguments: Sequence[str]) -> int:
    """Measure, write, show. Returns 1 when a benchmark failed; a bound that is missed is only told."""
    given = _parse(arguments)
    results: list[Result] = []
    failed: list[str] = []
    machine = describe_machine()
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        for benchmark in BENCHMARKS:
            if not given.names or any(benchmark.is_meant(name) for name in given.names):
                console.print(f"measuring {benchmark.name} ...")
                try:
                    results += benchmark.measure(Path(directory) / benchmark.name, given.quick)
                except BenchFailure as failure:
                    console.print(f"{benchmark.name} FAILED: {failure}", markup=False)
                    failed.append(benchmark.name)
    results += ratios(results)
    write(given.out, machine, results)
    show(results)
    if failed:
        console.print(f"failed, not in {given.out}: {', '.join(failed)}", markup=False)
    return EXIT_FAILURE if failed else 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", help="what to measure; none = everything")
    parser.add_argument("--quick", action="store_true", help="short blocks: a look, not a measurement")
    parser.add_argument("--out", type=Path, default=Path("run/bench.json"))
    given = parser.parse_args(arguments)
    for name in given.names:
        if not any(benchmark.is_meant(name) for benchmark in BENCHMARKS):
            known = ", ".join(benchmark.name for benchmark in BENCHMARKS)
            parser.error(f"{name!r} is not a benchmark; choose from {known}, or a name of their results")
    return given


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
