"""Private histories: fills, orders and funding, filtered, sorted and paged.

Source: the venue's OpenAPI document, `/wapi/v1/history/*`.
"""

from __future__ import annotations

from services.exchange.model import Fill, Order
from services.exchange.protocols.backpack.context import Call, Context, ok
from services.exchange.protocols.backpack.render import account as render
from services.exchange.protocols.backpack.render.stamps import NS_PER_MS
from services.exchange.protocols.backpack.rest.paging import page_of
from services.exchange.wire.http_listener import Reply

_DIRECTIONS = ("Asc", "Desc")
_USER_FILLS = ("User", None)


class HistoryRest:
    """Handlers of what has been. Newest first unless asked otherwise."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._venue = context.venue
        self.routes = {
            ("GET", "/wapi/v1/history/fills"): self.fills,
            ("GET", "/wapi/v1/history/orders"): self.orders,
            ("GET", "/wapi/v1/history/funding"): self.funding,
        }

    async def fills(self, call: Call) -> Reply:
        direction, symbol, order_id = _filters(call)
        account = call.admit_query(self._context, "fillHistoryQueryAll")
        from_ns, to_ns = _bounds_ns(call)
        fills = self._venue.fills(account) if call.query.text("fillType") in _USER_FILLS else ()

        def is_shown(fill: Fill) -> bool:
            return (
                from_ns <= fill.time_ns < to_ns
                and order_id in (None, str(fill.order_id))
                and self._is_wanted(call, symbol, fill.symbol)
            )

        shown, headers = page_of(fills, is_shown, direction, call.query)
        return ok([render.fill(fill, self._context.listed[fill.symbol]) for fill in shown], headers)

    async def orders(self, call: Call) -> Reply:
        direction, symbol, order_id = _filters(call)
        account = call.admit_query(self._context, "orderHistoryQueryAll")

        def is_shown(order: Order) -> bool:
            return order_id in (None, str(order.id)) and self._is_wanted(call, symbol, order.symbol)

        shown, headers = page_of(self._venue.order_history(account), is_shown, direction, call.query)
        return ok([render.past_order(order, self._context.listed[order.symbol]) for order in shown], headers)

    async def funding(self, call: Call) -> Reply:
        direction, symbol, _ = _filters(call)
        account = call.admit_query(self._context, "fundingHistoryQueryAll")
        payments = self._venue.funding_payments(account)
        shown, headers = page_of(payments, lambda paid: symbol in (None, paid.symbol), direction, call.query)
        return ok([render.funding_payment(payment) for payment in shown], headers)

    def _is_wanted(self, call: Call, wanted: str | None, symbol: str) -> bool:
        kinds = call.query.all("marketType")
        return wanted in (None, symbol) and (not kinds or self._context.listed[symbol].type_name in kinds)


def _filters(call: Call) -> tuple[str, str | None, str | None]:
    """Return direction, symbol and order id; an unknown symbol has no history."""
    direction = call.query.choice("sortDirection", "SortDirection", _DIRECTIONS, "Desc")
    return direction, call.query.text("symbol"), call.query.text("orderId")


def _bounds_ns(call: Call) -> tuple[int, int]:
    """Return `from` (inclusive) and `to` (inclusive to the millisecond) in nanoseconds."""
    low = call.query.number("from", 0) or 0
    high = call.query.number("to", None)
    return low * NS_PER_MS, (1 << 63) if high is None else (high + 1) * NS_PER_MS
