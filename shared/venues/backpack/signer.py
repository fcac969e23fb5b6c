"""Signatures: parameters in, headers out. Pure.

The signed string is `instruction=<i>&<sorted k=v>&timestamp=<ms>&window=<ms>`; neither path
nor method is in it. Booleans are lower-case, None is dropped, and the body that is sent
holds exactly the values that were signed.

Source: Backpack OpenAPI, "Authentication" (2026-08-22).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence

from nacl.signing import SigningKey

from shared.errors import BadInput
from shared.venues.access import Keys

#: ms after its timestamp during which a signed request may still be executed
DEFAULT_WINDOW_MS = 5000

Value = str | int | bool | None
Parameters = Mapping[str, Value]


class Signer:
    """Signs for one account. The only holder of its secret key."""

    def __init__(self, keys: Keys) -> None:
        """Raises: BadInput when the secret is not base64 of 32 (or 64) bytes."""
        try:
            seed = base64.b64decode(keys.api_secret.reveal(), validate=True)
        except (binascii.Error, ValueError):
            raise BadInput("api_secret is not base64") from None
        if len(seed) not in (32, 64):
            raise BadInput(f"api_secret must be base64 of a 32-byte seed, was {len(seed)} bytes")
        self._sign = SigningKey(seed[:32]).sign
        self.api_key = keys.api_key

    def signature(self, text: str) -> str:
        """Return the base64 Ed25519 signature of a text."""
        return base64.b64encode(self._sign(text.encode()).signature).decode()

    def headers(
        self, instruction: str, parameters: Parameters, timestamp_ms: int, window_ms: int = DEFAULT_WINDOW_MS
    ) -> dict[str, str]:
        """Return the four headers of a signed request."""
        text = signed_text(instruction, parameters, timestamp_ms, window_ms)
        return {
            "X-API-Key": self.api_key,
            "X-Signature": self.signature(text),
            "X-Timestamp": str(timestamp_ms),
            "X-Window": str(window_ms),
        }

    def subscription(self, timestamp_ms: int, window_ms: int = DEFAULT_WINDOW_MS) -> list[str]:
        """Return the `signature` element of a private SUBSCRIBE: four strings."""
        signature = self.signature(signed_text("subscribe", {}, timestamp_ms, window_ms))
        return [self.api_key, signature, str(timestamp_ms), str(window_ms)]


def present(parameters: Parameters) -> dict[str, str | int | bool]:
    """Return the parameters that are not None, sorted by name: what is signed and sent."""
    return {name: value for name, value in sorted(parameters.items()) if value is not None}


def signed_text(instruction: str, parameters: Parameters, timestamp_ms: int, window_ms: int) -> str:
    """Return the string to sign for one request."""
    return signed_batch_text(instruction, [parameters], timestamp_ms, window_ms)


def signed_batch_text(
    instruction: str, batch: Sequence[Parameters], timestamp_ms: int, window_ms: int
) -> str:
    """Return the string to sign for a batch: the instruction before each item, the stamps once."""
    parts = []
    for parameters in batch:
        parts.append(f"instruction={instruction}")
        parts.extend(f"{name}={_plain(value)}" for name, value in present(parameters).items())
    parts.append(f"timestamp={timestamp_ms}&window={window_ms}")
    return "&".join(parts)


def _plain(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
