"""The venue answers wrongly, late or not at all: nothing is sent twice, nothing loops, all heals."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import pytest

from tests.fixtures.redis_server import wait_until
from tests.fixtures.stage import Stage
from tests.fixtures.venue import PERP

#: no new risk so long after the venue has stopped to answer well
NO_RISK_AFTER_S = 2.0
FAULT_S = 6.0
#: one level a side
MOST_ORDERS = 2
MOST_REFUSALS_A_SIDE = 3
#: outcomes of placements that the venue took
TAKEN = ("New", "PartiallyFilled", "Filled", "Expired", "Cancelled")
#: of 6 s under a refusal for the rate: what was in flight, then one probe after 1, 2 and 4 s
MOST_SIGNED = 12


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"kind": "drop_reply"}, id="reply dropped"),
        pytest.param({"kind": "delay_reply", "delay_s": 3.0}, id="reply late"),
        pytest.param({"kind": "error_5xx", "processed": True, "status": 504}, id="504 yet processed"),
        pytest.param({"kind": "error_5xx", "status": 503}, id="503 not processed"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_L01_an_unknown_outcome_is_asked_for_and_never_sent_again(
    stage: Stage, settings: dict[str, Any], method: str
) -> None:
    kind = settings["kind"]
    with stage.venue.sampled() as samples:
        stage.venue.fault(**settings, method=method, times=2)
        wait_until(lambda: stage.venue.hits(kind) == 2, 20)
        stage.heal()
    assert stage.venue.sent_twice() == []
    assert max(len(sample.ours) for sample in samples) <= MOST_ORDERS


@pytest.mark.parametrize("kind", ["reject_429", "error_5xx", "no_answer"])
def test_O05_a_venue_that_refuses_everything_gets_no_new_risk_and_no_storm(stage: Stage, kind: str) -> None:
    count = stage.venue.request_count()
    at = stage.venue.fault(kind)
    wait_until(lambda: time.monotonic() - at > FAULT_S)
    stage.venue.clear_faults()
    during = stage.venue.requests(count)
    late = [one for one in placements(during) if one["recv_ns"] > (at + NO_RISK_AFTER_S) * 1e9]
    assert not late, late
    assert len(placements(during)) <= 2 * MOST_REFUSALS_A_SIDE
    stage.heal()
    assert stage.venue.sent_twice() == []


def test_O05_the_pause_after_429_doubles(stage: Stage) -> None:
    count, at = len(stage.proxy.seen), stage.venue.fault("reject_429")
    wait_until(lambda: time.monotonic() - at > FAULT_S)
    signed = [
        request for request in stage.proxy.seen[count:] if request.at > at and _is_private(request.path)
    ]
    pauses = [later.at - earlier.at for earlier, later in pairwise(signed)]
    assert len(signed) <= MOST_SIGNED, signed
    assert max(pauses) >= 1.9, pauses


def test_O05_retry_after_is_obeyed(stage: Stage) -> None:
    """The public paths, which marketdata reads too, are in tests/execution/test_withheld.py."""
    stage.venue.fault("reject_429", retry_after=4, times=1, method="POST")
    wait_until(lambda: stage.venue.hits("reject_429") == 1, 20)
    refused_at = time.monotonic()
    wait_until(lambda: time.monotonic() - refused_at > 4.5)
    quiet = [
        one
        for one in stage.proxy.seen
        if refused_at + 0.2 < one.at < refused_at + 3.7 and _is_private(one.path)
    ]
    assert quiet == []
    stage.heal()


def test_Q23_post_only_refusals_do_not_loop(stage: Stage) -> None:
    count, at = stage.venue.request_count(), stage.venue.fault("post_only_refusals")
    wait_until(lambda: time.monotonic() - at > FAULT_S)
    stage.venue.clear_faults()
    sent = placements(stage.venue.requests(count))
    refused = [one for one in sent if one["outcome"] not in TAKEN]  # a hedge is no post-only order
    assert 1 <= len(refused) <= 2 * MOST_REFUSALS_A_SIDE
    stage.heal()


def test_O01_a_cancel_that_is_accepted_and_not_executed_blocks_its_side(stage: Stage) -> None:
    stage.venue.fault("drop_cancel", status=202, for_s=5.0)
    with stage.venue.sampled() as samples:
        wait_until(lambda: stage.venue.hits("drop_cancel") >= 3, 20)
        stage.heal()
    assert max(len(sample.ours) for sample in samples) <= MOST_ORDERS
    assert stage.venue.sent_twice() == []


def test_O02_an_order_that_lives_on_after_a_confirmed_cancel_is_found_and_cancelled(stage: Stage) -> None:
    stage.venue.fault("drop_cancel", status=200, times=1)
    with stage.venue.sampled() as samples:
        wait_until(lambda: stage.venue.hits("drop_cancel") == 1, 20)
        wait_until(lambda: len(samples[-1].ours) > MOST_ORDERS, 20)
        wait_until(lambda: len(samples[-1].ours) <= MOST_ORDERS, 10)
    stage.heal()


def test_O07_a_fill_after_its_cancel_is_counted_once(stage: Stage) -> None:
    stage.venue.fault("fill_after_cancel", symbol=PERP, times=2)
    wait_until(lambda: stage.venue.hits("fill_after_cancel") == 2, 20)
    stage.heal()


def test_L02_empty_pages_of_open_orders_place_nothing_anew(stage: Stage) -> None:
    with stage.venue.sampled() as samples:
        stage.venue.fault("empty_open_orders", for_s=FAULT_S, times=10_000)  # the sampling gets them too
        wait_until(lambda: not any(fault["active"] for fault in stage.venue.control("GET", "faults")), 20)
        assert len(stage.venue.sample().ours) <= MOST_ORDERS
        stage.heal()
    assert max(len(sample.ours) for sample in samples) <= MOST_ORDERS
    assert stage.venue.sent_twice() == []


def placements(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [request for request in requests if request["method"] == "POST"]


def _is_private(path: str) -> bool:
    return not path.endswith(("/depth", "/markets", "/markPrices", "/time", "/ticker"))
