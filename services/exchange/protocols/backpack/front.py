"""The Backpack venue as the server sees it: requests in, replies out; events out to sockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import orjson

from services.exchange.model import (
    BalanceEvent,
    BookChange,
    Event,
    MarkChange,
    OrderEvent,
    PositionEvent,
    Trade,
)
from services.exchange.protocols import House
from services.exchange.protocols.backpack.auth import Keys
from services.exchange.protocols.backpack.context import Call, Context
from services.exchange.protocols.backpack.errors import ApiError, too_many_requests, unavailable, unknown_path
from services.exchange.protocols.backpack.render.symbols import list_markets
from services.exchange.protocols.backpack.rest.account import AccountRest
from services.exchange.protocols.backpack.rest.cancel_faults import CancelFaults, FillOrder
from services.exchange.protocols.backpack.rest.history import HistoryRest
from services.exchange.protocols.backpack.rest.orders import OrderRest
from services.exchange.protocols.backpack.rest.public import PublicRest
from services.exchange.protocols.backpack.streams.private_streams import PrivateStreams
from services.exchange.protocols.backpack.streams.public_streams import DEPTH_WINDOWS_MS, PublicStreams
from services.exchange.protocols.backpack.streams.subscriptions import Subscriptions
from services.exchange.wire.http_listener import HttpRequest, Reply
from services.exchange.wire.periodic import Periodic
from services.exchange.wire.rate_limit import RateLimit
from services.exchange.wire.sockets import ClientSocket

Handler = Callable[[Call], Awaitable[Reply]]
_ORDER_PATHS = ("/api/v1/order", "/api/v1/orders")


class BackpackFront:
    """Routes requests to their handlers and engine events to their streams."""

    ping_interval_s = 60.0
    pong_timeout_s = 120.0

    def __init__(self, context: Context, fill_order: FillOrder) -> None:
        self._context = context
        self._public = PublicStreams(context)
        self._private = PrivateStreams(context)
        self._subscriptions = Subscriptions(context, self._public, self._private)
        cancel_faults = CancelFaults(context, fill_order, self._private.on_order)
        self._routes: dict[tuple[str, str], Handler] = {
            **PublicRest(context, self._public.candles).routes,
            **OrderRest(context, cancel_faults).routes,
            **AccountRest(context).routes,
            **HistoryRest(context).routes,
        }
        context.venue.listen(self.on_event)

    async def respond(self, request: HttpRequest) -> Reply:
        handler = self._routes.get((request.method, request.path))
        try:
            if handler is None:
                raise unknown_path()
            return await handler(Call(request))
        except ApiError as refusal:
            _note_refusal(request, refusal.reply)
            return refusal.reply

    def is_order_entry(self, method: str, path: str) -> bool:
        return method in ("POST", "DELETE") and path in _ORDER_PATHS

    def symbols_of(self, request: HttpRequest) -> tuple[str, ...]:
        """Return the symbols a request names; asked only while faults are in force."""
        named = list(Call(request).query.all("symbol"))
        try:
            payload = orjson.loads(request.body or b"null")
        except orjson.JSONDecodeError:
            return tuple(named)
        for member in payload if isinstance(payload, list) else [payload]:
            symbol = member.get("symbol") if isinstance(member, dict) else None
            if isinstance(symbol, str):
                named.append(symbol)
        return tuple(named)

    def account_of(self, request: HttpRequest) -> str | None:
        """Return the account whose key a request shows, verified or not."""
        return self._context.keys.owner(request.headers.get("X-API-Key"))

    def rate_refusal(self, retry_after_s: int) -> Reply:
        return too_many_requests(retry_after_s).reply

    def outage(self, status: int) -> Reply:
        return unavailable(status).reply

    def on_text(self, socket: ClientSocket, text: str | bytes) -> None:
        self._subscriptions.on_text(socket, text)

    def on_closed(self, socket: ClientSocket) -> None:
        self._subscriptions.on_closed(socket)

    def on_event(self, event: Event) -> None:
        """Engine events; marks go out on the venue's own second instead."""
        match event:
            case BookChange():
                self._public.on_book(event)
            case Trade():
                self._public.on_trade(event)
            case OrderEvent():
                self._private.on_order(event)
            case PositionEvent():
                self._private.on_position(event)
            case BalanceEvent():
                self._private.on_balance(event)
            case MarkChange():
                pass

    def timers(self) -> list[Periodic]:
        """Return what has to happen regularly while the venue serves."""
        windows = [
            Periodic(length_ms / 1_000, partial(self._public.on_window, name))
            for name, length_ms in DEPTH_WINDOWS_MS.items()
        ]
        return [*windows, Periodic(1.0, self._public.on_second), Periodic(60.0, self._public.on_minute)]


def build_front(house: House) -> BackpackFront:
    context = Context(
        venue=house.venue,
        listed=list_markets(house.venue.markets.values()),
        keys=Keys(house.accounts_by_key),
        clock=house.clock,
        faults=house.faults,
        limit=RateLimit(house.rate_limit),
        broadcaster=house.broadcaster,
        has_closed=house.has_closed,
        says_order_not_found=house.says_order_not_found,
    )
    return BackpackFront(context, house.fill_order)


def _note_refusal(request: HttpRequest, reply: Reply) -> None:
    if request.note is None:
        return
    code = "unreadable"
    if reply.content_type.startswith("application/json"):
        code = orjson.loads(reply.body)["code"]
    request.note["outcome"] = code
