"""Public streams: golden frames, hand-written from the documents, and the control commands."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from typing import Any

import pytest

from tests.exchange.venue_thread import PERP, VenueThread


def _stamps(data: dict[str, Any], *names: str) -> None:
    """Take the microsecond stamps out of a payload, after a look at them."""
    for name in names:
        assert abs(data.pop(name) - time.time() * 1e6) < 10e6


def test_a_depth_frame_is_padded_ascending_and_in_alphabetical_order(venue: VenueThread) -> None:
    stream = venue.stream(f"depth.{PERP}")
    venue.maker.place(price="149.50", quantity="2")
    raw = stream.socket.recv()
    frame = json.loads(raw)
    data = frame["data"]
    assert [*frame] == ["data", "stream"]
    assert [*data] == ["E", "T", "U", "a", "b", "e", "s", "u"]
    assert raw == json.dumps(frame, separators=(",", ":"))
    assert data["T"] <= data["E"]
    _stamps(data, "E", "T")
    book_id = data["u"]
    assert frame == {
        "data": {"U": book_id, "a": [], "b": [["149.50", "2.00"]], "e": "depth", "s": PERP, "u": book_id},
        "stream": f"depth.{PERP}",
    }
    assert venue.maker.public("/api/v1/depth", symbol=PERP).json()["lastUpdateId"] == str(book_id)


def test_a_removed_level_is_a_padded_zero_and_ids_continue(venue: VenueThread) -> None:
    stream = venue.stream(f"depth.{PERP}")
    placed = venue.maker.place(price="149.50").json()
    venue.maker.cancel(orderId=placed["id"])
    added, removed = stream.next()["data"], stream.next()["data"]
    assert removed["b"] == [["149.50", "0.00"]]
    assert removed["U"] == removed["u"] == added["u"] + 1


def test_one_change_of_several_levels_lists_bids_ascending(venue: VenueThread) -> None:
    venue.maker.place(price="149.95")
    venue.maker.place(price="149.94")
    stream = venue.stream(f"depth.{PERP}")
    venue.take("sell", "0.25")
    data = stream.next()["data"]
    assert data["b"] == [["149.90", data["b"][0][1]], ["149.94", "0.00"], ["149.95", "0.00"]]


def test_the_book_ticker_follows_the_best_level_under_the_depth_id(venue: VenueThread) -> None:
    stream = venue.stream(f"depth.{PERP}", f"bookTicker.{PERP}")
    venue.maker.place(price="149.95", quantity="1.5")
    venue.maker.place(price="149.40")
    depth, ticker, behind = stream.next(), stream.next(), stream.next()
    assert behind["data"]["e"] == "depth"  # a change behind the best level moves no book ticker
    data = ticker["data"]
    assert [*data] == ["A", "B", "E", "T", "a", "b", "e", "s", "u"]
    assert (data["b"], data["B"], data["a"]) == ("149.95", "1.50", "150.10")
    assert data["u"] == depth["data"]["u"]
    assert isinstance(data["u"], int)


def test_a_trade_names_both_orders_and_the_makers_side(venue: VenueThread) -> None:
    placed = venue.maker.place(price="149.95", quantity="0.3").json()
    stream = venue.stream(f"trade.{PERP}")
    venue.take("sell", "0.1")
    data = stream.next()["data"]
    assert data["T"] % 1000 == 0
    _stamps(data, "E", "T")
    seller, trade_id = data.pop("a"), data.pop("t")
    assert seller.isdigit()
    assert isinstance(trade_id, int)
    expected = {"b": placed["id"], "e": "trade", "m": True, "p": "149.95", "q": "0.10", "s": PERP}
    assert data == expected


def test_marks_and_tickers_come_every_second_by_themselves(venue: VenueThread) -> None:
    venue.take("buy", "0.1")
    stream = venue.stream(f"markPrice.{PERP}", f"ticker.{PERP}")
    mark, ticker = stream.event("markPrice"), stream.event("ticker")
    assert [*mark] == ["E", "T", "e", "f", "i", "n", "p", "s"]
    assert (mark["i"], mark["n"] % 3_600_000) == ("150", 0)
    assert [*ticker] == ["E", "V", "c", "e", "h", "l", "n", "o", "s", "v"]
    assert isinstance(ticker["n"], int)
    started = time.monotonic()
    stream.event("markPrice")
    assert time.monotonic() - started < 1.5


def test_an_aggregated_stream_continues_the_same_id_chain(venue: VenueThread) -> None:
    stream = venue.stream(f"depth.200ms.{PERP}")
    realtime = venue.stream(f"depth.{PERP}")
    for price in ("149.10", "149.20", "149.30"):
        venue.maker.place(price=price)
    first, *_, last = (realtime.next()["data"] for _ in range(3))
    frames = [stream.next()["data"]]
    while frames[-1]["u"] < last["u"]:
        frames.append(stream.next()["data"])
    assert (frames[0]["U"], frames[-1]["u"]) == (first["u"], last["u"])
    assert all(after["U"] == before["u"] + 1 for before, after in pairwise(frames))
    assert [level for frame in frames for level in frame["b"]] == [
        ["149.10", "0.10"],
        ["149.20", "0.10"],
        ["149.30", "0.10"],
    ]


def test_a_running_candle_is_sent_when_it_changes(venue: VenueThread) -> None:
    stream = venue.stream(f"kline.1h.{PERP}")
    venue.take("buy", "0.1")
    candle = stream.event("kline")
    assert [*candle] == ["E", "T", "X", "c", "e", "h", "l", "n", "o", "s", "t", "v"]
    assert (candle["X"], candle["c"], len(candle["t"])) == (False, "150.10", len("2025-08-06T22:00:00"))


ERRORS = {
    "not json": ("{", {"code": 4002, "message": "Parse error"}),
    "bad method": ({"method": "HELLO", "params": []}, {"code": 4002, "message": "Parse error"}),
    "bad stream": ({"method": "SUBSCRIBE", "params": ["x.y"]}, {"code": 4006, "message": "Invalid stream"}),
    "bad window": (
        {"method": "SUBSCRIBE", "params": [f"depth.300ms.{PERP}"]},
        {"code": 4008, "message": "Invalid depth window"},
    ),
    "no signature": (
        {"method": "SUBSCRIBE", "params": ["account.orderUpdate"]},
        {"code": 4003, "message": "Invalid signature"},
    ),
}


@pytest.mark.parametrize(("command", "error"), ERRORS.values(), ids=ERRORS)
def test_a_bad_command_is_answered_and_the_socket_stays_open(
    venue: VenueThread, command: Any, error: dict[str, Any]
) -> None:
    stream = venue.stream()
    stream.say(command)
    assert json.loads(stream.socket.recv()) == {"id": None, "error": error}
    stream.subscribe(f"depth.{PERP}")
    venue.maker.place()
    assert stream.next()["stream"] == f"depth.{PERP}"


def test_success_an_unknown_symbol_and_a_double_subscription_are_not_answered(venue: VenueThread) -> None:
    stream = venue.stream(f"depth.{PERP}", "depth.NO_SUCH_PERP", f"depth.{PERP}")
    assert stream.pending == []
    venue.maker.place()
    venue.maker.place(price="148.00")
    ids = [stream.next()["data"]["u"] for _ in range(2)]
    assert ids[1] == ids[0] + 1  # each change came once


def test_unsubscribing_silences_the_stream(venue: VenueThread) -> None:
    stream = venue.stream(f"depth.{PERP}", f"trade.{PERP}")
    stream.say({"method": "UNSUBSCRIBE", "params": [f"depth.{PERP}"]})
    stream.settle()
    venue.maker.place()
    venue.take("sell", "0.1")
    assert stream.next()["data"]["e"] == "trade"


def test_a_client_ping_is_answered(venue: VenueThread) -> None:
    stream = venue.stream()
    stream.socket.ping("hello")
    opcode, data = stream.socket.recv_data(control_frame=True)
    assert (opcode, data) == (0xA, b"hello")


def test_sent_frames_are_traced_with_their_own_stamp(venue: VenueThread) -> None:
    stream = venue.stream(f"depth.{PERP}")
    start = venue.control("GET", "frames").json()["next"]
    before_ns = time.monotonic_ns()
    venue.maker.place()
    event_us = stream.next()["data"]["E"]
    entries = venue.control("GET", f"frames?since={start}").json()["entries"]
    (entry,) = [entry for entry in entries if entry[0] == f"depth.{PERP}"]
    name, symbol, stamp_us, sent_ns = entry
    assert (name, symbol, stamp_us) == (f"depth.{PERP}", PERP, event_us)
    assert before_ns < sent_ns < time.monotonic_ns()
