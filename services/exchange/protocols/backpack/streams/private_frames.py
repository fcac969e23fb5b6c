"""Account events to websocket payloads: decimals padded to the tick and lot, microseconds.

Members are written in alphabetical order, capitals first, as the venue sends them.

Source: the venue's OpenAPI document, "Streams", and frames recorded from it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson

from services.exchange.decimals import plain
from services.exchange.model import (
    BalanceEvent,
    OrderEvent,
    OrderEventKind,
    OrderType,
    PositionEventKind,
    PositionState,
)
from services.exchange.protocols.backpack.errors import expiry_reason
from services.exchange.protocols.backpack.render.account import (
    SELF_TRADE_NAMES,
    SIDE_NAMES,
    STATUS_NAMES,
    TIF_NAMES,
)
from services.exchange.protocols.backpack.render.stamps import to_us
from services.exchange.protocols.backpack.render.symbols import Listed

ORDER_EVENTS = {
    OrderEventKind.ACCEPTED: "orderAccepted",
    OrderEventKind.FILLED: "orderFill",
    OrderEventKind.CANCELLED: "orderCancelled",
    OrderEventKind.EXPIRED: "orderExpired",
    OrderEventKind.MODIFIED: "orderModified",
}
POSITION_EVENTS = {
    PositionEventKind.OPENED: "positionOpened",
    PositionEventKind.ADJUSTED: "positionAdjusted",
    PositionEventKind.CLOSED: "positionClosed",
    PositionEventKind.UPDATED: "positionUpdated",
}
_TYPE_NAMES = {OrderType.LIMIT: "LIMIT", OrderType.MARKET: "MARKET"}


def order_update(event: OrderEvent, listed: Listed, event_us: int) -> bytes:
    """`t` is null unless the event is a fill; fields of other kinds of events are absent."""
    order = event.order
    data: dict[str, Any] = {
        "E": event_us,
        "O": "USER",
        "Q": _quote_quantity(event, listed),
        "S": SIDE_NAMES[order.side],
        "T": to_us(event.engine_ns),
        "V": SELF_TRADE_NAMES[order.self_trade],
        "X": STATUS_NAMES[order.status],
        "Z": _padded_or_zero(order.filled_quote),
        "e": ORDER_EVENTS[event.kind],
        "f": TIF_NAMES[order.time_in_force],
        "i": str(order.id),
        "o": _TYPE_NAMES[order.type],
        "q": listed.sizes.padded(order.quantity),
        "r": order.reduce_only,
        "s": order.symbol,
        "t": None,
        "y": order.post_only,
        "z": listed.sizes.padded(order.filled) if order.filled else "0",
    }
    if order.client_id is not None:
        data["c"] = int(order.client_id)
    if order.price is not None:
        data["p"] = listed.prices.padded(order.price)
    if event.kind is OrderEventKind.EXPIRED:
        data["R"] = expiry_reason(order.expiry_reason) or "Unknown"
    if event.fill is not None:
        data |= _fill_fields(event, listed)
    return orjson.dumps(data, option=orjson.OPT_SORT_KEYS)


def _fill_fields(event: OrderEvent, listed: Listed) -> dict[str, Any]:
    fill = event.fill
    assert fill is not None
    return {
        "L": listed.prices.padded(fill.price),
        "N": fill.fee_asset,
        "l": listed.sizes.padded(fill.quantity),
        "m": fill.is_maker,
        "n": plain(fill.fee),
        "t": fill.trade_id,
    }


def _quote_quantity(event: OrderEvent, listed: Listed) -> str:
    order = event.order
    if order.quote_quantity is not None:
        return f"{order.quote_quantity:f}"
    if order.price is None:
        return _padded_or_zero(order.filled_quote)
    return f"{listed.prices.decimal(order.price) * listed.sizes.decimal(order.quantity):f}"


def _padded_or_zero(value: Decimal) -> str:
    return f"{value:f}" if value else "0"


def position_update(
    state: PositionState,
    exposure: int,
    listed: Listed,
    kind: PositionEventKind | None,
    stamps_us: tuple[int, int],
) -> bytes:
    """`kind` None: the picture pushed on subscription, without `e`. `stamps_us`: event, engine."""
    exposure_quantity = listed.sizes.decimal(exposure)
    data: dict[str, Any] = {
        "B": plain(state.entry_price),
        "E": stamps_us[0],
        "M": plain(state.mark),
        "P": plain(state.pnl_unrealized),
        "Q": listed.sizes.padded(exposure),
        "T": stamps_us[1],
        "b": plain(state.break_even_price),
        "f": plain(state.imf),
        "i": state.id,
        "l": "0",
        "m": plain(state.mmf),
        "n": plain(exposure_quantity * state.mark),
        "p": plain(state.pnl_realized),
        "q": listed.sizes.padded(state.quantity),
        "s": state.symbol,
    }
    if kind is not None:
        data["e"] = POSITION_EVENTS[kind]
    return orjson.dumps(data, option=orjson.OPT_SORT_KEYS)


def balance_update(event: BalanceEvent, event_us: int) -> bytes:
    return orjson.dumps(
        {
            "A": plain(event.balance.available),
            "E": event_us,
            "L": plain(event.balance.locked),
            "S": "0",
            "T": to_us(event.engine_ns),
            "a": event.balance.asset,
            "e": "balanceUpdate",
        }
    )
