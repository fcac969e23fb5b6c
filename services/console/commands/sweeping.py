"""`makerd sweep SWEEP`: the same replay under many parameters; the best of them as a configuration."""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

from services.console.commands.checking import check_sections
from services.console.commands.preflight import check_written
from services.console.progress import progress
from services.replay.sweep.cluster import default_workers, executor
from services.replay.sweep.driving import Sweep, jobs_of
from services.replay.sweep.journal import Journal
from services.replay.sweep.plan import Plan, load_plan
from services.replay.sweep.result.rows import heads, notes, rows
from services.replay.sweep.result.writing import write_result
from services.replay.sweep.signals import interruptible
from services.replay.sweep.trial import winners
from shared.config import Config
from shared.errors import EXIT_FAILURE, BadInput

EXIT_INTERRUPTED = 130
_MOST_ROWS, _MOST_NOTES = 15, 5
_NEEDED = {"optuna": "optuna", "distributed": "dask[distributed]"}


def command(options: argparse.Namespace) -> int:
    """Run `makerd sweep`; 1 = no trial may win, 130 = interrupted. Raises: BadInput, MakerdError."""
    _check_installed()
    plan = load_plan(options.sweep)
    workers = default_workers() if options.workers is None else options.workers
    directory = options.out or Path("run/sweep") / options.sweep.stem
    try:
        with interruptible():
            return _run(plan, directory, workers, options.scheduler)
    except KeyboardInterrupt:
        print(
            f"makerd: stopped; what is finished is kept in {directory}: the same command goes on",
            file=sys.stderr,
        )
        return EXIT_INTERRUPTED


def _check_installed() -> None:
    missing = [name for module, name in _NEEDED.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise BadInput(
            f"sweep needs {' and '.join(missing)}: make .venv/sweep.stamp (or pip install 'makerd[sweep]')"
        )


def _run(plan: Plan, directory: Path, workers: int, scheduler: str | None) -> int:
    started_s = time.monotonic()
    with ExitStack() as stack:
        journal = stack.enter_context(Journal(directory))
        advance = stack.enter_context(progress("sweeping", jobs_of(plan).total))
        runs = stack.enter_context(executor(workers, scheduler))
        sweep = Sweep(plan, runs, journal, _check, advance)
        trials = sweep.run()
    written = write_result(directory, plan, trials)
    _show(plan, sweep, written)
    took_s = time.monotonic() - started_s
    counts = sweep.counts
    print(
        f"{len(trials)} trials, {counts.over - counts.known} jobs done, {counts.known} known from before, "
        f"{runs.workers} workers, in {took_s:.1f} s",
        file=sys.stderr,
    )
    if winners(trials, plan.goal, 1):
        return 0
    print("makerd: no trial may win: no best.toml", file=sys.stderr)
    return EXIT_FAILURE


def _check(config: Config) -> None:
    check_sections(config)
    check_written(config)


def _show(plan: Plan, sweep: Sweep, written: list[Path]) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = 160
    way = "smallest" if plan.goal.is_minimized else "largest"
    table = Table(
        *heads(plan), title=f"{plan.path.name}: {way} {plan.goal.name} first", box=None, padding=(0, 1)
    )
    for column in table.columns:
        column.justify = "right"
    for row in rows(plan, sweep.trials, _MOST_ROWS):
        table.add_row(*row)
    console.print(table)
    for note in notes(sweep.trials, _MOST_NOTES):
        console.print(note, highlight=False, markup=False)
    for path in written:
        print(path)
