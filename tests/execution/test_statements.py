"""O04: positions, orders and balances are compared with the venue's, periodically; differences are told."""

from __future__ import annotations

from decimal import Decimal

from services.execution.account.restore import Stored
from services.execution.account.tieout import is_one_moment
from services.execution.requests import ReadKind
from shared.instrument import Instrument
from shared.messages import OrderStatus, Side
from shared.venues.base import VenueFunding, VenuePosition
from tests.execution.small_venue import INFO, SYMBOL
from tests.execution.world import World, ask, bid, ready

D = Decimal


def trade(world: World, lots: int = 4) -> None:
    world.fill(world.manual_order(Side.BUY, 9_900, lots), lots)


def events(world: World) -> list[str]:
    return [alert.event for alert in world.alerts]


def test_O04_balances_are_compared_each_minute_and_a_difference_is_told_once() -> None:
    world = ready()
    world.quote(bid(9_990), ask(10_010))
    world.settle()
    world.fill(world.orders[0], 3)
    world.run(70_000)
    assert not any("differs" in event for event in events(world))
    world.deposits = D("-0.000001")
    world.run(70_000)
    world.run(70_000)
    differing = [alert for alert in world.alerts if alert.event == "the ledger differs from the venue"]
    assert len(differing) == 1
    assert "'USDC': '-0.000001'" in str(differing[0].fields["venue_minus_ledger"])
    world.deposits = D(0)
    world.run(70_000)
    assert events(world)[-1] == "the ledger agrees with the venue again"


def test_O04_positions_are_read_each_second_and_orders_every_two() -> None:
    world = ready()
    world.run(3_000)
    asked: list[ReadKind] = []
    for _ in range(600):
        world.tick(20)
        asked += [one.read.kind for one in world.reads]
        world.settle()
    assert 10 <= asked.count(ReadKind.POSITIONS) <= 14
    assert 5 <= asked.count(ReadKind.OPEN_ORDERS) <= 8
    assert asked.count(ReadKind.STATEMENT) <= 1


def test_O04_a_position_that_differs_is_told() -> None:
    world = ready()
    world.position = 7
    world.run(3_000)
    assert any("position differs" in event for event in events(world))


def test_O04_an_order_that_the_venue_does_not_show_is_asked_about_and_told() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.run(1_000)
    world.orders[0].is_live, world.orders[0].status = False, "cancelled"
    world.run(4_000)
    assert OrderStatus.CANCELLED in [update.status for update in world.updates()]


def test_a_statement_during_which_something_traded_is_not_compared() -> None:
    world = ready()
    world.run(61_000)
    while not any(one.read.kind is ReadKind.STATEMENT for one in world.reads):
        world.tick(20)
        for index in reversed(range(len(world.reads))):
            if world.reads[index].read.kind is not ReadKind.STATEMENT:
                world.look(index)
                world.answer(index)
    asked = next(i for i, one in enumerate(world.reads) if one.read.kind is ReadKind.STATEMENT)
    world.look(asked)
    trade(world)
    world.settle()
    world.run(30_000)
    assert not any("differs" in event for event in events(world))


def test_fills_from_before_the_session_are_not_in_it_twice() -> None:
    """They are in the sums when the session begins, and in the balance that it begins with."""
    world = World()
    first = world.manual_order(Side.BUY, 9_900, 5)
    world.do(world.core.on_stream(True, world.now_ns))
    world.now_ns += 10_000_000
    world.fill(first, 5, is_told=False)
    world.start()
    trade(world)
    world.run(70_000)
    world.run(70_000)
    sums = world.core.desk.ledger.snapshot()
    assert sums["fills"] == 2 and "start_equity" in sums
    assert not any("differs" in event for event in events(world))


def test_a_session_begins_behind_the_fees_of_symbols_that_are_not_listed_any_more() -> None:
    """The run before traded elsewhere: its fees are in the sums, and no cash flow of a listed symbol."""
    world = World()
    world.stored = Stored({"fee:USDC": D(7), "cash_flow:GONE_USDC_PERP": D(-300), "cash_flow": D(-300)})
    world.core = world.new_core()
    world.start()
    world.run(5_000)
    assert "start_equity" in world.core.desk.ledger.snapshot()
    trade(world)
    world.run(70_000)
    world.run(70_000)
    assert not any("differs" in event for event in events(world))


def test_the_session_begins_once_and_goes_on_after_a_restart() -> None:
    world = ready()
    started = world.core.desk.ledger.snapshot()
    assert started["start_equity"] == 1_000 and started["start_cash:USDC"] == 1_000
    world.stored = Stored(started)
    world.core = world.new_core()
    world.equity = D(2_000)
    world.start()
    world.run(5_000)
    assert world.core.desk.ledger.snapshot()["start_equity"] == 1_000


def test_positions_that_change_while_balances_are_read_are_not_of_one_moment() -> None:
    instruments = {SYMBOL: Instrument.from_info(INFO)}

    def held(quantity: str, mark: str, unrealised: str) -> list[VenuePosition]:
        return [VenuePosition(SYMBOL, D(quantity), None, D(mark), D(unrealised))]

    before = held("2", "100", "10")
    assert is_one_moment(before, held("2", "101", "12"), instruments), "only the mark has moved"
    assert not is_one_moment(before, held("3", "100", "10"), instruments)
    assert not is_one_moment(before, held("2", "100", "0"), instruments), "it was settled"
    assert is_one_moment([], held("0", "100", "0"), instruments)


def test_funding_is_in_the_comparison() -> None:
    world = ready()
    world.run(1_000)
    payment = VenueFunding(SYMBOL, D("0.5"), world.venue_ms * 1_000_000)
    world.core._accounting.on_funding([payment], world.now_ns)
    world.deposits = D("0.5")  # the balance holds it
    world.run(70_000)
    world.run(70_000)
    assert not any("differs" in event for event in events(world))
