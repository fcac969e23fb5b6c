"""Order entry: orders in, complete HTTP requests out; reply bytes in, outcomes out. Pure.

Placements are signed for two seconds only: a request that is delayed longer can no longer
be executed, so that a read begun after the window settles what became of it. Nothing here
ever lends, borrows or names a broker.

What an outcome rests on: a reply is Rejected only if the venue itself says so in its own
error format. Gateways in front of it speak too: their pages, every 5xx, and codes such as
TIMEOUT leave the outcome unknown.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

import msgspec
import orjson

from shared.errors import Refused
from shared.instrument import Instrument
from shared.messages import Side
from shared.venues.access import Endpoints, Keys
from shared.venues.backpack.errors import read_error, refusal
from shared.venues.backpack.signer import DEFAULT_WINDOW_MS, Parameters, Signer, present
from shared.venues.base import Accepted, Capabilities, NewOrder, Outcome, Rejected, TimeInForce, Unknown

#: ms: a placement older than this is refused by the venue
PLACE_WINDOW_MS = 2000
#: ms: a late cancel does no harm, so it gets the longest window there is and can be signed ahead
CANCEL_WINDOW_MS = 60_000

CAPABILITIES = Capabilities(
    amend="none",
    batch_place=1,  # the venue has batches, of an undocumented size; one request an order is quicker
    batch_cancel=1,
    dead_man_s=None,
    reply_is_final=True,
    client_id_bits=32,
    signing_window_ms=PLACE_WINDOW_MS,
    cancel_window_ms=CANCEL_WINDOW_MS,
    requests_per_min=2000,
)

SIDES = {Side.BUY: "Bid", Side.SELL: "Ask"}
TIMES_IN_FORCE = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC"}
RESTING = frozenset(("New", "PartiallyFilled", "TriggerPending"))
DONE = frozenset(("Filled", "Cancelled", "Expired", "TriggerFailed"))


class _OrderReply(msgspec.Struct):
    """The fields of an order object that decide what became of a write."""

    id: str | int
    status: str
    executedQuantity: str | int | float | None = None


_decode_order = msgspec.json.Decoder(_OrderReply).decode


class BackpackOrders:
    """The order codec of one account."""

    capabilities = CAPABILITIES

    def __init__(self, endpoints: Endpoints, keys: Keys) -> None:
        self._signer = Signer(keys)
        url = urlsplit(endpoints.rest_url)
        self._host = url.netloc
        self._base_path = url.path.rstrip("/")

    def place(self, order: NewOrder, timestamp_ms: int) -> bytes:
        """Return the complete request of a limit order."""
        instrument = order.instrument
        parameters: Parameters = {
            "clientId": order.client_order_id,
            "orderType": "Limit",
            "postOnly": True if order.post_only else None,
            "price": instrument.price_text(order.price),
            "quantity": instrument.quantity_text(order.size),
            "reduceOnly": True if order.reduce_only else None,
            "side": SIDES[order.side],
            "symbol": instrument.symbol,
            "timeInForce": TIMES_IN_FORCE[order.time_in_force],
        }
        return self._request(
            b"POST", "/api/v1/order", "orderExecute", parameters, timestamp_ms, PLACE_WINDOW_MS
        )

    def cancel(
        self, instrument: Instrument, client_order_id: int, venue_order_id: str | None, timestamp_ms: int
    ) -> bytes:
        """Return the complete request of a cancel, by the venue's id where it is known.

        Exactly one id is sent: with both the venue refuses the signature.
        """
        parameters: Parameters = {
            "clientId": client_order_id if venue_order_id is None else None,
            "orderId": venue_order_id,
            "symbol": instrument.symbol,
        }
        return self._request(
            b"DELETE", "/api/v1/order", "orderCancel", parameters, timestamp_ms, CANCEL_WINDOW_MS
        )

    def cancel_all(self, symbol: str, timestamp_ms: int) -> bytes:
        """Return the request that cancels every order of a symbol, manual ones too."""
        return self._request(
            b"DELETE", "/api/v1/orders", "orderCancelAll", {"symbol": symbol}, timestamp_ms, DEFAULT_WINDOW_MS
        )

    def read_place(
        self, instrument: Instrument, status: int, headers: dict[bytes, bytes], body: bytes
    ) -> Outcome:
        """Return what became of a placement."""
        if status != 200:
            return _placement_refusal(_read_refusal(status, headers, body))
        try:
            order = _decode_order(body)
            filled = instrument.lots(Decimal(str(order.executedQuantity or 0)))
        except (msgspec.DecodeError, InvalidOperation, Refused):
            return Unknown("the reply to a placement is unreadable")
        if order.status not in RESTING | DONE:
            return Unknown(f"the reply to a placement has status {order.status!r}")
        return Accepted(str(order.id), filled, order.status in DONE)

    def read_cancel(self, status: int, headers: dict[bytes, bytes], body: bytes) -> Outcome:
        """Return what became of a cancel or a cancel-all.

        Accepted with `is_done` = cancelled; without = accepted, not yet processed.
        """
        if status == 202:
            return Accepted("")
        if status != 200:
            return _read_refusal(status, headers, body)
        if body.lstrip()[:1] == b"[":
            return Accepted("", is_done=True)
        try:
            order = _decode_order(body)
            executed = Decimal(str(order.executedQuantity or 0))
        except (msgspec.DecodeError, InvalidOperation):
            return Unknown("the reply to a cancel is unreadable")
        return Accepted(str(order.id), is_done=order.status in DONE, executed=executed)

    def _request(
        self,
        method: bytes,
        path: str,
        instruction: str,
        parameters: Parameters,
        timestamp_ms: int,
        window_ms: int,
    ) -> bytes:
        body = orjson.dumps(present(parameters))
        signed = self._signer.headers(instruction, parameters, timestamp_ms, window_ms)
        head = (
            f" {self._base_path}{path} HTTP/1.1\r\nHost: {self._host}\r\n"
            f"X-API-Key: {signed['X-API-Key']}\r\nX-Signature: {signed['X-Signature']}\r\n"
            f"X-Timestamp: {timestamp_ms}\r\nX-Window: {window_ms}\r\n"
            f"Content-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return method + head.encode() + body


def _read_refusal(status: int, headers: dict[bytes, bytes], body: bytes) -> Rejected | Unknown:
    error = read_error(status, body)
    if status == 429:
        # a rate limit is refused in front of the engine, whoever says so: nothing has changed
        return Rejected("rate_limit", error.text, _retry_after_s(headers))
    if status == 418:  # a ban: silence, as after a 429, but nobody documents what became of this request
        return Unknown(error.text, _retry_after_s(headers) or 0.0)
    reason = refusal(error)
    return Unknown(error.text) if reason is None else Rejected(reason, error.text)


def _placement_refusal(outcome: Rejected | Unknown) -> Rejected | Unknown:
    """`RESOURCE_NOT_FOUND` answers a placement when its market is closed (observed on public reads)."""
    if isinstance(outcome, Rejected) and outcome.reason == "unknown_order":
        return Rejected("market_closed", outcome.text)
    return outcome


def _retry_after_s(headers: dict[bytes, bytes]) -> float | None:
    text = headers.get(b"retry-after", b"")
    return float(text) if text.isdigit() else None
