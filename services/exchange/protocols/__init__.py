"""Protocol fronts: what a venue looks like on the wire, over the one matching engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from services.exchange.control.faults import FaultMenu
from services.exchange.model import Order, Venue
from services.exchange.wire.broadcast import Broadcaster
from services.exchange.wire.http_listener import HttpRequest, Reply
from services.exchange.wire.periodic import Periodic
from services.exchange.wire.sockets import ClientSocket
from shared.clock import Clock


class Front(Protocol):
    """What the server asks of a venue's protocol. Its streams say themselves what they carry."""

    #: the server's websocket pings, and how long a client may fail to answer them
    ping_interval_s: float
    pong_timeout_s: float

    async def respond(self, request: HttpRequest) -> Reply: ...
    def is_order_entry(self, method: str, path: str) -> bool: ...
    def symbols_of(self, request: HttpRequest) -> tuple[str, ...]: ...
    def account_of(self, request: HttpRequest) -> str | None: ...
    def rate_refusal(self, retry_after_s: int) -> Reply: ...
    def outage(self, status: int) -> Reply: ...
    def on_text(self, socket: ClientSocket, text: str | bytes) -> None: ...
    def on_closed(self, socket: ClientSocket) -> None: ...
    def timers(self) -> list[Periodic]: ...


@dataclass(frozen=True, slots=True)
class House:
    """What a front is built into.

    accounts_by_key  public key -> account
    rate_limit       requests a minute and account; None = no limit
    has_closed       whether the engine has closed a market for good (a recording's end)
    fill_order       lets an outsider trade with an order until it is filled
    says_order_not_found  use the newer of two known words for an unknown order
    """

    venue: Venue
    accounts_by_key: Mapping[str, str]
    clock: Clock
    faults: FaultMenu
    broadcaster: Broadcaster
    rate_limit: int | None
    has_closed: Callable[[str], bool]
    fill_order: Callable[[Order], None]
    says_order_not_found: bool = False


BuildFront = Callable[[House], Front]
