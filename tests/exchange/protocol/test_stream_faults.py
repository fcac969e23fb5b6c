"""The fault menu on streams and sockets: each kind bites and is counted."""

from __future__ import annotations

import time

import pytest
import websocket

from tests.exchange.venue_thread import PERP, SPOT, VenueThread
from tests.exchange.wire_client import WireStream

DEPTH = f"depth.{PERP}"


def _three_changes(venue: VenueThread) -> None:
    for price in ("149.10", "149.20", "149.30"):
        venue.maker.place(price=price)


def _prices(stream: WireStream, count: int) -> list[str]:
    return [stream.next()["data"]["b"][0][0] for _ in range(count)]


def test_gap_loses_one_depth_frame_and_only_one(venue: VenueThread) -> None:
    stream = venue.stream(DEPTH)
    venue.fault("gap", symbol=PERP)
    _three_changes(venue)
    first, second = stream.next()["data"], stream.next()["data"]
    assert (first["b"][0][0], second["b"][0][0]) == ("149.20", "149.30")
    assert second["U"] == first["u"] + 1
    assert venue.hits("gap") == 1


def test_gap_of_another_symbol_loses_nothing_here(venue: VenueThread) -> None:
    stream = venue.stream(DEPTH)
    venue.fault("gap", symbol=SPOT)
    _three_changes(venue)
    assert _prices(stream, 3) == ["149.10", "149.20", "149.30"]


def test_duplicate_frame_comes_twice(venue: VenueThread) -> None:
    stream = venue.stream(DEPTH)
    venue.fault("duplicate_frame")
    _three_changes(venue)
    assert _prices(stream, 4) == ["149.10", "149.10", "149.20", "149.30"]
    assert venue.hits("duplicate_frame") == 1


def test_reorder_frames_swaps_two(venue: VenueThread) -> None:
    stream = venue.stream(DEPTH)
    venue.fault("reorder_frames")
    _three_changes(venue)
    assert _prices(stream, 3) == ["149.20", "149.10", "149.30"]


@pytest.mark.parametrize("kind", ["silent_public", "ping_only"])
def test_silent_streams_say_nothing_while_the_socket_stays_open(venue: VenueThread, kind: str) -> None:
    stream = venue.stream(DEPTH, "account.orderUpdate", client=venue.maker)
    venue.fault(kind, symbol=PERP)
    venue.maker.place()
    assert stream.next()["data"]["e"] == "orderAccepted"  # private streams still speak
    assert venue.hits(kind) >= 1
    venue.control("DELETE", "faults")
    venue.maker.place(price="148.00")
    frame = stream.until(lambda frame: frame["stream"] == DEPTH)
    assert frame["data"]["b"] == [["148.00", "0.10"]]  # what was silenced never comes


def test_ping_only_pings_every_second(venue: VenueThread) -> None:
    stream = venue.stream(DEPTH)
    venue.fault("ping_only")
    opcode, _ = stream.socket.recv_data(control_frame=True)
    assert opcode == websocket.ABNF.OPCODE_PING


def test_silent_private_keeps_public_streams_alive(venue: VenueThread) -> None:
    stream = venue.stream(DEPTH, "account.orderUpdate", client=venue.maker)
    venue.fault("silent_private")
    venue.maker.place()
    assert stream.next()["stream"] == DEPTH
    assert venue.hits("silent_private") == 1
    venue.control("DELETE", "faults")
    venue.maker.place(price="148.00")
    assert stream.next()["data"]["e"] in ("orderAccepted", "depth")


def test_private_frames_can_come_twice_or_swapped(venue: VenueThread) -> None:
    stream = venue.stream("account.orderUpdate", client=venue.maker)
    venue.fault("duplicate_private")
    first = venue.maker.place().json()["id"]
    assert [stream.next()["data"]["i"] for _ in range(2)] == [first, first]
    venue.fault("reorder_private")
    second, third = venue.maker.place(price="148.00").json(), venue.maker.place(price="147.00").json()
    assert [stream.next()["data"]["i"] for _ in range(2)] == [third["id"], second["id"]]


def test_lagging_frames_come_late_in_order_with_their_own_stamps(venue: VenueThread) -> None:
    stream = venue.stream(DEPTH)
    venue.fault("lagging_public", delay_s=0.3)
    _three_changes(venue)
    data = stream.next()["data"]
    assert time.time() * 1e6 - data["E"] >= 0.29e6
    assert [data["b"][0][0], *_prices(stream, 2)] == ["149.10", "149.20", "149.30"]


def test_the_end_of_a_lag_brings_the_late_frames_before_the_new(venue: VenueThread) -> None:
    stream = venue.stream(DEPTH)
    venue.fault("lagging_public", delay_s=30)
    _three_changes(venue)
    venue.control("DELETE", "faults")
    venue.maker.place(price="149.40")
    assert _prices(stream, 4) == ["149.10", "149.20", "149.30", "149.40"]


def _closes(stream: WireStream) -> bool:
    opcode, _ = stream.socket.recv_data(control_frame=True)
    return bool(opcode == websocket.ABNF.OPCODE_CLOSE)


def test_close_sockets_closes_all_and_lets_new_ones_open(venue: VenueThread) -> None:
    streams = [venue.stream(DEPTH), venue.stream(DEPTH)]
    venue.fault("close_sockets")
    assert all(_closes(stream) for stream in streams)
    assert venue.hits("close_sockets") >= 2
    fresh = venue.stream(DEPTH)
    venue.maker.place()
    assert fresh.next()["stream"] == DEPTH


def test_close_sockets_for_a_while_refuses_new_ones(venue: VenueThread) -> None:
    venue.fault("close_sockets", for_s=60)
    with pytest.raises(websocket.WebSocketBadStatusException, match="503"):
        venue.stream(DEPTH)
    venue.control("DELETE", "faults")
    venue.stream(DEPTH)
