"""A grid's quoter and the execution core against a small venue: what really rests (E01, E02)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from services.quoter.core import Quoter
from shared.messages import Level, Message, Position, Quotes, Side, Working
from tests.execution.world import World
from tests.execution.world import ready as a_world
from tests.quoter.builders import ACCOUNT, INFO, SYMBOL, Desk, equity, feed, flow, permit, settings, top

LONG: dict[str, Any] = {"direction": "long", "lower": 95, "upper": 100, "grid_num": 6, "quantity": 0.1}


class Loop:
    """Quoter and execution, each told what the other says."""

    def __init__(self, **params: Any) -> None:
        self.params = params
        self.world: World = a_world()
        self.price = 10_010
        self.told = 0
        self.desk = self.start_quoter()
        self.run()

    def start_quoter(self) -> Desk:
        desk = Desk(Quoter(settings("perp_grid", **self.params)), now_ns=self.world.now_ns)
        desk.quoter.on_instrument_info(INFO, desk.now_ns)
        self.told = 0
        return desk

    def run(self, steps: int = 12, step_ms: int = 100) -> None:
        for _ in range(steps):
            self.world.top(self.price - 1, self.price + 1)
            self.world.run(step_ms)
            self._tell_quoter()

    def _tell_quoter(self) -> None:
        desk, world = self.desk, self.world
        desk.now_ns = world.now_ns
        news: list[Message] = [m for m in world.published[self.told :] if isinstance(m, Position | Working)]
        self.told = len(world.published)
        last = [next((m for m in reversed(world.published) if isinstance(m, kind)), None)
                for kind in (Position, Working)]  # fmt: skip
        at = desk.now_ns
        market = (feed(now_ns=at), top(self.price - 1, self.price + 1, at), flow(now_ns=at))
        for message in (*news, *filter(None, last), permit(at), equity(now_ns=at), *market):
            self._obey(desk.send(message))
        self._obey(desk.tick())
        world.settle()

    def _obey(self, quotes: list[Quotes]) -> None:
        for message in quotes:
            self.world.do(self.world.core.on_quotes(message, self.world.now_ns))

    def fill(self, side: Side, price: int, lots: int) -> None:
        order = next(one for one in self.world.ours() if (one.side, one.price) == (side, price))
        self.world.fill(order, lots)

    def resting(self, side: Side) -> list[tuple[int, int]]:
        found = [(order.price, order.leaves) for order in self.world.ours() if order.side is side]
        return sorted(found, reverse=side is Side.BUY)


def test_E02_what_rests_at_the_venue_is_the_grid_through_partial_fills_and_a_restart() -> None:
    loop = Loop(**LONG)
    assert loop.resting(Side.BUY) == [(9_900, 10), (9_800, 10), (9_700, 10), (9_600, 10), (9_500, 10)]
    assert loop.resting(Side.SELL) == []
    loop.price = 9_902
    loop.fill(Side.BUY, 9_900, 3)
    loop.run(3)
    assert loop.resting(Side.SELL) == [(10_000, 3)]
    loop.fill(Side.BUY, 9_900, 4)
    loop.fill(Side.BUY, 9_900, 3)
    loop.run(20)
    assert loop.resting(Side.SELL) == [(10_000, 10)], "the close has grown with its open"
    assert loop.resting(Side.BUY)[0] == (9_800, 10)
    before = loop.resting(Side.BUY), loop.resting(Side.SELL)
    loop.desk = loop.start_quoter()
    loop.run()
    assert (loop.resting(Side.BUY), loop.resting(Side.SELL)) == before
    assert loop.world.position == 10


@pytest.mark.parametrize("direction", ["long", "short", "neutral"])
def test_E02_every_close_is_admitted_and_they_add_up_to_the_position(direction: str) -> None:
    loop = Loop(**LONG | {"direction": direction, "home": 97.5, "grid_num": 6})
    loop.price = 9_750
    loop.run(15)
    sides = {"long": [Side.BUY], "short": [Side.SELL], "neutral": [Side.BUY, Side.SELL]}[direction]
    for side in sides:
        for price, lots in ((loop.resting(side)[0][0], 10), (loop.resting(side)[1][0], 6)):
            loop.price = price
            loop.fill(side, price, lots)
            loop.run(15)
        opposite = loop.resting(side.opposite)
        opens = 30 if direction == "neutral" else 0
        assert sum(size for _, size in opposite) == 16 + opens
        closes = [order for order in loop.world.ours() if order.side is side.opposite]
        assert all(order.reduce_only for order in closes) is (direction != "neutral")
        for price, lots in ((loop.resting(side.opposite)[0][0], 6), (loop.resting(side.opposite)[1][0], 10)):
            loop.price = price
            loop.fill(side.opposite, price, lots)
            loop.run(15)
        assert loop.world.position == 0
    rejects = [m.rejects for m in loop.world.published if isinstance(m, Working) and m.rejects]
    assert rejects == []


def test_E02_a_cancelled_order_is_placed_again_and_nothing_is_taken_for_filled() -> None:
    loop = Loop(**LONG)
    order = next(one for one in loop.world.ours() if one.price == 9_700)
    order.is_live, order.status = False, "cancelled"
    loop.world.stream.append(loop.world._shown(order, "cancelled"))
    loop.run(20)
    assert loop.resting(Side.BUY) == [(9_900, 10), (9_800, 10), (9_700, 10), (9_600, 10), (9_500, 10)]
    assert loop.resting(Side.SELL) == []


def test_E01_a_level_that_has_just_filled_is_not_bought_again_before_the_grid_has_seen_it() -> None:
    loop = Loop(**LONG)
    loop.price = 9_902
    loop.fill(Side.BUY, 9_900, 10)
    for _ in range(5):
        loop.world.run(100)  # the quoter is slow: its Quotes still have a bid at 99
        assert loop.resting(Side.BUY) == [(9_800, 10), (9_700, 10), (9_600, 10), (9_500, 10)]
    loop.run(2)
    assert loop.resting(Side.SELL) == [(10_000, 10)]


@pytest.mark.parametrize(("seq", "is_repeated"), [(0, True), (1, False)])
def test_quotes_of_an_older_position_place_nothing_only_where_they_depend_on_it(
    seq: int, is_repeated: bool
) -> None:
    world = a_world()
    level = Level(Side.BUY, 9_990, 10)
    at_seq = seq and world.core.desk.symbols[SYMBOL].position_seq
    quotes = Quotes(ACCOUNT, SYMBOL, (level,), False, world.now_ns + 10**12, 0, "test", at_seq)
    world.do(world.core.on_quotes(quotes, world.now_ns))
    world.settle()
    (order,) = world.ours()
    world.fill(order, 10)
    world.run(200)
    assert bool(world.ours()) is is_repeated
    newer = msgspec.structs.replace(quotes, position_seq=world.core.desk.symbols[SYMBOL].position_seq)
    world.do(world.core.on_quotes(newer, world.now_ns))
    world.settle()
    assert [order.price for order in world.ours()] == [9_990]
