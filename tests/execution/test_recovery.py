"""Start is recovery: nothing is quoted before everything from before is settled."""

from __future__ import annotations

from decimal import Decimal

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
