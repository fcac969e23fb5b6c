"""Websocket frames: bytes in, messages out, and the frames that a client sends. No I/O.

Fragments are joined, control frames kept apart, no extension is ever offered. UTF-8 is
not checked: whoever parses the JSON rejects bad text anyway.

Source: RFC 6455, sections 5.2 to 5.5.
"""

from __future__ import annotations

import os
import struct

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
MAX_MESSAGE = 32 * 1024 * 1024

_FINAL_TEXT = 0x80 | TEXT
_LENGTH_16 = struct.Struct("!H")
_LENGTH_64 = struct.Struct("!Q")


class ProtocolError(Exception):
    """The bytes are not what a websocket server may send."""


class FrameDecoder:
    """Collects the bytes of one connection. `controls` holds what is not a message, as (opcode, payload)."""

    def __init__(self) -> None:
        self.controls: list[tuple[int, bytes]] = []
        self._pieces: list[bytes] = []  # of a frame that is not complete
        self._held = 0
        self._needed = 2
        self._fragments: list[bytes] | None = None

    def feed(self, received: bytes) -> list[bytes]:
        """Take bytes; return the messages that they complete, in order. Raises: ProtocolError."""
        if self._held:
            self._pieces.append(received)
            self._held += len(received)
            if self._held < self._needed:
                return []
            received = b"".join(self._pieces)
        messages: list[bytes] = []
        position, end = 0, len(received)
        self._needed = 2
        while end - position >= 2:
            first, length = received[position], received[position + 1]
            start = position + 2
            if length > 125:
                start, length = _long_length(received, start, length)
            stop = start + length
            if stop > end:
                self._needed = stop - position
                break
            if first == _FINAL_TEXT and self._fragments is None:
                messages.append(received[start:stop])
            else:
                self._take_other(first, received[start:stop], messages)
            position = stop
        self._pieces = [received[position:]]
        self._held = end - position
        return messages

    def _take_other(self, first: int, payload: bytes, messages: list[bytes]) -> None:
        is_final, opcode = first & 0x80, first & 0x0F
        if first & 0x70:
            raise ProtocolError("a frame has reserved bits set")
        if opcode >= CLOSE:
            if not is_final or len(payload) > 125 or opcode > PONG:
                raise ProtocolError("a control frame is fragmented, too long or unknown")
            self.controls.append((opcode, payload))
        elif opcode in (TEXT, BINARY):
            if self._fragments is not None:
                raise ProtocolError("a message begins within another")
            if is_final:
                messages.append(payload)
            else:
                self._fragments = [payload]
        elif opcode or self._fragments is None:
            raise ProtocolError("a continuation without a beginning, or an unknown opcode")
        else:
            self._continue(self._fragments, payload, bool(is_final), messages)

    def _continue(
        self, fragments: list[bytes], payload: bytes, is_final: bool, messages: list[bytes]
    ) -> None:
        fragments.append(payload)
        if sum(map(len, fragments)) > MAX_MESSAGE:
            raise ProtocolError("a message is too long")
        if is_final:
            messages.append(b"".join(fragments))
            self._fragments = None


def _long_length(received: bytes, start: int, length: int) -> tuple[int, int]:
    """Return where the payload starts and how long it is; while that is unknown, beyond what is there."""
    if length > 127:
        raise ProtocolError("a server's frame is masked")
    size = 2 if length == 126 else 8
    if len(received) - start < size:
        return start + size, 0
    if size == 2:
        return start + 2, _LENGTH_16.unpack_from(received, start)[0]
    (long_length,) = _LENGTH_64.unpack_from(received, start)
    if long_length > MAX_MESSAGE:
        raise ProtocolError("a frame is too long")
    return start + 8, long_length


def client_frame(opcode: int, payload: bytes) -> bytes:
    """Return a whole masked frame."""
    length = len(payload)
    if length < 126:
        head = bytes((0x80 | opcode, 0x80 | length))
    elif length < 65_536:
        head = bytes((0x80 | opcode, 0x80 | 126)) + _LENGTH_16.pack(length)
    else:
        head = bytes((0x80 | opcode, 0x80 | 127)) + _LENGTH_64.pack(length)
    mask = os.urandom(4)
    pad = (mask * (length // 4 + 1))[:length]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")
    return head + mask + masked.to_bytes(length, "big")


def close_reason(payload: bytes) -> str:
    """Return code and text of a close frame, for people."""
    if len(payload) < 2:
        return "no reason given"
    code = _LENGTH_16.unpack_from(payload)[0]
    return f"{code} {payload[2:].decode(errors='replace')}".strip()
