"""What moves orders: built requests out, replies in; nothing is ever sent twice.

Over keep-alive HTTP connections (`orders.py`) or over one websocket (`socket_orders.py`);
whoever sends need not know which. The contract of both:

`send` returned None = nothing has left, another attempt is safe. Otherwise exactly one
`Reply` or `Failure` follows, later, from the loop. A Failure (timeout, dead connection,
unreadable reply) means that the outcome is unknown. A reply that comes after its timeout
goes to `on_late`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Reply:
    """The venue's answer. Times are monotonic.

    status   of HTTP, or what the venue's websocket says in its place
    headers  of HTTP, names in lower case; empty on a websocket
    """

    status: int
    headers: dict[bytes, bytes]
    body: bytes
    sent_ns: int
    recv_ns: int


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer: the outcome is unknown. Times are monotonic."""

    text: str
    sent_ns: int
    at_ns: int


OnReply = Callable[[Reply | Failure], None]
OnLate = Callable[[Reply], None]


class OrderTransport(Protocol):
    """The way of one account's orders to one venue; keeps itself open."""

    last_error: str  # why the latest attempt to connect failed; "" = it did not

    def send(self, request: bytes, on_reply: OnReply, on_late: OnLate | None = None) -> int | None:
        """Send what the venue's codec has built; return when it left, None = nothing was sent."""
        ...

    def close(self) -> None:
        """Close; replies that are outstanding are not reported any more."""
        ...
