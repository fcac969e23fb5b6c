"""Cancels that are queued, silent, or confirmed and not done; what the venue says afterwards."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest

from services.execution.requests import NO_CONNECTION, Output, ReadKind, SendCancel, SendPlace
from shared.clock import NS_PER_MS
from shared.messages import OrderStatus
from shared.venues.base import Accepted, Outcome, Rejected
from tests.execution.small_venue import SYMBOL
from tests.execution.world import World, ask, bid, ready


def answer_cancels(world: World, outcome: Outcome) -> None:
    """Every cancel is answered like this from now on, and not executed."""
    world.cancel = lambda _request: outcome  # type: ignore[method-assign]


def test_O01_a_cancel_that_is_only_queued_is_retried_like_one_that_failed() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    answer_cancels(world, Accepted(""))
    world.quote()
    world.run(15_000)
    tries = [at // NS_PER_MS for at, request in world.arrivals if isinstance(request, SendCancel)]
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert pauses[:4] == [pytest.approx(pause, abs=45) for pause in (500, 1_000, 1_500, 5_000)]
    assert any("cannot be cancelled" in alert.event for alert in world.alerts)


def test_a_cancel_that_is_only_queued_is_no_reason_to_distrust_the_stream() -> None:
    world = ready()
    world.quote(bid(9_990), ask(10_010))
    world.settle()
    answer_cancels(world, Accepted(""))
    world.quote(ask(10_010))
    world.run(2_000)
    assert world.working().state == "ready"


def test_a_cancel_whose_reply_does_not_tell_what_was_filled_is_asked_about() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    world.fill(world.orders[0], 4, is_told=False)
    cancel = world.cancel

    def silent(request: SendCancel) -> Outcome:
        outcome = cancel(request)
        world.stream.clear()
        return replace(outcome, executed=None) if isinstance(outcome, Accepted) else outcome

    world.cancel = silent  # type: ignore[method-assign]
    world.quote()
    world.arrive()
    world.reply()
    assert world.core.desk.symbols[SYMBOL].orders.buying == 10  # nobody has said what it was
    world.run(2_000)
    assert world.core.desk.symbols[SYMBOL].position == 4
    assert world.updates()[-1].status is OrderStatus.CANCELLED


def test_a_cancel_that_was_confirmed_and_not_done_is_noticed_by_two_reads_close_together() -> None:
    world = ready()
    world.permit(10)
    world.quote(bid(9_990))
    world.settle()
    world.run(500)
    cancel = world.cancel

    def lie(_request: SendCancel) -> Outcome:
        world.cancel = cancel  # type: ignore[method-assign]
        return Accepted(world.orders[0].id, is_done=True, executed=Decimal(0))

    world.cancel = lie  # type: ignore[method-assign]
    world.quote(bid(9_991))
    begun = len(world.reads)
    world.settle()
    first_ns = 0
    for _ in range(200):
        world.tick(20)
        if not first_ns and any(one.read.kind is ReadKind.OPEN_ORDERS for one in world.reads[begun:]):
            first_ns = world.now_ns
        world.settle()
        if any("lives that was dead" in alert.event for alert in world.alerts):
            break
    assert world.now_ns - first_ns <= 400 * NS_PER_MS
    world.quote(bid(9_991))
    world.run(500)
    assert [order.price for order in world.ours()] == [9_991]


def test_an_order_that_counts_as_filled_and_rests_is_cancelled() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    order = world.orders[0]
    world.fill(order, 10)
    world.settle()
    order.is_live, order.status, order.filled = True, "live", 4
    world.position = 4 + 6  # six lots of the ten were another order's
    world.quote()
    world.run(6_000)
    assert not order.is_live
    assert not world.core.desk.orders.has_live()
    assert not world.core.desk.orders.has_owed()


def test_a_fill_then_a_refusal_by_a_gateway_is_a_fill() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.arrive()
    world.fill(world.orders[0], 10)
    while world.stream:
        world.tell()
    world.replies[0].outcome = Rejected("rate_limit", "HTTP 429")
    world.reply()
    assert world.core.desk.symbols[SYMBOL].position == 10
    assert world.updates()[-1].status is OrderStatus.FILLED


def test_an_order_that_old_reads_revive_under_its_cancel_dies_again() -> None:
    """The stream says cancelled, reads lag behind, the cancel's own reply is lost."""
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    world.run(600)
    world.do(world.core.on_halts({"ALL": "by hand"}, world.now_ns))
    old = [world._shown(world.orders[0])]
    world.arrive()
    while world.stream:
        world.tell()
    for step in range(80):
        world.tick(20)
        for asked in list(world.reads):
            index = world.reads.index(asked)
            if asked.read.kind is ReadKind.OPEN_ORDERS and step < 40:
                asked.answer = old
            else:
                world.look(index)
            world.answer(index)
        if step == 50:
            world.reply(is_lost=True)
    world.run(3_000)
    assert not world.core.desk.orders.has_live()
    assert world.working().state == "halted"


def test_without_an_open_connection_ids_are_not_burnt_on_every_tick() -> None:
    world = ready()
    send = world._send

    def unsent(request: SendPlace | SendCancel) -> None:
        assert isinstance(request, SendPlace)
        identity = request.approved.order.client_order_id
        outputs: list[Output] = world.core.on_place_not_sent(identity, NO_CONNECTION, world.now_ns)
        world.do(outputs)

    world._send = unsent  # type: ignore[method-assign]
    left = world.core.desk.ids.left
    world.quote(bid(9_990), ask(10_010))
    world.run(3_000)
    assert left - world.core.desk.ids.left <= 20
    world._send = send  # type: ignore[method-assign]
    world.run(1_000)
    assert len(world.ours()) == 2


def test_a_burst_beyond_the_open_connections_waits_for_one_pause_and_not_for_one_each() -> None:
    world = ready()
    send = world._send

    def unsent(request: SendPlace | SendCancel) -> None:
        assert isinstance(request, SendPlace)
        identity = request.approved.order.client_order_id
        world.do(world.core.on_place_not_sent(identity, NO_CONNECTION, world.now_ns))

    world._send = unsent  # type: ignore[method-assign]
    world.quote(*(bid(9_990 - step) for step in range(8)))
    world._send = send  # type: ignore[method-assign]
    world.run(60)
    assert len(world.ours()) == 8


def test_X08_a_stop_reads_again_although_the_last_read_failed() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    for _ in range(900):
        world.tick(20)
        for asked in list(world.reads):
            if asked.read.kind in (ReadKind.OPEN_ORDERS, ReadKind.FUNDING):
                world.fail_read(world.reads.index(asked))
        world.settle()
    world.do(world.core.on_stop_request(world.now_ns))
    world.run(1_200)
    assert world.core.is_stopped()


def test_X08_a_stop_is_confirmed_although_payments_cannot_be_read() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    world.do(world.core.on_stop_request(world.now_ns))
    for _ in range(50):
        world.tick(20)
        for asked in list(world.reads):
            if asked.read.kind is ReadKind.FUNDING:
                world.fail_read(world.reads.index(asked))
        world.settle()
    assert world.core.is_stopped()
    assert not world.core.is_ledger_read()
