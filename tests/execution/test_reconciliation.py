"""The venue is the truth, one answer of it is not: positions, lost fills, orders that differ."""

from __future__ import annotations

from decimal import Decimal

from services.execution.requests import ReadKind
from shared.clock import NS_PER_MS
from shared.messages import Equity, Fill, Position, Side
from shared.venues.base import VenuePosition
from tests.execution.small_venue import SYMBOL
from tests.execution.world import World, ask, bid, ready


def known(world: World) -> list[bool]:
    return [message.is_known for message in world.published if isinstance(message, Position)]


def test_one_wrong_position_read_causes_nothing() -> None:
    world = ready()
    world.quote(bid(9_990), ask(10_010))
    world.run(300)
    world.fill(world.orders[0], 4)
    world.settle()
    sent, before = len(world.sent_ids), len(known(world))
    world.tick(1_000)
    world.position = 0
    while world.reads:
        world.look()
        world.answer()
    world.position = 4
    world.run(3_000)
    assert len(world.sent_ids) == sent
    assert known(world)[before:] == []


def test_L03_a_difference_that_the_stream_tells_too_is_adopted_with_no_new_risk_meanwhile() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    world.position = 7  # a transfer: no fill explains it
    world.stream.append(VenuePosition(SYMBOL, Decimal("0.07"), None, None, Decimal(0)))
    world.run(4_000)
    assert known(world)[-2:] == [False, True]
    assert world.core.desk.symbols[SYMBOL].position == 7
    assert any("differs" in alert.event for alert in world.alerts)


def test_L02_a_difference_that_nothing_explains_means_reductions_only_until_it_has_lasted() -> None:
    world = ready()
    world.quote(ask(10_010))
    world.settle()
    world.fill(world.orders[0], 10)
    world.settle()
    world.position = 0  # every read is wrong in the same way
    for _ in range(100):
        world.quote(bid(9_990, 5), ask(10_010))
        world.run(200)
        symbol = world.core.desk.symbols[SYMBOL]
        assert symbol.position == -10
        if not symbol.is_known:
            assert all(order.side is Side.BUY for order in world.ours())
            assert all(order.reduce_only for order in world.ours())
    assert not symbol.is_known
    world.run(60_000, step_ms=100)
    assert symbol.is_known
    assert symbol.position == 0


def test_a_position_read_that_began_before_the_last_fill_is_not_compared() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.run(300)
    while not any(asked.read.kind is ReadKind.POSITIONS for asked in world.reads):
        world.tick()
    for index in range(len(world.reads)):
        world.look(index)
    world.fill(world.orders[0], 10)
    while world.stream:
        world.tell()
    while world.reads:
        world.answer()
    world.tick(150)
    assert not any(asked.read.kind is ReadKind.POSITIONS for asked in world.reads)


def test_a_fill_that_the_stream_lost_is_found_by_the_read_and_the_stream_replaced() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    world.fill(world.orders[0], 10, is_told=False)
    world.run(2_500)
    assert world.core.desk.symbols[SYMBOL].position == 10
    assert len([m for m in world.published if isinstance(m, Fill)]) == 1
    world.run(2_500)
    assert world.reconnects


def test_a_failed_query_is_never_a_zero() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    world.fill(world.orders[0], 10)
    world.settle()
    for _ in range(700):
        world.tick(20)
        while world.reads:
            world.fail_read()
    symbol = world.core.desk.symbols[SYMBOL]
    assert symbol.position == 10
    assert not symbol.is_known
    equities = [message for message in world.published if isinstance(message, Equity)]
    assert equities[-1].equity_usd is None


def test_an_order_that_the_open_orders_lack_once_is_not_given_up() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.run(1_000)
    for _ in range(200):
        world.tick(20)
        for index in reversed(range(len(world.reads))):
            if world.reads[index].read.kind is ReadKind.OPEN_ORDERS:
                world.reads[index].answer = []
                world.answer(index)
                break
        else:
            continue
        break
    world.run(1_000)
    world.quote(bid(9_990))
    world.run(200)
    assert len(world.sent_ids) == 1


def test_an_order_that_the_venue_has_ended_without_telling_is_found_and_replaced() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.run(1_000)
    world.orders[0].is_live, world.orders[0].status = False, "cancelled"
    for _ in range(40):
        world.quote(bid(9_990))
        world.run(100)
    assert len(world.ours()) == 1
    assert len(world.sent_ids) == 2


def test_an_order_that_is_gone_everywhere_is_not_given_up_before_the_fills_are_read() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.run(1_000)
    order = world.orders.pop()
    world.fill(order, 10, is_told=False)
    symbol = world.core.desk.symbols[SYMBOL]
    for _ in range(200):
        world.tick(20)
        for index in reversed(range(len(world.reads))):
            if world.reads[index].read.kind is not ReadKind.FILLS:
                world.look(index)
                world.answer(index)
        assert symbol.orders.buying == 10
    world.quote()
    world.run(3_000)
    assert (symbol.position, symbol.orders.buying) == (10, 0)


def test_an_order_that_lives_although_its_cancel_was_confirmed_is_cancelled_again() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    world.quote()
    world.settle()
    world.orders[0].is_live, world.orders[0].status = True, "live"  # it was not executed
    world.run(6_000)
    assert not world.ours()


def busy(world: World, seconds: int, is_read_right: bool = True) -> list[bool]:
    """A fill every 40 ms, while a read takes 60: none begins after the last fill. Returns is_known."""
    world.permit(1_000_000, max_order=1_000_000)
    world.quote(bid(9_990, 50_000))
    world.settle()
    seen = []
    for number in range(seconds * 50):
        world.now_ns += 20 * NS_PER_MS
        if number % 2 == 0 and world.ours():
            world.fill(world.ours()[0], 1)
            while world.stream:
                world.tell()
        world.do(world.core.on_timer(world.now_ns))
        while world.requests:
            world.arrive()
        while world.replies:
            world.reply()
        for asked in [one for one in world.reads if world.now_ns - one.begun_ns >= 60 * NS_PER_MS]:
            index = world.reads.index(asked)
            world.look(index)
            if asked.read.kind is ReadKind.POSITIONS and not is_read_right:
                asked.answer = [VenuePosition(SYMBOL, Decimal("9"), None, None, Decimal(0))]
            world.answer(index)
        seen.append(world.core.desk.symbols[SYMBOL].is_known)
    return seen


def test_a_busy_symbol_whose_position_is_right_stays_known() -> None:
    assert all(busy(ready(), 20))


def test_a_busy_symbol_that_no_read_confirms_falls_into_doubt() -> None:
    seen = busy(ready(), 15, is_read_right=False)
    assert not seen[-1]


def test_an_overtaken_read_that_shows_something_else_is_made_again_soon() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.run(300)
    while not any(one.read.kind is ReadKind.POSITIONS for one in world.reads):
        world.tick(20)
    index = next(i for i, one in enumerate(world.reads) if one.read.kind is ReadKind.POSITIONS)
    begun_ns = world.reads[index].begun_ns
    world.reads[index].answer = [VenuePosition(SYMBOL, Decimal("9"), None, None, Decimal(0))]
    world.now_ns += 1_000
    world.fill(world.orders[0], 4)
    while world.stream:
        world.tell()
    world.answer(index)
    world.reads.clear()
    while not any(one.read.kind is ReadKind.POSITIONS for one in world.reads):
        world.tick(20)
    assert world.now_ns - begun_ns <= 150 * NS_PER_MS
