"""R14, R16 on the wire: after a jump each order is cancelled once and none is placed in the cool-down."""

from __future__ import annotations

import time
from collections import Counter
from decimal import Decimal
from typing import Any

from tests.fixtures.redis_server import wait_until
from tests.fixtures.stage import Stage
from tests.fixtures.venue import PERP

COOL_DOWN_S = 5.0
JUMP = Decimal("1.007")


def mid_of(stage: Stage) -> Decimal:
    book = stage.venue.maker.public("/api/v1/depth", symbol=PERP).json()
    best_bid = max(Decimal(price) for price, _ in book["bids"])
    return (best_bid + min(Decimal(price) for price, _ in book["asks"])) / 2


def cancels(requests: list[dict[str, Any]]) -> Counter[Any]:
    """Return how often the venue was asked to cancel each order."""
    return Counter(
        one["order_id"] or one["client_id"] for one in requests if one["method"] == "DELETE"
    )  # fmt: skip


def test_R14_R16_a_jump_cancels_each_order_once_and_places_nothing_until_it_is_over(stage: Stage) -> None:
    count, jumped_at = stage.venue.request_count(), time.monotonic()
    stage.venue.control("POST", "price", {"symbol": PERP, "mid": str(round(mid_of(stage) * JUMP, 2))})
    wait_until(lambda: not stage.venue.ours(PERP) and _is_frozen(stage), 5)
    gone_at = time.monotonic()
    while time.monotonic() < jumped_at + COOL_DOWN_S - 0.1:
        assert stage.venue.ours(PERP) == frozenset()
    seen = stage.venue.requests(count)
    late = [one for one in seen if one["method"] == "POST" and one["recv_ns"] > gone_at * 1e9]
    assert not [one for one in late if one["recv_ns"] < (jumped_at + COOL_DOWN_S) * 1e9], late
    assert cancels(seen) and max(cancels(seen).values()) == 1, cancels(seen)
    stage.makerd.await_quoting(stage.venue)
    assert stage.venue.sent_twice() == []


def _is_frozen(stage: Stage) -> bool:
    row = stage.makerd.status().state["symbols"].get(PERP, {})
    return "cool-down" in str(row)
