"""Start is recovery: nothing is quoted before everything from before is settled."""

from __future__ import annotations

from decimal import Decimal

import pytest

from services.execution.account.restore import Stored, StoredPosition
from shared.clock import NS_PER_MS
from shared.messages import Side
from shared.venues.base import VenueFill
from tests.execution.small_venue import SYMBOL, Resting
from tests.execution.world import World, bid


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


def begin(world: World, stored: Stored | None = None) -> None:
    world.do(world.core.on_stream(True, world.now_ns))
    world.do(world.core.on_store(True, world.now_ns))
    world.run(40)
    world.do(world.core.on_demand(SYMBOL, world.now_ns))
    world.do(world.core.on_loaded(stored or Stored(), world.now_ns))


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


def test_L09_what_we_left_at_the_venue_is_cancelled_although_redis_does_not_answer() -> None:
    world, left = without_redis()
    world.run(1_000)
    assert not left.is_live
    assert world.working().state == "recovering"
    assert not world.journal  # what fills there were is counted when it is known which are new


@pytest.mark.parametrize("is_stop", [False, True], ids=["halt", "stop"])
def test_X08_halt_and_stop_are_confirmed_although_redis_does_not_answer(is_stop: bool) -> None:
    world, left = without_redis()
    if is_stop:
        world.do(world.core.on_stop_request(world.now_ns))
    else:
        world.do(world.core.on_halts({"ALL": "by hand"}, world.now_ns))
    world.run(4_000)
    assert not left.is_live
    assert world.core.is_stopped() is is_stop
    assert world.working().state == ("cancelling" if is_stop else "halted")
    assert not world.core.is_ledger_read()


def test_a_stop_is_not_confirmed_while_an_order_of_before_may_still_arrive() -> None:
    world, _ = without_redis()
    world.do(world.core.on_stop_request(world.now_ns))
    world.run(1_000)
    assert not world.ours()
    assert not world.core.is_stopped()
    late = Resting("77", (77 << 24) | 9, Side.BUY, 9_900, 5)
    world.orders.append(late)
    world.run(3_000)
    assert not late.is_live
    assert world.core.is_stopped()


def without_redis() -> tuple[World, Resting]:
    world = World()
    left = Resting("1", (77 << 24) | 1, Side.BUY, 9_900, 5)
    world.orders.append(left)
    world.do(world.core.on_stream(True, world.now_ns))
    world.do(world.core.on_store(False, world.now_ns))
    world.run(40)
    world.do(world.core.on_demand(SYMBOL, world.now_ns))
    return world, left


@pytest.mark.parametrize("filled", [3, 5, 7])
@pytest.mark.parametrize("resists", [False, True], ids=["", "resists its cancels"])
def test_L09_a_left_order_whose_fills_were_not_journalled_is_cancelled_and_counted_once(
    filled: int, resists: bool
) -> None:
    world = World()
    left = Resting("1", (77 << 24) | 1, Side.BUY, 9_900, 10)
    world.orders.append(left)
    world.stored = Stored({"fills": Decimal(1)}, [], [((SYMBOL, 999, "0"), 1)], 1)
    world.fill(left, filled, is_told=False)
    if resists:
        world.cancel_refusals[left.client_order_id or 0] = "other"
    begin(world, world.stored)
    world.run(4_000)
    world.cancel_refusals.clear()
    world.run(8_000)
    assert not left.is_live
    assert world.core.gate.reason is None
    assert world.core.desk.symbols[SYMBOL].position == world.position == filled
    assert len(world.journal) == 1
    assert not world.core.desk.orders.has_owed()


def test_fills_of_a_left_order_that_were_journalled_are_not_waited_for() -> None:
    world = World()
    left = Resting("1", (77 << 24) | 1, Side.BUY, 9_900, 10)
    world.orders.append(left)
    world.fill(left, 4, is_told=False)
    journalled = world.fills[0]
    key = (SYMBOL, journalled.trade_id, journalled.venue_order_id)
    world.stored = Stored(
        {"fills": Decimal(1)},
        [StoredPosition(SYMBOL, Decimal("0.04"), Decimal(99), 1)],
        [(key, journalled.venue_ns)],
        journalled.venue_ns,
    )
    begin(world, world.stored)
    world.run(4_000)
    assert world.core.gate.reason is None
    assert not world.journal
    assert world.core.desk.symbols[SYMBOL].position == world.position == 4


def test_L09_after_a_loss_of_redis_ids_go_on_above_those_of_dead_orders() -> None:
    world = World()
    for number in range(1, 51):
        dead = Resting(str(number), (77 << 24) | number, Side.BUY, 9_990, 10, is_live=False)
        dead.status = "cancelled"
        world.orders.append(dead)
    world.start()
    world.permit()
    world.quote(bid(9_990))
    assert world.sent_ids[0] & 0xFFFFFF == 51


def test_O03_an_order_of_ours_that_cannot_be_read_is_cancelled_by_id_and_blocks_until_it_is_gone() -> None:
    world = World()
    orphan = Resting("1", (77 << 24) | 1, Side.BUY, 9_900, 5)
    world.orders.append(orphan)
    world.symbols_of[orphan.id] = "OLD_USDC_PERP"
    world.cancel_refusals[orphan.client_order_id or 0] = "other"
    begin(world)
    world.run(5_000)
    assert world.core.gate.reason == "start waits for: own orders cancelled"
    world.do(world.core.on_halts({"ALL": "by hand"}, world.now_ns))
    assert world.working().state == "cancelling"
    world.do(world.core.on_stop_request(world.now_ns))
    world.run(1_000)
    assert not world.core.is_stopped()
    world.cancel_refusals.clear()
    world.run(2_000)
    assert not orphan.is_live
    assert world.core.is_stopped()
    named = [alert for alert in world.alerts if alert.event == "an order of ours cannot be read"]
    assert len(named) == 1
