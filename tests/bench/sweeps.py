"""A sweep of eight jobs on one worker and on two, and what a worker's memory does in a long day.

Both clusters run before anything is measured, and each of their workers has done a job: the start
of processes and what they import is not in it. Rounds alternate, so that what else the machine
does meets both alike.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from services.replay.sweep.cluster import executor
from services.replay.sweep.executor import Executor
from services.replay.sweep.job import Done, Job
from services.replay.sweep.plan import Plan, load_plan
from tests.bench.processes import ROOT, BenchFailure
from tests.bench.results import MIN_SWEEP_SPEEDUP, Result, distribution

JOBS = 8
_FILE = """
base = "{base}"
duration_s = {duration_s}
data = {{ day = "synthetic:7" }}
space = {{ "quoters.SOL_USDC_PERP.params.skew" = [0.5] }}
"""


@dataclass(frozen=True, slots=True)
class Size:
    """job_s, long_s: seconds of the synthetic market; a long day is the same market for longer."""

    rounds: int
    job_s: float
    long_s: float


def measure(directory: Path, size: Size) -> list[Result]:
    """Return seconds for eight jobs by workers, the speed-up, and the memory. Raises: BenchFailure."""
    directory.mkdir(parents=True)
    plan = _plan(directory, size.job_s)
    taken: dict[int, list[float]] = {1: [], 2: []}
    with executor(1, None) as one, executor(2, None) as two:
        for runs in (one, two):
            _all_jobs(runs, plan)
        for _ in range(size.rounds):
            for runs in (one, two):
                taken[runs.workers].append(_all_jobs(runs, plan))
        memory = _memory(one, plan, size)
    note = f"{JOBS} jobs of {size.job_s:g} synthetic seconds; clusters started before"
    speedup = min(taken[1]) / min(taken[2])  # what else the machine does can only add to a round
    verdict = "met" if speedup >= MIN_SWEEP_SPEEDUP else "MISSED"
    return [
        distribution("sweep_one_worker", "s", taken[1], note),
        distribution("sweep_two_workers", "s", taken[2], note),
        Result(
            "sweep_speedup", "x", size.rounds, value=round(speedup, 3),
            note=f"of the fastest rounds; bound: at least {MIN_SWEEP_SPEEDUP:g}: {verdict}",
        ),
        memory,
    ]  # fmt: skip


def _plan(directory: Path, duration_s: float) -> Plan:
    path = directory / "sweep.toml"
    base = ROOT / "deploy" / "config" / "paper.toml"
    path.write_text(_FILE.format(base=base, duration_s=duration_s))
    return load_plan(path)


def _all_jobs(runs: Executor, plan: Plan) -> float:
    """Return the seconds from the first job's start to the last one's end."""
    jobs = [Job(plan.config, texts, plan.duration_s) for texts in plan.data.values()] * JOBS
    started_s = time.perf_counter()
    for number, job in enumerate(jobs):
        runs.submit(str(number), job)
    for _ in jobs:
        _check(runs.next()[1])
    return time.perf_counter() - started_s


def _memory(runs: Executor, plan: Plan, size: Size) -> Result:
    """The peak of a process never falls: what a longer day adds to it is what it needed more."""
    peaks = []
    for number, duration_s in enumerate((size.job_s, size.long_s)):
        runs.submit(str(number), Job(plan.config, plan.data["day"], duration_s))
        peaks.append(_check(runs.next()[1]).peak_mib)
    return Result(
        "sweep_memory_growth", "MiB", 1, value=round(peaks[1] - peaks[0], 1),
        note=f"a worker's peak, {peaks[0]:g} MiB, by a day {size.long_s / size.job_s:g} times as long",
    )  # fmt: skip


def _check(done: Done) -> Done:
    if done.problem:
        raise BenchFailure(f"a job failed: {done.problem}")
    return done
