"""Websocket clients of the venue: frames are encoded once and written to every subscriber.

Frames go straight to the transport, already encoded, so that one rendering serves all
clients and no client can hold up another: one that does not read is cut off.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum

MAX_UNSENT_BYTES = 8 * 1024 * 1024
PING_FRAME = b"\x89\x00"
_CLOSE = b"\x88"


def text_frame(payload: bytes) -> bytes:
    """Return `payload` as one unmasked text frame. Source: RFC 6455, section 5.2."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


def close_frame(code: int) -> bytes:
    return _CLOSE + b"\x02" + code.to_bytes(2, "big")


@dataclass(eq=False, slots=True)
class ClientSocket:
    """One open websocket. `pong_ns`: when the client last proved to be there (monotonic)."""

    transport: asyncio.Transport
    pong_ns: int
    streams: list[Stream] = field(default_factory=list)

    def send(self, frame: bytes) -> None:
        """Queue one encoded frame; a client that has stopped reading is disconnected."""
        transport = self.transport
        if transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            transport.abort()
        elif not transport.is_closing():
            transport.write(frame)

    def close(self, code: int = 1001) -> None:
        """Send Close and hang up."""
        self.send(close_frame(code))
        self.transport.close()


class Carries(StrEnum):
    """What the frames of a public stream are, for faults that hit one sort of them."""

    BOOK = "book"
    BEST = "best"
    TRADES = "trades"
    OTHER = "other"


@dataclass(eq=False, slots=True)
class Stream:
    """A named stream and who listens. `account` is None for public streams."""

    name: str
    kind: str
    symbol: str | None = None
    account: str | None = None
    carries: Carries = Carries.OTHER
    sockets: list[ClientSocket] = field(default_factory=list)
    wire_name: bytes = b""

    def __post_init__(self) -> None:
        self.wire_name = self.name.encode()

    def scope(self) -> dict[str, str | tuple[str, ...] | None]:
        """Return what a fault of its sockets can be narrowed to."""
        return {"symbol": self.symbol, "account": self.account}

    def join(self, socket: ClientSocket) -> bool:
        """Return whether the socket was not subscribed before."""
        if socket in self.sockets:
            return False
        self.sockets.append(socket)
        socket.streams.append(self)
        return True

    def leave(self, socket: ClientSocket) -> None:
        if socket in self.sockets:
            self.sockets.remove(socket)
            socket.streams.remove(self)
