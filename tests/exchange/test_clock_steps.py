"""A wall clock that is set, an hour back or forth, neither stops nor hurries the market."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from services.exchange.engine.venue import LocalVenue
from services.exchange.market.synthetic import SyntheticMarket, default_params
from services.exchange.markets import SOL_USDC_PERP
from services.exchange.model import BookChange, Event, MarkChange
from services.exchange.wire.market_hall import MarketHall
from shared.clock import SystemClock
from tests.exchange.venue_builder import PERP, SECOND_NS, account, bench

HOUR_NS = 3_600 * SECOND_NS


@dataclass
class SetClock(SystemClock):
    """The machine's clocks, with a wall clock that can be set."""

    offset_ns: int = 0

    def wall_ns(self) -> int:  # type: ignore[override]
        return SystemClock.wall_ns() + self.offset_ns


async def changes_around_a_step(step_ns: int) -> tuple[int, int, bool]:
    """Return book changes in half a second before and after a step, and whether stamps follow it."""
    clock = SetClock()
    venue = LocalVenue((SOL_USDC_PERP,), (account("ann"),))
    hall = MarketHall(venue, [SyntheticMarket(venue, [default_params(SOL_USDC_PERP)], 7)], clock)
    events: list[Event] = []
    venue.listen(events.append)
    hall.open()
    counts = []
    for offset_ns in (0, step_ns):
        clock.offset_ns = offset_ns
        events.clear()
        await asyncio.sleep(0.5)
        counts.append(sum(isinstance(event, BookChange) for event in events))
    hall.close()
    last = next(event for event in reversed(events) if isinstance(event, BookChange))
    return counts[0], counts[1], abs(last.engine_ns - clock.wall_ns()) < SECOND_NS


@pytest.mark.parametrize("step_ns", [-HOUR_NS, HOUR_NS])
def test_the_market_keeps_its_pace_when_the_wall_clock_is_set(step_ns: int) -> None:
    before, after, follows = asyncio.run(changes_around_a_step(step_ns))
    assert before > 5
    assert before / 5 < after < before * 5
    assert follows


def test_marks_go_on_when_the_wall_clock_is_set_back() -> None:
    at = bench()
    at.pass_time(5)
    at.events.clear()
    at.now_ns -= HOUR_NS
    for _ in range(3):
        at.pass_time(1)
    assert [e.symbol for e in at.events if isinstance(e, MarkChange)] == [PERP] * 3
