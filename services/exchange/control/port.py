"""The control port: faults on order, deterministic takers, price jumps, and traces. Loopback only.

GET, POST, DELETE /_control/faults   list, order {"kind", "symbol"?, "for_s"?, ...}, clear
POST /_control/trade                 {"symbol", "side", "quantity"}: an outsider takes liquidity
POST /_control/price                 {"symbol", "mid"}: the synthetic fair price jumps
GET /_control/account                ?name=N: what it really holds at one moment, whatever faults make of the
                                         answers: {"orders": [client ids], "positions": {symbol: quantity}}
GET /_control/state                  is the market finished, what is listed, the venue's time
GET /_control/log, /_control/frames  ?since=N: received order entry; sent public frames as
                                         [stream, symbol, E in us, sent_ns]
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import orjson
from aiohttp import web

from services.exchange.control.faults import FaultMenu
from services.exchange.control.trace import Ring, Trace
from services.exchange.model import Side
from services.exchange.wire.http_listener import HttpRequest, Reply, read_request
from services.exchange.wire.market_hall import MarketHall
from shared.errors import BadInput

Handler = Callable[[HttpRequest], Awaitable[Any]]


class Control:
    """Answers the control port; bad input is 400 with one line that names value and rule."""

    def __init__(self, hall: MarketHall, faults: FaultMenu, trace: Trace | None) -> None:
        self._hall = hall
        self._faults = faults
        self._trace = trace
        self._routes: dict[tuple[str, str], Callable[[HttpRequest], Any]] = {
            ("GET", "/_control/faults"): lambda _: self._faults.listed(),
            ("POST", "/_control/faults"): self._order_fault,
            ("DELETE", "/_control/faults"): self._clear_faults,
            ("POST", "/_control/trade"): self._trade,
            ("POST", "/_control/price"): self._price,
            ("GET", "/_control/account"): self._account,
            ("GET", "/_control/state"): lambda _: self._hall.state(),
            ("GET", "/_control/log"): lambda request: self._page(request, "requests"),
            ("GET", "/_control/frames"): lambda request: self._page(request, "frames"),
        }

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        read = await read_request(request)
        handler = self._routes.get((read.method, read.path))
        try:
            if handler is None:
                return _reply(404, {"error": f"{read.method} {read.path}: no such control"})
            return _reply(200, handler(read))
        except BadInput as error:
            return _reply(400, {"error": str(error)})

    def _order_fault(self, request: HttpRequest) -> Any:
        return {"id": self._faults.add(_object(request)).id}

    def _clear_faults(self, _request: HttpRequest) -> Any:
        self._faults.clear()
        return {}

    def _trade(self, request: HttpRequest) -> Any:
        order = _object(request)
        side = order.get("side")
        if side not in ("buy", "sell"):
            raise BadInput(f"side {side!r}: must be buy or sell")
        filled = self._hall.take(str(order.get("symbol")), Side(side), _decimal(order, "quantity"))
        return {"filled": f"{filled:f}"}

    def _price(self, request: HttpRequest) -> Any:
        order = _object(request)
        self._hall.move_price(str(order.get("symbol")), _decimal(order, "mid"))
        return {}

    def _account(self, request: HttpRequest) -> Any:
        return self._hall.account(_parameter(request, "name", ""))

    def _page(self, request: HttpRequest, ring_name: str) -> Any:
        if self._trace is None:
            raise BadInput("tracing is off: start the venue with --trace")
        text = _parameter(request, "since", "0")
        if not (text.isascii() and text.isdigit()):
            raise BadInput(f"since {text!r}: must be a whole number")
        ring: Ring = getattr(self._trace, ring_name)
        next_number, entries = ring.since(int(text))
        return {"next": next_number, "entries": entries}


def _parameter(request: HttpRequest, name: str, default: str) -> str:
    return parse_qs(request.query).get(name, [default])[0]


def _object(request: HttpRequest) -> Mapping[str, Any]:
    try:
        document = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"body: is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise BadInput("body: must be a JSON object")
    for name, value in document.items():
        if isinstance(value, dict | list):
            raise BadInput(f"{name}: must be a plain value")
    return document


def _decimal(order: Mapping[str, Any], name: str) -> Decimal:
    value = order.get(name)
    text = str(value)
    numeric = isinstance(value, str | int | float) and not isinstance(value, bool)
    if not numeric or not text.isascii() or not text.replace(".", "", 1).isdigit() or not Decimal(text):
        raise BadInput(f"{name} {value!r}: must be a decimal above 0")
    return Decimal(text)


def _reply(status: int, content: Any) -> web.Response:
    return Reply(status, orjson.dumps(content)).to_response()
