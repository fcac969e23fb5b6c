"""One wrong answer about the equity is not believed; an old one is unknown."""

from __future__ import annotations

from decimal import Decimal

from services.execution.requests import ReadKind, StartRead
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import Equity
from shared.venues.base import VenueEquity
from tests.execution.world import World, bid, ready

READ = StartRead(ReadKind.EQUITY)


def told(world: World) -> list[float | None]:
    return [message.equity_usd for message in world.published if isinstance(message, Equity)]


def answer(world: World, equity: int, begun_ns: int | None = None) -> None:
    value = VenueEquity(Decimal(equity), Decimal(equity))
    begun_ns = world.now_ns if begun_ns is None else begun_ns
    world.do(world.core.on_read(READ, value, begun_ns, world.now_ns))


def steady() -> World:
    world = ready()
    world.run(1_000)
    assert told(world)[-1] == 1_000
    world.reads.clear()
    return world


def test_L02_one_wrong_equity_is_not_published_and_is_read_again_at_once() -> None:
    world = steady()
    before = len(told(world))
    answer(world, 300)
    assert len(told(world)) == before
    world.run(1_000)
    assert set(told(world)[before:]) == {1_000}
    assert any("jumps" in alert.event for alert in world.alerts)


def test_a_jump_that_a_later_read_confirms_is_published() -> None:
    world = steady()
    before = len(told(world))
    world.equity = Decimal(300)
    answer(world, 300)
    world.now_ns += 100 * NS_PER_MS
    answer(world, 300)
    assert len(told(world)) == before, "both may come of the same moment"
    world.run(1_000)
    assert set(told(world)[before:]) == {300}


def test_two_wrong_equities_that_differ_do_not_confirm_each_other() -> None:
    world = steady()
    before = len(told(world))
    for equity in (300, 5_000, 300, 5_000):
        world.now_ns += 400 * NS_PER_MS
        answer(world, equity)
    assert len(told(world)) == before


def test_an_answer_that_was_begun_earlier_does_not_replace_a_later_one() -> None:
    world = steady()
    early_ns = world.now_ns
    world.now_ns += 3 * NS_PER_S
    answer(world, 1_002)
    answer(world, 999, early_ns)
    assert told(world)[-1] == 1_002


def test_what_the_marks_of_our_positions_explain_is_published_at_once() -> None:
    world = steady()
    world.quote(bid(9_990, 1_000))
    world.settle()
    world.fill(world.orders[-1], 1_000)
    world.settle()
    world.run(2_100)
    world.reads.clear()
    world.top(9_499, 9_501)  # ten of them lose five each
    world.now_ns += NS_PER_S
    answer(world, 950)
    assert told(world)[-1] == 950
    answer(world, 700, world.now_ns + 1)
    assert told(world)[-1] == 950


def test_the_first_equity_needs_a_second_read_too() -> None:
    world = World()
    world.do(world.core.on_stream(True, world.now_ns))
    world.do(world.core.on_store(True, world.now_ns))
    answer(world, 5)
    assert told(world) == []
    world.now_ns += NS_PER_S
    answer(world, 1_000)
    assert told(world) == []
    world.now_ns += NS_PER_S
    answer(world, 1_000)
    assert told(world) == [1_000]


def test_a_doubted_equity_lets_the_last_one_grow_old_until_it_is_unknown() -> None:
    world = steady()
    for number in range(600):
        world.tick(20)
        for index in reversed(range(len(world.reads))):
            if world.reads[index].read.kind is ReadKind.EQUITY:
                world.reads[index].answer = VenueEquity(Decimal(100 * (number % 7 + 1)), Decimal(1))
            else:
                world.look(index)
            world.answer(index)
    assert told(world)[-1] is None
