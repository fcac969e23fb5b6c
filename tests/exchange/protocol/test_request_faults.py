"""The fault menu on requests: each kind bites, is counted, and leaves the engine consistent."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
import requests

from tests.exchange.venue_thread import PERP, VenueThread

ORDER_POST = {"method": "POST", "path": "/api/v1/order"}


def test_drop_reply_processes_the_order_and_cuts_the_connection(venue: VenueThread) -> None:
    venue.fault("drop_reply", **ORDER_POST, times=1)
    with pytest.raises(requests.ConnectionError):
        venue.maker.place(clientId=41)
    assert [order["clientId"] for order in venue.maker.open_orders()] == [41]
    assert venue.hits("drop_reply") == 1
    assert venue.maker.place(price="148.00").status_code == 200  # `times` is spent


def test_delay_reply_processes_at_once_and_answers_late(venue: VenueThread) -> None:
    venue.fault("delay_reply", delay_s=0.3, **ORDER_POST)
    start = venue.control("GET", "log").json()["next"]
    started = time.monotonic()
    answer = venue.maker.place()
    assert answer.status_code == 200
    assert time.monotonic() - started >= 0.3
    (entry,) = venue.control("GET", f"log?since={start}").json()["entries"]
    assert entry["outcome"] == "New"


def test_reject_429_refuses_without_processing_and_may_ask_for_patience(venue: VenueThread) -> None:
    venue.fault("reject_429", retry_after=7, **ORDER_POST)
    answer = venue.maker.place()
    assert (answer.status_code, answer.json()["code"]) == (429, "TOO_MANY_REQUESTS")
    assert answer.headers["Retry-After"] == "7"
    assert venue.maker.open_orders() == []
    assert venue.hits("reject_429") == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_error_5xx_refuses_without_processing(venue: VenueThread, status: int) -> None:
    venue.fault("error_5xx", status=status, **ORDER_POST)
    assert venue.maker.place().status_code == status
    assert venue.maker.open_orders() == []


def test_error_5xx_may_have_processed_the_order_all_the_same(venue: VenueThread) -> None:
    venue.fault("error_5xx", status=504, processed=True, **ORDER_POST)
    assert venue.maker.place().status_code == 504
    assert len(venue.maker.open_orders()) == 1


def test_no_answer_keeps_the_connection_open_and_does_nothing(venue: VenueThread) -> None:
    venue.fault("no_answer", **ORDER_POST)
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"{venue.maker.rest}/api/v1/order", data=b"{}", timeout=0.3)
    assert venue.hits("no_answer") == 1
    assert venue.maker.open_orders() == []


def test_post_only_refusals_refuse_only_post_only_orders(venue: VenueThread) -> None:
    venue.fault("post_only_refusals")
    assert venue.maker.place().json()["message"] == "Order would immediately match and take"
    assert venue.maker.place(postOnly=None).json()["status"] == "New"
    assert venue.hits("post_only_refusals") == 1


def test_empty_open_orders_lies_as_often_as_told(venue: VenueThread) -> None:
    venue.maker.place()
    venue.fault("empty_open_orders", times=2)
    assert [len(venue.maker.open_orders()) for _ in range(3)] == [0, 0, 1]


def test_unknown_order_denies_an_order_that_rests(venue: VenueThread) -> None:
    placed = venue.maker.place().json()
    venue.fault("unknown_order")
    key = {"symbol": PERP, "orderId": placed["id"]}
    assert venue.maker.get("/api/v1/order", "orderQuery", **key).status_code == 404
    assert venue.maker.get("/api/v1/order", "orderQuery", **key).json() == placed


def test_drop_cancel_accepts_and_never_executes(venue: VenueThread) -> None:
    placed = venue.maker.place().json()
    venue.fault("drop_cancel", times=2)
    answer = venue.maker.cancel(orderId=placed["id"])
    assert (answer.status_code, answer.content) == (202, b"")
    everything = venue.maker.send("DELETE", "/api/v1/orders", "orderCancelAll", {"symbol": PERP})
    assert everything.status_code == 202
    assert venue.maker.open_orders() == [placed]


def test_drop_cancel_may_claim_success_after_a_while(venue: VenueThread) -> None:
    placed = venue.maker.place().json()
    venue.fault("drop_cancel", status=200, delay_s=0.2)
    started = time.monotonic()
    assert venue.maker.cancel(orderId=placed["id"]).json()["status"] == "Cancelled"
    assert time.monotonic() - started >= 0.2
    assert venue.maker.open_orders() == [placed]


def test_fill_after_cancel_confirms_first_and_fills_after(venue: VenueThread) -> None:
    stream = venue.stream("account.orderUpdate", "account.positionUpdate", client=venue.maker)
    placed = venue.maker.place(price="149.60", quantity="0.2").json()
    assert stream.event("orderAccepted")["i"] == placed["id"]
    fills = len(venue.maker.fills())
    venue.fault("fill_after_cancel", delay_s=0.2)
    started = time.monotonic()
    answer = venue.maker.cancel(orderId=placed["id"]).json()
    assert (answer["status"], answer["executedQuantity"]) == ("Cancelled", "0")
    assert stream.event("orderCancelled")["i"] == placed["id"]
    fill = stream.event("orderFill")
    assert time.monotonic() - started >= 0.2
    assert (fill["i"], fill["X"], fill["z"]) == (placed["id"], "Filled", "0.20")
    assert venue.maker.open_orders() == []
    assert len(venue.maker.fills()) == fills + 1


def test_two_fills_after_cancel_each_wait_their_own_time(venue: VenueThread) -> None:
    stream = venue.stream("account.orderUpdate", client=venue.maker)
    placed = [venue.maker.place(price=price, quantity="0.2").json()["id"] for price in ("149.60", "149.50")]
    venue.fault("fill_after_cancel", delay_s=0.3, times=2)
    venue.maker.cancel(orderId=placed[0])
    time.sleep(0.2)
    second = time.monotonic()
    venue.maker.cancel(orderId=placed[1])
    assert stream.event("orderFill")["i"] == placed[0]
    assert stream.event("orderFill")["i"] == placed[1]
    assert time.monotonic() - second >= 0.3


def test_clock_skew_shifts_the_venues_time_and_its_windows(venue: VenueThread) -> None:
    venue.fault("clock_skew", skew_ms=10_000)
    assert int(venue.maker.public("/api/v1/time").text) - time.time() * 1000 > 9_000
    assert venue.maker.place().json()["message"] == "Request has expired"


def test_market_closed_refuses_orders_hides_the_book_and_still_cancels(venue: VenueThread) -> None:
    placed = venue.maker.place().json()
    stream = venue.stream(f"depth.{PERP}")
    venue.fault("market_closed", symbol=PERP)
    answer = venue.maker.place(price="148.00")
    assert (answer.status_code, answer.json()["code"]) == (503, "TRADING_PAUSED")
    assert venue.maker.public("/api/v1/depth", symbol=PERP).status_code == 404
    assert venue.maker.public("/api/v1/market", symbol=PERP).json()["orderBookState"] == "Closed"
    assert venue.maker.cancel(orderId=placed["id"]).status_code == 200
    venue.control("DELETE", "faults")
    venue.maker.place()
    levels = stream.next()["data"]["b"]
    assert levels == [["149.00", "0.10"]]  # the cancel's own frame was never sent


def test_a_fault_ends_by_itself_and_stays_listed_until_cleared(venue: VenueThread) -> None:
    venue.fault("reject_429", for_s=0.2)
    deadline = time.monotonic() + 5
    while venue.maker.public("/api/v1/time").status_code == 429:
        assert time.monotonic() < deadline
    (fault,) = venue.control("GET", "faults").json()
    assert fault["active"] is False
    assert fault["hits"] >= 1
    venue.control("DELETE", "faults")
    assert venue.control("GET", "faults").json() == []


def test_the_control_port_shows_what_an_account_holds_whatever_faults_make_of_the_answers(
    venue: VenueThread,
) -> None:
    name = venue.ready["accounts"][0]["name"]
    venue.maker.place(clientId=41)
    assert venue.maker.place(side="Bid", orderType="Market", price=None, quantity="0.5", postOnly=None).ok
    venue.fault("empty_open_orders")
    assert venue.maker.open_orders() == []
    shown = venue.control("GET", f"account?name={name}").json()
    assert shown["orders"] == ["41"]
    (held,) = venue.maker.get("/api/v1/position", "positionQuery").json()
    assert {symbol: Decimal(quantity) for symbol, quantity in shown["positions"].items()} == {
        PERP: Decimal(held["netQuantity"])
    }
    refused = venue.control("GET", "account?name=nobody")
    assert refused.status_code == 400
    assert refused.json()["error"].startswith("account 'nobody': is none of ")
