"""Order entry over the wire: shapes, the taker delay, batches, cancels."""

from __future__ import annotations

import threading
import time

from tests.exchange.venue_thread import PERP, SPOT, VenueThread
from tests.exchange.wire_client import limit_order

RESTING = {
    "clientId": 4242,
    "executedQuantity": "0",
    "executedQuoteQuantity": "0",
    "orderType": "Limit",
    "postOnly": True,
    "price": "149",
    "quantity": "0.1",
    "reduceOnly": None,
    "relatedOrderId": None,
    "selfTradePrevention": "RejectTaker",
    "side": "Bid",
    "status": "New",
    "stopLossLimitPrice": None,
    "stopLossTriggerBy": None,
    "stopLossTriggerPrice": None,
    "strategyId": None,
    "symbol": PERP,
    "takeProfitLimitPrice": None,
    "takeProfitTriggerBy": None,
    "takeProfitTriggerPrice": None,
    "timeInForce": "GTC",
    "triggerBy": None,
    "triggerPrice": None,
    "triggerQuantity": None,
    "triggeredAt": None,
}


def test_a_resting_order_has_the_documented_shape_with_sorted_keys(venue: VenueThread) -> None:
    before_ms = time.time() * 1000
    shape = venue.maker.place(clientId=4242, quantity="0.10").json()
    assert list(shape) == sorted(shape)
    assert before_ms - 5 <= shape.pop("createdAt") <= time.time() * 1000
    assert shape.pop("id").isdigit()
    assert shape == RESTING


def test_a_resting_order_is_found_by_either_id_and_gone_after_its_cancel(venue: VenueThread) -> None:
    placed = venue.maker.place(clientId=9).json()
    by_id = venue.maker.get("/api/v1/order", "orderQuery", symbol=PERP, orderId=placed["id"])
    by_client_id = venue.maker.get("/api/v1/order", "orderQuery", symbol=PERP, clientId="9")
    assert by_id.json() == by_client_id.json() == placed
    assert venue.maker.open_orders() == [placed]
    cancelled = venue.maker.cancel(clientId="9")  # a public client sends the number as a string
    assert cancelled.json() == placed | {"status": "Cancelled"}
    assert venue.maker.open_orders() == []
    gone = venue.maker.get("/api/v1/order", "orderQuery", symbol=PERP, orderId=placed["id"])
    assert gone.status_code == 404


def test_a_post_only_order_is_answered_at_once_and_any_other_after_the_taker_delay(
    venue: VenueThread,
) -> None:
    started = time.monotonic()
    assert venue.maker.place().json()["status"] == "New"
    post_only_s = time.monotonic() - started
    started = time.monotonic()
    assert venue.maker.place(postOnly=None).json()["status"] == "New"
    assert post_only_s < 0.1 <= time.monotonic() - started


def test_a_cancel_overtakes_an_order_that_waits_out_the_taker_delay(venue: VenueThread) -> None:
    answers = []
    placing = threading.Thread(target=lambda: answers.append(venue.other.place(postOnly=None, clientId=3)))
    placing.start()
    time.sleep(0.03)  # the order is in the delay, whose length is what this test is about
    assert venue.other.cancel(clientId=3).status_code == 404
    placing.join()
    assert answers[0].json()["status"] == "New"


def test_an_order_refused_after_the_delay_says_so_in_its_own_reply(venue: VenueThread) -> None:
    started = time.monotonic()
    answer = venue.maker.place(postOnly=None, price="150.10", quantity="900", timeInForce="FOK")
    assert time.monotonic() - started >= 0.1
    assert answer.json()["code"] == "INVALID_ORDER"


def test_an_ioc_order_takes_what_is_there_and_expires_with_the_rest(venue: VenueThread) -> None:
    answer = venue.maker.place(postOnly=None, price="150.10", quantity="0.5", timeInForce="IOC")
    shape = answer.json()
    assert (shape["status"], shape["executedQuantity"]) == ("Filled", "0.5")
    assert shape["executedQuoteQuantity"] == "75.05"
    empty = venue.maker.place(postOnly=None, price="149.95", timeInForce="IOC").json()
    assert (empty["status"], empty["executedQuantity"]) == ("Expired", "0")


def test_a_market_order_by_quote_quantity_has_no_price_and_no_post_only(venue: VenueThread) -> None:
    order = {"orderType": "Market", "price": None, "postOnly": None, "quantity": None}
    shape = venue.other.place(**order, quoteQuantity="30.05", symbol=SPOT).json()
    assert shape["status"] == "Filled"
    assert "price" not in shape
    assert "postOnly" not in shape
    assert (shape["quantity"], shape["quoteQuantity"]) == (None, "30.05")
    assert (shape["executedQuantity"], shape["executedQuoteQuantity"]) == ("0.2", "30.02")


def test_a_batch_answers_each_order_by_itself(venue: VenueThread) -> None:
    orders = [
        limit_order(price="148.00"),
        limit_order(price="150.10"),
        limit_order(price="147.00", postOnly=None),
    ]
    answer = venue.maker.send("POST", "/api/v1/orders", "orderExecute", orders)
    first, refused, delayed = answer.json()
    assert answer.status_code == 200
    assert (first["operation"], first["price"]) == ("Ok", "148")
    assert refused == {
        "operation": "Err",
        "code": "INVALID_ORDER",
        "message": "Order would immediately match and take",
    }
    assert (delayed["operation"], delayed["price"]) == ("Ok", "147")
    assert len(venue.maker.open_orders()) == 2


def test_cancel_all_cancels_one_market_and_leaves_the_other(venue: VenueThread) -> None:
    venue.maker.place()
    venue.maker.place(price="148.00")
    venue.maker.place(symbol=SPOT)
    cancelled = venue.maker.send("DELETE", "/api/v1/orders", "orderCancelAll", {"symbol": PERP}).json()
    assert [order["status"] for order in cancelled] == ["Cancelled", "Cancelled"]
    assert [order["symbol"] for order in venue.maker.open_orders()] == [SPOT]
    conditional = {"symbol": SPOT, "orderType": "ConditionalOrder"}
    assert venue.maker.send("DELETE", "/api/v1/orders", "orderCancelAll", conditional).json() == []
    assert len(venue.maker.open_orders()) == 1


def test_open_orders_are_filtered_by_market_and_type(venue: VenueThread) -> None:
    venue.maker.place()
    venue.maker.place(symbol=SPOT)
    by_symbol = venue.maker.get("/api/v1/orders", "orderQueryAll", symbol=SPOT).json()
    by_type = venue.maker.get("/api/v1/orders", "orderQueryAll", marketType="PERP").json()
    assert [order["symbol"] for order in by_symbol] == [SPOT]
    assert [order["symbol"] for order in by_type] == [PERP]


def test_the_received_requests_are_logged_with_their_outcome(venue: VenueThread) -> None:
    start = venue.control("GET", "log").json()["next"]
    before_ns = time.monotonic_ns()
    placed = venue.maker.place(clientId=11).json()
    venue.maker.place(price="150.10", clientId=12)
    venue.maker.cancel(clientId=11)
    first, refused, cancel = venue.control("GET", f"log?since={start}").json()["entries"]
    assert before_ns <= first["recv_ns"] <= refused["recv_ns"] <= cancel["recv_ns"] <= time.monotonic_ns()
    assert first["method"] == "POST"
    assert first["path"] == "/api/v1/order"
    assert (first["account"], first["symbol"]) == ("maker", PERP)
    assert (first["client_id"], first["order_id"], first["outcome"]) == ("11", placed["id"], "New")
    assert (refused["client_id"], refused["outcome"], refused["status"]) == ("12", "INVALID_ORDER", 400)
    assert (cancel["method"], cancel["order_id"], cancel["outcome"]) == ("DELETE", placed["id"], "Cancelled")
