"""Websocket frames: every split of every stream of bytes gives the same messages."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websocket import ABNF

from shared.net.frames import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    FrameDecoder,
    ProtocolError,
    client_frame,
    close_reason,
)


def server_frame(opcode: int, payload: bytes, is_final: bool = True) -> bytes:
    """Return an unmasked frame, lengths coded as RFC 6455 asks."""
    length = len(payload)
    first = (0x80 if is_final else 0) | opcode
    if length < 126:
        return bytes((first, length)) + payload
    if length < 65_536:
        return bytes((first, 126)) + length.to_bytes(2, "big") + payload
    return bytes((first, 127)) + length.to_bytes(8, "big") + payload


STREAM = b"".join(
    (
        server_frame(TEXT, b"one"),
        server_frame(TEXT, b""),
        server_frame(TEXT, b"fra", is_final=False),
        server_frame(PING, b"are you there"),
        server_frame(0, b"gmen", is_final=False),
        server_frame(0, b"ted"),
        server_frame(BINARY, b"b" * 126),
        server_frame(TEXT, b"long" * 40),
        server_frame(PONG, b""),
        server_frame(CLOSE, b"\x03\xe9going"),
    )
)
MESSAGES = [b"one", b"", b"fragmented", b"b" * 126, b"long" * 40]
CONTROLS = [(PING, b"are you there"), (PONG, b""), (CLOSE, b"\x03\xe9going")]


def test_every_split_in_two_gives_the_same_messages() -> None:
    for cut in range(len(STREAM) + 1):
        decoder = FrameDecoder()
        assert decoder.feed(STREAM[:cut]) + decoder.feed(STREAM[cut:]) == MESSAGES
        assert decoder.controls == CONTROLS


def test_byte_by_byte_gives_the_same_messages() -> None:
    decoder = FrameDecoder()
    messages = [m for index in range(len(STREAM)) for m in decoder.feed(STREAM[index : index + 1])]
    assert messages == MESSAGES
    assert decoder.controls == CONTROLS


@given(
    st.lists(st.integers(0, 200) | st.sampled_from((125, 126, 127, 65_535, 65_536)), max_size=6),
    st.lists(st.integers(1, 70_000), min_size=1, max_size=8),
)
def test_any_lengths_in_any_pieces_are_read(lengths: list[int], steps: list[int]) -> None:
    payloads = [bytes([index % 251]) * length for index, length in enumerate(lengths)]
    stream = b"".join(server_frame(TEXT, payload) for payload in payloads)
    decoder, messages, position, turn = FrameDecoder(), [], 0, 0
    while position < len(stream):
        step = steps[turn % len(steps)]
        messages += decoder.feed(stream[position : position + step])
        position, turn = position + step, turn + 1
    assert messages == payloads


@pytest.mark.parametrize(
    "bad",
    [
        bytes((0x81, 0x80 | 3)) + b"maskabc",  # masked
        bytes((0xC1, 1)) + b"x",  # a reserved bit: compression was never offered
        server_frame(0, b"continues nothing"),
        server_frame(TEXT, b"a", is_final=False) + server_frame(TEXT, b"b"),
        server_frame(PING, b"p" * 126),
        server_frame(PING, b"p", is_final=False),
        server_frame(0xB, b""),
        server_frame(0x3, b""),
        bytes((0x81, 127)) + (1 << 40).to_bytes(8, "big"),
    ],
)
def test_what_no_server_may_send_is_a_protocol_error(bad: bytes) -> None:
    with pytest.raises(ProtocolError):
        FrameDecoder().feed(bad)


@given(st.binary(max_size=300))
@example(b"x" * 65_535)
@example(b"x" * 65_537)
def test_client_frames_are_masked_and_read_by_another_implementation(payload: bytes) -> None:
    frame = client_frame(TEXT, payload)
    assert frame[1] & 0x80
    head = 2 if len(payload) < 126 else 4 if len(payload) < 65_536 else 10
    mask, masked = frame[head : head + 4], frame[head + 4 :]
    assert ABNF.mask(mask, masked) == payload


def test_close_reasons_are_readable() -> None:
    assert close_reason(b"\x03\xe9going") == "1001 going"
    assert close_reason(b"") == "no reason given"
