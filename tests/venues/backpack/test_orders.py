"""Order requests byte by byte, and what every kind of reply means."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import VerifyKey

from shared.instrument import Instrument
from shared.messages import Side
from shared.venues.access import Endpoints
from shared.venues.backpack.orders import BackpackOrders
from shared.venues.backpack.signer import signed_text
from shared.venues.base import REJECT_REASONS, Accepted, NewOrder, Outcome, Rejected, TimeInForce, Unknown
from tests.venues.backpack.samples import INSTRUMENT, ORDER
from tests.venues.backpack.test_signer import AT_MS, KEYS

CODEC = BackpackOrders(Endpoints("https://api.example", "wss://ws.example"), KEYS)
FORBIDDEN = ("broker", "borrow", "lend")


def parse(request: bytes) -> tuple[str, dict[str, str], dict[str, Any]]:
    """Return request line, headers and body; check that the length is the body's."""
    head, _, body = request.partition(b"\r\n\r\n")
    line, *rest = head.decode().split("\r\n")
    headers = dict(one.split(": ", 1) for one in rest)
    assert int(headers["Content-Length"]) == len(body)
    return line, headers, orjson.loads(body)


def check_signature(headers: dict[str, str], instruction: str, body: dict[str, Any]) -> None:
    """D13: what is sent is what was signed."""
    text = signed_text(instruction, body, int(headers["X-Timestamp"]), int(headers["X-Window"]))
    VerifyKey(base64.b64decode(headers["X-API-Key"])).verify(
        text.encode(), base64.b64decode(headers["X-Signature"])
    )


def new_order(**changes: Any) -> NewOrder:
    values: dict[str, Any] = {
        "instrument": INSTRUMENT, "client_order_id": 4242, "side": Side.BUY, "price": 14025, "size": 150,
        "post_only": True, "reduce_only": False, "time_in_force": TimeInForce.GTC,
    }  # fmt: skip
    return NewOrder(**{**values, **changes})


def test_a_placement_is_a_whole_signed_request_with_a_window_of_two_seconds() -> None:
    line, headers, body = parse(CODEC.place(new_order(), AT_MS))
    assert line == "POST /api/v1/order HTTP/1.1"
    assert headers["Host"] == "api.example"
    assert (headers["X-Timestamp"], headers["X-Window"]) == (str(AT_MS), "2000")
    assert body == {
        "clientId": 4242, "orderType": "Limit", "postOnly": True, "price": "140.25", "quantity": "1.5",
        "side": "Bid", "symbol": "SOL_USDC_PERP", "timeInForce": "GTC",
    }  # fmt: skip
    check_signature(headers, "orderExecute", body)


def test_a_reduction_is_an_ioc_reduce_only_limit_order() -> None:
    order = new_order(side=Side.SELL, post_only=False, reduce_only=True, time_in_force=TimeInForce.IOC)
    _, headers, body = parse(CODEC.place(order, AT_MS))
    assert (body["side"], body["timeInForce"], body["reduceOnly"]) == ("Ask", "IOC", True)
    assert "postOnly" not in body
    check_signature(headers, "orderExecute", body)


@given(
    st.integers(0, 2**32 - 1), st.integers(1, 10**7), st.integers(1, 10**9), st.sampled_from(Side),
    st.booleans(), st.booleans(), st.sampled_from(TimeInForce),
)  # fmt: skip
def test_L11_O06_no_order_ever_lends_borrows_names_a_broker_or_pads_a_decimal(
    client_order_id: int,
    price: int,
    size: int,
    side: Side,
    post_only: bool,
    reduce_only: bool,
    tif: TimeInForce,
) -> None:
    order = NewOrder(INSTRUMENT, client_order_id, side, price, size, post_only, reduce_only, tif)
    request = CODEC.place(order, AT_MS)
    assert not any(word in request.decode().lower() for word in FORBIDDEN)
    _, headers, body = parse(request)
    assert (Decimal(body["price"]), Decimal(body["quantity"])) == (Decimal(price) / 100, Decimal(size) / 100)
    assert not any(text in body["price"] + body["quantity"] for text in "eE+")
    check_signature(headers, "orderExecute", body)


def test_a_cancel_names_exactly_one_id() -> None:
    line, headers, by_venue_id = parse(CODEC.cancel(INSTRUMENT, 4242, "66605319496", AT_MS))
    assert line == "DELETE /api/v1/order HTTP/1.1"
    assert by_venue_id == {"orderId": "66605319496", "symbol": "SOL_USDC_PERP"}
    assert headers["X-Window"] == "60000"  # late does no harm: it can be signed ahead
    check_signature(headers, "orderCancel", by_venue_id)
    _, headers, by_client_id = parse(CODEC.cancel(INSTRUMENT, 4242, None, AT_MS))
    assert by_client_id == {"clientId": 4242, "symbol": "SOL_USDC_PERP"}
    check_signature(headers, "orderCancel", by_client_id)


def test_a_cancel_all_names_its_symbol() -> None:
    line, headers, body = parse(CODEC.cancel_all("SOL_USDC_PERP", AT_MS))
    assert (line, body) == ("DELETE /api/v1/orders HTTP/1.1", {"symbol": "SOL_USDC_PERP"})
    assert headers["X-Signature"].startswith("hmpPeJxfJgZkVk3vrBz7W3yz5sCHYkMnBi7P5xUlfRA")  # the vector


def test_an_address_with_a_path_keeps_it() -> None:
    codec = BackpackOrders(Endpoints("http://127.0.0.1:8080/venue/", "ws://x"), KEYS)
    line, headers, _ = parse(codec.place(new_order(), AT_MS))
    assert line == "POST /venue/api/v1/order HTTP/1.1"
    assert headers["Host"] == "127.0.0.1:8080"


# --- replies to a placement -------------------------------------------------------------------


def place_reply(status: int, body: object, instrument: Instrument = INSTRUMENT) -> Outcome:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return CODEC.read_place(instrument, status, {b"retry-after": b"3"}, content)


@pytest.mark.parametrize(
    ("status", "executed", "expected"),
    [
        ("New", "0", Accepted("8284661092", 0, False)),
        ("PartiallyFilled", "0.5", Accepted("8284661092", 50, False)),
        ("Filled", "1.50", Accepted("8284661092", 150, True)),
        ("Expired", "0.5", Accepted("8284661092", 50, True)),
        ("Cancelled", "0", Accepted("8284661092", 0, True)),
    ],
)
def test_an_accepted_order_tells_what_it_filled_and_whether_it_rests(
    status: str, executed: str, expected: Accepted
) -> None:
    assert place_reply(200, {**ORDER, "status": status, "executedQuantity": executed}) == expected


def test_O08_an_id_may_be_a_number() -> None:
    assert place_reply(200, {**ORDER, "id": 8284661092}) == Accepted("8284661092", 50, False)


@pytest.mark.parametrize(
    ("http", "code", "message", "reason"),
    [
        (400, "INVALID_ORDER", "Order would immediately match and take", "post_only"),
        (400, "INVALID_ORDER", "Reduce only order would increase the position", "reduce_only"),
        (400, "INVALID_ORDER", "Something new", "other"),
        (400, "INVALID_PRICE", "Price is too far from the last active price", "price_band"),
        (400, "INVALID_PRICE", "Price decimal too long", "price_precision"),
        (400, "INVALID_QUANTITY", "Below the minimum quantity", "quantity"),
        (400, "INSUFFICIENT_MARGIN", "Insufficient margin", "insufficient_funds"),
        (400, "INSUFFICIENT_FUNDS", "Insufficient funds", "insufficient_funds"),
        (400, "INVALID_CLIENT_REQUEST", "Invalid signature", "auth"),
        (400, "INVALID_CLIENT_REQUEST", "Request has expired", "auth"),
        (400, "INVALID_CLIENT_REQUEST", "Invalid timestamp", "auth"),
        (400, "INVALID_CLIENT_REQUEST", "Invalid market symbol", "unknown_symbol"),
        (400, "INVALID_ORDER", "Duplicate client id", "duplicate_client_id"),
        (401, "UNAUTHORIZED", "Unauthorized", "auth"),
        (403, "TRADING_PAUSED", "Paused", "market_closed"),
        (404, "RESOURCE_NOT_FOUND", "Not Found", "market_closed"),
        (429, "TOO_MANY_REQUESTS", "Too many requests", "rate_limit"),
    ],
)
def test_O05_a_refusal_in_the_venues_own_format_is_rejected_for_a_reason(
    http: int, code: str, message: str, reason: str
) -> None:
    outcome = place_reply(http, {"code": code, "message": message})
    assert isinstance(outcome, Rejected)
    assert outcome.reason == reason
    assert reason in REJECT_REASONS
    assert message in outcome.text


def test_a_parse_failure_in_plain_text_is_rejected() -> None:
    text = b'parse request payload error: failed to parse "MarketSymbol": Invalid market symbol'
    outcome = place_reply(400, text)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "unknown_symbol"


def test_O05_a_rate_limit_is_a_refusal_whoever_answers_and_tells_how_long() -> None:
    outcome = place_reply(429, b"<html>slow down</html>")
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "rate_limit"
    assert outcome.retry_after_s == 3


def test_O05_a_ban_leaves_the_outcome_unknown_and_asks_for_silence() -> None:
    outcome = place_reply(418, b"<html>banned</html>")
    assert isinstance(outcome, Unknown)
    assert outcome.retry_after_s == 3


@pytest.mark.parametrize(
    ("http", "body"),
    [
        (200, b"not json"),
        (200, {"id": "1"}),
        (200, {**ORDER, "status": "Surprising"}),
        (200, {**ORDER, "executedQuantity": "0.001"}),  # no whole lot: not what we sent
        (200, []),
        (202, {}),
        (302, b""),
        (400, b"<html>bad gateway in disguise</html>"),
        (403, b"<html>a firewall's page</html>"),
        (408, {"code": "TIMEOUT", "message": "x"}),
        (400, {"code": "TIMEOUT", "message": "x"}),
        (400, {"code": "SERVER_ERROR", "message": "x"}),
        (400, {"code": "NEVER_HEARD_OF", "message": "x"}),
        (500, {"code": "SERVER_ERROR", "message": "x"}),
        (502, b"<html>"),
        (503, {"code": "MAINTENANCE", "message": "x"}),
        (504, b""),
    ],
)
def test_L01_O05_everything_else_is_unknown_never_rejected(http: int, body: object) -> None:
    assert isinstance(place_reply(http, body), Unknown)


@given(st.integers(100, 599), st.binary(max_size=60))
def test_no_reply_whatever_raises(status: int, body: bytes) -> None:
    CODEC.read_place(INSTRUMENT, status, {}, body)
    CODEC.read_cancel(status, {}, body)


# --- replies to a cancel -----------------------------------------------------------------------


def cancel_reply(status: int, body: object) -> Outcome:
    return CODEC.read_cancel(status, {}, body if isinstance(body, bytes) else orjson.dumps(body))


def test_a_cancel_is_done_queued_or_not_known() -> None:
    assert cancel_reply(200, {**ORDER, "status": "Cancelled"}) == Accepted(
        "8284661092", 0, True, executed=Decimal("0.5")
    )
    assert cancel_reply(202, b"") == Accepted("", 0, False)
    assert cancel_reply(200, [{**ORDER, "status": "Cancelled"}]) == Accepted("", 0, True)
    assert isinstance(cancel_reply(200, b"?"), Unknown)
    assert isinstance(cancel_reply(503, b""), Unknown)


@pytest.mark.parametrize(
    ("http", "code", "message"),
    [(404, "RESOURCE_NOT_FOUND", "Not Found"), (400, "INVALID_CLIENT_REQUEST", "Order not found")],
)
def test_both_ways_of_not_finding_an_order_are_one_reason(http: int, code: str, message: str) -> None:
    outcome = cancel_reply(http, {"code": code, "message": message})
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "unknown_order"
