"""Days: what a replay keeps does not grow with their length."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from shared.clock import NS_PER_S
from tests.replay.stage import Stage


def test_the_calls_in_a_silence_grow_with_its_length_and_nothing_else_does(tmp_path: Path) -> None:
    stage = Stage(tmp_path).begin()
    machine = stage.machine
    begun_ns = stage.now_ns
    numbers, waiting = [], []
    for minute in (1, 2, 3, 8):
        machine.run_until(begun_ns + minute * 60 * NS_PER_S)
        numbers.append(next(machine.agenda._number))  # of calls that were ever put on it
        waiting.append(len(machine.agenda.calls))
    first, second, five = (later - before for before, later in pairwise(numbers))
    assert first > 1_000 and abs(second - first) < 0.02 * first
    assert abs(five - 5 * first) < 0.05 * first
    assert max(waiting) < 40 and not machine._arrivals
    assert not stage.resting  # what is silent is not quoted


def test_what_is_kept_of_a_busy_market_does_not_grow(tmp_path: Path) -> None:
    stage = Stage(tmp_path).begin()
    venue, account = stage.venue, stage.venue.accounts["main"]

    def kept() -> int:
        machine = stage.machine
        own = sum(
            len(side._own)
            for quoter in machine.quoters.values()
            for side in (quoter._own.bids, quoter._own.asks)
        )
        return (
            own + len(machine.agenda.calls) + len(machine._arrivals) + len(machine._states) + len(venue.told)
        )

    sizes = []
    for number in range(40):
        stage.book = (200_000 + number * 7 % 400, 5_000, 200_010 + number * 7 % 400, 5_000)
        stage.run(1.0)
        sizes.append(kept())
    assert max(sizes[20:]) <= max(sizes[:20]) + 5
    assert len(account.by_client_id) > 40  # it was busy
