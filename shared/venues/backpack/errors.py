"""The venue's errors: status and body in, one of our reasons out. Pure.

Business errors are JSON `{"code","message"}`; parameters that cannot be parsed are answered
in plain text. Source: Backpack OpenAPI `ApiErrorCode` (2026-08-22), probes of 2026-09-22.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

MAX_TEXT = 300


class _ErrorBody(msgspec.Struct):
    code: str | int
    message: str = ""


_decode = msgspec.json.Decoder(_ErrorBody).decode

#: codes that mean that the request has not been executed and never will be
REASONS = {
    "ACCOUNT_DEACTIVATED": "auth",
    "ACCOUNT_LIQUIDATING": "other",
    "BORROW_LIMIT": "insufficient_funds",
    "BORROW_REQUIRES_LEND_REDEEM": "insufficient_funds",
    "FORBIDDEN": "auth",
    "INSUFFICIENT_FUNDS": "insufficient_funds",
    "INSUFFICIENT_MARGIN": "insufficient_funds",
    "INSUFFICIENT_SUPPLY": "insufficient_funds",
    "INVALID_ASSET": "unknown_symbol",
    "INVALID_CLIENT_REQUEST": "other",
    "INVALID_MARKET": "unknown_symbol",
    "INVALID_ORDER": "other",
    "INVALID_PRICE": "price_band",
    "INVALID_QUANTITY": "quantity",
    "INVALID_RANGE": "other",
    "INVALID_SIGNATURE": "auth",
    "INVALID_SOURCE": "auth",
    "INVALID_SYMBOL": "unknown_symbol",
    "LEND_LIMIT": "other",
    "LEND_REQUIRES_BORROW_REPAY": "other",
    "MAINTENANCE": "maintenance",
    "MAX_LEVERAGE_REACHED": "insufficient_funds",
    "NOT_IMPLEMENTED": "other",
    "ORDER_LIMIT": "other",
    "POSITION_LIMIT": "other",
    "PRECONDITION_FAILED": "other",
    "RESOURCE_NOT_FOUND": "unknown_order",
    "TOO_EARLY": "maintenance",
    "TOO_MANY_REQUESTS": "rate_limit",
    "TRADING_PAUSED": "market_closed",
    "UNAUTHORIZED": "auth",
}

#: texts that say more than their code; the first that occurs in the message counts
TEXTS = (
    ("immediately match", "post_only"),
    ("too far from", "price_band"),
    ("decimal too long", "price_precision"),
    ("reduce only", "reduce_only"),
    ("self trade", "self_trade"),
    ("order not found", "unknown_order"),
    ("market symbol", "unknown_symbol"),
    ("client id", "duplicate_client_id"),
    ("clientid", "duplicate_client_id"),
    ("signature", "auth"),
    ("request has expired", "auth"),
    ("timestamp", "auth"),
    ("insufficient", "insufficient_funds"),
)

#: why the venue ends an order unasked; what is not here is no refusal (an IOC order's rest, a liquidation)
EXPIRY_REASONS = {
    "AccountTradingSuspended": "auth",
    "BorrowRequiresLendRedeem": "insufficient_funds",
    "InsufficientBorrowableQuantity": "insufficient_funds",
    "InsufficientFunds": "insufficient_funds",
    "InsufficientMargin": "insufficient_funds",
    "InvalidPrice": "price_band",
    "InvalidQuantity": "quantity",
    "PositionLimit": "other",
    "PostOnlyMode": "post_only",
    "PostOnlyTaker": "post_only",
    "PriceOutOfBounds": "price_band",
    "ReduceOnlyNotReduced": "reduce_only",
    "SelfTradePrevention": "self_trade",
    "UserPermissions": "auth",
}

#: how the venue's own plain-text refusals of a request begin
PARSE_FAILURES = ("failed to parse", "parse request payload error")


@dataclass(frozen=True, slots=True)
class VenueError:
    """An error reply. `code` is empty where the body is not in the venue's JSON format."""

    status: int
    code: str
    message: str

    @property
    def text(self) -> str:
        return f"HTTP {self.status} {self.code}: {self.message}"


def read_error(status: int, body: bytes) -> VenueError:
    """Read the body of a reply that is not a success."""
    try:
        error = _decode(body)
    except msgspec.DecodeError:
        return VenueError(status, "", body[:MAX_TEXT].decode(errors="replace").strip())
    return VenueError(status, str(error.code), error.message[:MAX_TEXT])


def refusal(error: VenueError) -> str | None:
    """Return one of REJECT_REASONS if the request was definitely refused, else None (unknown)."""
    if not 400 <= error.status < 500 or error.status == 408:
        return None
    if not error.code:
        return _reason_of(error.message) or "other" if error.message.startswith(PARSE_FAILURES) else None
    if error.code not in REASONS:
        return None  # TIMEOUT, SERVER_ERROR, and what we have never heard of
    return _reason_of(error.message) or REASONS[error.code]


def is_key_refused(error: VenueError) -> bool:
    """True when the key or its signature is wrong; a clock that is off is another matter."""
    codes = ("UNAUTHORIZED", "FORBIDDEN", "INVALID_SIGNATURE")
    return error.code in codes or bool(error.code and "signature" in error.message.lower())


def _reason_of(message: str) -> str | None:
    lower = message.lower()
    return next((reason for text, reason in TEXTS if text in lower), None)
