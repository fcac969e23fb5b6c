"""The venue's clock is off, its market closes, it does not find what it has just taken."""

from __future__ import annotations

from tests.fixtures.redis_server import wait_until
from tests.fixtures.stage import Stage
from tests.fixtures.venue import PERP
from tests.scenarios.test_order_faults import MOST_ORDERS, MOST_REFUSALS_A_SIDE

CLOSED_S = 5.0


def test_D06_a_market_that_closes_is_not_quoted_and_not_asked_again_and_again(stage: Stage) -> None:
    sent = len(stage.venue.placements())
    at = stage.venue.fault("market_closed", symbol=PERP, for_s=CLOSED_S)
    wait_until(lambda: stage.makerd.status().state["symbols"][PERP]["feed"] != "live", CLOSED_S)
    wait_until(lambda: not any(fault["active"] for fault in stage.venue.control("GET", "faults")), 10)
    refused = [
        placed
        for placed in stage.venue.placements()[sent:]
        if placed["outcome"] != "New" and placed["recv_ns"] / 1e9 < at + CLOSED_S
    ]
    assert len(refused) <= 2 * MOST_REFUSALS_A_SIDE
    stage.heal()


def test_L01_an_order_that_is_not_found_just_after_its_placement_is_not_given_up(stage: Stage) -> None:
    with stage.venue.sampled() as samples:
        stage.venue.fault("unknown_order", times=3)
        stage.venue.fault("drop_reply", method="POST", times=2)
        wait_until(lambda: stage.venue.hits("drop_reply") == 2, 20)
        stage.heal()
    assert max(len(sample.ours) for sample in samples) <= MOST_ORDERS
    assert stage.venue.sent_twice() == []


def test_L04_a_step_of_the_venues_clock_is_measured_and_signed_for(stage: Stage) -> None:
    stage.venue.fault("clock_skew", skew_ms=10_000)
    await_a_quote(stage)
    stage.venue.clear_faults()  # a step back
    await_a_quote(stage)
    stage.heal()


def await_a_quote(stage: Stage) -> None:
    """Wait for the trace to show one that was taken; our own reads are stamped with the wrong time too."""
    sent = len(stage.venue.placements())
    wait_until(lambda: any(placed["outcome"] == "New" for placed in stage.venue.placements()[sent:]), 20)
