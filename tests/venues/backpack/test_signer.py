"""Signatures: the published vectors, and D13."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from shared.errors import BadInput
from shared.secret import Secret
from shared.venues.access import Keys
from shared.venues.backpack.signer import Parameters, Signer, signed_batch_text, signed_text

#: a throwaway key: its seed is the bytes 00 to 1f
SEED = bytes(range(32))
KEYS = Keys("A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=", Secret(base64.b64encode(SEED).decode()))
AT_MS = 1_750_000_000_000
STAMPS = "timestamp=1750000000000&window=5000"

VECTORS: list[tuple[str, Parameters, str, str]] = [
    (
        "balanceQuery",
        {},
        f"instruction=balanceQuery&{STAMPS}",
        "i+8ma2GvgntNoAQMACCYj8OzQXanIELkOY9Yn/AqXA4bbKbJiVv4gTeIYOe25q9JYpujSkhLMEfjZVVC+BjyAw==",
    ),
    (
        "orderQueryAll",
        {"symbol": "SOL_USDC_PERP"},
        f"instruction=orderQueryAll&symbol=SOL_USDC_PERP&{STAMPS}",
        "icGLtRXlpVdvoExuHib/pkl0aCJrm2R+pYVot+uWYH4oXqA4KYaIuDe2l7OgD+AhW+deAvkDg3ehMrF9nbMEAw==",
    ),
    (
        "orderExecute",
        {
            "symbol": "SOL_USDC_PERP", "side": "Bid", "orderType": "Limit", "postOnly": True,
            "clientId": 4242, "price": "140.25", "quantity": "1.5", "timeInForce": "GTC", "reduceOnly": None,
        },
        "instruction=orderExecute&clientId=4242&orderType=Limit&postOnly=true&price=140.25&quantity=1.5"
        f"&side=Bid&symbol=SOL_USDC_PERP&timeInForce=GTC&{STAMPS}",
        "zsDTWsQIm7IhooReK3ZEup7cQhzIy7jsHJEm98kD263ZOBfe1I9RZclNFSCohgqm1f9OTKpphy7yqaWa6L7xAQ==",
    ),
    (
        "orderCancel",
        {"symbol": "SOL_USDC_PERP", "orderId": "66605319496"},
        f"instruction=orderCancel&orderId=66605319496&symbol=SOL_USDC_PERP&{STAMPS}",
        "CRh7yQ07iZ9L7+gN0owyqEagN6TcFDJIA8D7JD7jNSkIQGGnu1/WJnMIMBE40y1OypivsIaKZJ3rruhNqib3Bg==",
    ),
    (
        "orderCancelAll",
        {"symbol": "SOL_USDC_PERP"},
        f"instruction=orderCancelAll&symbol=SOL_USDC_PERP&{STAMPS}",
        "hmpPeJxfJgZkVk3vrBz7W3yz5sCHYkMnBi7P5xUlfRA/c0D5JsV6+HRkWWzE8xatkeUd1OIS9JWDAVa8HWr4DQ==",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("instruction", "parameters", "text", "signature"), VECTORS)
def test_D13_the_published_vectors(
    instruction: str, parameters: Parameters, text: str, signature: str
) -> None:
    assert signed_text(instruction, parameters, AT_MS, 5000) == text
    headers = Signer(KEYS).headers(instruction, parameters, AT_MS)
    assert headers == {
        "X-API-Key": KEYS.api_key,
        "X-Signature": signature,
        "X-Timestamp": "1750000000000",
        "X-Window": "5000",
    }


def test_D13_a_batch_repeats_the_instruction_and_stamps_once() -> None:
    batch: list[Parameters] = [
        {"symbol": "SOL_USDC_PERP", "side": "Bid", "orderType": "Limit", "price": price, "quantity": quantity}
        for price, quantity in (("141", "12"), ("140", "11"))
    ]
    text = signed_batch_text("orderExecute", batch, AT_MS, 5000)
    order = "instruction=orderExecute&orderType=Limit&price={}&quantity={}&side=Bid&symbol=SOL_USDC_PERP"
    assert text == f"{order.format(141, 12)}&{order.format(140, 11)}&{STAMPS}"
    assert Signer(KEYS).signature(text) == (
        "Sdb4yCOjq3DWfb1f2TXZtKO6kFWY//MGVVJugdZj25suoC+cyPOJNpCt5pi9KO0XmcQzdK6puo3rkILebnauBQ=="
    )


def test_D13_the_private_subscription_is_four_strings() -> None:
    assert Signer(KEYS).subscription(AT_MS) == [
        KEYS.api_key,
        "+l7W9gsWo7wgxsSyafqWB1Q/506+FeIpLn7LZu6L9cxoWjT0jP5/krBY+fN3hLePKAYNW5RpHpy+suhu5B2/Dg==",
        "1750000000000",
        "5000",
    ]


@given(
    st.dictionaries(
        st.text("abcdefXYZ", min_size=1, max_size=6), st.none() | st.booleans() | st.integers() | st.text()
    )
)
def test_D13_bools_are_lower_case_none_is_dropped_and_keys_are_sorted(parameters: Parameters) -> None:
    text = signed_text("i", parameters, 1, 2)
    parts = [
        f"{name}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in sorted(parameters.items())
        if value is not None
    ]
    assert text == "&".join(["instruction=i", *parts, "timestamp=1&window=2"])


def test_a_64_byte_secret_signs_with_its_first_half() -> None:
    long = Keys(KEYS.api_key, Secret(base64.b64encode(SEED + bytes(SigningKey(SEED).verify_key)).decode()))
    assert Signer(long).signature("x") == Signer(KEYS).signature("x")


@pytest.mark.parametrize("secret", ["not base64!", base64.b64encode(b"short").decode()])
def test_X05_a_bad_secret_is_refused_without_being_told(secret: str) -> None:
    with pytest.raises(BadInput) as refused:
        Signer(Keys("k", Secret(secret)))
    assert secret not in str(refused.value)
