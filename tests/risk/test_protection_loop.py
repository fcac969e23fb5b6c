"""L12: what the protections decide is traded: risk and execution, with refusals and partial fills."""

from __future__ import annotations

from typing import Any

import pytest

from shared.messages import Side
from tests.execution.world import ask, bid
from tests.risk.desk import Desk
from tests.risk.loop import Loop

#: the market may move as far as it likes
WIDE: dict[str, Any] = {"max_move_pct": 50, "max_mark_gap_pct": 50}


@pytest.mark.parametrize("lag", [0, 3])
@pytest.mark.parametrize("sign", [1, -1])
def test_R09_R12_a_stop_closes_over_refusals_and_partial_fills_and_quoting_resumes(
    sign: int, lag: int
) -> None:
    loop = Loop(Desk(**WIDE, stops={"stop_loss_usd": 25}), lag)
    loop.acquire(bid(9_999, 120) if sign > 0 else ask(10_001, 120))
    loop.quotes = (bid(7_000, 10), ask(13_000, 10))
    loop.turn(5 + lag)
    assert loop.world.position == 120 * sign and len(loop.world.ours()) == 2
    loop.world.place_refusal, loop.world.depth = "other", 50
    loop.set_price(100 - 23 * sign)
    loop.turn(4 + lag)
    assert not loop.world.ours(), "nothing of ours rests while it closes"
    assert loop.world.position == 120 * sign and not loop.taken
    loop.world.place_refusal = None
    loop.turn(660)  # after three refusals one order a minute asks again
    assert loop.taken == [-50 * sign, -50 * sign, -20 * sign], "each part once, and no further than flat"
    assert loop.world.position == 0
    assert len(loop.world.ours()) == 2, "and quoting has resumed"


@pytest.mark.parametrize("sign", [1, -1])
def test_R05_C5_the_hard_cut_and_then_the_soft_excess_are_traded(sign: int) -> None:
    loop = Loop(Desk(position_table={"threshold": 0.2, "max": 0.4}))
    loop.acquire(bid(9_999, 40) if sign > 0 else ask(10_001, 40))
    loop.turn(10)
    assert loop.taken == [-20 * sign] and loop.world.position == 20 * sign
    by_hand = loop.world.manual_order(Side.BUY if sign > 0 else Side.SELL, 10_000, 30)
    loop.world.fill(by_hand, 30)
    loop.turn(60)
    assert loop.world.position == 20 * sign
    assert loop.taken == [-20 * sign, -10 * sign, -20 * sign], "to max at once, then the rest"


def test_row_9_a_drawdown_takes_every_quote_and_only_a_person_brings_them_back() -> None:
    loop = Loop(Desk(drawdown={"max_pct": 5}))
    loop.quotes = (bid(9_990), ask(10_010))
    loop.turn(3)
    assert len(loop.world.ours()) == 2
    loop.desk.set_equity(949.0)
    loop.turn(2)
    assert not loop.world.ours()
    loop.desk.set_equity(1_000.0)
    flags = dict(loop.desk.core.wanted_halts())
    loop.desk.take(loop.desk.core.on_halts(flags, loop.desk.now_ns))
    loop.turn(20)
    assert not loop.world.ours(), "what is won back resumes nothing"
    loop.desk.take(loop.desk.core.on_halts({}, loop.desk.now_ns))
    loop.turn(5)
    assert len(loop.world.ours()) == 2
