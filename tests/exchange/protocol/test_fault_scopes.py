"""What a fault can be narrowed to: it bites there and nowhere else, or the order is refused."""

from __future__ import annotations

from typing import Any

import pytest
import websocket

from services.exchange.control.menu import KINDS
from tests.exchange.venue_thread import PERP, SPOT, VenueThread
from tests.exchange.wire_client import WireStream

POSITION = ("/api/v1/position", "positionQuery")


@pytest.mark.parametrize("kind", KINDS)
def test_a_scope_that_a_kind_does_not_honour_is_refused_by_name(venue: VenueThread, kind: str) -> None:
    scopes = {"symbol": PERP, "account": "maker", "method": "POST", "path": "/api/v1/order"}
    for name, value in scopes.items():
        answer = venue.control("POST", "faults", {"kind": kind, name: value})
        if name in KINDS[kind].scopes:
            assert answer.status_code == 200
        else:
            assert answer.status_code == 400
            assert answer.json()["error"].startswith(f"{kind}: {name!r} is not a setting")


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ({"symbol": "SOLUSDT"}, f"symbol 'SOLUSDT': must be one of {PERP}, {SPOT}"),
        ({"account": "nobody"}, "account 'nobody': must be one of maker, other"),
        ({"method": "FETCH"}, "method 'FETCH': must be one of GET, POST"),
        ({"path": 7}, "path 7: must be a string"),
    ],
)
def test_a_scope_that_is_not_of_this_venue_is_refused(
    venue: VenueThread, scope: dict[str, Any], words: str
) -> None:
    answer = venue.control("POST", "faults", {"kind": "reject_429", **scope})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(words)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"kind": "earthquake"}, "kind 'earthquake' is not on the menu: one of drop_reply, delay_reply"),
        ({}, "kind None is not on the menu"),
        ({"kind": "gap", "simbol": PERP}, "gap: 'simbol' is not a setting; did you mean 'symbol'?"),
        ({"kind": "gap", "times": 0}, "times 0: must be a whole number of at least 1"),
        ({"kind": "gap", "frames": "ticker"}, "frames 'ticker': must be one of 'book', 'best', 'trades'"),
        ({"kind": "gap", "for_s": "2"}, "for_s '2': must be a number of seconds from 0 to 86400"),
        ({"kind": "gap", "for_s": 1e300}, "for_s 1e+300: must be a number of seconds from 0 to 86400"),
        ({"kind": "gap", "for_s": 0}, "for_s 0: must be above 0"),
        ({"kind": "delay_reply", "delay_s": "x"}, "delay_s 'x': must be a number of seconds"),
        ({"kind": "delay_reply", "delay_s": -1}, "delay_s -1: must be a number of seconds from 0"),
        ({"kind": "error_5xx", "status": 99999}, "status 99999: must be a whole number from 500 to 599"),
        ({"kind": "error_5xx", "processed": 1}, "processed 1: must be one of False, True"),
        ({"kind": "drop_cancel", "status": 404}, "status 404: must be one of 202, 200"),
        ({"kind": "reject_429", "retry_after": 1.5}, "retry_after 1.5: must be a whole number from 0"),
        ({"kind": "clock_skew", "skew_ms": 1e300}, "skew_ms 1e+300: must be a whole number"),
        ({"kind": "wrong_position", "quantity": "much"}, "quantity 'much': must be a signed decimal"),
    ],
)
def test_an_order_that_is_not_on_the_menu_is_refused_by_name(
    venue: VenueThread, order: dict[str, object], words: str
) -> None:
    answer = venue.control("POST", "faults", order)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(words)


def test_a_request_fault_keeps_to_its_symbol_and_account(venue: VenueThread) -> None:
    venue.fault("reject_429", symbol=SPOT, method="POST")
    assert venue.maker.place().status_code == 200
    assert venue.maker.place(symbol=SPOT).status_code == 429
    venue.control("DELETE", "faults")
    venue.fault("reject_429", account="other")
    assert venue.maker.place(price="148.00").status_code == 200
    assert venue.other.place().status_code == 429
    assert venue.maker.public("/api/v1/time").status_code == 200


def test_a_fault_of_a_symbol_also_hits_a_batch_that_names_it_later(venue: VenueThread) -> None:
    venue.fault("error_5xx", symbol=SPOT)
    order = {"side": "Bid", "orderType": "Limit", "price": "149.00", "quantity": "0.1", "postOnly": True}
    batch = [{"symbol": PERP, **order}, {"symbol": SPOT, **order}]
    assert venue.maker.send("POST", "/api/v1/orders", "orderExecute", batch).status_code == 503


def test_an_order_fault_keeps_to_its_account(venue: VenueThread) -> None:
    venue.fault("post_only_refusals", account="other")
    assert venue.maker.place(price="148.00").status_code == 200
    assert venue.other.place().status_code == 400


@pytest.mark.parametrize("kind", ["silent_private", "duplicate_private", "reorder_private"])
def test_a_private_fault_of_a_symbol_hits_its_events_in_the_stream_of_all_markets(
    venue: VenueThread, kind: str
) -> None:
    stream = venue.stream("account.orderUpdate", client=venue.maker)
    venue.fault(kind, symbol=PERP, account="maker")
    spot = venue.maker.place(symbol=SPOT).json()["id"]
    assert stream.next()["data"]["i"] == spot
    assert venue.hits(kind) == 0
    first = venue.maker.place().json()["id"]
    second = venue.maker.place(symbol=SPOT, price="148.00").json()["id"]
    told = {
        "silent_private": [second],
        "duplicate_private": [first, first, second],
        "reorder_private": [second, first],
    }[kind]
    assert [stream.next()["data"]["i"] for _ in told] == told
    assert venue.hits(kind) == 1


def test_a_private_fault_of_another_account_hits_nothing_here(venue: VenueThread) -> None:
    stream = venue.stream("account.orderUpdate", client=venue.maker)
    venue.fault("silent_private", account="other")
    placed = venue.maker.place().json()["id"]
    assert stream.next()["data"]["i"] == placed


def _closes(stream: WireStream) -> bool:
    opcode, _ = stream.socket.recv_data(control_frame=True)
    return bool(opcode == websocket.ABNF.OPCODE_CLOSE)


def test_close_sockets_of_a_symbol_closes_those_that_listen_to_it(venue: VenueThread) -> None:
    here, elsewhere = venue.stream(f"depth.{PERP}"), venue.stream(f"depth.{SPOT}")
    venue.fault("close_sockets", symbol=PERP, for_s=60)
    assert _closes(here)
    again = WireStream(venue.ready["ws"])
    again.say({"method": "SUBSCRIBE", "params": [f"depth.{PERP}"]})
    assert _closes(again)
    again.close()
    venue.maker.place(symbol=SPOT)
    assert elsewhere.next()["stream"] == f"depth.{SPOT}"


@pytest.mark.parametrize(
    ("frames", "stream_name", "member"),
    [("trades", f"trade.{PERP}", "q"), ("best", f"bookTicker.{PERP}", "B")],
)
def test_gaps_duplicates_and_swaps_can_hit_trades_and_best_prices(
    venue: VenueThread, frames: str, stream_name: str, member: str
) -> None:
    venue.maker.place(price="150.00", quantity="3")
    stream = venue.stream(stream_name)
    told = {"trades": ["0.10", "0.20", "0.30"], "best": ["2.90", "2.70", "2.40"]}[frames]

    def trade() -> None:
        for quantity in ("0.1", "0.2", "0.3"):
            venue.take("sell", quantity)

    venue.fault("gap", frames=frames)
    trade()
    assert [stream.next()["data"][member] for _ in range(2)] == told[1:]
    if frames == "best":
        return
    venue.fault("duplicate_frame", frames=frames)
    trade()
    assert [stream.next()["data"][member] for _ in range(4)] == [told[0], *told]
    venue.fault("reorder_frames", frames=frames)
    trade()
    assert [stream.next()["data"][member] for _ in range(3)] == [told[1], told[0], told[2]]


def test_empty_open_orders_of_a_symbol_hides_that_symbols_orders(venue: VenueThread) -> None:
    venue.maker.place()
    venue.maker.place(symbol=SPOT)
    venue.fault("empty_open_orders", symbol=PERP, times=2)
    assert [order["symbol"] for order in venue.maker.open_orders()] == [SPOT]
    spot = venue.maker.get("/api/v1/orders", "orderQueryAll", symbol=SPOT).json()
    assert [order["symbol"] for order in spot] == [SPOT]
    assert venue.hits("empty_open_orders") == 1
    assert venue.maker.get("/api/v1/orders", "orderQueryAll", symbol=PERP).json() == []
    assert len(venue.maker.open_orders()) == 2


def _held(venue: VenueThread) -> dict[str, str]:
    return {row["symbol"]: row["netQuantity"] for row in venue.other.get(*POSITION).json()}


def test_wrong_position_is_one_lot_more_once_or_always_even_while_flat(venue: VenueThread) -> None:
    truth = _held(venue)
    assert truth == {}
    venue.fault("wrong_position_once", account="other")
    assert [_held(venue), _held(venue)] == [{PERP: "0.01"}, truth]
    venue.fault("wrong_position")
    assert [_held(venue), _held(venue)] == [{PERP: "0.01"}, {PERP: "0.01"}]


def test_wrong_position_may_name_the_quantity_that_is_told(venue: VenueThread) -> None:
    venue.fault("wrong_position", quantity="-2.5", symbol=PERP)
    assert _held(venue) == {PERP: "-2.5"}
    assert venue.other.get(*POSITION, symbol=PERP).json()[0]["netQuantity"] == "-2.5"
    venue.control("DELETE", "faults")
    venue.other.place(price="150.00", quantity="0.1")
    venue.take("sell", "0.1")
    assert _held(venue) == {PERP: "0.1"}
    venue.fault("wrong_position_once", quantity="0")
    assert _held(venue) == {}
    venue.other.place(side="Ask", price="150.01", quantity="0.1")
    venue.take("buy", "0.1")
    assert _held(venue) == {}
