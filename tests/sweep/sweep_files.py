"""Sweep files for the tests, and workers that only pretend."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from services.replay.sweep.driving import Sweep
from services.replay.sweep.job import Done, Job
from services.replay.sweep.journal import Journal
from services.replay.sweep.numbers import KNOWN, NET, VOLUME, Numbers
from services.replay.sweep.plan import Plan, load_plan
from services.replay.sweep.result.toml import to_toml

PAPER = Path(__file__).resolve().parents[2] / "deploy" / "config" / "paper.toml"
SYMBOL = "SOL_USDC_PERP"
SKEW = f"quoters.{SYMBOL}.params.skew"
SIZE = f"quoters.{SYMBOL}.params.size_usd"
STRATEGY = f"quoters.{SYMBOL}.strategy"
EXCESS = "risk.excess_share"


def sweep_file(directory: Path, space: Mapping[str, Any], **changes: Any) -> Path:
    """Write a sweep file over the paper deployment; ten synthetic seconds unless told otherwise."""
    path = directory / "sweep.toml"
    tables = {"base": str(PAPER), "data": {"day": "synthetic:3"}, "duration_s": 10.0} | changes
    path.write_text(to_toml(tables | {"space": space}))
    return path


def plan_of(directory: Path, space: Mapping[str, Any], **changes: Any) -> Plan:
    return load_plan(sweep_file(directory, space, **changes))


def numbers(net: float, volume: float = 10_000.0, **others: float | None) -> Numbers:
    """Return a job's numbers: zero but for these."""
    found: Numbers = dict.fromkeys(KNOWN, 0.0)
    found |= {NET: net, VOLUME: volume, "costs.cost_per_10k": -net / volume * 10_000 if volume else None}
    return found | others


class Pretending:
    """Gives back what a function says, after at most `stop_after` jobs a Ctrl-C; counts the jobs.

    newest_first  the order in which jobs end, against that in which they were given
    """

    def __init__(
        self, of: Callable[[Job], Numbers], *, workers: int = 1, stop_after: int | None = None,
        newest_first: bool = False,
    ) -> None:  # fmt: skip
        self.workers, self._of, self._stop_after = workers, of, stop_after
        self._newest_first = newest_first
        self._queued: deque[tuple[str, Job]] = deque()
        self.done: list[str] = []

    def submit(self, key: str, job: Job) -> None:
        self._queued.append((key, job))

    def next(self) -> tuple[str, Done]:
        if len(self.done) == self._stop_after:
            raise KeyboardInterrupt
        key, job = self._queued.pop() if self._newest_first else self._queued.popleft()
        self.done.append(key)
        return key, Done(dict.fromkeys(job.models, self._of(job)))


def skew_of(job: Job) -> float:
    return float(job.config.quoters[SYMBOL].params["skew"])


def swept(plan: Plan, runs: Any, directory: Path) -> Sweep:
    """Run a plan to its end."""
    with Journal(directory) as journal:
        sweep = Sweep(plan, runs, journal, lambda _config: None)
        sweep.run()
    return sweep
