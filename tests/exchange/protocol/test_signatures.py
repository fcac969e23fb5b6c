"""Signatures and windows: the published vectors pass, anything else does not."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.exchange.protocols.backpack.auth import Keys, body_pairs, check_window, signed_text
from services.exchange.protocols.backpack.errors import ApiError
from services.exchange.protocols.backpack.rest.parsing import parse_json
from tests.exchange.venue_thread import VenueThread
from tests.exchange.wire_client import limit_order

SEED = bytes(range(32))
KEY = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
STAMP, WINDOW = "1750000000000", "5000"
_DOCUMENTED = {"orderType": "Limit", "side": "Bid", "symbol": "SOL_USDC_PERP"}
VECTORS = [
    (
        "balanceQuery",
        [{}],
        "i+8ma2GvgntNoAQMACCYj8OzQXanIELkOY9Yn/AqXA4bbKbJiVv4gTeIYOe25q9JYpujSkhLMEfjZVVC+BjyAw==",
    ),
    (
        "orderQueryAll",
        [{"symbol": "SOL_USDC_PERP"}],
        "icGLtRXlpVdvoExuHib/pkl0aCJrm2R+pYVot+uWYH4oXqA4KYaIuDe2l7OgD+AhW+deAvkDg3ehMrF9nbMEAw==",
    ),
    (
        "orderExecute",
        [
            {
                "clientId": 4242,
                "orderType": "Limit",
                "postOnly": True,
                "price": "140.25",
                "quantity": "1.5",
                "side": "Bid",
                "symbol": "SOL_USDC_PERP",
                "timeInForce": "GTC",
            }
        ],
        "zsDTWsQIm7IhooReK3ZEup7cQhzIy7jsHJEm98kD263ZOBfe1I9RZclNFSCohgqm1f9OTKpphy7yqaWa6L7xAQ==",
    ),
    (
        "orderCancel",
        [{"orderId": "66605319496", "symbol": "SOL_USDC_PERP"}],
        "CRh7yQ07iZ9L7+gN0owyqEagN6TcFDJIA8D7JD7jNSkIQGGnu1/WJnMIMBE40y1OypivsIaKZJ3rruhNqib3Bg==",
    ),
    (
        "orderCancelAll",
        [{"symbol": "SOL_USDC_PERP"}],
        "hmpPeJxfJgZkVk3vrBz7W3yz5sCHYkMnBi7P5xUlfRA/c0D5JsV6+HRkWWzE8xatkeUd1OIS9JWDAVa8HWr4DQ==",
    ),
    (
        "orderExecute",
        [
            {**_DOCUMENTED, "price": "141", "quantity": "12"},
            {**_DOCUMENTED, "price": "140", "quantity": "11"},
        ],
        "Sdb4yCOjq3DWfb1f2TXZtKO6kFWY//MGVVJugdZj25suoC+cyPOJNpCt5pi9KO0XmcQzdK6puo3rkILebnauBQ==",
    ),
    (
        "subscribe",
        [{}],
        "+l7W9gsWo7wgxsSyafqWB1Q/506+FeIpLn7LZu6L9cxoWjT0jP5/krBY+fN3hLePKAYNW5RpHpy+suhu5B2/Dg==",
    ),
]
_NAMES = ("capital", "open orders", "place", "cancel", "cancel all", "batch", "subscribe")
KEYS = Keys({KEY: "maker"})


def _text(instruction: str, groups: list[dict[str, object]]) -> bytes:
    return signed_text(instruction, [body_pairs(group) for group in groups], STAMP, WINDOW)


@pytest.mark.parametrize(("instruction", "groups", "signature"), VECTORS, ids=_NAMES)
def test_published_vectors_are_accepted(
    instruction: str, groups: list[dict[str, object]], signature: str
) -> None:
    assert KEYS.account(KEY, signature, _text(instruction, groups)) == "maker"


@pytest.mark.parametrize(("instruction", "groups", "signature"), VECTORS, ids=_NAMES)
def test_every_one_byte_mutation_of_a_signature_is_refused(
    instruction: str, groups: list[dict[str, object]], signature: str
) -> None:
    text, alphabet = _text(instruction, groups), "ABCDEFGHijklmnop0189+/="
    for place, was in enumerate(signature):
        for character in alphabet:
            if character != was:
                with pytest.raises(ApiError):
                    KEYS.account(KEY, signature[:place] + character + signature[place + 1 :], text)


@pytest.mark.parametrize(("instruction", "groups", "signature"), VECTORS, ids=_NAMES)
def test_every_one_byte_mutation_of_the_signed_text_is_refused(
    instruction: str, groups: list[dict[str, object]], signature: str
) -> None:
    text = _text(instruction, groups)
    for place in range(len(text)):
        mutated = bytearray(text)
        mutated[place] ^= 1
        with pytest.raises(ApiError):
            KEYS.account(KEY, signature, bytes(mutated))


@given(st.binary(max_size=80))
def test_no_bytes_at_all_pass_as_a_signature(raw: bytes) -> None:
    with pytest.raises(ApiError):
        KEYS.account(KEY, base64.b64encode(raw).decode(), b"instruction=balanceQuery")


def test_a_json_number_is_signed_with_the_digits_it_was_sent_with() -> None:
    assert body_pairs(parse_json(b'{"price":1.50,"clientId":7,"postOnly":false,"x":null}')) == [
        ("price", "1.50"),
        ("clientId", "7"),
        ("postOnly", "false"),
    ]


@pytest.mark.parametrize(
    ("age_ms", "window", "refusal"),
    [
        (5000, "5000", None),
        (5001, "5000", "Request has expired"),
        (1, "1", None),
        (2, "1", "Request has expired"),
        (60_000, "60000", None),
        (0, "60001", "Invalid window"),
        (0, "0", "Invalid window"),
        (0, "5e3", "Invalid window"),
        (-1000, "5000", None),
        (-1001, "5000", "Invalid timestamp"),
    ],
)
def test_window_edges(age_ms: int, window: str, refusal: str | None) -> None:
    now_ms = int(STAMP)
    if refusal is None:
        check_window(str(now_ms - age_ms), window, now_ms)
        return
    with pytest.raises(ApiError) as error:
        check_window(str(now_ms - age_ms), window, now_ms)
    assert json.loads(error.value.reply.body) == {"code": "INVALID_CLIENT_REQUEST", "message": refusal}


def test_an_absent_window_header_counts_as_5000(venue: VenueThread) -> None:
    headers = venue.maker.headers("balanceQuery", [{}])
    del headers["X-Window"]
    assert venue.maker._http.get(f"{venue.maker.rest}/api/v1/capital", headers=headers).status_code == 200


def test_each_mutated_field_of_a_signed_order_is_refused(venue: VenueThread) -> None:
    order = limit_order(clientId=77, price="149.00", quantity="0.1")
    headers = venue.maker.headers("orderExecute", [order])
    changes = [
        ("price", "149.10"),
        ("quantity", "0.2"),
        ("side", "Ask"),
        ("clientId", 78),
        ("postOnly", False),
    ]
    for name, value in changes:
        answer = venue.maker._http.post(
            f"{venue.maker.rest}/api/v1/order", json={**order, name: value}, headers=headers
        )
        assert (answer.status_code, answer.json()["message"]) == (400, "Invalid signature"), name
    assert venue.maker.open_orders() == []
