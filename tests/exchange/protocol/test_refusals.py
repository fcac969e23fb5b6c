"""Each documented refusal: its HTTP status, its code and its words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.exchange.venue_thread import PERP, SPOT, VenueThread
from tests.exchange.wire_client import limit_order

JSON, TEXT = "application/json; charset=utf-8", "text/plain; charset=utf-8"

ORDERS: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "post-only would cross": (
        {"price": "150.10"},
        400,
        "INVALID_ORDER",
        "Order would immediately match and take",
    ),
    "fill or kill cannot fill": (
        {"price": "150.10", "quantity": "900", "postOnly": None, "timeInForce": "FOK"},
        400,
        "INVALID_ORDER",
        "Fill or kill order would not complete fill immediately",
    ),
    "outside the price band": (
        {"price": "20.00"},
        400,
        "INVALID_PRICE",
        "Price is too far from the last active price",
    ),
    "more margin than there is": (
        {"quantity": "100000", "price": "149.00"},
        400,
        "INSUFFICIENT_MARGIN",
        "Insufficient margin",
    ),
    "more money than there is": (
        {"symbol": SPOT, "quantity": "100000"},
        400,
        "INSUFFICIENT_FUNDS",
        "Insufficient funds",
    ),
    "price off the tick": ({"price": "149.001"}, 400, "INVALID_PRICE", "Price decimal too long"),
    "quantity off the lot": ({"quantity": "0.015"}, 400, "INVALID_QUANTITY", "Quantity decimal too long"),
    "reduce-only that reduces nothing": (
        {"reduceOnly": True},
        400,
        "INVALID_ORDER",
        "Reduce only order not reduced",
    ),
    "half a trigger": (
        {"triggerPrice": "140"},
        400,
        "INVALID_CLIENT_REQUEST",
        "Must specify both `triggerPrice` and `triggerQuantity` or neither",
    ),
    "a limit order without a price": (
        {"price": None},
        400,
        "INVALID_CLIENT_REQUEST",
        "Limit orders must specify both `price` and `quantity`",
    ),
    "a market order without a quantity": (
        {"orderType": "Market", "price": None, "quantity": None, "postOnly": None},
        400,
        "INVALID_CLIENT_REQUEST",
        "Market orders must specify either a `quantity` or `quoteQuantity`",
    ),
    "a post-only market order": (
        {"orderType": "Market", "price": None},
        400,
        "INVALID_ORDER",
        "Market orders cannot be post only",
    ),
    "a post-only order that may not rest": (
        {"timeInForce": "IOC"},
        400,
        "INVALID_ORDER",
        "Post only orders must be good till cancelled",
    ),
    "a conditional order": (
        {"triggerPrice": "140", "triggerQuantity": "1"},
        400,
        "NOT_IMPLEMENTED",
        "Conditional orders are not implemented",
    ),
}


@pytest.mark.parametrize(("changes", "status", "code", "message"), ORDERS.values(), ids=ORDERS)
def test_an_order_is_refused_with_the_documented_words(
    venue: VenueThread, changes: dict[str, Any], status: int, code: str, message: str
) -> None:
    answer = venue.maker.place(**changes)
    assert answer.headers["Content-Type"] == JSON
    assert (answer.status_code, answer.json()) == (status, {"code": code, "message": message})
    assert venue.maker.open_orders() == []


UNREADABLE: dict[str, tuple[dict[str, Any], str]] = {
    "symbol": (
        {"symbol": "NO_SUCH"},
        'parse request payload error: failed to parse "MarketSymbol": Invalid market symbol '
        '(occurred while parsing "OrderExecutePayload")',
    ),
    "side": (
        {"side": "Buy"},
        'parse request payload error: failed to parse "Side": Expect a valid enumeration value. '
        '(occurred while parsing "OrderExecutePayload")',
    ),
    "order type": (
        {"orderType": "limit"},
        'parse request payload error: failed to parse "OrderTypeEnum": Expect a valid enumeration value. '
        '(occurred while parsing "OrderExecutePayload")',
    ),
    "client id": (
        {"clientId": 2**32},
        'parse request payload error: failed to parse "integer(uint32)": Expected input type '
        '"integer(uint32)", found 4294967296. (occurred while parsing "OrderExecutePayload")',
    ),
    "price": (
        {"price": "1e3"},
        'parse request payload error: failed to parse "Decimal": Invalid decimal: "1e3" '
        '(occurred while parsing "OrderExecutePayload")',
    ),
    "post-only flag": (
        {"postOnly": "yes"},
        'parse request payload error: failed to parse "boolean": Expected input type "boolean", '
        'found "yes". (occurred while parsing "OrderExecutePayload")',
    ),
}


@pytest.mark.parametrize(("changes", "text"), UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_order_is_refused_in_plain_text(
    venue: VenueThread, changes: dict[str, Any], text: str
) -> None:
    answer = venue.maker.place(**changes)
    assert (answer.status_code, answer.headers["Content-Type"], answer.text) == (400, TEXT, text)


def test_a_body_that_is_no_json_is_refused_in_plain_text(venue: VenueThread) -> None:
    answer = venue.maker._http.post(f"{venue.maker.rest}/api/v1/order", data=b"{", timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, TEXT)
    assert answer.text.startswith("parse request payload error: ")


@pytest.mark.parametrize(
    ("path", "params", "status", "answer"),
    [
        (
            "/api/v1/depth",
            {"symbol": "X"},
            400,
            {"code": "INVALID_CLIENT_REQUEST", "message": "Invalid market symbol"},
        ),
        (
            "/api/v1/depth",
            {"symbol": PERP, "limit": "7"},
            400,
            "failed to parse parameter `limit`: failed to parse "
            '"DepthLimit": Expect a valid enumeration value.',
        ),
        (
            "/api/v1/markPrices",
            {"symbol": "X"},
            400,
            {"code": "INVALID_CLIENT_REQUEST", "message": "Symbol not found"},
        ),
        (
            "/api/v1/klines",
            {"symbol": PERP, "interval": "2m", "startTime": "1"},
            400,
            "failed to parse parameter `interval`: failed to parse "
            '"KlineInterval": Expect a valid enumeration value.',
        ),
        ("/api/v1/nonsense", {}, 404, "404 not found"),
        (f"/api/v1/markets/{PERP}", {}, 404, "404 not found"),
    ],
)
def test_a_public_query_is_refused_with_the_observed_words(
    venue: VenueThread, path: str, params: dict[str, str], status: int, answer: Any
) -> None:
    got = venue.maker.public(path, **params)
    content = got.text if isinstance(answer, str) else got.json()
    assert (got.status_code, content) == (status, answer)
    assert got.headers["Content-Type"] == (TEXT if isinstance(answer, str) else JSON)


@pytest.mark.parametrize("innermost", ["1", "1.5"])
@pytest.mark.parametrize("levels", [9, 900, 5_000])
def test_a_deeply_nested_body_is_refused_in_plain_text(
    venue: VenueThread, innermost: str, levels: int
) -> None:
    body = "[" * levels + innermost + "]" * levels
    for method, path in (("POST", "order"), ("POST", "orders"), ("DELETE", "order"), ("DELETE", "orders")):
        answer = venue.maker._http.request(method, f"{venue.maker.rest}/api/v1/{path}", data=body, timeout=10)
        assert answer.status_code == 400
        assert answer.text.startswith("parse request payload error: ")
    assert venue.control("POST", "faults", {"kind": json.loads("[" * 50 + "]" * 50)}).status_code == 400


def test_an_unknown_order_is_not_found_for_query_and_cancel(venue: VenueThread) -> None:
    missing = {"code": "RESOURCE_NOT_FOUND", "message": "Not Found"}
    for answer in (
        venue.maker.cancel(orderId="1"),
        venue.maker.cancel(clientId=1),
        venue.maker.get("/api/v1/order", "orderQuery", symbol=PERP, orderId="1"),
    ):
        assert (answer.status_code, answer.json()) == (404, missing)


def test_both_ids_at_once_are_refused(venue: VenueThread) -> None:
    answer = venue.maker.cancel(orderId="1", clientId=1)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_CLIENT_REQUEST")


def test_a_duplicate_client_id_among_open_orders_is_refused(venue: VenueThread) -> None:
    assert venue.maker.place(clientId=5).status_code == 200
    answer = venue.maker.place(clientId=5)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_ORDER")


def test_an_expired_request_and_an_unknown_key_are_refused(venue: VenueThread) -> None:
    order = limit_order()
    expired = venue.maker.send("POST", "/api/v1/order", "orderExecute", order, age_ms=3000, window=1000)
    assert (expired.status_code, expired.json()) == (
        400,
        {"code": "INVALID_CLIENT_REQUEST", "message": "Request has expired"},
    )
    stranger = venue.maker._http.get(f"{venue.maker.rest}/api/v1/capital", timeout=10)
    assert (stranger.status_code, stranger.json()["code"]) == (401, "UNAUTHORIZED")
