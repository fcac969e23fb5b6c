"""`makerd replay`: what happened, again. `--verify RUN` makes the recorded calls of a run again."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from services.replay.verify import Verdict, recordings_of, verify
from shared.errors import EXIT_FAILURE, BadInput

#: what takes longer shows how far it is
PATIENCE_S = 1.0


def replay(options: argparse.Namespace) -> int:
    """Run `makerd replay`. Raises: BadInput."""
    if options.verify is not None:
        return verify_run(options.verify)
    raise BadInput("replay: --verify RUN is missing; see makerd replay --help")


def verify_run(run: Path) -> int:
    """Verify every recording of a run, or one recording; 0 = all decisions are the same. Raises: BadInput."""
    paths = recordings_of(run)
    verdicts = []
    done = 0
    with _progress(sum(path.stat().st_size for path in paths)) as advance:
        for path in paths:
            verdicts.append(verify(path, partial(_advance, advance, done)))
            done += path.stat().st_size
            advance(done)
    for verdict in verdicts:
        print(_line(verdict))
    bad = [verdict for verdict in verdicts if verdict.problem]
    calls, outputs = sum(one.calls for one in verdicts), sum(one.outputs for one in verdicts)
    if bad:
        print(f"{len(bad)} of {len(verdicts)} recordings are not the same", file=sys.stderr)
        return EXIT_FAILURE
    print(f"the same decisions: {len(verdicts)} recordings, {calls} calls, {outputs} outputs byte for byte")
    return 0


def _advance(advance: Callable[[int], None], before: int, done: int) -> None:
    advance(before + done)


def _line(verdict: Verdict) -> str:
    name = verdict.service or str(verdict.path)
    if verdict.problem:
        return f"{name}: NOT THE SAME: {verdict.problem}"
    counts = f"{verdict.calls} calls, {verdict.outputs} outputs, {verdict.duration_s:.1f} s"
    return f"{name} {verdict.path.stem}: same; {counts}" + (f"; {verdict.note}" if verdict.note else "")


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """Yield what is told how much is done; it is shown once that takes longer than a moment."""
    bar = Progress(
        TextColumn("verifying"), BarColumn(), TextColumn("{task.percentage:.0f} %"), TimeRemainingColumn(),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
    task = bar.add_task("", total=total)
    started_s = time.monotonic()

    def advance(done: int) -> None:
        bar.update(task, completed=done)
        if bar.console.is_terminal and not bar.live.is_started and time.monotonic() - started_s > PATIENCE_S:
            bar.start()

    try:
        yield advance
    finally:
        if bar.live.is_started:
            bar.stop()
