"""Reading bodies and query strings, with the venue's plain-text words for what it cannot read."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

import orjson

from services.exchange.protocols.backpack.errors import ApiError, invalid_request, parse_error

_ENUM_TEXT = "Expect a valid enumeration value."
MAX_DECIMAL_CHARS = 40
MAX_DEPTH = 8

E = TypeVar("E", bound=StrEnum)


def parse_json(body: bytes) -> Any:
    """Return the JSON document; numbers with a point keep the digits that were signed."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise parse_error(f"parse request payload error: {error}") from error
    _check_depth(document, MAX_DEPTH)
    return json.loads(body, parse_float=Decimal) if _has_float(document) else document


def parse_object(body: bytes, payload_name: str) -> Mapping[str, Any]:
    document = parse_json(body)
    if not isinstance(document, dict):
        raise payload_error(payload_name, "object", expected("object", document))
    return document


class Fields:
    """The members of one payload; each reader refuses what it cannot read."""

    def __init__(self, payload: Mapping[str, Any], name: str) -> None:
        self._payload = payload
        self._name = name

    def text(self, field: str, *, required: bool = False) -> str | None:
        value = self._payload.get(field)
        if value is None and required:
            raise parse_error(
                f'parse request payload error: failed to parse "{self._name}": field "{field}" is required'
            )
        if value is not None and not isinstance(value, str):
            raise payload_error(self._name, "string", expected("string", value))
        return value

    def symbol(self, symbols: Container[str]) -> str:
        symbol = self.text("symbol", required=True)
        if symbol is None or symbol not in symbols:
            raise payload_error(self._name, "MarketSymbol", "Invalid market symbol")
        return symbol

    def choice(
        self,
        field: str,
        type_name: str,
        choices: Mapping[str, E],
        default: E | None = None,
        *,
        required: bool = False,
    ) -> E:
        text = self.text(field, required=required)
        if text is None and default is not None:
            return default
        if text is None or text not in choices:
            raise payload_error(self._name, type_name, _ENUM_TEXT)
        return choices[text]

    def one_of(self, field: str, type_name: str, choices: Container[str]) -> str | None:
        text = self.text(field)
        if text is not None and text not in choices:
            raise payload_error(self._name, type_name, _ENUM_TEXT)
        return text

    def decimal(self, field: str) -> Decimal | None:
        """A positive decimal, as a string or (tolerated) a JSON number."""
        value = self._payload.get(field)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise payload_error(self._name, "Decimal", expected("string", value))
        number = to_decimal(str(value))
        if number is None:
            raise payload_error(self._name, "Decimal", "Invalid decimal: " + json.dumps(str(value)[:40]))
        return number

    def flag(self, field: str) -> bool:
        value = self._payload.get(field)
        if value is not None and not isinstance(value, bool):
            raise payload_error(self._name, "boolean", expected("boolean", value))
        return bool(value)

    def client_id(self) -> str | None:
        """A uint32; a public client sends it as a string when it cancels, so both are read."""
        value = self._payload.get("clientId")
        if value is None:
            return None
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**32:
            raise payload_error(self._name, "integer(uint32)", expected("integer(uint32)", value))
        return str(value)


def to_decimal(text: str) -> Decimal | None:
    """Return a plain decimal without sign or exponent, or None."""
    if len(text) > MAX_DECIMAL_CHARS or not text.isascii() or not text.replace(".", "", 1).isdigit():
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


class Query:
    """The query parameters of a request; each reader refuses in the venue's plain text."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self.pairs = pairs
        self.first = dict(reversed(pairs))

    def text(self, name: str) -> str | None:
        return self.first.get(name)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]

    def required(self, name: str) -> str:
        value = self.first.get(name)
        if value is None:
            raise parse_error(f"failed to parse parameter `{name}`: the parameter is required.")
        return value

    def one_of(self, name: str, type_name: str, choices: Container[str]) -> str | None:
        value = self.first.get(name)
        if value is not None and value not in choices:
            raise parse_error(
                f'failed to parse parameter `{name}`: failed to parse "{type_name}": {_ENUM_TEXT}'
            )
        return value

    def choice(self, name: str, type_name: str, choices: Container[str], default: str | None = None) -> str:
        value = self.one_of(name, type_name, choices) or default
        return self.required(name) if value is None else value

    def number(self, name: str, default: int | None, low: int = 0, high: int | None = None) -> int | None:
        """A whole number; outside its range it is refused with INVALID_CLIENT_REQUEST."""
        text = self.first.get(name)
        if text is None:
            return default
        digits = text[1:] if text.startswith("-") else text
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 19:
            raise parse_error(f'failed to parse parameter `{name}`: failed to parse "integer": invalid digit')
        value = int(text)
        if value < low or (high is not None and value > high):
            raise invalid_request(f"Invalid `{name}`")
        return value


def payload_error(payload_name: str, type_name: str, text: str) -> ApiError:
    return parse_error(
        f'parse request payload error: failed to parse "{type_name}": {text}'
        f' (occurred while parsing "{payload_name}")'
    )


def expected(type_name: str, value: Any) -> str:
    return f'Expected input type "{type_name}", found {json.dumps(value, default=str)[:60]}.'


def _members(document: Any) -> Iterable[Any]:
    if isinstance(document, dict):
        return document.values()
    return document if isinstance(document, list) else ()


def _check_depth(document: Any, depth: int) -> None:
    """Raises: ApiError for more than `depth` levels: no payload of this venue has as many."""
    if depth < 0:
        raise parse_error("parse request payload error: recursion limit exceeded")
    for member in _members(document):
        _check_depth(member, depth - 1)


def _has_float(document: Any) -> bool:
    return isinstance(document, float) or any(_has_float(member) for member in _members(document))
