"""How far back the fills are read: to what a good read has shown complete, not to the newest one."""

from __future__ import annotations

from decimal import Decimal

from services.execution.account.restore import Stored
from services.execution.requests import ReadKind
from shared.clock import NS_PER_MS
from shared.messages import Side
from tests.execution.small_venue import SYMBOL
from tests.execution.world import World, ask, bid, ready


def run_without_history(world: World, ms: int) -> None:
    """Let time pass while the fill history is not answered."""
    for _ in range(ms // 20):
        world.tick(20)
        while world.requests or world.replies or world.stream or world.reads:
            if world.requests:
                world.arrive()
            elif world.stream:
                world.tell()
            elif world.replies:
                world.reply()
            elif world.reads[0].read.kind is ReadKind.FILLS:
                world.fail_read()
            else:
                world.look()
                world.answer()


def missed_and_told(world: World) -> None:
    """A fill is missed; 40 s later, before the history answers again, another one is told."""
    world.quote(bid(9_990), ask(10_010))
    world.settle()
    first = world.manual_order(Side.BUY, 9_900, 1)
    world.fill(first, 1)
    world.run(3_000)
    world.do(world.core.on_stream(False, world.now_ns))
    world.fill(world.orders[0], 4, is_told=False)
    run_without_history(world, 40_000)
    world.do(world.core.on_stream(True, world.now_ns))
    manual = world.manual_order(Side.BUY, 9_900, 3)
    world.fill(manual, 3)
    run_without_history(world, 100)


def test_a_fill_that_was_missed_long_before_a_told_one_is_counted() -> None:
    world = ready()
    missed_and_told(world)
    assert world.core.desk.symbols[SYMBOL].position == 4
    world.run(20_000)
    assert world.core.desk.symbols[SYMBOL].position == world.position == 8
    assert world.core.desk.ledger.snapshot()["fills"] == 3
    assert sorted(entry.fill.trade_id for entry in world.journal) == [1, 2, 3]


def test_a_restart_reads_back_to_what_was_complete_when_it_was_journalled() -> None:
    world = ready()
    missed_and_told(world)
    entries = [(entry.fill.symbol, entry.fill.trade_id, entry.fill.venue_order_id) for entry in world.journal]
    stamps = [entry.fill.venue_ns for entry in world.journal]
    world.stored = Stored(world.journal[-1].ledger, (), list(zip(entries, stamps, strict=True)), max(stamps))
    world.reads.clear()
    world.core = world.new_core()
    world.start()
    assert world.core.desk.ledger.snapshot()["fills"] == 3
    assert world.core.desk.symbols[SYMBOL].position == 8


def test_the_horizon_follows_good_reads() -> None:
    world = ready()
    world.fill(world.manual_order(Side.BUY, 9_900, 1), 1)
    world.run(10_000)
    first_ns = world.fills[0].venue_ns
    assert world.core.desk.ledger.complete_ms == first_ns // NS_PER_MS
    run_without_history(world, 40_000)
    world.fill(world.manual_order(Side.BUY, 9_900, 1), 1)
    run_without_history(world, 1_000)
    assert world.core.desk.ledger.complete_ms == first_ns // NS_PER_MS
    world.run(20_000)
    assert world.core.desk.ledger.complete_ms == world.fills[1].venue_ns // NS_PER_MS
    assert world.core.desk.holding(SYMBOL).quantity == Decimal("0.02")
