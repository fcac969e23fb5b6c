"""One quiet venue for all protocol tests; each test finds it without faults and own orders."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.exchange.venue_thread import PERP, SPOT, VenueThread


@pytest.fixture(scope="package")
def quiet_venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueThread]:
    with VenueThread(tmp_path_factory.mktemp("venue"), "--trace", "--rate-limit", "off") as venue:
        yield venue


@pytest.fixture
def venue(quiet_venue: VenueThread) -> Iterator[VenueThread]:
    yield quiet_venue
    quiet_venue.hang_up()
    quiet_venue.control("DELETE", "faults")
    for client in (quiet_venue.maker, quiet_venue.other):
        for symbol in (PERP, SPOT):
            client.send("DELETE", "/api/v1/orders", "orderCancelAll", {"symbol": symbol})
