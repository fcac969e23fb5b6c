"""Websocket plumbing: frame encoding, and clients that do not read."""

from __future__ import annotations

import asyncio

import pytest

from services.exchange.wire.sockets import MAX_UNSENT_BYTES, ClientSocket, Stream, close_frame, text_frame


class _Transport(asyncio.Transport):
    def __init__(self, unsent: int) -> None:
        super().__init__()
        self.unsent = unsent
        self.written: list[bytes] = []
        self.is_aborted = False

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def is_closing(self) -> bool:
        return self.is_aborted

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def abort(self) -> None:
        self.is_aborted = True


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65_535, b"\x81\x7e\xff\xff"),
        (65_536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_text_frames_carry_their_length_as_the_standard_says(size: int, head: bytes) -> None:
    assert text_frame(b"x" * size) == head + b"x" * size


def test_a_close_frame_carries_its_code() -> None:
    assert close_frame(1001) == b"\x88\x02\x03\xe9"


def test_a_client_that_does_not_read_is_cut_off_and_the_others_are_served() -> None:
    slow, quick = _Transport(MAX_UNSENT_BYTES + 1), _Transport(0)
    stream = Stream("depth.X", "depth", "X")
    for transport in (slow, quick):
        assert stream.join(ClientSocket(transport, 0))
    for socket in stream.sockets:
        socket.send(b"frame")
    assert (slow.is_aborted, slow.written) == (True, [])
    assert (quick.is_aborted, quick.written) == (False, [b"frame"])
