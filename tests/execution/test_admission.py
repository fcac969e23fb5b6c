"""What may rest: permits, limits, expiry, and refusals that do not loop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.execution.requests import SendPlace
from shared.clock import NS_PER_S
from shared.messages import OrderStatus, Quotes
from tests.execution.small_venue import SYMBOL
from tests.execution.world import World, bid, ready


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


def test_without_a_price_nothing_is_placed_that_could_grow_the_position() -> None:
    world = World()
    world.has_prices = False
    world.start()
    world.permit()
    world.quote(bid(9_990))
    assert not world.requests
    assert world.working().rejects[0].reason == "no_price"
    world.top(9_999, 10_001)
    world.quote(bid(9_990))
    world.settle()
    assert len(world.ours()) == 1


def test_L05_a_symbol_with_exposure_and_no_price_stops_new_risk_of_the_whole_account() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    desk = world.core.desk
    desk.instruments["BTC_USDC_PERP"] = replace(desk.instruments[SYMBOL], symbol="BTC_USDC_PERP")
    other = desk.symbol("BTC_USDC_PERP")
    assert other is not None
    world.run(100)
    assert len(world.ours()) == 1, "it has no exposure"
    other.position, other.is_known = 5, True
    world.tick(20)
    world.permit()
    world.quote(bid(9_990), bid(9_980))
    world.settle()
    assert not world.ours()
    other.price = 100.0
    world.tick(20)
    world.quote(bid(9_990), bid(9_980))
    world.settle()
    assert len(world.ours()) == 2


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


def test_O05_refusals_that_take_turns_are_counted_together() -> None:
    world = ready()
    for _ in range(400):
        world.place_refusal = ("insufficient_funds", "price_band")[len(world.arrivals) % 2]
        world.quote(bid(9_990))
        world.run(20)
    assert len(world.arrivals) == 3


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
