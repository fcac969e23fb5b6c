"""What escapes from the loop does not leave orders behind: ours are cancelled before the process exits."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_DOWN, Decimal

import pytest

from services.execution.live.last_resort import LastResort, rules_of
from services.execution.orders.client_ids import ClientIds
from shared.clock import SystemClock
from shared.secret import Secret
from shared.venues.access import Endpoints, Keys
from shared.venues.clock_offset import ClockOffset
from shared.venues.registry import adapter_of
from tests.fixtures.venue import PERP, VenueProcess, running_venue

OURS, FOREIGN = (77 << 24) + 5, (76 << 24) + 5


@pytest.fixture(scope="module")
def venue() -> Iterator[VenueProcess]:
    with running_venue() as running:
        yield running


def last_resort(venue: VenueProcess) -> LastResort:
    adapter = adapter_of("backpack")
    maker = venue.ready["accounts"][0]
    endpoints = Endpoints(venue.ready["rest"], venue.ready["ws"])
    keys = Keys(maker["api_key"], Secret(maker["api_secret"]))
    offset = ClockOffset(SystemClock())
    return LastResort(
        endpoints, adapter.account_client(endpoints, keys, offset, None),
        adapter.order_codec(endpoints, keys), ClientIds(77, 32).is_ours, rules_of({}), offset.timestamp_ms,
    )  # fmt: skip


def place(venue: VenueProcess, client_id: int | None) -> str:
    """Place a bid 3 % below the market; return its id."""
    bids = venue.maker.public("/api/v1/depth", symbol=PERP).json()["bids"]
    price = (max(Decimal(price) for price, _ in bids) * 97 / 100).quantize(Decimal("0.01"), ROUND_DOWN)
    answer = venue.maker.place(symbol=PERP, price=str(price), quantity="0.1", clientId=client_id)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def test_what_carries_our_tag_is_cancelled_and_confirmed_and_nothing_else(venue: VenueProcess) -> None:
    for number in range(3):
        place(venue, OURS + number)
    others = {place(venue, FOREIGN), place(venue, None)}
    assert last_resort(venue).run()
    assert {order["id"] for order in venue.maker.open_orders()} == others


def test_one_empty_answer_proves_nothing(venue: VenueProcess) -> None:
    place(venue, OURS + 9)
    venue.fault("empty_open_orders")
    assert last_resort(venue).run()
    assert not venue.ours()


def test_what_cannot_be_cancelled_is_given_up_in_bounded_time(venue: VenueProcess) -> None:
    place(venue, OURS + 10)
    venue.fault("drop_cancel")
    try:
        assert not last_resort(venue).run(limit_s=0.5)
    finally:
        venue.clear_faults()
    assert last_resort(venue).run()
