"""R27: a hedge waits for takers first, try after try; then only the unfilled remainder is taken."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.execution.config import ExecutionConfig
from services.execution.orders.pursuit import Pursuit
from services.execution.requests import SendCancel, SendPlace
from shared.clock import NS_PER_MS
from shared.messages import Side
from shared.venues.base import NewOrder, Rejected, TimeInForce
from tests.execution.small_venue import SYMBOL, Resting
from tests.execution.test_targets import sent
from tests.execution.world import World, ask, bid, ready

TRY_MS = 3_000


def hunting(lots: int = 20, permit: int = 1_000, **config: Any) -> World:
    """Return a world that waits for takers with a hedge that opens so many lots (> 0 = long)."""
    world = ready(config=ExecutionConfig(requests_per_min=1_000_000, **config))
    world.permit(permit)
    want(world, lots)
    return world


def want(world: World, lots: int, **changes: Any) -> None:
    world.target(lots, lots, **({"style": "maker", "may_open": True} | changes))


def hedges(world: World) -> list[Resting]:
    return world.ours()


def wait(world: World, ms: int, lots: int, bid_at: int = 9_999, **changes: Any) -> None:
    """Let time pass, with a fresh book and the same target all the while."""
    for _ in range(max(1, ms // 100)):
        world.top(bid_at, bid_at + 2)
        want(world, lots, **changes)
        world.run(100, 50)


def placed(world: World) -> list[NewOrder]:
    return [request.approved.order for _, request in world.arrivals if isinstance(request, SendPlace)]


@pytest.mark.parametrize(("lots", "side", "price"), [(20, Side.BUY, 9_999), (-20, Side.SELL, 10_001)])
def test_R27_the_first_try_is_post_only_at_the_passive_best(lots: int, side: Side, price: int) -> None:
    world = hunting(lots)
    (order,) = sent(world)
    assert (order.side, order.price, order.size, order.post_only) == (side, price, 20, True)
    assert order.time_in_force is TimeInForce.GTC and not order.reduce_only


def test_R27_a_try_lasts_its_time_then_the_order_follows_the_price() -> None:
    world = hunting()
    world.settle()
    wait(world, TRY_MS - 200, 20, bid_at=10_005)
    assert [order.price for order in hedges(world)] == [9_999], "the market has left: the try goes on"
    wait(world, 600, 20, bid_at=10_005)
    assert [order.price for order in hedges(world)] == [10_005]
    assert len(placed(world)) == 2


def test_R27_an_order_that_is_still_the_best_keeps_its_place_in_the_queue() -> None:
    world = hunting()
    world.settle()
    wait(world, 4 * TRY_MS - 200, 20)
    assert len(placed(world)) == 1
    pursuit = world.core.desk.symbols[SYMBOL].pursuit
    assert pursuit is not None and pursuit.tries == 4, "but its tries are counted"


def test_R27_after_its_tries_only_the_unfilled_remainder_is_taken() -> None:
    world = hunting(maker_tries=2)
    world.settle()
    world.fill(hedges(world)[0], 13)
    world.settle()
    wait(world, 2 * TRY_MS + 600, 20)
    assert world.position == 20
    post_only, taken = placed(world)
    assert post_only.post_only and not taken.post_only
    assert (taken.size, taken.price, taken.time_in_force) == (7, 10_001, TimeInForce.IOC)
    wait(world, 1_000, 20)
    assert len(placed(world)) == 2 and not hedges(world)


def test_R27_a_fill_that_comes_with_the_cancel_of_the_last_try_is_not_taken_again() -> None:
    """The remainder is known only when the order is gone and all of its fills have arrived."""
    world = hunting(maker_tries=1)
    world.settle()
    for _ in range(TRY_MS // 100 + 2):
        world.top(9_999, 10_001)
        want(world, 20)
        world.tick(100)
        if world.requests:
            break
        world.settle()
    assert isinstance(world.requests[0].request, SendCancel)
    world.fill(hedges(world)[0], 15, is_told=False)
    world.arrive()
    world.tell()
    world.reply()  # cancelled, 15 of them executed: their fills are not told yet
    for _ in range(5):
        world.tick(100)
        world.top(9_999, 10_001)
        want(world, 20)
        assert not sent(world)
    wait(world, 3_000, 20)
    assert world.position == 20
    assert [order.size for order in placed(world)] == [20, 5]


def test_R27_no_tries_means_that_it_is_taken_at_once() -> None:
    world = hunting(maker_tries=0)
    (order,) = sent(world)
    assert order.time_in_force is TimeInForce.IOC and order.price == 10_001


def test_R27_a_target_that_is_taken_back_or_expires_takes_its_order_along() -> None:
    world = hunting()
    world.settle()
    world.target(0, 0, style="none")
    world.settle()
    assert not hedges(world)
    want(world, 20, expires_ns=world.now_ns + 500 * NS_PER_MS)
    world.run(200)
    world.top(9_999, 10_001)
    assert hedges(world) or sent(world)
    world.run(600)
    assert not hedges(world) and world.position == 0


def test_R27_an_order_whose_fill_would_go_too_far_is_pulled() -> None:
    world = hunting()
    world.settle()
    want(world, 12)
    world.settle()
    wait(world, 300, 12)
    assert [order.size for order in hedges(world)] == [12]
    want(world, -5)
    world.settle()
    wait(world, 300, -5)
    assert [(order.side, order.size) for order in hedges(world)] == [(Side.SELL, 5)]


def test_R27_a_halt_and_a_stop_pull_it() -> None:
    world = hunting()
    world.settle()
    world.do(world.core.on_halts({"ALL": "test"}, world.now_ns))
    world.settle()
    assert not hedges(world)
    world = hunting()
    world.settle()
    world.do(world.core.on_stop_request(world.now_ns))
    world.run(400)
    assert not hedges(world) and world.core.is_stopped()


@pytest.mark.parametrize("change", [{"max_long": 10}, {"halted": True}, {"expires_ns": 0}])
def test_R27_what_opens_rests_only_under_a_permit_with_room_for_it(change: dict[str, Any]) -> None:
    world = hunting()
    world.settle()
    world.permit(**change)
    world.settle()
    wait(world, 300, 20)
    assert not hedges(world) and world.position == 0


def test_R27_what_opens_is_pulled_when_redis_does_not_answer() -> None:
    world = hunting()
    world.settle()
    world.do(world.core.on_store(False, world.now_ns))
    world.settle()
    wait(world, 300, 20)
    assert not hedges(world)


def test_R27_a_reduction_that_waits_is_reduce_only_and_needs_no_permit() -> None:
    world = hunting(maker_tries=0)
    world.settle()
    assert world.position == 20
    world.config = ExecutionConfig()
    world.core.desk.config = ExecutionConfig(requests_per_min=1_000_000)
    world.permit(expires_ns=world.now_ns)
    want(world, 0, may_open=False)
    wait(world, 200, 0, may_open=False)
    (order,) = hedges(world)
    assert (order.side, order.size, order.reduce_only) == (Side.SELL, 20, True)


def test_R27_a_quote_that_fills_meanwhile_is_not_hedged_twice() -> None:
    world = hunting(20)
    world.quote(bid(9_990, 10))
    world.settle()
    quote = next(order for order in world.ours() if order.price == 9_990)
    world.fill(quote, 10)
    world.settle()
    wait(world, 300, 20)
    hedge = [order for order in hedges(world) if order.price == 9_999]
    assert [order.size for order in hedge] == [10], "the old one would have gone 10 too far"


def test_a_newer_position_does_not_cost_the_resting_order_its_place() -> None:
    """The target is older than the position until risk has answered: nothing new, nothing pulled."""
    world = hunting(20)
    world.settle()
    seq = world.core.desk.symbols[SYMBOL].position_seq
    world.fill(hedges(world)[0], 5)
    world.settle()
    want(world, 20, position_seq=seq)
    world.run(200)
    assert [order.leaves for order in hedges(world)] == [15]
    assert len(placed(world)) == 1


def test_without_a_fresh_price_nothing_rests() -> None:
    world = hunting()
    world.settle()
    world.run(2_500)
    assert not hedges(world)
    assert len(placed(world)) == 1


def test_Q22_a_post_only_refusal_uses_up_a_try_and_is_not_repeated_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = hunting(maker_tries=3)
    place = world.place
    refusal = Rejected("post_only", "would take")
    monkeypatch.setattr(world, "place", lambda new: refusal if new.post_only else place(new))
    world.settle()
    for _ in range(4):
        wait(world, 100, 20)
    assert len(placed(world)) == 1
    wait(world, 400, 20)
    assert len(placed(world)) == 2
    wait(world, 800, 20)
    assert world.position == 20
    assert [order.post_only for order in placed(world)] == [True, True, True, False]


def test_an_order_that_is_not_answered_is_settled_before_the_next_one() -> None:
    world = hunting()
    world.arrive()
    world.stream.clear()
    world.reply(is_lost=True)
    for _ in range(3):
        want(world, 20)
        world.tick(50)
        assert not sent(world)
    wait(world, 6_000, 20)
    assert sum(order.size for order in hedges(world)) <= 20


def test_an_order_that_may_not_exist_is_cancelled_and_never_counted_as_resting() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.settle()
    want(world, 20)
    world.vanish()
    world.reply()
    want(world, 20)
    assert isinstance(world.requests[0].request, SendCancel)
    assert not sent(world)


def test_R27_what_opens_is_pulled_while_the_position_is_in_doubt() -> None:
    world = hunting()
    world.settle()
    world.core.desk.symbols[SYMBOL].is_known = False
    want(world, 20)
    assert [type(one.request) for one in world.requests] == [SendCancel]


def test_R27_a_try_that_ends_too_small_for_what_is_wanted_by_now_begins_anew() -> None:
    world = hunting(20)
    world.settle()
    wait(world, TRY_MS - 300, 30)
    assert [order.size for order in hedges(world)] == [20]
    wait(world, 600, 30)
    assert [order.size for order in hedges(world)] == [30]


def test_a_cancel_that_fails_is_repeated_when_nothing_is_wanted_any_more() -> None:
    world = hunting()
    world.quote(bid(9_990))
    world.settle()
    order = next(order for order in hedges(world) if order.price == 9_999)
    assert order.client_order_id is not None
    world.cancel_refusals[order.client_order_id] = "busy"
    world.target(0, 0, style="none")
    world.settle()
    assert len(hedges(world)) == 2
    world.cancel_refusals.clear()
    world.run(700)
    assert [order.price for order in hedges(world)] == [9_990]


def test_own_quotes_that_it_would_meet_are_cancelled_first() -> None:
    world = ready()
    world.quote(ask(10_001, 10))
    world.settle()
    world.top(10_001, 10_003)  # the market has risen to our own ask
    want(world, 20)
    assert not sent(world)
    world.settle()
    wait(world, 300, 20, bid_at=10_001)
    assert [(order.side, order.price) for order in hedges(world)] == [(Side.BUY, 10_001)]


@given(
    st.lists(st.tuples(st.sampled_from(["fill", "wait", "bid", "aim"]), st.integers(1, 25)), max_size=12),
    st.integers(1, 3),
)
@settings(max_examples=15, deadline=None)
def test_R27_whatever_happens_the_position_never_goes_beyond_what_was_wanted(
    steps: list[tuple[str, int]], tries: int
) -> None:
    aim, best = 20, 9_999
    world = hunting(aim, maker_tries=tries, maker_try_s=0.3)
    highest = aim
    for kind, number in steps:
        if kind == "fill" and hedges(world):
            order = hedges(world)[0]
            world.fill(order, min(number, order.leaves))
        elif kind == "bid":
            best = 9_980 + number
        elif kind == "aim":
            aim = number
            highest = max(highest, aim)
        wait(world, 100, aim, bid_at=best)
        assert world.position <= highest
        assert len(hedges(world)) <= 1
    wait(world, 300 * tries + 1_500, aim, bid_at=best)
    assert world.position == aim or any(order.leaves for order in hedges(world))


@given(st.integers(1, 50), st.integers(0, 40), st.lists(st.integers(0, 10_000), max_size=60))
def test_R27_a_pursuit_ends_within_its_tries_and_their_time(
    try_ms: int, max_tries: int, waits: list[int]
) -> None:
    now = 0
    pursuit = Pursuit.begun(Side.BUY, try_ms, max_tries, now)
    while pursuit.may_try(now):
        pursuit.begin_try(now)
        now += max(1, waits.pop()) if waits else try_ms
    assert pursuit.tries <= max_tries
    starved = Pursuit.begun(Side.BUY, try_ms, max_tries, 0)
    assert starved.is_patient(0) is (max_tries > 0)
    assert not starved.is_patient(try_ms * max_tries), "not one try could be placed: it is taken"


@pytest.mark.parametrize("is_taken_back", [True, False])
def test_R27_a_hedge_that_comes_later_waits_for_takers_anew(is_taken_back: bool) -> None:
    world = hunting(maker_tries=1)
    world.settle()
    want(world, 20, expires_ns=world.now_ns + 200 * NS_PER_MS)
    if is_taken_back:
        world.target(0, 0, style="none")
    world.run(2 * TRY_MS)
    assert not hedges(world)
    world.top(9_999, 10_001)
    want(world, 20)
    assert [order.post_only for order in placed(world) + sent(world)] == [True, True]


def test_R27_a_target_that_blinks_does_not_begin_its_patience_anew() -> None:
    world = hunting(maker_tries=1)
    world.settle()
    for _ in range(4):
        wait(world, TRY_MS // 3, 20)
        world.target(0, 0, style="none")
        world.run(200)
    wait(world, 200, 20)
    assert world.position == 20, "what is left is taken"


def test_R27_a_hedge_to_the_other_side_has_a_patience_of_its_own() -> None:
    world = hunting(maker_tries=1)
    world.settle()
    world.place_refusal = "other"
    wait(world, TRY_MS + 1_000, 20)
    assert [(order.side, order.post_only) for order in placed(world)][-1] == (Side.BUY, False), (
        "its time is up"
    )
    world.place_refusal = None
    wait(world, 500, -20)
    assert [(order.side, order.post_only) for order in placed(world)][-1] == (Side.SELL, True)


@pytest.mark.parametrize(
    ("lots", "limit", "price"), [(20, 9_990, 9_990), (20, 10_500, 9_999), (-20, 10_010, 10_010)]
)
def test_R27_it_waits_at_the_passive_best_but_not_beyond_the_targets_limit(
    lots: int, limit: int, price: int
) -> None:
    world = ready()
    world.permit()
    want(world, lots, limit_price=limit)
    assert [order.price for order in sent(world)] == [price]
