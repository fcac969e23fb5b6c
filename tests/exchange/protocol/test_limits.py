"""Rate limit, pings and compression: what a venue does to its connections."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest
import websocket
from hypothesis import given
from hypothesis import strategies as st

from services.exchange.protocols.backpack.front import BackpackFront
from services.exchange.wire.rate_limit import WINDOW_NS, RateLimit
from tests.exchange.venue_thread import PERP, VenueThread
from tests.exchange.wire_client import WireStream


@given(st.lists(st.integers(0, 20_000_000_000), max_size=60), st.integers(1, 5))
def test_no_window_ever_holds_more_than_the_limit(waits_ns: list[int], per_minute: int) -> None:
    limit, now_ns = RateLimit(per_minute), 0
    admitted: list[int] = []
    for wait_ns in waits_ns:
        now_ns += wait_ns
        in_window = [time_ns for time_ns in admitted if time_ns > now_ns - WINDOW_NS]
        assert limit.admits("maker", now_ns) == (len(in_window) < per_minute)
        if len(in_window) < per_minute:
            admitted.append(now_ns)
        assert limit.admits("other", now_ns) or per_minute <= len(waits_ns)


def test_over_the_limit_an_account_is_refused_and_another_is_not(tmp_path: Path) -> None:
    with VenueThread(tmp_path, "--rate-limit", "3") as venue:
        answers = [venue.maker.place(price=f"14{n}.00") for n in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[3].json()["code"] == "TOO_MANY_REQUESTS"
        assert "Retry-After" not in answers[3].headers
        assert venue.other.place().status_code == 200
        assert venue.maker.public("/api/v1/time").status_code == 200


def test_sockets_are_pinged_and_those_that_do_not_answer_are_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BackpackFront, "ping_interval_s", 0.1)
    monkeypatch.setattr(BackpackFront, "pong_timeout_s", 0.4)
    with VenueThread(tmp_path) as venue:
        alive, dead = venue.stream(), venue.stream()
        for _ in range(8):  # reading answers the pings, for longer than the time-out
            opcode, _ = alive.socket.recv_data(control_frame=True)
            assert opcode == websocket.ABNF.OPCODE_PING
        opcode = _next_opcode(dead)
        while opcode == websocket.ABNF.OPCODE_PING:
            opcode = _next_opcode(dead)
        assert opcode == websocket.ABNF.OPCODE_CLOSE


def _next_opcode(stream: WireStream) -> int:
    """Read a frame without answering it."""
    return int(stream.socket.recv_frame().opcode)  # type: ignore[no-untyped-call]


def test_a_client_that_offers_compression_is_understood(venue: VenueThread) -> None:
    async def first_frame() -> str:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(venue.ready["ws"], compress=15) as socket,
        ):
            await socket.send_json({"method": "SUBSCRIBE", "params": [f"depth.{PERP}", "settled"]})
            await socket.receive(10)
            await asyncio.to_thread(venue.maker.place)
            return str((await socket.receive(10)).data)

    assert json.loads(asyncio.run(first_frame()))["stream"] == f"depth.{PERP}"
