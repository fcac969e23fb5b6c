"""Reductions and hedges: by the distance from our own position, once, never through zero."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.execution.requests import SendPlace
from services.execution.sending.targets import distance
from shared.clock import NS_PER_S
from shared.messages import Side, Target
from shared.venues.base import NewOrder, TimeInForce
from tests.execution.small_venue import SYMBOL
from tests.execution.world import World, ask, bid, ready


def holding(lots: int) -> World:
    """Return a world that holds a position, with nothing resting."""
    world = ready()
    side = bid if lots > 0 else ask
    world.quote(side(10_000, abs(lots)))
    world.settle()
    world.fill(world.orders[0], abs(lots))
    world.quote()
    world.settle()
    world.top(9_999, 10_001)
    return world


def sent(world: World) -> list[NewOrder]:
    return [one.request.approved.order for one in world.requests if isinstance(one.request, SendPlace)]


def plain(minimum: int, maximum: int, may_open: bool) -> Target:
    return Target("a", "s", minimum, maximum, "ioc", None, 1_000, may_open, 0, 1, "")


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(0, 50))
def test_R19_a_reduction_never_opens_nor_flips(position: int, minimum: int, width: int) -> None:
    lots = distance(plain(minimum, minimum + width, False), position, False)
    after = position + lots
    assert abs(after) <= abs(position)
    assert after * position >= 0


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(0, 50))
def test_a_target_that_may_open_ends_inside(position: int, minimum: int, width: int) -> None:
    after = position + distance(plain(minimum, minimum + width, True), position, True)
    assert minimum <= after <= minimum + width
    assert not minimum <= position <= minimum + width or after == position


@pytest.mark.parametrize(("lots", "side", "price"), [(20, Side.SELL, 9_999), (-20, Side.BUY, 10_001)])
def test_R18_the_excess_is_traded_by_a_reduce_only_ioc_at_the_opposite_best(
    lots: int, side: Side, price: int
) -> None:
    world = holding(lots)
    world.target(-8, 8)
    (order,) = sent(world)
    assert (order.side, order.price, order.size) == (side, price, 12)
    assert order.reduce_only
    assert order.time_in_force is TimeInForce.IOC


def test_R18_slices_are_capped_one_at_a_time_and_repeated_until_inside() -> None:
    world = holding(20)
    world.target(-8, 8, max_slice=5)
    for _ in range(60):
        assert len(sent(world)) <= 1
        world.run(20)
        world.top(9_999, 10_001)
        world.target(-8, 8, max_slice=5)
    assert world.position == 8
    assert all(update.size <= 5 for update in world.updates() if update.is_target)


def test_a_hedge_whose_fill_is_late_is_not_repeated() -> None:
    world = holding(20)
    world.target(0, 0, max_slice=20)
    world.arrive()
    world.stream.clear()  # the fill is not told
    world.reply()
    for _ in range(10):
        world.target(0, 0, max_slice=20)
        world.top(9_999, 10_001)
        assert not sent(world)
        world.tick(20)
    world.run(1_000)  # a read of fills tells it
    assert world.position == world.core.desk.symbols[SYMBOL].position == 0


def test_a_hedge_that_is_not_answered_is_not_repeated() -> None:
    world = holding(20)
    world.target(0, 0, max_slice=20)
    world.arrive()
    world.stream.clear()
    world.reply(is_lost=True)
    world.run(3_000)
    world.target(0, 0, max_slice=20)
    world.run(500)
    assert world.position == 0
    assert len(world.sent_ids) == 2  # the quote that was filled, and one hedge


def test_a_target_based_on_an_older_position_is_ignored() -> None:
    world = holding(20)
    seq = world.core.desk.symbols[SYMBOL].position_seq
    world.target(0, 0, position_seq=seq - 1)
    assert not sent(world)
    world.target(0, 0, position_seq=seq)
    assert len(sent(world)) == 1


def test_a_target_works_while_quoting_is_off() -> None:
    world = holding(20)
    world.permit(halted=True)
    world.target(0, 0)
    assert len(sent(world)) == 1


def test_a_halt_stops_reductions_too_unless_configured() -> None:
    world = holding(20)
    world.do(world.core.on_halts({"ALL": "test"}, world.now_ns))
    world.target(0, 0)
    assert not sent(world)


def test_flatten_when_halted_closes_the_position_while_halted_and_never_else() -> None:
    world = holding(20)
    world.core.desk.config = msgspec.structs.replace(world.core.desk.config, flatten_when_halted=True)
    world.target(0, 0, style="flatten")
    assert not sent(world), "not halted"
    world.permit(halted=True, max_long=0, max_short=0, max_order=0)
    assert not sent(world), "a halt is what the flag says"
    world.do(world.core.on_halts({"ALL": "test"}, world.now_ns))
    (order,) = sent(world)
    assert (order.side, order.size, order.reduce_only) == (Side.SELL, 20, True)
    assert order.time_in_force is TimeInForce.IOC and order.price == 9_999


def test_without_flatten_when_halted_a_halted_position_stays_what_it_is() -> None:
    world = holding(20)
    world.target(0, 0, style="flatten")
    world.do(world.core.on_halts({"ALL": "test"}, world.now_ns))
    world.run(2_000, 50)
    world.do(world.core.on_halts({}, world.now_ns))
    world.run(500, 50)
    assert not sent(world), "nor is it closed after the halt, before risk has taken the target back"


def test_own_quotes_get_out_of_the_way_first() -> None:
    world = holding(20)
    world.quote(bid(9_999), bid(9_990))
    world.settle()
    world.target(0, 0)
    assert not sent(world)  # it would trade with our own bid at 9999
    world.arrive()
    world.reply()
    assert len(sent(world)) == 1
    assert {order.price for order in world.ours()} == {9_990}


def test_a_price_that_moves_onto_our_own_quote_is_not_traded() -> None:
    world = holding(20)
    world.quote(bid(9_990))
    world.settle()
    world.tick(2_500)  # the price is too old to trade on
    world.target(0, 0)
    world.top(9_990, 9_992)
    assert not sent(world)
    assert len(world.requests) == 1  # the cancel of our own bid


def test_without_a_fresh_price_nothing_is_reduced() -> None:
    world = holding(20)
    world.tick(2_500)
    world.target(0, 0)
    assert not sent(world)


def test_an_expired_target_is_nothing() -> None:
    world = holding(20)
    world.target(0, 0, expires_ns=world.now_ns)
    world.run(200)
    assert world.position == 20


def test_opening_needs_a_live_permit_and_its_room() -> None:
    world = ready()
    world.permit(5)
    world.target(8, 8, may_open=True)
    assert not sent(world)
    world.target(4, 4, may_open=True)
    (order,) = sent(world)
    assert not order.reduce_only
    world.permit(5, expires_ns=world.now_ns + NS_PER_S)


def test_R19_a_slice_waits_until_the_quotes_of_its_side_leave_it_room() -> None:
    """If everything of one side fills, the position is inside the limit, the slice included."""
    world = holding(20)
    world.permit(25, max_order=1_000)
    world.quote(ask(10_020, 45))
    world.settle()
    world.target(0, 0, max_slice=20)
    assert not sent(world)
    for _ in range(20):
        lots = sum(order.leaves for order in world.ours()) + sum(new.size for new in sent(world))
        assert lots - world.position <= 25
        world.run(20)
        world.top(9_999, 10_001)
        world.target(0, 0, max_slice=20)
    assert world.position == 0
    assert sum(order.leaves for order in world.ours()) == 25


def test_what_has_room_beside_the_quotes_is_reduced_at_once() -> None:
    world = holding(20)
    world.permit(25, max_order=1_000)
    world.quote(ask(10_020, 30))
    world.settle()
    world.target(0, 0, max_slice=20)
    assert [order.size for order in sent(world)] == [15]


def test_without_a_permit_slice_and_quotes_together_do_not_go_through_zero() -> None:
    world = holding(20)
    world.quote(ask(10_020, 20))
    world.settle()
    world.permit(expires_ns=world.now_ns)
    world.target(0, 0, max_slice=20)
    assert not sent(world)
    world.run(200)
    world.top(9_999, 10_001)
    world.target(0, 0, max_slice=20)
    world.run(200)
    assert world.position == 0


def test_a_target_that_may_open_only_reduces_while_redis_does_not_answer() -> None:
    world = holding(20)
    world.do(world.core.on_store(False, world.now_ns))
    world.target(-8, -8, may_open=True)
    (order,) = sent(world)
    assert order.size == 20
    assert order.reduce_only
    world.settle()
    world.tick(200)
    world.top(9_999, 10_001)
    world.target(-8, -8, may_open=True)
    assert not sent(world)
