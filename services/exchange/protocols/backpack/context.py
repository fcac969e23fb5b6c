"""What every part of the front works with, and the admission of signed requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson

from services.exchange.control.faults import FaultMenu
from services.exchange.model import Venue
from services.exchange.protocols.backpack.auth import (
    DEFAULT_WINDOW_MS,
    Keys,
    Pairs,
    check_window,
    signed_text,
)
from services.exchange.protocols.backpack.errors import (
    ApiError,
    api_error,
    invalid_request,
    invalid_symbol,
    not_found,
    too_many_requests,
)
from services.exchange.protocols.backpack.render.stamps import NS_PER_MS, to_ms
from services.exchange.protocols.backpack.render.symbols import Listed
from services.exchange.protocols.backpack.rest.parsing import Query
from services.exchange.wire.broadcast import Broadcaster
from services.exchange.wire.http_listener import HttpRequest, Reply
from services.exchange.wire.rate_limit import RateLimit
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class Context:
    """The venue and everything around it.

    has_closed            whether the engine has closed a market for good (a recording's end)
    says_order_not_found  use the newer of two known words for an unknown order
    """

    venue: Venue
    listed: Mapping[str, Listed]
    keys: Keys
    clock: Clock
    faults: FaultMenu
    limit: RateLimit
    broadcaster: Broadcaster
    has_closed: Callable[[str], bool]
    says_order_not_found: bool = False

    def shown_wall_ns(self) -> int:
        """Return the venue's clock as clients see it, skew fault included."""
        now_ns = self.clock.wall_ns()
        if self.faults.is_empty or (skew := self.faults.bite("clock_skew")) is None:
            return now_ns
        return now_ns + round(float(skew.params["skew_ms"]) * NS_PER_MS)

    def listing(self, symbol: str) -> Listed:
        """Raises: ApiError if the symbol is not listed."""
        listed = self.listed.get(symbol)
        if listed is None:
            raise invalid_symbol()
        return listed

    def is_closed(self, symbol: str) -> bool:
        if self.has_closed(symbol):
            return True
        return not self.faults.is_empty and self.faults.find("market_closed", symbol=symbol) is not None

    def unknown_order(self) -> ApiError:
        """Sources disagree on the words; both occur, by option."""
        return invalid_request("Order not found") if self.says_order_not_found else not_found()

    def admit(self, call: Call, instruction: str, groups: Iterable[Pairs]) -> str:
        """Return the account that signed this request.

        Raises: ApiError for a bad key, stamp, window or signature, and over the rate limit.
        """
        headers = call.request.headers
        key, signature = headers.get("X-API-Key"), headers.get("X-Signature")
        timestamp = headers.get("X-Timestamp")
        if not key or not signature or not timestamp:
            raise api_error(401, "UNAUTHORIZED", "Unauthorized")
        window = headers.get("X-Window", DEFAULT_WINDOW_MS)
        check_window(timestamp, window, to_ms(self.shown_wall_ns()))
        account = self.keys.account(key, signature, signed_text(instruction, groups, timestamp, window))
        if not self.limit.admits(account, self.clock.monotonic_ns()):
            raise too_many_requests()
        if call.request.note is not None:
            call.request.note["account"] = account
        return account


@dataclass(slots=True)
class Call:
    """One request with its query string read."""

    request: HttpRequest
    query: Query = field(init=False)

    def __post_init__(self) -> None:
        raw = self.request.query
        self.query = Query(parse_qsl(raw, keep_blank_values=True) if raw else ())

    @property
    def body(self) -> bytes:
        return self.request.body

    def admit_query(self, context: Context, instruction: str) -> str:
        """Return the account that signed the query parameters."""
        return context.admit(self, instruction, (self.query.pairs,))

    def remark(self, **facts: Any) -> None:
        """Add to the trace of this request, if there is one."""
        if self.request.note is not None:
            self.request.note.update(facts)


def ok(content: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON answer with its keys in alphabetical order."""
    return Reply(200, orjson.dumps(content, option=orjson.OPT_SORT_KEYS), headers=headers or {})
