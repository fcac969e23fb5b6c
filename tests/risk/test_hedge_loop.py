"""R26, R27: risk and execution together hedge once, maker first, and come to rest."""

from __future__ import annotations

import pytest

from tests.risk.desk import ACCOUNT
from tests.risk.loop import Loop
from tests.risk.pair import Pair


class HedgeLoop(Loop):
    """A loop whose symbol is the leg of a hedge."""

    desk: Pair

    def __init__(self, lag_rounds: int = 0, **config: object) -> None:
        super().__init__(Pair(ACCOUNT), lag_rounds, **config)


@pytest.mark.parametrize("lag", [0, 4])
def test_R26_R27_one_hedge_is_worked_to_the_end_and_not_repeated(lag: int) -> None:
    loop = HedgeLoop(lag, maker_tries=2, maker_try_s=1.0)
    loop.desk.base(900)
    loop.turn(5)
    (order,) = loop.world.ours()
    assert (order.size, order.price) == (75, 10_001), "it waits for takers first"
    loop.world.fill(order, 30)
    loop.turn(40)
    assert loop.world.position == -75
    taken = [fill for fill in loop.world.fills if not fill.is_maker]
    assert sum(int(fill.quantity * 100) for fill in taken) == 45, "only the unfilled remainder"
    sent = len(loop.world.sent_ids)
    loop.turn(20)
    assert len(loop.world.sent_ids) == sent and not loop.world.ours(), "then there is nothing to do"


@pytest.mark.parametrize("flatten_when_halted", [True, False])
def test_flatten_when_halted_closes_what_is_held_to_zero_and_only_then(flatten_when_halted: bool) -> None:
    loop = HedgeLoop(maker_tries=0, flatten_when_halted=flatten_when_halted)
    loop.desk.base(900)
    loop.turn(10)
    for core in (loop.world.core, loop.desk.core):
        core.on_halts({"ALL": "drill"}, loop.world.now_ns)
    loop.turn(15)
    assert loop.world.position == (0 if flatten_when_halted else -75)
    sent = len(loop.world.sent_ids)
    loop.turn(10)
    assert len(loop.world.sent_ids) == sent, "then there is nothing to do"


def test_R26_it_is_closed_when_the_inventory_is_back_inside() -> None:
    loop = HedgeLoop(maker_tries=0)
    loop.desk.base(900)
    loop.turn(10)
    assert loop.world.position == -75
    loop.desk.base(800)
    loop.turn(10)
    assert loop.world.position == 0
    assert loop.desk.hedge is None
