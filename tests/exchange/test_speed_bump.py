"""The taker speed bump: whoever came first leaves first."""

from __future__ import annotations

import asyncio

import pytest

from services.exchange.protocols.backpack.rest.speed_bump import SpeedBump
from shared.clock import SystemClock

DELAY_NS = 20_000_000


async def crossing(count: int) -> tuple[list[int], float]:
    """Return who left in which order, and the shortest wait in seconds."""
    clock = SystemClock()
    bump, left, waits = SpeedBump(clock, DELAY_NS), [], []

    async def cross(number: int) -> None:
        started = clock.monotonic_ns()
        await bump.cross()
        left.append(number)
        waits.append(clock.monotonic_ns() - started)

    crossings = []
    for number in range(count):
        crossings.append(asyncio.ensure_future(cross(number)))
        if number % 7 == 0:
            await asyncio.sleep(0.0004)
    await asyncio.gather(*crossings)
    return left, min(waits) / 1e9


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_orders_leave_in_the_order_in_which_they_came_and_never_early(loop: str) -> None:
    if loop == "uvloop":
        uvloop = pytest.importorskip("uvloop")
        left, shortest_s = uvloop.run(crossing(300))
    else:
        left, shortest_s = asyncio.run(crossing(300))
    assert left == list(range(300))
    assert shortest_s >= DELAY_NS / 1e9


def test_who_gives_up_does_not_hold_up_the_others() -> None:
    async def run() -> None:
        bump = SpeedBump(SystemClock(), DELAY_NS)
        first, second = asyncio.ensure_future(bump.cross()), asyncio.ensure_future(bump.cross())
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait_for(second, 5)

    asyncio.run(run())
