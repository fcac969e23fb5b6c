"""One job: a replay of one set of data under one configuration, in whichever process it is."""

from __future__ import annotations

import resource
import sys
import time

import msgspec

from services.replay.running import Replayed, replay
from services.replay.sweep.numbers import Numbers, numbers_of_all
from services.replay.sweep.plan import opened
from services.replay.venue.queue import FillModel
from shared.clock import NS_PER_S
from shared.config import Config
from shared.errors import MakerdError, one_line

#: what a trial is judged by, and what its bounds are made of
JUDGED = (FillModel.QUEUE.value,)
BOUNDING = (FillModel.THROUGH.value, FillModel.TOUCH.value)
_RSS_PER_MIB = 1024 * 1024 if sys.platform == "darwin" else 1024


class Job(msgspec.Struct, frozen=True):
    """What a worker needs.

    data    the texts of `makerd replay`, paths absolute
    models  names of fill models
    """

    config: Config
    data: tuple[str, ...]
    duration_s: float
    models: tuple[str, ...] = JUDGED


class Done(msgspec.Struct, frozen=True):
    """What comes back, and is kept.

    numbers   fill model -> numbers of all symbols together
    problem   why they do not count; "" = they do
    gaps_s    seconds without a book, of all symbols together: nothing was quoted in them
    took_s    seconds of the worker
    peak_mib  most memory that the worker's process has held so far
    """

    numbers: dict[str, Numbers]
    problem: str = ""
    events: int = 0
    took_s: float = 0.0
    peak_mib: float = 0.0
    gaps_s: float = 0.0


def run_job(job: Job) -> Done:
    """Replay. What a person can mend (data, a missing file) raises; a core that crashes is a result.

    Raises: BadInput
    """
    started_s = time.monotonic()
    models = tuple(FillModel(name) for name in job.models)
    try:
        done = replay(job.config, opened(job.data, job.config, job.duration_s), models)
    except MakerdError:
        raise
    except Exception as error:  # noqa: BLE001 - the outermost level: one bad trial must not end a night's sweep
        return Done({}, one_line(f"crashed: {type(error).__name__}: {error}"))
    numbers = {outcome.model.value: numbers_of_all(outcome.reports.values()) for outcome in done.outcomes}
    took_s = time.monotonic() - started_s
    return Done(numbers, _problem(done), done.event_count, round(took_s, 3), peak_mib(), gaps_s(done))


def _problem(done: Replayed) -> str:
    for outcome in done.outcomes:
        if not outcome.is_clean:
            return f"{outcome.model.value}: not every order was confirmed cancelled at the end"
        for account, difference in outcome.difference.items():
            if difference:
                return f"{outcome.model.value}: the account {account} differs from the ledger by {difference}"
    return ""


def gaps_s(done: Replayed) -> float:
    """Return how long there was no book, seconds, all symbols together."""
    met = [gap for gaps in done.gaps.values() for gap in gaps]
    ended = ((done.end_ns if gap.end_ns is None else gap.end_ns) - gap.begin_ns for gap in met)
    return round(sum(ended) / NS_PER_S, 3)


def peak_mib() -> float:
    """Return the most memory that this process has held, MiB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _RSS_PER_MIB, 1)
