"""Ed25519 request signatures and their time windows, verifying side.

The text signed is `instruction=<i>` and the parameters, sorted by name, for each order
of the request, then `&timestamp=<ms>&window=<ms>`. Values are signed as they read before
percent-encoding; the window counts even when its header is absent (5000).

Source: the venue's OpenAPI document, "Authentication". Not documented, chosen here: a
stamp may be 1,000 ms ahead of the venue's clock; an unknown key is 401 UNAUTHORIZED.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from services.exchange.protocols.backpack.errors import ApiError, api_error, invalid_request

DEFAULT_WINDOW_MS = "5000"
MAX_WINDOW_MS = 60_000
MAX_AHEAD_MS = 1_000

Pairs = Sequence[tuple[str, str]]


def signed_text(instruction: str, groups: Iterable[Pairs], timestamp: str, window: str) -> bytes:
    """Return what the client must have signed; one group of parameters per order."""
    parts: list[str] = []
    for pairs in groups:
        parts.append(f"instruction={instruction}")
        parts.extend(f"{name}={value}" for name, value in sorted(pairs, key=_name))
    parts.append(f"timestamp={timestamp}&window={window}")
    return "&".join(parts).encode()


def body_pairs(payload: Mapping[str, Any]) -> Pairs:
    """Return a JSON object's members as signed: no nulls, lower-case booleans, numbers as written."""
    return [(name, _value_text(value)) for name, value in payload.items() if value is not None]


class Keys:
    """The accounts' verifying keys, and whether a signature is theirs and in time."""

    def __init__(self, accounts_by_key: Mapping[str, str]) -> None:
        self._accounts = dict(accounts_by_key)
        self._verifiers = {key: VerifyKey(base64.b64decode(key)) for key in self._accounts}

    def owner(self, key: str | None) -> str | None:
        """Return the account of a key, None if it is nobody's."""
        return None if key is None else self._accounts.get(key)

    def account(self, key: str, signature: str, text: bytes) -> str:
        """Return the account whose key signed `text`.

        Raises: ApiError for an unknown key or a signature that is not exactly right.
        """
        verifier = self._verifiers.get(key)
        if verifier is None:
            raise api_error(401, "UNAUTHORIZED", "Unauthorized")
        try:
            raw = base64.b64decode(signature, validate=True)
            if base64.b64encode(raw).decode() != signature or len(raw) != 64:
                raise _invalid_signature()
            verifier.verify(text, raw)
        except (binascii.Error, ValueError, BadSignatureError) as error:
            raise _invalid_signature() from error
        return self._accounts[key]


def check_window(timestamp: str, window: str, now_ms: int) -> None:
    """Refuse stamps that are expired, ahead of the clock, or no numbers. All in ms."""
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise invalid_request("Invalid timestamp")
    if not (window.isascii() and window.isdigit()) or not 0 < int(window) <= MAX_WINDOW_MS:
        raise invalid_request("Invalid window")
    age_ms = now_ms - int(timestamp)
    if age_ms > int(window):
        raise invalid_request("Request has expired")
    if age_ms < -MAX_AHEAD_MS:
        raise invalid_request("Invalid timestamp")


def _invalid_signature() -> ApiError:
    return invalid_request("Invalid signature")


def _name(pair: tuple[str, str]) -> str:
    return pair[0]


def _value_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
