"""Orders out, replies in: quotes, cancels and their retries, refusals, races."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest

from services.execution.requests import ReadKind, SendCancel, SendPlace
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import OrderStatus, Quotes, Side
from shared.venues.base import TimeInForce
from tests.execution.world import SYMBOL, World, ask, bid, ready


def only(world: World) -> int:
    """Return the client id of the one order that was sent last."""
    return world.sent_ids[-1]


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


def test_expired_quotes_are_cancelled_without_anybody_saying_so() -> None:
    world = ready()
    world.quote(bid(9_990), ttl_ns=NS_PER_S)
    world.settle()
    world.run(900)
    assert world.ours()
    world.run(200)
    assert not world.ours()


@pytest.mark.parametrize(
    "change",
    [{"may_buy": False}, {"halted": True}, {"max_long": 0}, {"reduce_only": True}, {"expires_ns": 1}],
    ids=str,
)
def test_what_the_permit_takes_back_is_cancelled(change: dict[str, Any]) -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    world.permit(**change)
    world.settle()
    assert not world.ours()


def test_without_a_permit_nothing_is_quoted() -> None:
    world = World()
    world.start()
    world.quote(bid(9_990))
    assert not world.requests


def test_a_permit_that_shrinks_cuts_the_size() -> None:
    world = ready()
    world.quote(bid(9_990, 10))
    world.settle()
    world.permit(6)
    world.settle()
    assert [order.size for order in world.ours()] == [6]


def test_the_account_gross_counts_every_order_that_may_be_live() -> None:
    world = ready()
    world.permit(max_gross_usd=15.0)  # a lot is worth 1 at a price of 100
    world.quote(bid(9_990, 10), bid(9_980, 10))
    world.settle()
    assert [order.price for order in world.ours()] == [9_990]
    assert world.working().rejects[0].reason == "max_gross"


def test_Q23_a_post_only_refusal_moves_the_price_by_a_tick_and_is_bounded() -> None:
    world = ready()
    seen = []
    for _ in range(40):
        world.quote(bid(9_990))
        while world.requests:
            request = world.requests[0].request
            assert isinstance(request, SendPlace)
            seen.append(request.approved.order.price)
            world.arrive(reject="post_only")
        world.run(100)
    assert seen == [9_990, 9_989, 9_988]


def test_Q23_the_shifted_order_is_kept_while_the_same_price_is_wanted() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.arrive(reject="post_only")
    world.run(200)
    for _ in range(5):
        world.quote(bid(9_990))
        world.run(60)
    assert [order.price for order in world.ours()] == [9_989]
    assert len(world.sent_ids) == 2


def test_O05_an_identical_refusal_is_probed_once_a_minute() -> None:
    world = ready()
    world.place_refusal = "insufficient_funds"
    for _ in range(1_300):
        world.quote(bid(9_990))
        world.run(100, step_ms=100)
    times = [at_ns for at_ns, _ in world.arrivals]
    assert len(times) == 3 + 2
    assert times[3] - times[2] >= 60 * NS_PER_S
    assert not world.core.desk.orders.has_live()


def test_L01_an_order_that_is_not_answered_stays_exposure_and_is_never_sent_again() -> None:
    world = ready()
    world.permit(10)
    world.quote(bid(9_990))
    world.vanish()
    world.reply()
    sent_ns = world.now_ns
    while world.now_ns < sent_ns + 2_400 * NS_PER_MS:
        world.quote(bid(9_990))
        world.run(100)
        assert len(world.sent_ids) == 1
        assert world.core.desk.symbols[SYMBOL].orders.buying == 10
    world.quote(bid(9_990))
    world.run(1_500)
    assert len(set(world.sent_ids)) == 2  # proved never to have existed: a new order, a new id
    assert any(update.status is OrderStatus.NEVER_EXISTED for update in world.updates())


def test_L01_a_dropped_reply_is_settled_by_asking_and_the_order_is_kept() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.arrive()
    world.stream.clear()
    world.reply(is_lost=True)
    world.run(300)
    world.quote(bid(9_990))
    world.settle()
    assert len(world.sent_ids) == 1
    assert world.working().orders[0].status is OrderStatus.LIVE


def test_absence_before_the_window_has_passed_proves_nothing() -> None:
    """The request is still under way: asked too early, the venue shows no such order."""
    world = ready()
    world.quote(bid(9_990))
    world.time_out()
    held = world.requests.pop()
    world.run(1_900)
    world.requests.append(held)
    world.arrive()  # within its window, after several questions
    world.replies.clear()
    world.quote(bid(9_990))
    world.run(3_000)
    assert len(world.sent_ids) == 1
    assert len(world.ours()) == 1


def test_one_wrong_not_found_after_the_window_proves_nothing() -> None:
    world = ready()
    sent_ns = world.now_ns
    world.quote(bid(9_990))
    world.arrive()
    world.stream.clear()
    world.reply(is_lost=True)
    while world.now_ns < sent_ns + 2_600 * NS_PER_MS:
        world.tick(20)
        while world.reads:
            world.fail_read()
    for _ in range(200):
        world.tick(20)
        found = [asked for asked in world.reads if asked.read.kind is ReadKind.FIND_ORDER]
        if found:
            world.answer(world.reads.index(found[0]))  # None: wrong
            break
    world.quote(bid(9_990))
    world.run(3_000)
    assert len(world.sent_ids) == 1
    assert world.working().orders[0].status is OrderStatus.LIVE


def test_a_cancel_that_overtakes_its_placement_proves_nothing() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.tick(300)  # no reply: the cancel goes by client id
    world.quote(ask(10_010), exclusive=True)
    cancel = next(i for i, t in enumerate(world.requests) if isinstance(t.request, SendCancel))
    world.arrive(cancel)  # "unknown order"
    world.reply()
    world.run(0)
    assert not any(order.side is Side.SELL for order in world.out())
    world.settle()
    world.run(4_000)
    assert {order.side for order in world.ours()} == {Side.SELL}


def test_an_order_is_not_sent_after_its_approval_has_expired() -> None:
    world = ready()
    world.quote(bid(9_990), ttl_ns=NS_PER_S)
    (travelling,) = world.requests
    assert isinstance(travelling.request, SendPlace)
    assert travelling.request.approved.expires_ns == world.now_ns + NS_PER_S


def test_nothing_that_has_not_left_counts_as_sent() -> None:
    world = ready()
    quotes = Quotes("main", SYMBOL, (bid(9_990),), False, world.now_ns + NS_PER_S, 0, "test")
    outputs = world.core.on_quotes(quotes, world.now_ns)
    (send,) = [output for output in outputs if isinstance(output, SendPlace)]
    identity = send.approved.order.client_order_id
    world.do(world.core.on_place_not_sent(identity, "no connection", world.now_ns))
    assert not world.core.desk.orders.has_live()
    assert world.updates()[-1].status is OrderStatus.NEVER_EXISTED
    world.quote(bid(9_990))
    world.run(40)
    assert len(world.ours()) == 1
