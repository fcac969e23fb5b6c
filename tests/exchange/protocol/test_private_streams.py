"""Private streams: golden frames, hand-written from the documents."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

from tests.exchange.venue_thread import PERP, SPOT, VenueThread

ORDERS, POSITIONS, BALANCES = "account.orderUpdate", "account.positionUpdate", "account.balanceUpdate"


def _without_stamps(data: dict[str, Any]) -> dict[str, Any]:
    assert [*data] == sorted(data)
    assert data["T"] <= data["E"] <= time.time() * 1e6 + 1e6
    return {name: value for name, value in data.items() if name not in "ET"}


def test_an_order_is_accepted_filled_and_cancelled_on_the_stream(venue: VenueThread) -> None:
    stream = venue.stream(ORDERS, client=venue.maker)
    placed = venue.maker.place(price="149.95", quantity="0.3", clientId=31).json()
    venue.take("sell", "0.1")
    venue.maker.cancel(orderId=placed["id"])
    order = {
        "O": "USER",
        "Q": "44.9850",
        "S": "Bid",
        "V": "RejectTaker",
        "c": 31,
        "f": "GTC",
        "i": placed["id"],
        "o": "LIMIT",
        "p": "149.95",
        "q": "0.30",
        "r": False,
        "s": PERP,
        "y": True,
    }
    accepted = stream.next()
    assert accepted["stream"] == ORDERS
    assert _without_stamps(accepted["data"]) == order | {
        "X": "New",
        "Z": "0",
        "e": "orderAccepted",
        "t": None,
        "z": "0",
    }
    fill = _without_stamps(stream.next()["data"])
    assert isinstance(fill.pop("t"), int)
    assert Decimal(fill.pop("Z")) == Decimal("14.995")
    assert fill == order | {
        "L": "149.95",
        "N": "USDC",
        "X": "PartiallyFilled",
        "e": "orderFill",
        "l": "0.10",
        "m": True,
        "n": "0.002999",
        "z": "0.10",
    }
    cancelled = _without_stamps(stream.next()["data"])
    assert (cancelled["e"], cancelled["X"], cancelled["z"]) == ("orderCancelled", "Cancelled", "0.10")
    assert cancelled["t"] is None


def test_an_expired_order_says_why(venue: VenueThread) -> None:
    stream = venue.stream(ORDERS, client=venue.maker)
    venue.maker.place(price="149.95", postOnly=None, timeInForce="IOC")
    data = stream.event("orderExpired")
    assert (data["X"], data["R"]) == ("Expired", "ImmediateOrCancel")


def test_streams_of_one_symbol_and_of_another_account_stay_apart(venue: VenueThread) -> None:
    spot = venue.stream(f"{ORDERS}.{SPOT}", client=venue.maker)
    stranger = venue.stream(ORDERS, client=venue.other)
    venue.maker.place()
    placed = venue.maker.place(symbol=SPOT).json()
    frame = spot.next()
    assert (frame["stream"], frame["data"]["i"]) == (f"{ORDERS}.{SPOT}", placed["id"])
    own = venue.other.place().json()
    assert stranger.next()["data"]["i"] == own["id"]


def test_positions_are_told_on_subscription_without_an_event_name(venue: VenueThread) -> None:
    venue.maker.place(price="150.00", quantity="0.2")
    before = venue.stream(POSITIONS, client=venue.maker)
    venue.take("sell", "0.2")
    changed = before.until(lambda frame: "e" in frame["data"])["data"]
    assert changed["e"] in ("positionOpened", "positionAdjusted")
    members = ["B", "E", "M", "P", "Q", "T", "b", "e", "f", "i", "l", "m", "n", "p", "q", "s"]
    assert [*changed] == members
    (frame,) = venue.stream(f"{POSITIONS}.{PERP}", client=venue.maker).pending
    assert frame["stream"] == f"{POSITIONS}.{PERP}"
    data = _without_stamps(frame["data"])
    assert [*frame["data"]] == [name for name in members if name != "e"]
    assert (data["s"], data["l"], data["q"]) == (PERP, "0", changed["q"])
    assert isinstance(data["i"], int)
    assert Decimal(data["n"]) == Decimal(data["Q"]) * Decimal(data["M"])


def test_a_spot_fill_changes_both_balances_on_the_stream(venue: VenueThread) -> None:
    stream = venue.stream(BALANCES, client=venue.other)
    venue.other.place(symbol=SPOT, postOnly=None, price="150.10", quantity="1", timeInForce="IOC")
    seen: dict[str, dict[str, Any]] = {}
    while {"USDC", "SOL"} - set(seen):
        frame = stream.event("balanceUpdate")
        seen[frame["a"]] = frame
    for asset in ("SOL", "USDC"):
        assert [*seen[asset]] == ["A", "E", "L", "S", "T", "a", "e"]
    balances = venue.other.get("/api/v1/capital", "balanceQuery").json()
    assert seen["SOL"]["A"] == balances["SOL"]["available"]
    assert seen["USDC"]["A"] == balances["USDC"]["available"]


def test_a_stale_subscription_signature_is_refused(venue: VenueThread) -> None:
    stream = venue.stream()
    signature = venue.maker.stream_signature(age_ms=6000)
    stream.say({"method": "SUBSCRIBE", "params": [ORDERS], "signature": signature})
    assert stream.next() == {"stream": "error", "data": {"code": 4003, "message": "Invalid signature"}}
