"""A bar for what takes longer than a moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

#: what takes longer shows how far it is
PATIENCE_S = 1.0


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yield what is told how much of `total` is done (0 = not known); shown only on a terminal."""
    bar = Progress(
        TextColumn(what), BarColumn(), TextColumn("{task.percentage:.0f} %"), TimeRemainingColumn(),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
    task = bar.add_task("", total=total or None)
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
