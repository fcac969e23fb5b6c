"""R26, R27: risk and execution together hedge once, maker first, and come to rest."""

from __future__ import annotations

import msgspec
import pytest

from services.execution.config import ExecutionConfig
from shared.messages import Fill, Message, Position, Target
from tests.execution.world import LONG_NS, World, ready
from tests.risk.desk import ACCOUNT
from tests.risk.pair import PERP, Pair


class Loop:
    """A risk core whose leg is worked by an execution core at a small venue."""

    def __init__(self, lag_rounds: int = 0, **config: object) -> None:
        self.desk = Pair(ACCOUNT)
        self.world: World = ready(config=ExecutionConfig(requests_per_min=1_000_000, **config))  # type: ignore[arg-type]
        self._told = 0
        self._lag = lag_rounds
        self._late: list[list[Message]] = []
        symbol = self.world.core.desk.symbols[PERP]
        self.desk.hear(Position(ACCOUNT, PERP, 0, None, True, symbol.position_seq, 0))

    def turn(self, rounds: int) -> None:
        """Let both work for 100 ms a round; what execution tells reaches risk so many rounds later."""
        for _ in range(rounds):
            self.desk.run(100)
            self._tell_execution()
            self.world.top(9_999, 10_001)
            self.world.run(100, 50)
            news = [m for m in self.world.published[self._told :] if isinstance(m, Fill | Position)]
            self._told = len(self.world.published)
            self._late.append(news)
            if len(self._late) > self._lag:
                for message in self._late.pop(0):
                    self.desk.hear(message)

    def _tell_execution(self) -> None:
        end_ns, target = self.world.now_ns + LONG_NS, self.desk.targets.get((ACCOUNT, PERP))
        permit = msgspec.structs.replace(self.desk.leg_permit, expires_ns=end_ns)
        self.world.do(self.world.core.on_permit(permit, self.world.now_ns))
        if isinstance(target, Target):
            told = msgspec.structs.replace(target, expires_ns=end_ns)
            self.world.do(self.world.core.on_target(told, self.world.now_ns))


@pytest.mark.parametrize("lag", [0, 4])
def test_R26_R27_one_hedge_is_worked_to_the_end_and_not_repeated(lag: int) -> None:
    loop = Loop(lag, maker_tries=2, maker_try_s=1.0)
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
    loop = Loop(maker_tries=0, flatten_when_halted=flatten_when_halted)
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
    loop = Loop(maker_tries=0)
    loop.desk.base(900)
    loop.turn(10)
    assert loop.world.position == -75
    loop.desk.base(800)
    loop.turn(10)
    assert loop.world.position == 0
    assert loop.desk.hedge is None
