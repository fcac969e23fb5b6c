"""The venue is the truth, one answer of it is not: recovery, positions, the stream, halts, the end."""

from __future__ import annotations

from decimal import Decimal

import pytest

from services.execution.config import ExecutionConfig
from services.execution.requests import ReadKind, SendCancel, SendPlace
from services.execution.restore import Stored, StoredPosition
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import Equity, Fill, Position, Side
from shared.venues.base import VenueFill, VenuePosition
from tests.execution.world import SYMBOL, Resting, World, ask, bid, ready


def known(world: World) -> list[bool]:
    return [message.is_known for message in world.published if isinstance(message, Position)]


# --- start is recovery ----------------------------------------------------------------------


def test_O03_orders_with_our_tag_are_cancelled_and_confirmed_before_the_first_quote() -> None:
    world = World()
    left = [Resting(str(n), (77 << 24) | n, Side.BUY, 9_900 + n, 5) for n in (1, 2, 3)]
    world.orders += left
    manual = world.manual_order(Side.SELL, 10_500, 7)
    world.start()
    assert not any(order.is_live for order in left)
    assert manual.is_live
    assert world.working().state == "ready"
    assert not world.sent_ids


def test_L09_an_order_of_the_process_before_that_arrives_late_is_cancelled_before_the_first_quote() -> None:
    world = World()
    started_ns = world.now_ns
    begin(world)
    world.run(1_000)
    late = Resting("77", (77 << 24) | 9, Side.BUY, 9_900, 5)
    world.orders.append(late)  # it was under way all the time
    world.permit()
    world.quote(bid(9_990))
    while world.core.gate.reason is not None:
        world.run(20)
    assert world.now_ns > started_ns + 2_500 * NS_PER_MS  # window and margin
    assert not late.is_live
    world.quote(bid(9_990))
    world.run(500)
    assert len(world.ours()) == 1


def test_O03_nothing_is_quoted_while_an_order_from_before_cannot_be_cancelled() -> None:
    world = World()
    left = (77 << 24) | 1
    world.orders.append(Resting("1", left, Side.BUY, 9_900, 5))
    world.cancel_refusals[left] = "other"
    begin(world)
    world.run(5_000)
    assert world.core.gate.reason is not None
    world.cancel_refusals.clear()
    world.run(6_000)
    assert world.core.gate.reason is None


def begin(world: World) -> None:
    world.do(world.core.on_stream(True, world.now_ns))
    world.do(world.core.on_store(True, world.now_ns))
    world.run(40)
    world.do(world.core.on_demand(SYMBOL, world.now_ns))
    world.do(world.core.on_loaded(Stored(), world.now_ns))


def test_a_start_takes_over_the_ledger_and_back_fills_what_is_missing_once() -> None:
    world = World()
    old, new = (
        VenueFill(SYMBOL, n, str(n), None, Side.BUY, Decimal(100), Decimal("0.05"), True, Decimal(0), "USDC",
                  (1_700_000_000_000 - 40_000 + n) * NS_PER_MS)
        for n in (1, 2)
    )  # fmt: skip
    world.fills += [old, new]
    world.position = 10
    world.stored = Stored(
        {"cash_flow": Decimal(-5), "fills": Decimal(1)},
        [StoredPosition(SYMBOL, Decimal("0.05"), Decimal(100), 1_700_000_000_500)],
        [((SYMBOL, 1, "1"), old.venue_ns)],
        old.venue_ns,
    )
    world.start()
    assert [entry.fill.trade_id for entry in world.journal] == [2]
    assert world.core.desk.ledger.snapshot()["fills"] == 2
    assert world.core.desk.symbols[SYMBOL].position == 10
    assert world.core.desk.symbols[SYMBOL].position_seq > 1_700_000_000_500


def test_nothing_is_quoted_before_the_stored_state_and_the_store_are_there() -> None:
    world = World()
    world.do(world.core.on_stream(True, world.now_ns))
    world.run(3_000)
    world.do(world.core.on_demand(SYMBOL, world.now_ns))
    world.permit()
    world.quote(bid(9_990))
    world.run(3_000)
    assert not world.sent_ids
    assert world.working().state == "recovering"


# --- positions ------------------------------------------------------------------------------


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


# --- the private stream, Redis, the venue -----------------------------------------------------


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
    probes = [update.size for update in world.updates() if update.sent_ns][1:]
    assert 1 in probes  # one smallest order asked whether it speaks


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


# --- halt and stop ----------------------------------------------------------------------------


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
