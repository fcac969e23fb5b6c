"""Redis is gone or hangs: quoting stops within a bound and resumes by itself."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.chaos.recovery import check_journal
from tests.fixtures.redis_server import wait_until
from tests.fixtures.stage import Stage
from tests.scenarios.test_order_faults import NO_RISK_AFTER_S


@contextmanager
def gone(stage: Stage) -> Iterator[None]:
    """Killed, and held down."""
    os.kill(stage.makerd.pids()["redis"], signal.SIGKILL)

    def is_held_down() -> bool:  # between the kill and its restart there is nothing to stop
        stage.makerd.supervisor.stop("redis")
        return stage.makerd.supervisor.processes()["redis"].state == "STOPPED"

    wait_until(is_held_down)
    try:
        yield
    finally:
        stage.makerd.supervisor.start("redis")


@contextmanager
def hung(stage: Stage) -> Iterator[None]:
    """Alive, and answering nothing."""
    pid = stage.makerd.pids()["redis"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("accident", [gone, hung])
def test_O04_without_redis_there_is_no_new_risk_and_all_heals(
    stage: Stage, accident: Callable[[Stage], Iterator[None]]
) -> None:
    before = stage.makerd.pids()
    count = len(stage.venue.placements())
    with accident(stage):  # type: ignore[attr-defined]
        at = time.monotonic()
        stage.watch_quotes_go(at, NO_RISK_AFTER_S)
        for side in ("buy", "sell"):
            stage.venue.take(side, "1.5")
        over = time.monotonic()  # from here on it may quote again
    late = [
        one for one in stage.venue.placements()[count:] if at + NO_RISK_AFTER_S < one["recv_ns"] / 1e9 < over
    ]
    assert not late, late
    stage.heal()
    check_journal(stage)
    after = stage.makerd.pids()
    assert {name for name in before if before[name] != after[name]} <= {"redis"}
