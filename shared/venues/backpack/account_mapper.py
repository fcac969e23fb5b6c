"""What the venue says of an account, in our records: REST rows and private frames. Pure.

Decimals stay decimals. Ids come as numbers or strings, times as milliseconds, microseconds
or naive ISO text, lists bare or wrapped: all shapes end in one record type. Whatever is
missing or unreadable raises `Unknown`: there is no default for a position or a balance.

Source: Backpack OpenAPI (2026-08-22), stream documents (2026-10), client fixtures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import orjson

from shared.clock import NS_PER_MS, NS_PER_US
from shared.errors import Unknown
from shared.messages import Side
from shared.venues.backpack.errors import EXPIRY_REASONS
from shared.venues.base import (
    PrivateEvent,
    VenueBalance,
    VenueEquity,
    VenueFill,
    VenueFunding,
    VenueOrder,
    VenuePosition,
)

Row = dict[str, Any]
T = TypeVar("T")

SIDES = {"Bid": Side.BUY, "Ask": Side.SELL}
STATUSES = {
    "New": "live",
    "PartiallyFilled": "live",
    "TriggerPending": "live",
    "Filled": "filled",
    "Cancelled": "cancelled",
    "TriggerFailed": "cancelled",
    "Expired": "expired",
}
EVENTS = {
    "orderAccepted": "accepted",
    "orderFill": "fill",
    "orderCancelled": "cancelled",
    "orderExpired": "expired",
    "orderModified": "modified",
    "triggerPlaced": "accepted",
    "triggerFailed": "cancelled",
}

#: names under which lists have been seen to be wrapped, and what only errors hold
WRAPPERS = frozenset(("data", "orders"))
ERROR_KEYS = frozenset(("code", "error"))


def rows_of(value: object) -> list[Row]:
    """Return the rows of a list reply, bare or wrapped under a known name.

    Any other object is no list: an error that happens to hold an empty one must not read as "none".
    Raises: Unknown.
    """
    if isinstance(value, dict):
        lists = [inner for name, inner in value.items() if name in WRAPPERS]
        value = lists[0] if len(lists) == 1 and not ERROR_KEYS & value.keys() else None
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise Unknown("the venue's answer is not a list of objects")
    return value


def read_rows(value: object, to_record: Callable[[Row], T]) -> list[T]:
    """Convert every row of a list reply. Raises: Unknown when any of them is unreadable."""
    return [read_row(row, to_record) for row in rows_of(value)]


def readable_rows(value: object, to_record: Callable[[Row], T]) -> list[T]:
    """Convert every row of a list reply that can be read. Raises: Unknown when it is no list."""
    found = []
    for row in rows_of(value):
        with suppress(Unknown):
            found.append(read_row(row, to_record))
    return found


def read_row(row: Row, to_record: Callable[[Row], T]) -> T:
    """Convert one object. Raises: Unknown naming what is missing or wrong."""
    try:
        return to_record(row)
    except (KeyError, ValueError, TypeError, InvalidOperation) as error:
        name = to_record.__name__.removeprefix("to_")
        raise Unknown(f"the venue's {name} is unreadable: {type(error).__name__} {error}") from None


def to_order(row: Row) -> VenueOrder:
    """Convert an order object of REST: of the order endpoints or of the history."""
    status = STATUSES[row["status"]]
    return VenueOrder(
        symbol=row["symbol"],
        venue_order_id=str(row["id"]),
        client_order_id=_client_id(row.get("clientId")),
        side=SIDES[row["side"]],
        price=_decimal_or_none(row.get("price")),
        quantity=_decimal(row.get("quantity") or "0"),  # a market order by quote quantity has none
        filled=_decimal(row["executedQuantity"] or "0"),
        is_live=status == "live",
        status=status,
        reduce_only=bool(row.get("reduceOnly")),
        venue_ns=_time_ns(row["createdAt"]),
        reason=EXPIRY_REASONS.get(str(row.get("expiryReason")), ""),
    )


def to_fill(row: Row) -> VenueFill:
    """Convert a row of the fill history."""
    return VenueFill(
        symbol=row["symbol"],
        trade_id=int(row["tradeId"]),
        venue_order_id=str(row["orderId"]),
        client_order_id=_client_id(row.get("clientId")),
        side=SIDES[row["side"]],
        price=_decimal(row["price"]),
        quantity=_decimal(row["quantity"]),
        is_maker=bool(row["isMaker"]),
        fee=_decimal(row["fee"]),
        fee_asset=row["feeSymbol"],
        venue_ns=_time_ns(row["timestamp"]),
    )


def to_funding(row: Row) -> VenueFunding:
    """Convert a funding payment; a positive quantity was received."""
    return VenueFunding(row["symbol"], _decimal(row["quantity"]), _time_ns(row["intervalEndTimestamp"]))


def to_position(row: Row) -> VenuePosition:
    """Convert a row of the positions; `netQuantity` is signed."""
    return VenuePosition(
        symbol=row["symbol"],
        quantity=_decimal(row["netQuantity"]),
        entry_price=_decimal_or_none(row.get("entryPrice")),
        mark_price=_decimal_or_none(row.get("markPrice")),
        unrealised_pnl=_decimal(row["pnlUnrealized"]),
    )


def to_balances(value: object) -> list[VenueBalance]:
    """Convert the balances: a map of assets, or rows that name theirs."""
    if isinstance(value, dict) and all(isinstance(row, dict) for row in value.values()):
        rows: Iterable[Row] = ({**row, "symbol": asset} for asset, row in value.items())
        return [read_row(row, to_balance) for row in rows]
    return read_rows(value, to_balance)


def to_balance(row: Row) -> VenueBalance:
    available = _decimal(row["available"])
    total = available + _decimal(row["locked"]) + _decimal(row.get("staked") or "0")
    return VenueBalance(row["symbol"], total, available)


def to_equity(row: Row) -> VenueEquity:
    """Convert the collateral summary; net equity does not depend on resting orders."""
    return VenueEquity(_decimal(row["netEquity"]), _decimal(row["netEquityAvailable"]))


# --- private stream -----------------------------------------------------------------------


def private_events(frame: bytes) -> list[PrivateEvent]:
    """Return what a private frame says; a frame of another stream says nothing.

    Raises: Unknown when it is unreadable, or is the venue's error message.
    """
    try:
        message = orjson.loads(frame)
    except orjson.JSONDecodeError:
        raise Unknown("a private frame is not JSON") from None
    if not isinstance(message, dict):
        raise Unknown("a private frame is not an object")
    if message.get("error") is not None:
        raise Unknown(f"the venue refuses the private stream: {message['error']}")
    stream, data = str(message.get("stream", "")), message.get("data")
    if not isinstance(data, dict):
        return []
    if stream.startswith("account.orderUpdate"):
        return _order_events(data)
    if stream.startswith("account.positionUpdate"):
        return [read_row(data, to_stream_position)]
    if stream.startswith("account.balanceUpdate"):
        return [read_row(data, to_stream_balance)]
    return []


def _order_events(data: Row) -> list[PrivateEvent]:
    events: list[PrivateEvent] = [read_row(data, to_stream_order)]
    if data["e"] == "orderFill":
        events.append(read_row(data, to_stream_fill))
    return events


def to_stream_order(data: Row) -> VenueOrder:
    """Convert an `orderUpdate`: `z` is cumulative, `l` is the last fill only."""
    status = STATUSES[data["X"]]
    return VenueOrder(
        symbol=data["s"],
        venue_order_id=str(data["i"]),
        client_order_id=_client_id(data.get("c")),
        side=SIDES[data["S"]],
        price=_decimal_or_none(data.get("p")),
        quantity=_decimal(data.get("q") or "0"),
        filled=_decimal(data["z"]),
        is_live=status == "live",
        status=status,
        reduce_only=bool(data.get("r")),
        event=EVENTS[data["e"]],
        venue_ns=int(data["T"]) * NS_PER_US,
        reason=EXPIRY_REASONS.get(str(data.get("R")), ""),
    )


def to_stream_fill(data: Row) -> VenueFill:
    return VenueFill(
        symbol=data["s"],
        trade_id=int(data["t"]),
        venue_order_id=str(data["i"]),
        client_order_id=_client_id(data.get("c")),
        side=SIDES[data["S"]],
        price=_decimal(data["L"]),
        quantity=_decimal(data["l"]),
        is_maker=bool(data["m"]),
        fee=_decimal(data["n"]),
        fee_asset=data["N"],
        venue_ns=int(data["T"]) * NS_PER_US,
    )


def to_stream_position(data: Row) -> VenuePosition:
    """Convert a `positionUpdate`; the first ones after subscribing carry no event name."""
    return VenuePosition(
        symbol=data["s"],
        quantity=_decimal(data["q"]),
        entry_price=_decimal_or_none(data.get("B")),
        mark_price=_decimal_or_none(data.get("M")),
        unrealised_pnl=_decimal(data.get("P") or "0"),
        venue_ns=int(data["E"]) * NS_PER_US,
    )


def to_stream_balance(data: Row) -> VenueBalance:
    available = _decimal(data["A"])
    total = available + _decimal(data["L"]) + _decimal(data.get("S") or "0")
    return VenueBalance(data["a"], total, available, int(data["E"]) * NS_PER_US)


# --- values ---------------------------------------------------------------------------------


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{value!r} is not a decimal")
    number = Decimal(str(value))
    if not number.is_finite():
        raise ValueError(f"{value!r} is not finite")
    return number


def _decimal_or_none(value: object) -> Decimal | None:
    return None if value is None else _decimal(value)


def _client_id(value: object) -> int | None:
    """Return a client id that is a number or, in the history, a string of one; others are not ours."""
    text = str(value)
    return int(text) if text.isdigit() else None


def _time_ns(value: object) -> int:
    """Return a time: milliseconds as a number, or ISO text without a zone, which means UTC."""
    if isinstance(value, int):
        return value * NS_PER_MS
    moment = datetime.fromisoformat(str(value))
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return ((delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds) * NS_PER_US
