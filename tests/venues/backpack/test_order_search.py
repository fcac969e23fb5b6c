"""Asking for an order that does not rest: the history is searched no further back than it can be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.clock import ManualClock
from shared.errors import Unknown, Withheld
from shared.secret import Secret
from shared.venues.access import Endpoints, Keys
from shared.venues.backpack.client import MAX_PAGES, PAGE_SIZE, BackpackAccount
from shared.venues.backpack.rest import NotFound
from shared.venues.backpack.signer import Parameters
from shared.venues.clock_offset import ClockOffset

SYMBOL = "SOL_USDC_PERP"
KEYS = Keys("key", Secret("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="))
NOW_MS = 1_700_000_000_000


class History(BackpackAccount):
    """An account that has placed one order every `pause_ms`, with client ids that count down from 1e6."""

    def __init__(self, pause_ms: int, pages_allowed: int = 1_000) -> None:
        clock = ManualClock(wall_offset_ns=NOW_MS * 1_000_000)
        super().__init__(Endpoints("http://127.0.0.1:1", ""), KEYS, ClockOffset(clock))
        self.pause_ms = pause_ms
        self.pages_allowed = pages_allowed
        self.pages = 0

    def _get(self, path: str, instruction: str, parameters: Parameters) -> object:  # noqa: ARG002
        if path == "/api/v1/order":
            raise NotFound("not resting")
        if self.pages == self.pages_allowed:
            raise Withheld("the budget is used up")
        self.pages += 1
        first = int(str(parameters["offset"]))
        return [self._row(number) for number in range(first, first + PAGE_SIZE)]

    def _row(self, number: int) -> dict[str, Any]:
        placed = datetime.fromtimestamp((NOW_MS - number * self.pause_ms) / 1_000, UTC).replace(tzinfo=None)
        return {
            "id": str(number), "clientId": 1_000_000 - number, "symbol": SYMBOL, "side": "Bid",
            "price": "1", "quantity": "1", "executedQuantity": "0", "status": "Cancelled",
            "createdAt": placed.isoformat(),
        }  # fmt: skip


def test_an_unknown_order_of_seconds_ago_costs_one_page_however_busy_the_hour_was() -> None:
    account = History(pause_ms=20)
    assert account.find_order(SYMBOL, 7, NOW_MS - 10_000) is None
    assert account.pages == 1
    found = account.find_order(SYMBOL, 1_000_000 - 400, NOW_MS - 10_000)
    assert found is not None and found.status == "cancelled"


def test_a_recent_order_is_answered_although_the_hour_is_above_the_page_bound() -> None:
    account = History(pause_ms=20)
    with pytest.raises(Unknown, match="more than"):
        account.find_order(SYMBOL, 7)
    assert account.pages == MAX_PAGES
    account.pages = 0
    assert account.find_order(SYMBOL, 7, NOW_MS - 30_000) is None
    assert account.pages == 2


def test_an_order_of_which_no_stamp_is_known_is_searched_for_an_hour() -> None:
    account = History(pause_ms=1_000)
    assert account.find_order(SYMBOL, 7) is None
    assert account.pages == 4


def test_a_search_stops_at_the_page_that_the_budget_does_not_allow() -> None:
    account = History(pause_ms=1_000, pages_allowed=2)
    with pytest.raises(Withheld):
        account.find_order(SYMBOL, 7)
    assert account.pages == 2
