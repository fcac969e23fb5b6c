"""Engine state to the JSON shapes of the private REST endpoints.

Decimals carry no trailing zeros; keys are sorted when the reply is written.

Source: the venue's OpenAPI document and answers recorded in public client tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from services.exchange.decimals import plain
from services.exchange.model import (
    AccountSpec,
    BalanceState,
    Collateral,
    Fill,
    FundingPayment,
    Order,
    OrderStatus,
    OrderType,
    PositionState,
    SelfTrade,
    Side,
    TimeInForce,
)
from services.exchange.protocols.backpack.errors import expiry_reason
from services.exchange.protocols.backpack.render.market import imf_function, mmf_function
from services.exchange.protocols.backpack.render.stamps import iso_ms, iso_s, to_ms
from services.exchange.protocols.backpack.render.symbols import Listed

USER_ID = 1
SIDE_NAMES = {Side.BUY: "Bid", Side.SELL: "Ask"}
TYPE_NAMES = {OrderType.LIMIT: "Limit", OrderType.MARKET: "Market"}
TIF_NAMES = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
SELF_TRADE_NAMES = {
    SelfTrade.REJECT_TAKER: "RejectTaker",
    SelfTrade.REJECT_MAKER: "RejectMaker",
    SelfTrade.REJECT_BOTH: "RejectBoth",
}
STATUS_NAMES = {
    OrderStatus.NEW: "New",
    OrderStatus.PARTIALLY_FILLED: "PartiallyFilled",
    OrderStatus.FILLED: "Filled",
    OrderStatus.CANCELLED: "Cancelled",
    OrderStatus.EXPIRED: "Expired",
}
_CONDITIONAL = (
    "stopLossLimitPrice",
    "stopLossTriggerBy",
    "stopLossTriggerPrice",
    "strategyId",
    "takeProfitLimitPrice",
    "takeProfitTriggerBy",
    "takeProfitTriggerPrice",
    "triggerBy",
    "triggerPrice",
    "triggerQuantity",
)
_BPS = 10_000


def _order_core(order: Order, listed: Listed) -> dict[str, Any]:
    by_quote = order.quote_quantity is not None
    shape: dict[str, Any] = dict.fromkeys(_CONDITIONAL)
    shape.update(
        clientId=None if order.client_id is None else int(order.client_id),
        executedQuantity=listed.sizes.plain(order.filled),
        executedQuoteQuantity=plain(order.filled_quote),
        id=str(order.id),
        orderType=TYPE_NAMES[order.type],
        quantity=None if by_quote else listed.sizes.plain(order.quantity),
        selfTradePrevention=SELF_TRADE_NAMES[order.self_trade],
        side=SIDE_NAMES[order.side],
        status=STATUS_NAMES[order.status],
        symbol=order.symbol,
        timeInForce=TIF_NAMES[order.time_in_force],
    )
    if order.price is not None:
        shape.update(postOnly=order.post_only, price=listed.prices.plain(order.price))
    return shape


def order(order: Order, listed: Listed) -> dict[str, Any]:
    """A live order: its time is milliseconds."""
    shape = _order_core(order, listed)
    shape.update(
        createdAt=to_ms(order.created_ns),
        reduceOnly=True if order.reduce_only else None,
        relatedOrderId=None,
        triggeredAt=None,
    )
    if order.type is OrderType.MARKET:
        shape["quoteQuantity"] = _quote_quantity(order)
    return shape


def past_order(order: Order, listed: Listed) -> dict[str, Any]:
    """An order of the history: its time is a text, and it tells why it expired."""
    shape = _order_core(order, listed)
    shape.update(
        createdAt=iso_ms(order.created_ns),
        expiryReason=expiry_reason(order.expiry_reason),
        quoteQuantity=_quote_quantity(order) if order.type is OrderType.MARKET else None,
        systemOrderType=None,
    )
    return shape


def _quote_quantity(order: Order) -> str:
    return plain(order.filled_quote if order.quote_quantity is None else order.quote_quantity)


def fill(fill: Fill, listed: Listed) -> dict[str, Any]:
    """A fill; here the client id is a string."""
    return {
        "clientId": fill.client_id,
        "fee": plain(fill.fee),
        "feeSymbol": fill.fee_asset,
        "isMaker": fill.is_maker,
        "orderId": str(fill.order_id),
        "price": listed.prices.plain(fill.price),
        "quantity": listed.sizes.plain(fill.quantity),
        "side": SIDE_NAMES[fill.side],
        "symbol": fill.symbol,
        "systemOrderType": None,
        "timestamp": iso_ms(fill.time_ns),
        "tradeId": fill.trade_id,
    }


def funding_payment(payment: FundingPayment) -> dict[str, Any]:
    return {
        "fundingRate": plain(payment.rate),
        "intervalEndTimestamp": iso_s(payment.interval_end_ns),
        "quantity": plain(payment.amount),
        "subaccountId": 0,
        "symbol": payment.symbol,
        "userId": USER_ID,
    }


def position(state: PositionState, exposure: int, listed: Listed) -> dict[str, Any]:
    """`exposure`: lots held if every open order of the worse side were filled."""
    exposure_quantity = listed.sizes.decimal(exposure)
    return {
        "breakEvenPrice": plain(state.break_even_price),
        "cumulativeFundingPayment": plain(state.funding_paid),
        "cumulativeInterest": "0",
        "entryPrice": plain(state.entry_price),
        "estLiquidationPrice": "0",
        "imf": plain(state.imf),
        "imfFunction": imf_function(listed.market),
        "markPrice": plain(state.mark),
        "mmf": plain(state.mmf),
        "mmfFunction": mmf_function(listed.market),
        "netCost": plain(state.net_cost),
        "netExposureNotional": plain(exposure_quantity * state.mark),
        "netExposureQuantity": plain(exposure_quantity),
        "netQuantity": listed.sizes.plain(state.quantity),
        "pnlRealized": plain(state.pnl_realized),
        "pnlUnrealized": plain(state.pnl_unrealized),
        "positionId": str(state.id),
        "subaccountId": None,
        "symbol": state.symbol,
        "userId": USER_ID,
    }


def balance(state: BalanceState) -> dict[str, str]:
    return {"available": plain(state.available), "locked": plain(state.locked), "staked": "0"}


def account(spec: AccountSpec, limit_orders: int) -> dict[str, Any]:
    """Fees are basis points here, fractions inside."""
    return {
        "autoBorrowSettlements": False,
        "autoLend": False,
        "autoRealizePnl": True,
        "autoRepayBorrows": False,
        "borrowLimit": "0",
        "futuresMakerFee": plain(spec.maker_fee_perp * _BPS),
        "futuresTakerFee": plain(spec.taker_fee_perp * _BPS),
        "leverageLimit": "50",
        "limitOrders": limit_orders,
        "liquidating": False,
        "positionLimit": "100000000",
        "spotMakerFee": plain(spec.maker_fee_spot * _BPS),
        "spotTakerFee": plain(spec.taker_fee_spot * _BPS),
        "triggerOrders": 0,
    }


def collateral(total: Collateral, rows: list[Mapping[str, str]]) -> dict[str, Any]:
    fraction = total.margin_fraction
    return {
        "assetsValue": plain(total.assets_value),
        "borrowLiability": "0",
        "collateral": rows,
        "imf": plain(total.imf),
        "liabilitiesValue": "0",
        "marginFraction": None if fraction is None else plain(fraction),
        "mmf": plain(total.mmf),
        "netEquity": plain(total.net_equity),
        "netEquityAvailable": plain(total.net_equity_available),
        "netEquityLocked": plain(total.net_equity_locked),
        "netExposureFutures": plain(total.exposure),
        "pnlUnrealized": plain(total.pnl_unrealized),
        "unsettledEquity": "0",
    }


def collateral_row(state: BalanceState, price: Decimal, weight: Decimal) -> dict[str, str]:
    quantity = state.available + state.locked
    return {
        "assetMarkPrice": plain(price),
        "availableQuantity": plain(state.available),
        "balanceNotional": plain(quantity * price),
        "collateralValue": plain(quantity * price * weight),
        "collateralWeight": plain(weight),
        "lendQuantity": "0",
        "openOrderQuantity": plain(state.locked),
        "symbol": state.asset,
        "totalQuantity": plain(quantity),
    }
