"""How this venue says no: JSON `{code, message}` for business, plain text for parse failures.

Source: the venue's OpenAPI document (ApiErrorCode) and observed answers; where neither
tells, the choice is noted.
"""

from __future__ import annotations

import orjson

from services.exchange.model import Reason, Refused
from services.exchange.wire.http_listener import TEXT_TYPE, Reply


class ApiError(Exception):
    """A request ends with this reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status, reply.body)
        self.reply = reply


def api_error(status: int, code: str, message: str) -> ApiError:
    """A business refusal."""
    return ApiError(Reply(status, orjson.dumps({"code": code, "message": message})))


def parse_error(text: str) -> ApiError:
    """A request the venue cannot read: plain text, no code."""
    return ApiError(Reply(400, text.encode(), TEXT_TYPE))


def invalid_request(message: str) -> ApiError:
    return api_error(400, "INVALID_CLIENT_REQUEST", message)


def invalid_symbol() -> ApiError:
    return invalid_request("Invalid market symbol")


def not_found() -> ApiError:
    return api_error(404, "RESOURCE_NOT_FOUND", "Not Found")


def unknown_path() -> ApiError:
    return ApiError(Reply(404, b"404 not found", TEXT_TYPE))


def too_many_requests(retry_after_s: int = 0) -> ApiError:
    """No Retry-After was ever observed from this venue; a fault may ask for one."""
    body = orjson.dumps({"code": "TOO_MANY_REQUESTS", "message": "Too many requests"})
    return ApiError(Reply(429, body, headers={"Retry-After": str(retry_after_s)} if retry_after_s else {}))


def unavailable(status: int) -> ApiError:
    """A 5xx of the venue itself (500, 503) or of the proxies before it (502, 504)."""
    if status == 503:
        return api_error(503, "MAINTENANCE", "System under maintenance")
    if status in (502, 504):
        text = "502 Bad Gateway" if status == 502 else "504 Gateway Time-out"
        page = f"<html><body><h1>{text}</h1></body></html>"
        return ApiError(Reply(status, page.encode(), "text/html"))
    return api_error(status, "SERVER_ERROR", "Internal server error")


#: status, code, message; None = the engine's own words, which name value and rule
_REFUSALS: dict[Reason, tuple[int, str, str | None]] = {
    Reason.UNKNOWN_SYMBOL: (400, "INVALID_CLIENT_REQUEST", "Invalid market symbol"),
    Reason.UNKNOWN_ORDER: (404, "RESOURCE_NOT_FOUND", "Not Found"),
    Reason.BAD_REQUEST: (400, "INVALID_CLIENT_REQUEST", None),
    Reason.PRICE_PRECISION: (400, "INVALID_PRICE", "Price decimal too long"),
    Reason.QUANTITY_PRECISION: (400, "INVALID_QUANTITY", "Quantity decimal too long"),
    Reason.QUANTITY_RANGE: (400, "INVALID_QUANTITY", None),
    Reason.PRICE_BAND: (400, "INVALID_PRICE", "Price is too far from the last active price"),
    Reason.POST_ONLY_WOULD_TAKE: (400, "INVALID_ORDER", "Order would immediately match and take"),
    Reason.FILL_OR_KILL: (400, "INVALID_ORDER", "Fill or kill order would not complete fill immediately"),
    Reason.IMMEDIATE_OR_CANCEL: (400, "INVALID_ORDER", None),
    Reason.INSUFFICIENT_FUNDS: (400, "INSUFFICIENT_FUNDS", "Insufficient funds"),
    Reason.INSUFFICIENT_MARGIN: (400, "INSUFFICIENT_MARGIN", "Insufficient margin"),
    Reason.INSUFFICIENT_LIQUIDITY: (400, "INVALID_ORDER", "Insufficient liquidity"),
    Reason.REDUCE_ONLY: (400, "INVALID_ORDER", "Reduce only order not reduced"),
    Reason.SELF_TRADE: (400, "INVALID_ORDER", "Order would self trade"),
    Reason.DUPLICATE_CLIENT_ID: (400, "INVALID_ORDER", "Duplicate client order id"),
    Reason.ORDER_LIMIT: (400, "ORDER_LIMIT", None),
    Reason.MARKET_CLOSED: (503, "TRADING_PAUSED", "Trading is paused"),
}

_EXPIRY: dict[Reason, str] = {
    Reason.FILL_OR_KILL: "FillOrKill",
    Reason.IMMEDIATE_OR_CANCEL: "ImmediateOrCancel",
    Reason.INSUFFICIENT_FUNDS: "InsufficientFunds",
    Reason.INSUFFICIENT_MARGIN: "InsufficientMargin",
    Reason.INSUFFICIENT_LIQUIDITY: "InsufficientLiquidity",
    Reason.PRICE_BAND: "PriceOutOfBounds",
    Reason.POST_ONLY_WOULD_TAKE: "PostOnlyTaker",
    Reason.REDUCE_ONLY: "ReduceOnlyNotReduced",
    Reason.SELF_TRADE: "SelfTradePrevention",
    Reason.QUANTITY_RANGE: "InvalidQuantity",
}


def from_refusal(refused: Refused) -> ApiError:
    """Return the venue's words for what the engine refused."""
    status, code, message = _REFUSALS[refused.reason]
    return api_error(status, code, refused.text if message is None else message)


def expiry_reason(reason: Reason | None) -> str | None:
    """Return the venue's word for why an order ended by itself."""
    return None if reason is None else _EXPIRY.get(reason, "Unknown")
