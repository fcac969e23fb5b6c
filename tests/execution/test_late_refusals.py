"""Refusals that come after an acceptance: some venues take a post-only order and let it expire.

Told by the reply, by the stream, or by both in either order, they count as refusals do.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.execution.orders.refusals import Refusals
from services.execution.requests import SendPlace
from shared.messages import OrderStatus
from shared.venues.base import Accepted, Rejected
from tests.execution.world import World, bid, ready


def end(world: World, how: str) -> int:
    """The venue takes the next placement and ends it at once, unfilled; return its price."""
    request = world.requests[0].request
    assert isinstance(request, SendPlace)
    world.arrive()
    (resting,) = world.ours()
    accepted = world.stream.pop()
    resting.is_live, resting.status = False, "expired"
    ended = replace(world._shown(resting, "expired"), reason="post_only")
    final = Accepted(resting.id, is_done=True, reason="post_only")
    if how == "reply":
        world.replies[-1].outcome = final
    elif how == "stream":
        world.stream += [accepted, ended]
    elif how == "stream, no acceptance":
        world.stream.append(ended)
    elif how == "both":
        world.replies[-1].outcome = final
        world.stream.append(ended)
    elif how == "refused and shown":
        world.replies[-1].outcome = Rejected("post_only", "would match")
        world.stream.append(ended)
    return request.approved.order.price


HOW = ["reply", "stream", "stream, no acceptance", "both", "refused and shown"]


@pytest.mark.parametrize("is_reply_first", [True, False])
@pytest.mark.parametrize("how", HOW)
def test_Q23_a_post_only_order_that_is_taken_and_ended_counts_as_refused(
    how: str, is_reply_first: bool
) -> None:
    world = ready()
    prices = []
    for _ in range(40):
        world.quote(bid(9_990))
        while world.requests:
            prices.append(end(world, how))
            if is_reply_first:
                world.reply()
        world.run(100)
    assert prices == [9_990, 9_989, 9_988]
    assert not world.core.desk.orders.has_live()
    assert [alert.event for alert in world.alerts].count("orders refused repeatedly") == 1


def test_Q23_two_orders_of_a_side_that_are_taken_first_and_ended_later_open_the_circuit() -> None:
    refusals, opened = Refusals(), []
    for now_ns in range(3):
        taken = [refusals.on_accepted(), refusals.on_accepted()]
        for before in taken:
            refusals.take_back(before)
            opened.append(refusals.on_refused("post_only", now_ns))
    assert opened.index(True) == 2 and refusals.is_open


def test_an_order_that_rests_ends_the_refusals() -> None:
    world = ready()
    for _ in range(6):
        world.quote(bid(9_990))
        end(world, "stream")
        world.run(200)
        world.quote(bid(9_990))
        world.run(200)
        assert world.ours(), "one refusal opens nothing"
        world.quote()
        world.run(200)
    assert "orders refused repeatedly" not in [alert.event for alert in world.alerts]


def test_an_ioc_that_is_done_and_an_order_that_was_filled_are_no_refusals() -> None:
    world = ready()
    world.quote(bid(9_990))
    world.arrive()
    (resting,) = world.ours()
    world.settle()
    world.fill(resting, 4)
    resting.is_live, resting.status = False, "cancelled"
    world.stream.append(replace(world._shown(resting, "cancelled"), reason="self_trade"))
    world.settle()
    assert world.core.desk.orders.find(resting.client_order_id).status is OrderStatus.CANCELLED  # type: ignore[union-attr]
    assert not world.working().rejects
