"""What a venue's private stream is to the process that holds the keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shared.venues.base import PrivateEvent


class PrivateListener(Protocol):
    """Who is told; all calls come from the loop."""

    def on_private_events(self, events: Sequence[PrivateEvent], recv_ns: int) -> None:
        """Take what happened, in the venue's order; a fill follows the order it belongs to."""
        ...

    def on_private_connected(self) -> None:
        """The subscription is in effect from now on; what was missed must be read by REST."""
        ...

    def on_private_disconnected(self, reason: str) -> None:
        """The stream broke after it had been connected; it reconnects by itself."""
        ...


class PrivateFeed(Protocol):
    """A private stream that keeps itself open.

    It owns its connection, so whatever its venue wants of it (a logon, a ping of the application, an
    answer to one) is its own affair: `WebSocketStream` sends the pings, and frames are read there.
    """

    is_connected: bool

    def start(self) -> None: ...
    def close(self) -> None:
        """Close for good; the listener is told nothing more."""
        ...
