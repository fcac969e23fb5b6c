"""What the venue says of an account: golden payloads, O08 shapes, nothing by default."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest

from shared.errors import Unknown
from shared.messages import Side
from shared.venues.backpack.account_mapper import (
    private_events,
    read_row,
    read_rows,
    to_balances,
    to_equity,
    to_fill,
    to_funding,
    to_order,
    to_position,
)
from shared.venues.base import (
    VenueBalance,
    VenueEquity,
    VenueFill,
    VenueFunding,
    VenueOrder,
    VenuePosition,
)
from tests.venues.backpack.samples import ORDER

FILL: dict[str, Any] = {
    "clientId": "1291845633", "fee": "-0.004974", "feeSymbol": "USDC", "isMaker": True,
    "orderId": "4238907375", "price": "140.15", "quantity": "0.26", "side": "Ask", "symbol": "SOL_USDC_PERP",
    "systemOrderType": None, "timestamp": "2025-07-27T17:39:00.092", "tradeId": 9748827,
}  # fmt: skip
POSITION: dict[str, Any] = {
    "entryPrice": "3826.8888888888888888888888889", "markPrice": "3787.46813304", "netQuantity": "-0.0036",
    "pnlUnrealized": "-0.141914", "symbol": "ETH_USDC_PERP", "positionId": "4238420454", "userId": 1813870,
}  # fmt: skip
UPDATE: dict[str, Any] = {
    "E": 1748288615134547, "O": "USER", "Q": "3568.3445", "S": "Ask", "T": 1748288615133255,
    "V": "RejectTaker", "X": "New", "Z": "0", "c": 1291845633, "e": "orderAccepted", "f": "GTC",
    "i": "114575842681290753", "o": "LIMIT", "p": "178.15", "q": "20.03", "r": False, "s": "SOL_USDC",
    "t": None, "z": "0",
}  # fmt: skip
EXECUTION: dict[str, Any] = {
    **UPDATE, "e": "orderFill", "X": "PartiallyFilled", "L": "178.20", "N": "USDC", "l": "0.0100", "m": True,
    "n": "0.000356", "t": 2888471, "z": "1.0100",
}  # fmt: skip


def stream(data: dict[str, Any], name: str = "account.orderUpdate") -> bytes:
    return orjson.dumps({"data": data, "stream": name})


def test_an_open_order() -> None:
    assert to_order(ORDER) == VenueOrder(
        "SOL_USDC_PERP", "8284661092", 1291845633, Side.BUY, Decimal("140.25"), Decimal("1.5"),
        Decimal("0.5"), True, "live", False, "", 1757621440699000000,
    )  # fmt: skip


def test_O08_a_history_order_has_iso_times_and_text_ids_and_is_the_same_record() -> None:
    row = {**ORDER, "createdAt": "2025-09-11T20:10:40.699", "clientId": "1291845633", "status": "Cancelled"}
    del row["reduceOnly"]
    order = to_order(row)
    assert (order.venue_ns, order.client_order_id) == (1757621440699000000, 1291845633)
    assert (order.status, order.is_live) == ("cancelled", False)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("PostOnlyTaker", "post_only"),
        ("SelfTradePrevention", "self_trade"),
        ("ImmediateOrCancel", ""),
        (None, ""),
    ],
)
def test_Q23_why_the_venue_ended_an_order_is_told_in_the_words_of_a_refusal(
    said: str | None, reason: str
) -> None:
    assert to_order({**ORDER, "status": "Expired", "expiryReason": said}).reason == reason
    assert to_order(ORDER).reason == ""


def test_a_manual_order_has_no_client_id() -> None:
    assert to_order({**ORDER, "clientId": None}).client_order_id is None
    market = {**ORDER, "quantity": None, "price": None, "status": "Filled"}
    assert to_order(market).price is None


@pytest.mark.parametrize(
    "wrap", [lambda rows: rows, lambda rows: {"data": rows}, lambda rows: {"orders": rows}]
)
def test_O08_lists_come_bare_or_wrapped(wrap: Any) -> None:
    assert len(read_rows(wrap([ORDER, ORDER]), to_order)) == 2


@pytest.mark.parametrize(
    "answer",
    [
        None, {}, "text", [1], {"a": [], "b": []}, 5, {"a": []}, {"data": [], "orders": []}, {"data": None},
        {"code": "MAINTENANCE", "message": "x", "details": []},  # with status 200
        {"code": "MAINTENANCE", "data": []},
        {"error": "x", "orders": []},
    ],
)  # fmt: skip
def test_L02_what_is_no_list_is_unknown_never_empty(answer: object) -> None:
    with pytest.raises(Unknown):
        read_rows(answer, to_order)


@pytest.mark.parametrize("field", ["netQuantity", "pnlUnrealized"])
@pytest.mark.parametrize("value", [None, "NaN", "Infinity", "", "1,5", True, []])
def test_L02_an_unreadable_position_is_unknown_never_zero(field: str, value: object) -> None:
    with pytest.raises(Unknown):
        read_row({**POSITION, field: value}, to_position)


@pytest.mark.parametrize("field", ["netQuantity", "pnlUnrealized", "symbol"])
def test_L02_a_position_that_lacks_a_field_is_unknown(field: str) -> None:
    with pytest.raises(Unknown, match=field):
        read_row({key: value for key, value in POSITION.items() if key != field}, to_position)


def test_a_fill_with_a_rebate() -> None:
    assert to_fill(FILL) == VenueFill(
        "SOL_USDC_PERP", 9748827, "4238907375", 1291845633, Side.SELL, Decimal("140.15"), Decimal("0.26"),
        True, Decimal("-0.004974"), "USDC", 1753637940092000000,
    )  # fmt: skip


def test_a_position_keeps_all_its_digits() -> None:
    assert to_position(POSITION) == VenuePosition(
        "ETH_USDC_PERP", Decimal("-0.0036"), Decimal("3826.8888888888888888888888889"),
        Decimal("3787.46813304"), Decimal("-0.141914"),
    )  # fmt: skip


def test_a_funding_payment_keeps_its_sign() -> None:
    row = {
        "fundingRate": "-0.0000273", "intervalEndTimestamp": "2026-01-25T18:00:00", "quantity": "-0.000034",
        "subaccountId": 0, "symbol": "SOL_USDC_PERP", "userId": 1905955,
    }  # fmt: skip
    assert to_funding(row) == VenueFunding("SOL_USDC_PERP", Decimal("-0.000034"), 1769364000000000000)


def test_O08_balances_come_as_a_map_or_as_rows() -> None:
    row = {"available": "112.847976936", "locked": "7", "staked": "0.5"}
    expected = [VenueBalance("USDC", Decimal("120.347976936"), Decimal("112.847976936"))]
    assert to_balances({"USDC": row}) == expected
    assert to_balances([{**row, "symbol": "USDC"}]) == expected
    assert to_balances({}) == []


def test_equity_is_net_equity_with_resting_orders_in_it() -> None:
    row = {"netEquity": "1000.5", "netEquityAvailable": "900", "netEquityLocked": "100.5"}
    assert to_equity(row) == VenueEquity(Decimal("1000.5"), Decimal("900"))


# --- the private stream ------------------------------------------------------------------------


def test_an_accepted_order_is_told() -> None:
    assert private_events(stream(UPDATE)) == [
        VenueOrder(
            "SOL_USDC", "114575842681290753", 1291845633, Side.SELL, Decimal("178.15"), Decimal("20.03"),
            Decimal("0"), True, "live", False, "accepted", 1748288615133255000,
        )
    ]  # fmt: skip


def test_D08_a_fill_tells_the_order_with_its_cumulative_and_the_fill_with_its_last_quantity() -> None:
    order, fill = private_events(stream(EXECUTION))
    assert isinstance(order, VenueOrder)
    assert (order.filled, order.event, order.is_live) == (Decimal("1.01"), "fill", True)
    assert fill == VenueFill(
        "SOL_USDC", 2888471, "114575842681290753", 1291845633, Side.SELL, Decimal("178.20"), Decimal("0.01"),
        True, Decimal("0.000356"), "USDC", 1748288615133255000,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("event", "status", "expected"),
    [
        ("orderCancelled", "Cancelled", ("cancelled", "cancelled", False)),
        ("orderExpired", "Expired", ("expired", "expired", False)),
        ("orderModified", "PartiallyFilled", ("modified", "live", True)),
        ("triggerPlaced", "TriggerPending", ("accepted", "live", True)),
        ("triggerFailed", "TriggerFailed", ("cancelled", "cancelled", False)),
    ],
)
def test_every_order_event_is_mapped(event: str, status: str, expected: tuple[str, str, bool]) -> None:
    (order,) = private_events(stream({**UPDATE, "e": event, "X": status, "R": "ImmediateOrCancel"}))
    assert isinstance(order, VenueOrder)
    assert (order.event, order.status, order.is_live) == expected


def test_a_manual_market_order_without_price_or_client_id_is_read() -> None:
    data = {key: value for key, value in UPDATE.items() if key not in ("c", "p", "q", "r")}
    (order,) = private_events(stream({**data, "o": "MARKET"}))
    assert isinstance(order, VenueOrder)
    assert (order.client_order_id, order.price, order.reduce_only) == (None, None, False)


@pytest.mark.parametrize("name", ["account.positionUpdate", "account.positionUpdate.SOL_USDC_PERP"])
@pytest.mark.parametrize("event", [{}, {"e": "positionAdjusted"}])
def test_positions_come_with_and_without_an_event_name(name: str, event: dict[str, str]) -> None:
    data = {
        "B": "126.97", "E": 1769366599828079, "M": "120.96", "P": "0.0009", "Q": "0.01", "q": "-0.01",
        "T": 1769366599828078, "i": 28563667732, "l": "0", "n": "1.2096", "s": "SOL_USDC_PERP",
    }  # fmt: skip
    assert private_events(stream({**data, **event}, name)) == [
        VenuePosition(
            "SOL_USDC_PERP", Decimal("-0.01"), Decimal("126.97"), Decimal("120.96"), Decimal("0.0009"),
            1769366599828079000,
        )
    ]  # fmt: skip


def test_balances_are_absolute() -> None:
    data = {"e": "balanceUpdate", "E": 1694687692980000, "a": "USDC", "A": "122.35", "L": "10", "S": "0"}
    assert private_events(stream(data, "account.balanceUpdate")) == [
        VenueBalance("USDC", Decimal("132.35"), Decimal("122.35"), 1694687692980000000)
    ]


def test_frames_of_other_streams_say_nothing() -> None:
    assert private_events(stream({"e": "x"}, "account.rfqUpdate")) == []
    assert private_events(b'{"result":null}') == []


@pytest.mark.parametrize(
    "frame",
    [
        b"nonsense",
        b"[]",
        b'{"id":null,"error":{"code":4003,"message":"Invalid signature"}}',
        stream({**UPDATE, "X": "Surprising"}),
        stream({**UPDATE, "z": None}),
        stream({**EXECUTION, "t": None}),
        stream({"s": "SOL_USDC"}, "account.positionUpdate"),
    ],
)
def test_L02_an_unreadable_private_frame_is_unknown(frame: bytes) -> None:
    with pytest.raises(Unknown):
        private_events(frame)
