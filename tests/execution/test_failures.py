"""A silent stream, Redis, a venue without answers, a tight budget; halts and stops: no new risk."""

from __future__ import annotations

import pytest

from services.execution.config import ExecutionConfig
from services.execution.requests import SendCancel, SendPlace
from shared.clock import NS_PER_S
from shared.messages import Side
from tests.execution.small_venue import SYMBOL, Resting
from tests.execution.world import ask, bid, ready


def test_a_silent_private_stream_means_no_new_risk_and_heals_by_itself() -> None:
    world = ready()
    world.is_stream_silent = True
    world.quote(bid(9_990))
    start_ns = world.now_ns
    while world.now_ns < start_ns + 4 * NS_PER_S:
        world.quote(bid(9_990))
        world.run(100)
        if world.now_ns > start_ns + 2 * NS_PER_S:
            assert not world.ours()
    assert world.working().state == "degraded"
    assert world.reconnects
    world.do(world.core.on_stream(True, world.now_ns))
    world.is_stream_silent = False
    for _ in range(150):
        world.quote(bid(9_990))
        world.run(100)
    assert len(world.ours()) == 1
    probes = [
        (update.price, update.size) for update in world.updates() if update.sent_ns and update.size == 1
    ]
    assert probes  # one smallest order asked whether it speaks
    assert all(price < 0.98 * 9_990 for price, _ in probes)  # where it does not trade


def test_a_lost_private_stream_cancels_at_once_and_quotes_again_after_a_resync() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    world.do(world.core.on_stream(False, world.now_ns))
    world.settle()
    assert not world.ours()
    world.fill(Resting("x", None, Side.BUY, 9_990, 5), 5, is_told=False)  # missed meanwhile
    world.do(world.core.on_stream(True, world.now_ns))
    world.quote(bid(9_990))
    assert not world.requests
    world.run(1_000)
    assert world.core.desk.symbols[SYMBOL].position == 5
    assert len(world.ours()) == 1


def test_redis_that_does_not_answer_stops_quoting_and_its_return_resumes_it() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    world.do(world.core.on_store(False, world.now_ns))
    world.settle()
    assert not world.ours()
    assert world.working().state == "degraded"
    world.do(world.core.on_store(True, world.now_ns))
    world.settle()
    assert len(world.ours()) == 1


def test_O05_a_venue_without_answers_gets_no_new_orders_until_it_answers() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.vanish()
    world.reply()
    world.quote(bid(9_990), ask(10_010))
    assert not world.requests
    world.run(100)  # a read is answered
    world.quote(bid(9_990), ask(10_010))
    assert [order.side for order in world.placing()] or [order.side for order in world.ours()] == [Side.SELL]


def test_L07_when_the_budget_binds_the_most_wrong_quote_is_cancelled_first() -> None:
    world = ready(config=ExecutionConfig(requests_per_min=120))
    world.quote(bid(9_990), bid(9_980), bid(9_970))
    world.run(2_000)
    assert len(world.ours()) == 3
    world.core.desk.budget.charge(18)
    world.quote(bid(9_990), bid(9_979), bid(9_950))
    assert not world.requests
    cancels: list[int] = []
    for _ in range(3_000):
        world.tick(20)
        cancels += [
            next(
                order.price for order in world.orders if order.client_order_id == one.request.client_order_id
            )
            for one in world.requests
            if isinstance(one.request, SendCancel)
        ]
        world.settle()
        if len(cancels) >= 2:
            break
    assert cancels[:2] == [9_970, 9_980]


@pytest.mark.parametrize("scope", ["ALL", SYMBOL])
def test_a_halt_is_confirmed_by_a_read_begun_after_the_last_cancel(scope: str) -> None:
    world = ready()
    world.quote(bid(9_990), ask(10_010))
    world.settle()
    world.do(world.core.on_halts({scope: "by hand"}, world.now_ns))
    while world.requests or world.replies or world.stream:
        if world.requests:
            world.arrive()
        elif world.replies:
            world.reply()
        else:
            world.tell()
    assert not world.ours()
    assert world.working().state == "cancelling"
    world.run(200)
    assert world.working().state == "halted"
    world.quote(bid(9_990))
    world.run(500)
    assert not world.ours()
    world.do(world.core.on_halts({}, world.now_ns))
    world.quote(bid(9_990))
    world.run(200)
    assert len(world.ours()) == 1


def test_X08_a_stop_cancels_our_orders_leaves_others_alone_and_is_confirmed() -> None:
    world = ready()
    manual = world.manual_order(Side.BUY, 9_000, 3)
    world.quote(bid(9_990), ask(10_010))
    world.settle()
    world.do(world.core.on_stop_request(world.now_ns))
    assert not world.core.is_stopped()
    world.run(300)
    assert world.core.is_stopped()
    assert not world.ours()
    assert manual.is_live
    world.quote(bid(9_990))
    assert not any(isinstance(one.request, SendPlace) for one in world.requests)


def test_X08_a_stop_is_not_confirmed_while_an_order_may_be_live() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.vanish()
    world.reply()
    world.do(world.core.on_stop_request(world.now_ns))
    world.run(1_000)
    assert not world.core.is_stopped()
    world.run(2_500)
    assert world.core.is_stopped()
