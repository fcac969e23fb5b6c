"""Order payloads: what a placement or a cancel says, before market or account are asked.

A payload that cannot be read is refused in plain text before its signature is looked at,
as the venue does; fields that contradict each other are refused in JSON.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from services.exchange.model import OrderRequest, OrderType, SelfTrade, Side, TimeInForce
from services.exchange.protocols.backpack.errors import api_error, invalid_request
from services.exchange.protocols.backpack.rest.parsing import Fields, expected, payload_error

SIDES = {"Bid": Side.BUY, "Ask": Side.SELL}
ORDER_TYPES = {"Limit": OrderType.LIMIT, "Market": OrderType.MARKET}
TIMES_IN_FORCE = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
SELF_TRADES = {
    "RejectTaker": SelfTrade.REJECT_TAKER,
    "RejectMaker": SelfTrade.REJECT_MAKER,
    "RejectBoth": SelfTrade.REJECT_BOTH,
}
_ORDER = "OrderExecutePayload"
_TRIGGERS = ("triggerPrice", "triggerQuantity")
_ATTACHED = ("stopLossTriggerPrice", "takeProfitTriggerPrice", "slippageTolerance")


@dataclass(frozen=True, slots=True)
class OrderKey:
    """Which order a cancel or query means: exactly one of the two ids."""

    symbol: str
    order_id: int | None
    client_id: str | None


def parse_order(payload: Any, symbols: Container[str]) -> OrderRequest:
    """Return the order of one OrderExecutePayload, checked for shape only."""
    if not isinstance(payload, dict):
        raise payload_error(_ORDER, _ORDER, expected("object", payload))
    read = Fields(payload, _ORDER)
    return OrderRequest(
        symbol=read.symbol(symbols),
        side=read.choice("side", "Side", SIDES, required=True),
        type=read.choice("orderType", "OrderTypeEnum", ORDER_TYPES, required=True),
        quantity=read.decimal("quantity"),
        price=read.decimal("price"),
        quote_quantity=read.decimal("quoteQuantity"),
        time_in_force=read.choice("timeInForce", "TimeInForce", TIMES_IN_FORCE, TimeInForce.GTC),
        post_only=read.flag("postOnly"),
        reduce_only=read.flag("reduceOnly"),
        client_id=read.client_id(),
        self_trade=read.choice(
            "selfTradePrevention", "SelfTradePrevention", SELF_TRADES, SelfTrade.REJECT_TAKER
        ),
    )


def check_order(order: OrderRequest, payload: Mapping[str, Any]) -> None:
    """Refuse orders whose fields contradict each other, before the engine sees them.

    The texts of the first two rules are the venue's, the others are not documented.
    """
    triggers = [name for name in _TRIGGERS if payload.get(name) is not None]
    if len(triggers) == 1:
        raise invalid_request("Must specify both `triggerPrice` and `triggerQuantity` or neither")
    if triggers or any(payload.get(name) is not None for name in _ATTACHED):
        raise api_error(400, "NOT_IMPLEMENTED", "Conditional orders are not implemented")
    if order.type is OrderType.LIMIT and (order.price is None or order.quantity is None):
        raise invalid_request("Limit orders must specify both `price` and `quantity`")
    if order.type is OrderType.LIMIT and order.quote_quantity is not None:
        raise invalid_request("Limit orders must not specify `quoteQuantity`")
    if order.type is OrderType.MARKET:
        _check_market_order(order)
    if order.post_only and order.time_in_force is not TimeInForce.GTC:
        raise api_error(400, "INVALID_ORDER", "Post only orders must be good till cancelled")


def _check_market_order(order: OrderRequest) -> None:
    if (order.quantity is None) == (order.quote_quantity is None):
        raise invalid_request("Market orders must specify either a `quantity` or `quoteQuantity`")
    if order.price is not None:
        raise invalid_request("Market orders must not specify `price`")
    if order.post_only:
        raise api_error(400, "INVALID_ORDER", "Market orders cannot be post only")


def parse_order_key(payload: Mapping[str, Any], payload_name: str) -> OrderKey:
    """Return the order meant. The venue's documents disagree on both ids at once: refused here."""
    read = Fields(payload, payload_name)
    symbol = read.text("symbol", required=True)
    order_id, client_id = read.text("orderId"), read.client_id()
    if (order_id is None) == (client_id is None):
        raise invalid_request("Must specify exactly one of `orderId` and `clientId`")
    if order_id is not None and not (order_id.isascii() and order_id.isdigit()):
        raise invalid_request("Invalid order id")
    return OrderKey(symbol or "", None if order_id is None else int(order_id), client_id)
