"""Orders out, replies in: quotes, cancels and their retries, races of cancel and fill."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest

from services.execution.requests import SendCancel, SendPlace
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import OrderStatus, Working
from shared.venues.base import TimeInForce
from tests.execution.small_venue import SYMBOL
from tests.execution.world import ask, bid, ready


def test_Q22_a_quote_is_sent_post_only_with_our_tag_and_its_cause() -> None:
    world = ready()
    world.quote(bid(9_990), cause_ns=world.now_ns - 250_000)
    (travelling,) = world.requests
    assert isinstance(travelling.request, SendPlace)
    new = travelling.request.approved.order
    assert new.post_only
    assert new.time_in_force is TimeInForce.GTC
    assert new.client_order_id >> 24 == 77
    update = world.updates()[-1]
    assert update.status is OrderStatus.PENDING_NEW
    assert update.sent_ns - update.cause_ns == 250_000


def test_the_same_inputs_give_the_same_outputs_byte_for_byte() -> None:
    def session() -> bytes:
        world = ready()
        for step in range(60):
            world.quote(bid(9_990 + step % 3), bid(9_980), ask(10_010 - step % 2), cause_ns=step)
            if step % 7 == 0 and world.ours():
                world.fill(world.ours()[step % len(world.ours())], 1)
            if step % 11 == 0:
                world.do(world.core.on_stream(False, world.now_ns))
                world.do(world.core.on_stream(True, world.now_ns))
            world.run(100)
        return msgspec.msgpack.encode([(type(one).__name__, one) for one in world.published])

    assert session() == session()


def test_Q32_an_unchanged_wanted_set_sends_nothing() -> None:
    world = ready()
    world.quote(bid(9_990), ask(10_010))
    world.settle()
    sent = list(world.sent_ids)
    for _ in range(5):
        world.quote(bid(9_990), ask(10_010))
        world.run(60)
    assert world.sent_ids == sent
    assert not world.requests


def test_Q17_queue_position_is_kept_within_the_tolerance() -> None:
    world = ready()
    world.quote(bid(9_990, tolerance=1))
    world.settle()
    world.quote(bid(9_991, tolerance=1))
    assert not world.requests
    world.quote(bid(9_992, tolerance=1))
    assert isinstance(world.requests[0].request, SendCancel)


def test_Q18_an_old_quote_is_replaced() -> None:
    world = ready()
    world.quote(bid(9_990, max_age_ns=3 * NS_PER_S))
    world.settle()
    world.tick(2_900)
    world.quote(bid(9_990, max_age_ns=3 * NS_PER_S))
    assert not world.requests
    world.tick(200)
    world.settle()
    world.quote(bid(9_990, max_age_ns=3 * NS_PER_S))
    world.settle()
    assert len(world.sent_ids) == 2
    assert len(world.ours()) == 1


def test_O02_the_new_order_waits_until_the_old_one_is_confirmed_dead() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    world.quote(bid(9_980))
    world.arrive()  # the cancel is done, but not told yet
    assert len(world.sent_ids) == 1
    world.quote(bid(9_980))
    assert len(world.sent_ids) == 1
    world.reply()
    assert len(world.sent_ids) == 2


def test_O01_a_cancel_is_retried_after_500_1000_1500_ms_and_then_blocks_its_side_alone() -> None:
    world = ready()
    world.quote(bid(9_990), ask(10_010))
    world.settle()
    stubborn = world.sent_ids[0]
    world.cancel_refusals[stubborn] = "other"
    world.quote(bid(9_980), ask(10_020))
    world.run(8_000)
    tries = [
        at_ns // NS_PER_MS
        for at_ns, request in world.arrivals
        if isinstance(request, SendCancel) and request.client_order_id == stubborn
    ]
    assert len(tries) >= 4
    pauses = [later - earlier for earlier, later in pairwise(tries[:4])]
    assert pauses == [pytest.approx(pause, abs=45) for pause in (500, 1_000, 1_500)]
    assert {order.price for order in world.ours()} == {9_990, 10_020}  # the other side goes on
    assert any("cannot be cancelled" in alert.event for alert in world.alerts)


def test_a_cancel_refused_because_filled_is_asked_about_and_the_fill_counts_once() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    world.quote()
    world.fill(world.orders[0], 10, is_told=False)
    world.run(3_000)
    assert world.core.desk.symbols[SYMBOL].position == 10
    assert not world.core.desk.orders.has_live()
    assert len(world.journal) == 1


def test_a_fill_after_a_confirmed_cancel_still_counts() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    world.quote()
    world.settle()
    world.fill(world.orders[0], 4)
    world.settle()
    assert world.core.desk.symbols[SYMBOL].position == 4
    assert world.updates()[-1].status is OrderStatus.CANCELLED


def test_a_fill_that_overtakes_the_acknowledgement_counts() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.arrive()
    world.fill(world.orders[0], 3)
    while world.stream:
        world.tell()
    world.reply()
    assert world.core.desk.symbols[SYMBOL].position == 3
    assert world.working().orders[0].status is OrderStatus.PARTIALLY_FILLED


def test_a_fill_that_the_reply_claims_keeps_its_exposure_until_it_is_counted() -> None:
    world = ready()
    world.permit(15)
    world.quote(bid(9_990))
    world.arrive()
    world.fill(world.orders[0], 10, is_told=False)
    world.stream.clear()
    world.quote()
    world.reply()
    world.run(20)  # the cancel is refused, the order found filled; the fill itself is not told
    world.quote(bid(9_991))
    worst = world.position + sum(order.size for order in world.out())
    assert worst <= 15


def test_a_size_that_the_venue_changes_on_the_stream_is_told() -> None:
    """A venue shrinks an order that reduces a position which has become smaller."""
    world = ready()
    world.quote(bid(9_990, 20))
    world.settle()
    (order,) = world.ours()
    order.size = 12
    world.show(order)
    world.tell()
    told = world.updates()[-1]
    assert (told.size, told.status) == (12, OrderStatus.LIVE)
    (working,) = [message for message in world.published if isinstance(message, Working)][-1:]
    assert [one.leaves for one in working.orders if one.client_order_id == order.client_order_id] == [12]
