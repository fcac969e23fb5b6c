"""Order entry: place, batch, query, cancel, cancel all.

An order without `postOnly` waits out the venue's taker delay before the engine sees it,
even if it then rests; cancels do not wait and can overtake it. The reply follows the
engine's decision.

Source: the venue's OpenAPI document and its page on the taker speed bump. Not documented,
chosen here: the reply waits for the bump; within a batch the post-only orders go first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.exchange.model import Order, OrderRequest, Reason, Refused
from services.exchange.protocols.backpack.auth import body_pairs
from services.exchange.protocols.backpack.context import Call, Context, ok
from services.exchange.protocols.backpack.errors import ApiError, from_refusal, parse_error
from services.exchange.protocols.backpack.render import account as render
from services.exchange.protocols.backpack.render.symbols import MARKET_TYPES
from services.exchange.protocols.backpack.rest.cancel_faults import CancelFaults
from services.exchange.protocols.backpack.rest.order_payload import (
    OrderKey,
    check_order,
    parse_order,
    parse_order_key,
)
from services.exchange.protocols.backpack.rest.parsing import Fields, parse_json, parse_object
from services.exchange.protocols.backpack.rest.speed_bump import SpeedBump
from services.exchange.wire.http_listener import Reply

MAX_BATCH = 50
_ACCEPTED = Reply(202, b"")
_CONDITIONAL = "ConditionalOrder"
_CANCEL_KINDS = ("RestingLimitOrder", _CONDITIONAL)


class OrderRest:
    """Handlers of order entry and open-order queries."""

    def __init__(self, context: Context, cancel_faults: CancelFaults) -> None:
        self._context = context
        self._venue = context.venue
        self._cancel_faults = cancel_faults
        self._bump = SpeedBump(context.clock, context.venue.taker_delay_ns)
        self.routes = {
            ("POST", "/api/v1/order"): self.place,
            ("POST", "/api/v1/orders"): self.place_batch,
            ("GET", "/api/v1/order"): self.query,
            ("GET", "/api/v1/orders"): self.query_all,
            ("DELETE", "/api/v1/order"): self.cancel,
            ("DELETE", "/api/v1/orders"): self.cancel_all,
        }

    async def place(self, call: Call) -> Reply:
        payload = parse_json(call.body)
        request = parse_order(payload, self._context.listed)
        call.remark(symbol=request.symbol, client_id=request.client_id)
        account = self._context.admit(call, "orderExecute", (body_pairs(payload),))
        self._check(account, request, payload)
        if not request.post_only:
            await self._bump.cross()
        order = self._execute(account, request)
        call.remark(order_id=str(order.id), outcome=render.STATUS_NAMES[order.status])
        return ok(self._shape(order))

    async def place_batch(self, call: Call) -> Reply:
        """Place each order by itself; the status is 200 even if some are refused."""
        payloads = parse_json(call.body)
        if not isinstance(payloads, list) or not 0 < len(payloads) <= MAX_BATCH:
            raise parse_error(f"parse request payload error: expected 1 to {MAX_BATCH} orders")
        requests = [parse_order(payload, self._context.listed) for payload in payloads]
        call.remark(symbol=requests[0].symbol)
        groups = [body_pairs(payload) for payload in payloads]
        account = self._context.admit(call, "orderExecute", groups)
        items = list(zip(requests, payloads, strict=True))
        results = [self._try(account, *item) if item[0].post_only else None for item in items]
        if None in results:
            await self._bump.cross()
            pairs = zip(results, items, strict=True)
            results = [self._try(account, *item) if done is None else done for done, item in pairs]
        call.remark(
            outcome="Batch", batch=[_batch_note(*pair) for pair in zip(requests, results, strict=True)]
        )
        return ok(results)

    async def query(self, call: Call) -> Reply:
        """Return the order while it rests; afterwards it is not found."""
        call.query.required("symbol")
        key = parse_order_key(call.query.first, "OrderQuery")
        account = call.admit_query(self._context, "orderQuery")
        faults = self._context.faults
        if not faults.is_empty and faults.bite("unknown_order", symbol=key.symbol, account=account):
            raise self._context.unknown_order()
        order = self._find(account, key)
        if not order.is_live:
            raise self._context.unknown_order()
        return ok(self._shape(order))

    async def query_all(self, call: Call) -> Reply:
        symbol, kind = call.query.text("symbol"), call.query.one_of("marketType", "MarketType", MARKET_TYPES)
        account = call.admit_query(self._context, "orderQueryAll")
        if symbol is not None:
            self._context.listing(symbol)
        orders = self._shown(account, self._venue.open_orders(account, symbol), symbol)
        listed = self._context.listed
        return ok([self._shape(order) for order in orders if kind in (None, listed[order.symbol].type_name)])

    def _shown(self, account: str, orders: list[Order], symbol: str | None) -> list[Order]:
        """Return `orders` without those that the fault `empty_open_orders` hides."""
        faults = self._context.faults
        if faults.is_empty:
            return orders
        asked = tuple(self._context.listed) if symbol is None else symbol
        fault = faults.bite("empty_open_orders", symbol=asked, account=account)
        hidden = fault.scope.get("symbol") if fault is not None else None
        return orders if fault is None else [order for order in orders if hidden not in (None, order.symbol)]

    async def cancel(self, call: Call) -> Reply:
        payload = self._cancel_payload(call, "OrderCancelPayload")
        key = parse_order_key(payload, "OrderCancelPayload")
        call.remark(symbol=key.symbol, client_id=key.client_id, order_id=_text(key.order_id))
        account = self._context.admit(call, "orderCancel", (body_pairs(payload),))
        if not self._context.faults.is_empty:
            order = self._find(account, key)
            if order.is_live and (reply := await self._cancel_faults.answer(order)) is not None:
                call.remark(outcome="Fault")
                return reply
        now_ns = self._context.clock.wall_ns()
        order = self._cancelled(account, key, now_ns)
        call.remark(order_id=str(order.id), client_id=order.client_id, outcome="Cancelled")
        return ok(self._shape(order))

    async def cancel_all(self, call: Call) -> Reply:
        payload = self._cancel_payload(call, "OrderCancelAllPayload")
        fields = Fields(payload, "OrderCancelAllPayload")
        symbol = fields.symbol(self._context.listed)
        kind = fields.one_of("orderType", "CancelOrderTypeEnum", _CANCEL_KINDS)
        call.remark(symbol=symbol)
        account = self._context.admit(call, "orderCancelAll", (body_pairs(payload),))
        faults = self._context.faults
        if not faults.is_empty and faults.bite("drop_cancel", symbol=symbol, account=account):
            return _ACCEPTED
        now_ns = self._context.clock.wall_ns()
        orders = [] if kind == _CONDITIONAL else self._venue.cancel_all(account, symbol, now_ns)
        call.remark(outcome="Cancelled", batch=[{"order_id": str(order.id)} for order in orders])
        return ok([self._shape(order) for order in orders])

    def _cancel_payload(self, call: Call, name: str) -> Mapping[str, Any]:
        """Clients send the parameters in the body; some repeat them in the query."""
        return parse_object(call.body, name) if call.body else dict(call.query.first)

    def _check(self, account: str, request: OrderRequest, payload: Mapping[str, Any]) -> None:
        check_order(request, payload)
        faults = self._context.faults
        if faults.is_empty:
            return
        if faults.bite("market_closed", symbol=request.symbol):
            raise from_refusal(Refused(Reason.MARKET_CLOSED, f"{request.symbol} is closed"))
        refuses = request.post_only and faults.bite(
            "post_only_refusals", symbol=request.symbol, account=account
        )
        if refuses:
            raise from_refusal(Refused(Reason.POST_ONLY_WOULD_TAKE, "post-only orders are refused"))

    def _execute(self, account: str, request: OrderRequest) -> Order:
        try:
            return self._venue.place(account, request, self._context.clock.wall_ns())
        except Refused as refused:
            raise from_refusal(refused) from refused

    def _try(self, account: str, request: OrderRequest, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return one element of a batch answer."""
        try:
            self._check(account, request, payload)
            return {"operation": "Ok", **self._shape(self._execute(account, request))}
        except ApiError as error:
            return {"operation": "Err", **parse_json(error.reply.body)}

    def _find(self, account: str, key: OrderKey) -> Order:
        self._context.listing(key.symbol)
        try:
            return self._venue.order(account, key.symbol, order_id=key.order_id, client_id=key.client_id)
        except Refused as refused:
            raise self._refusal(refused) from refused

    def _cancelled(self, account: str, key: OrderKey, now_ns: int) -> Order:
        self._context.listing(key.symbol)
        try:
            return self._venue.cancel(
                account, key.symbol, now_ns, order_id=key.order_id, client_id=key.client_id
            )
        except Refused as refused:
            raise self._refusal(refused) from refused

    def _refusal(self, refused: Refused) -> ApiError:
        if refused.reason is Reason.UNKNOWN_ORDER:
            return self._context.unknown_order()
        return from_refusal(refused)

    def _shape(self, order: Order) -> dict[str, Any]:
        return render.order(order, self._context.listed[order.symbol])


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _batch_note(request: OrderRequest, result: Mapping[str, Any] | None) -> dict[str, Any]:
    shape = result or {}
    outcome = shape.get("status") or shape.get("code")
    return {"client_id": request.client_id, "order_id": shape.get("id"), "outcome": outcome}
