"""kill -9 of everything at once, and the next start beside a person's own orders."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_DOWN, Decimal

import pytest

from tests.fixtures.redis_server import wait_until
from tests.fixtures.stage import Stage, running_stage
from tests.fixtures.venue import PERP, VenueProcess

FOREIGN_CLIENT_ID = (76 << 24) + 5
#: as if placed by the deployment; too far from the market to be filled before it is back
ORPHAN_CLIENT_IDS = ((77 << 24) + 900_001, (77 << 24) + 900_002)


@pytest.fixture(scope="module")
def started_over() -> Iterator[tuple[Stage, Before]]:
    """A deployment that was killed whole, with a person's orders placed meanwhile, and started again."""
    with running_stage() as stage:
        stage.makerd.kill_everything()
        before = Before(stage.venue, len(stage.proxy.seen))
        stage.makerd.run("--venue-file", str(stage.proxy.ready_file))
        wait_until(lambda: len(stage.venue.placements(before.request_count)) > 0, 60)
        yield stage, before


class Before:
    """What the venue shows between the kill and the new start."""

    def __init__(self, venue: VenueProcess, seen_count: int) -> None:
        self.manual = place(venue, FOREIGN_CLIENT_ID, None)
        place(venue, *ORPHAN_CLIENT_IDS)
        self.orphans = {
            order["id"] for order in venue.maker.open_orders() if venue.is_ours(order.get("clientId"))
        }
        self.request_count = venue.request_count()
        self.seen_count = seen_count


def place(venue: VenueProcess, *client_ids: int | None) -> set[str]:
    """Place bids far from the market on the maker's account; return their venue ids."""
    depth = venue.maker.public("/api/v1/depth", symbol=PERP).json()
    best_bid = max(Decimal(price) for price, _ in depth["bids"])
    placed = set()
    for number, client_id in enumerate(client_ids):
        price = (best_bid * (97 - number) / 100).quantize(Decimal("0.01"), ROUND_DOWN)
        answer = venue.maker.place(symbol=PERP, price=str(price), quantity="0.1", clientId=client_id)
        assert answer.status_code == 200, answer.text
        placed.add(answer.json()["id"])
    return placed


def test_O03_orphans_are_cancelled_before_the_first_quote(started_over: tuple[Stage, Before]) -> None:
    stage, before = started_over
    requests = stage.venue.requests(before.request_count)
    first_quote = next(number for number, request in enumerate(requests) if request["method"] == "POST")
    earlier = [request for request in requests[:first_quote] if request["method"] == "DELETE"]
    cancelled = {item["order_id"] for request in earlier for item in request.get("batch") or [request]}
    filled = {row["orderId"] for row in stage.venue.maker.fills()}
    assert before.orphans <= cancelled | filled


def test_O03_the_cancels_are_confirmed_by_a_read_begun_after_the_last_of_them(
    started_over: tuple[Stage, Before],
) -> None:
    stage, before = started_over
    seen = [(request.method, request.path) for request in stage.proxy.seen[before.seen_count :]]
    methods = [method for method, _ in seen]
    until_first_quote = seen[: methods.index("POST")]
    last_cancel = max(number for number, (method, _) in enumerate(until_first_quote) if method == "DELETE")
    assert ("GET", "/api/v1/orders") in until_first_quote[last_cancel:]


def test_Q32_manual_orders_are_untouched(started_over: tuple[Stage, Before]) -> None:
    stage, before = started_over
    stage.makerd.await_quoting(stage.venue)
    assert before.manual <= {order["id"] for order in stage.venue.maker.open_orders()}


def test_L09_position_and_orders_are_right_after_the_start(started_over: tuple[Stage, Before]) -> None:
    stage, _ = started_over
    with stage.venue.sampled() as samples:
        wait_until(lambda: stage.makerd.status().agrees(samples), 15)
    assert stage.venue.sent_twice() == []


def test_X08_ctrl_c_leaves_no_order_of_ours_and_every_manual_one(started_over: tuple[Stage, Before]) -> None:
    stage, before = started_over
    assert stage.makerd.interrupt() == 0, stage.makerd.output
    assert {order["id"] for order in stage.venue.maker.open_orders()} == before.manual
