"""kill -9 of every process, under load, at points chosen by the proxy; `make chaos` does it for longer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.kills import KILLS, Kill, MidJournal
from tests.chaos.recovery import broken_down, check_journal, survive
from tests.fixtures.stage import Stage, running_stage


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """One stage for all the kills: each must leave it as good as new."""
    with running_stage() as running:
        yield running


@pytest.mark.parametrize("kill", KILLS, ids=str)
def test_L09_crash_of_any_one_process_leaves_no_unmanaged_quote(
    stage: Stage, kill: Kill | MidJournal
) -> None:
    survive(stage, kill)


def test_O07_fills_are_journalled_once_over_all_the_kills_before(stage: Stage) -> None:
    check_journal(stage)


def test_no_process_broke_down_over_all_the_kills_before(stage: Stage) -> None:
    """A kill is nobody's fault; a Fatal or an exception in whoever starts over or lives on is."""
    assert broken_down(stage.makerd.logs()) == []


def test_L01_nothing_was_sent_twice_over_all_the_kills_before(stage: Stage) -> None:
    assert stage.venue.placements(), "the trace shows no placement at all"
    assert stage.venue.sent_twice() == []
