"""`makerd replay --verify RUN`: the recorded calls of a run are made again."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from services.console.progress import progress
from services.replay.verify import Verdict, recordings_of, verify
from shared.errors import EXIT_FAILURE


def verify_run(run: Path) -> int:
    """Verify every recording of a run, or one recording; 0 = all decisions are the same. Raises: BadInput."""
    paths = recordings_of(run)
    verdicts = []
    done = 0
    with progress("verifying", sum(path.stat().st_size for path in paths)) as advance:
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
