"""Ticks and lots that change while orders rest: nothing is placed before all count in the same units."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from services.execution.requests import ReadKind, SendPlace, StartRead
from shared.messages import Fill, InstrumentInfo, Position, Side
from tests.execution.small_venue import INFO, SYMBOL
from tests.execution.world import World, ask, bid, ready

#: lots ten times finer, and ten times coarser ticks
FINER = replace(INFO, lot_size="0.001", min_quantity="0.001")
COARSER_TICKS = replace(INFO, tick_size="0.1")


def tell(world: World, info: InstrumentInfo) -> None:
    """Marketdata tells what it counts in."""
    world.do(world.core.on_instrument_info(info, world.now_ns))


def read(world: World, info: InstrumentInfo) -> None:
    """Execution reads what the venue counts in."""
    world.info = info
    asked = StartRead(ReadKind.INSTRUMENTS)
    world.do(world.core.on_read(asked, [info], world.now_ns, world.now_ns))


def positions(world: World) -> list[Position]:
    return [message for message in world.published if isinstance(message, Position)]


def with_a_position(lots: int) -> World:
    world = ready()
    world.quote(bid(9_990, lots))
    world.settle()
    world.fill(world.orders[0], lots)
    world.settle()
    world.quote(ask(10_010, 5))
    world.settle()
    return world


def test_a_finer_lot_closes_the_symbol_counts_the_position_anew_and_opens_it_again() -> None:
    world = with_a_position(20)
    symbol = world.core.desk.symbols[SYMBOL]
    worst_usd = symbol.position * symbol.lot_value * symbol.price
    sequence = symbol.position_seq
    tell(world, FINER)
    world.quote(ask(10_010, 50), bid(9_990, 50))
    world.settle()
    assert not world.ours()
    assert world.working().state == "degraded"
    read(world, FINER)
    world.run(300)
    assert (symbol.position, positions(world)[-1].quantity) == (200, 200)
    assert symbol.position_seq > sequence and positions(world)[-1].position_seq == symbol.position_seq
    assert symbol.position * symbol.lot_value * symbol.price == worst_usd
    world.run(3_000)
    assert symbol.is_open and symbol.permit is None, "permits of before count in the old lots"
    world.permit(300)
    world.top(9_999, 10_001)
    world.quote(bid(9_990, 50))
    (placed,) = (one.request for one in world.requests if isinstance(one.request, SendPlace))
    assert placed.approved.order.instrument.quantity_text(50) == "0.05"


def test_nothing_is_placed_while_only_the_venue_or_only_marketdata_has_told_the_new_rules() -> None:
    for first, second in ((read, tell), (tell, read)):
        world = ready()
        world.quote(bid(9_990))
        world.settle()
        sent = len(world.sent_ids)
        if first is tell:
            tell(world, FINER)
        else:
            read(world, FINER)
        for _ in range(100):
            world.permit()
            world.top(9_999, 10_001)
            world.quote(bid(9_990), ask(10_010))
            world.target(1, 5, may_open=True)
            if first is tell:
                world.info = INFO  # the venue does not tell yet
            world.run(100)
        assert not world.ours() and len(world.sent_ids) == sent
        assert world.working().state == "degraded"
        second(world, FINER)
        world.run(4_000)
        world.permit()
        world.quote(bid(9_990))
        world.run(100)
        assert len(world.ours()) == 1


def test_rules_that_differ_are_read_again_soon_and_not_in_a_storm() -> None:
    world = ready()
    world.reads.clear()
    tell(world, FINER)
    asked = 0
    for _ in range(500):
        world.tick(20)
        asked += sum(one.read.kind is ReadKind.INSTRUMENTS for one in world.reads)
        world.settle()
    assert 8 <= asked <= 11


def test_the_price_is_right_in_whatever_ticks_marketdata_counts() -> None:
    world = ready()
    symbol = world.core.desk.symbols[SYMBOL]
    tell(world, COARSER_TICKS)
    assert symbol.top is None, "the ticks of the last one are others"
    world.top(999, 1_001)
    assert symbol.price == 100.0


def test_the_new_rules_are_not_taken_up_while_an_order_may_be_live() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.vanish()
    world.reply()
    read(world, FINER)
    tell(world, FINER)
    symbol = world.core.desk.symbols[SYMBOL]
    world.run(1_000)
    assert symbol.orders.live and symbol.instrument.lot_size == Decimal("0.01")
    world.run(4_000)
    assert not symbol.orders.live and symbol.instrument.lot_size == Decimal("0.001")


def test_a_fill_that_comes_after_the_change_is_counted_exactly() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    world.quote()
    world.settle()
    order = world.orders[0]
    read(world, FINER)
    tell(world, FINER)
    world.run(500)
    symbol = world.core.desk.symbols[SYMBOL]
    assert symbol.instrument.lot_size == Decimal("0.001")
    world.fill(order, 7)  # it was executed before its cancel, which we learn now
    world.stream = world.stream[1:]
    world.run(100)
    assert (symbol.position, world.core.desk.holding(SYMBOL).quantity) == (70, Decimal("0.07"))
    fills = [message for message in world.published if isinstance(message, Fill)]
    assert (fills[-1].size, fills[-1].client_order_id) == (70, order.client_order_id)


def test_after_one_odd_listing_everybody_is_told_the_position_anew() -> None:
    """Quoter and risk wait for a position that was told after the rules; nothing else would tell one."""
    world = ready()
    before = world.core.desk.symbols[SYMBOL].position_seq
    tell(world, FINER)
    world.run(500)
    tell(world, INFO)
    world.run(3_000)
    assert world.core.desk.symbols[SYMBOL].is_open
    told = [message for message in world.published if isinstance(message, Position)]
    assert told[-1].position_seq > before


def test_rules_that_keep_the_units_are_taken_up_at_once() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    read(world, replace(INFO, min_notional="10"))
    world.settle()
    symbol = world.core.desk.symbols[SYMBOL]
    assert symbol.is_open and symbol.instrument.min_notional == 10
    assert len(world.ours()) == 1


def test_before_marketdata_has_told_its_units_nothing_is_placed() -> None:
    world = World()
    world.core = world.bare_core()
    world.start()
    world.permit()
    world.top(9_999, 10_001)
    world.quote(bid(9_990))
    assert not world.requests
    assert world.core.desk.symbols[SYMBOL].price == 0
    tell(world, INFO)
    world.run(40)
    world.quote(bid(9_990))
    world.run(40)
    assert [order.side for order in world.ours()] == [Side.BUY]
