"""L01: outcomes that are not known are settled by asking; nothing is sent again."""

from __future__ import annotations

import pytest

from services.execution.requests import ReadKind, SendCancel
from shared.clock import NS_PER_MS
from shared.messages import OrderStatus, Side
from tests.execution.small_venue import SYMBOL, Resting
from tests.execution.world import ask, bid, ready


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


@pytest.mark.parametrize("status", ["cancelled", "filled"])
def test_L01_a_dead_order_with_the_same_id_from_before_settles_nothing(status: str) -> None:
    world = ready()
    world.quote(bid(9_990))
    world.time_out()
    held = world.requests.pop()
    old = Resting("9", world.sent_ids[0], Side.BUY, 9_990, 10, is_live=False, status=status)
    old.filled = 10 if status == "filled" else 0
    world.orders.append(old)
    world.run(1_000)
    assert world.core.desk.symbols[SYMBOL].orders.buying == 10
    world.requests.append(held)
    world.arrive()  # within its window
    world.replies.clear()
    world.stream.clear()
    world.quote(bid(9_990))
    world.run(3_000)
    assert len(world.sent_ids) == 1
    assert len(world.ours()) == 1
    assert world.core.desk.symbols[SYMBOL].orders.buying == 10


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
