"""REST clients: one method per endpoint. Block; for worker threads.

Every method raises `Unknown` (or `RateLimited`) rather than return a default.
Source: Backpack OpenAPI (2026-08-22).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from shared.clock import NS_PER_MS
from shared.errors import Unknown
from shared.messages import InstrumentInfo
from shared.venues.access import Endpoints, Keys
from shared.venues.backpack.account_mapper import (
    Row,
    read_row,
    read_rows,
    readable_rows,
    rows_of,
    to_balances,
    to_equity,
    to_fill,
    to_funding,
    to_order,
    to_position,
)
from shared.venues.backpack.mapper import candles_of, snapshot_of, to_instrument
from shared.venues.backpack.rest import NotFound, Rest, Spend
from shared.venues.backpack.signer import Parameters, Signer, present
from shared.venues.base import VenueBalance, VenueEquity, VenueFill, VenueFunding, VenueOrder, VenuePosition
from shared.venues.clock_offset import ClockOffset
from shared.venues.market_data import RawCandles, RawSnapshot

T = TypeVar("T")
PAGE_SIZE = 1000
#: pages of a history read at once; more than this is refused rather than cut short
MAX_PAGES = 50
#: how far back the order history is searched for a client id at most
SEARCH_BACK_MS = 3_600_000
#: seconds to connect, seconds between bytes, of an account's reads: money waits for them
ACCOUNT_TIMEOUT_S = (1.0, 2.0)
MARKET_TYPES = ("SPOT", "PERP")
#: the shortest candles of the venue: its name for them, seconds
CANDLES = ("1s", 1)
log = logging.getLogger("backpack.client")


class BackpackPublic:
    """Public reads. `venue` is the scope of what is returned."""

    def __init__(self, venue: str, endpoints: Endpoints, spend: Spend | None = None) -> None:
        self._venue = venue
        self._rest = Rest(endpoints.rest_url, spend)
        self._told: dict[str, str] = {}  # symbol -> what was logged of its rules

    def instruments(self) -> list[InstrumentInfo]:
        """Return the rules of every spot and perpetual market that is shown.

        A market whose rules cannot be read is left out and named in the log: it is not listed for us,
        and costs no other market anything. Raises: Unknown when not one can be read.
        """
        markets = rows_of(self._get("/api/v1/markets"))
        known = [market for market in markets if market.get("marketType") in MARKET_TYPES]
        infos = [info for market in known if (info := self._instrument(market)) is not None]
        if known and not infos:
            raise Unknown("GET /api/v1/markets: not one market's rules can be read")
        return infos

    def _instrument(self, market: Row) -> InstrumentInfo | None:
        def to_market(row: Row) -> InstrumentInfo:
            return to_instrument(self._venue, row)

        try:
            return read_row(market, to_market)
        except Unknown as error:
            name = str(market.get("symbol"))
            if self._told.get(name) != str(error):  # once, although they are read every minute
                self._told[name] = str(error)
                log.warning("a market is left out", extra={"symbol": name, "reason": str(error)})
            return None

    def server_time_ms(self) -> int:
        text = str(self._get("/api/v1/time"))
        if not text.isdigit():
            raise Unknown("GET /api/v1/time: not a time")
        return int(text)

    def depth(self, symbol: str, limit: int = 1000) -> RawSnapshot:
        """Return the book's best `limit` levels a side (5, 10, 20, 50, 100, 500 or 1000)."""
        reply = self._get("/api/v1/depth", symbol=symbol, limit=limit)
        return read_row(_object(reply), lambda row: snapshot_of(symbol, row))

    def candles(self, symbol: str, since_s: int) -> RawCandles:
        """Return the candles of last prices, a second each, that start at `since_s` or later."""
        name, interval_s = CANDLES
        reply = self._get("/api/v1/klines", symbol=symbol, interval=name, startTime=since_s)

        def to_candles(whole: Row) -> RawCandles:
            return candles_of(symbol, interval_s, whole["rows"])

        return read_row({"rows": rows_of(reply)}, to_candles)

    def close(self) -> None:
        self._rest.close()

    def _get(self, path: str, **query: str | int) -> object:
        return self._rest.get(path, query, dict)


class BackpackAccount:
    """Signed reads of one account."""

    def __init__(
        self, endpoints: Endpoints, keys: Keys, offset: ClockOffset, spend: Spend | None = None
    ) -> None:
        self._signer = Signer(keys)
        self._rest = Rest(endpoints.rest_url, spend, ACCOUNT_TIMEOUT_S)
        self._offset = offset

    def open_orders(self, symbol: str | None = None) -> list[VenueOrder]:
        """Return every open order, manual ones too."""
        return read_rows(self._get("/api/v1/orders", "orderQueryAll", {"symbol": symbol}), to_order)

    def find_order(self, symbol: str, client_order_id: int, since_ms: int = 0) -> VenueOrder | None:
        """Return an order by client id: resting, or in the history since `since_ms`, an hour at most.

        None = the venue shows no such order.
        """
        parameters: Parameters = {"clientId": client_order_id, "symbol": symbol}
        try:
            return read_row(_object(self._get("/api/v1/order", "orderQuery", parameters)), to_order)
        except NotFound:
            return self._find_in_history(symbol, client_order_id, since_ms)

    def recent_orders(self) -> Sequence[VenueOrder]:
        """Return the newest page of the order history, the oldest first; only its client ids matter.

        So a row of a new kind is left out: it must not keep everything from starting for good.
        """
        newest_first: Parameters = {"limit": PAGE_SIZE, "offset": 0, "sortDirection": "Desc"}
        reply = self._get("/wapi/v1/history/orders", "orderHistoryQueryAll", newest_first)
        oldest_first = readable_rows(reply, to_order)[::-1]  # of one millisecond, too
        return sorted(oldest_first, key=lambda order: order.venue_ns)

    def fills(self, since_ms: int, symbol: str | None = None) -> Sequence[VenueFill]:
        """Return every fill at or after `since_ms`, oldest first, all pages."""
        parameters: Parameters = {"from": since_ms, "symbol": symbol, "sortDirection": "Asc"}
        found = self._pages("/wapi/v1/history/fills", "fillHistoryQueryAll", parameters, to_fill)
        return sorted(found, key=lambda fill: (fill.venue_ns, fill.trade_id))

    def funding(self, since_ms: int) -> Sequence[VenueFunding]:
        """Return every funding payment whose interval ended at or after `since_ms`, oldest first."""
        since_ns = since_ms * NS_PER_MS
        found = self._pages(
            "/wapi/v1/history/funding", "fundingHistoryQueryAll", {"sortDirection": "Desc"}, to_funding,
            is_past=lambda payment: payment.interval_end_ns < since_ns,
        )  # fmt: skip
        recent = [payment for payment in found if payment.interval_end_ns >= since_ns]
        return sorted(recent, key=lambda payment: payment.interval_end_ns)

    def positions(self) -> list[VenuePosition]:
        """Return every open position; a symbol that is not in the answer is flat."""
        return read_rows(self._get("/api/v1/position", "positionQuery", {}), to_position)

    def balances(self) -> list[VenueBalance]:
        return to_balances(self._get("/api/v1/capital", "balanceQuery", {}))

    def equity(self) -> VenueEquity:
        """Return net equity and what of it is free."""
        return read_row(_object(self._get("/api/v1/capital/collateral", "collateralQuery", {})), to_equity)

    def close(self) -> None:
        self._rest.close()

    def _find_in_history(self, symbol: str, client_order_id: int, since_ms: int) -> VenueOrder | None:
        oldest_ns = max(since_ms, self._offset.timestamp_ms() - SEARCH_BACK_MS) * NS_PER_MS
        newest_first: Parameters = {"symbol": symbol, "sortDirection": "Desc"}
        orders = self._pages(
            "/wapi/v1/history/orders", "orderHistoryQueryAll", newest_first, to_order,
            is_past=lambda order: order.venue_ns < oldest_ns or order.client_order_id == client_order_id,
        )  # fmt: skip
        return next((order for order in orders if order.client_order_id == client_order_id), None)

    def _pages(
        self, path: str, instruction: str, parameters: Parameters, to_record: Callable[[Row], T],
        is_past: Callable[[T], bool] = lambda _record: False,
    ) -> list[T]:  # fmt: skip
        """Return all pages, up to and with the one that holds a record for which `is_past` is true."""
        records: list[T] = []
        for page in range(MAX_PAGES):
            paging: Parameters = {**parameters, "limit": PAGE_SIZE, "offset": page * PAGE_SIZE}
            rows = read_rows(self._get(path, instruction, paging), to_record)
            records += rows
            if len(rows) < PAGE_SIZE or any(map(is_past, rows)):
                return records
        raise Unknown(f"GET {path}: more than {MAX_PAGES} pages")

    def _get(self, path: str, instruction: str, parameters: Parameters) -> object:
        def signed() -> Mapping[str, str]:
            return self._signer.headers(instruction, parameters, self._offset.timestamp_ms())

        return self._rest.get(path, present(parameters), signed)


def _object(value: object) -> Row:
    if not isinstance(value, dict):
        raise Unknown("the venue's answer is not an object")
    return value
