"""Public REST endpoints: everything they tell comes from engine state."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import chain

from services.exchange.model import Market, Trade
from services.exchange.protocols.backpack.context import Call, Context, ok
from services.exchange.protocols.backpack.errors import (
    api_error,
    invalid_request,
    not_found,
)
from services.exchange.protocols.backpack.render import market as render
from services.exchange.protocols.backpack.render.stamps import NS_PER_S, to_ms
from services.exchange.protocols.backpack.render.symbols import MARKET_TYPES, Listed
from services.exchange.protocols.backpack.rest.candles import INTERVALS, Candles
from services.exchange.protocols.backpack.rest.paging import page
from services.exchange.wire.http_listener import TEXT_TYPE, Reply

DEPTH_LIMITS = ("5", "10", "20", "50", "100", "500", "1000")
_DEFAULT_DEPTH = 1_000
_ALL_TRADES = 1_000_000
_NO_DATA = Reply(204, b"")


class PublicRest:
    """Handlers of the endpoints that need no signature."""

    def __init__(self, context: Context, candles: dict[str, Candles]) -> None:
        self._context = context
        self._venue = context.venue
        self._candles = candles
        self.routes = {
            ("GET", "/api/v1/markets"): self.markets,
            ("GET", "/api/v1/market"): self.market,
            ("GET", "/api/v1/assets"): self.assets,
            ("GET", "/api/v1/collateral"): self.collateral,
            ("GET", "/api/v1/depth"): self.depth,
            ("GET", "/api/v1/ticker"): self.ticker,
            ("GET", "/api/v1/tickers"): self.tickers,
            ("GET", "/api/v1/trades"): self.trades,
            ("GET", "/api/v1/trades/history"): self.trades_history,
            ("GET", "/api/v1/markPrices"): self.mark_prices,
            ("GET", "/api/v1/openInterest"): self.open_interest,
            ("GET", "/api/v1/fundingRates"): self.funding_rates,
            ("GET", "/api/v1/klines"): self.klines,
            ("GET", "/api/v1/status"): self.status,
            ("GET", "/api/v1/ping"): self.ping,
            ("GET", "/api/v1/time"): self.time,
        }

    async def markets(self, call: Call) -> Reply:
        wanted = call.query.all("marketType")
        rows = [
            listed for listed in self._context.listed.values() if not wanted or listed.type_name in wanted
        ]
        return ok([self._market(listed) for listed in rows])

    async def market(self, call: Call) -> Reply:
        return ok(self._market(self._context.listing(call.query.required("symbol"))))

    def _market(self, listed: Listed) -> dict[str, object]:
        return render.market(listed, "Closed" if self._context.is_closed(listed.symbol) else "Open")

    async def assets(self, _call: Call) -> Reply:
        return ok([render.asset(symbol) for symbol in assets_of(self._venue.markets.values())])

    async def collateral(self, _call: Call) -> Reply:
        symbols = assets_of(self._venue.markets.values())
        return ok([render.collateral_rule(symbol, Decimal(1)) for symbol in symbols])

    async def depth(self, call: Call) -> Reply:
        limit = call.query.choice("limit", "DepthLimit", DEPTH_LIMITS, str(_DEFAULT_DEPTH))
        listed = self._context.listing(call.query.required("symbol"))
        if self._context.is_closed(listed.symbol):
            raise not_found()
        return ok(render.depth(self._venue.depth(listed.symbol, int(limit)), listed))

    async def ticker(self, call: Call) -> Reply:
        """The last 24 h; a week is as long as the venue lives."""
        call.query.choice("interval", "TickerInterval", ("1d", "1w"), "1d")
        listed = self._context.listing(call.query.required("symbol"))
        stats = self._venue.day_stats(listed.symbol)
        return _NO_DATA if stats is None else ok(render.ticker(stats, listed))

    async def tickers(self, call: Call) -> Reply:
        call.query.choice("interval", "TickerInterval", ("1d", "1w"), "1d")
        rows = ((listed, self._venue.day_stats(symbol)) for symbol, listed in self._context.listed.items())
        return ok([render.ticker(stats, listed) for listed, stats in rows if stats is not None])

    async def trades(self, call: Call) -> Reply:
        """Newest first."""
        listed = self._context.listing(call.query.required("symbol"))
        limit = call.query.number("limit", 100, high=1_000)
        return ok([render.trade(trade, listed) for trade in self._newest_trades(listed, limit or 0)])

    async def trades_history(self, call: Call) -> Reply:
        listed = self._context.listing(call.query.required("symbol"))
        rows, _ = page(self._newest_trades(listed, _ALL_TRADES), call.query)
        return ok([render.trade(trade, listed) for trade in rows])

    def _newest_trades(self, listed: Listed, limit: int) -> list[Trade]:
        return self._venue.trades(listed.symbol, limit) if limit else []

    async def mark_prices(self, call: Call) -> Reply:
        symbol = call.query.text("symbol")
        if symbol is not None and symbol not in self._context.listed:
            raise invalid_request("Symbol not found")
        kind = call.query.choice("marketType", "MarketType", MARKET_TYPES, "PERP")
        wanted = (listed for listed in self._of(symbol) if symbol is not None or listed.type_name == kind)
        marks = (self._venue.mark(listed.symbol) for listed in wanted)
        return ok([render.mark_price(mark) for mark in marks if mark is not None])

    async def open_interest(self, call: Call) -> Reply:
        symbol = call.query.text("symbol")
        if symbol is not None:
            self._context.listing(symbol)
        now_ns = self._context.shown_wall_ns()
        rows = (
            render.open_interest(self._venue.open_interest(listed.symbol), listed, now_ns)
            for listed in self._of(symbol)
            if listed.is_perp
        )
        return ok(list(rows))

    def _of(self, symbol: str | None) -> Iterable[Listed]:
        listed = self._context.listed
        return listed.values() if symbol is None else (listed[symbol],)

    async def funding_rates(self, call: Call) -> Reply:
        """Newest first; the first is the estimate of the running interval."""
        listed = self._context.listing(call.query.required("symbol"))
        rates = self._venue.funding_rates(listed.symbol)
        rows, headers = page(rates, call.query, 10_000)
        return ok([render.funding_rate(listed.symbol, end_ns, rate) for end_ns, rate in rows], headers)

    async def klines(self, call: Call) -> Reply:
        interval = call.query.choice("interval", "KlineInterval", INTERVALS)
        if call.query.choice("priceType", "KlinePriceType", ("Last", "Index", "Mark"), "Last") != "Last":
            raise api_error(400, "NOT_IMPLEMENTED", "Only candles of last prices are kept")
        listed = self._context.listing(call.query.required("symbol"))
        call.query.required("startTime")
        start_s = call.query.number("startTime", 0) or 0
        end_s = call.query.number("endTime", None)
        end_ns = self._context.clock.wall_ns() + 1 if end_s is None else end_s * NS_PER_S
        candles = self._candles[listed.symbol].range(interval, start_s * NS_PER_S, end_ns)
        return ok([render.kline(candle, listed) for candle in candles])

    async def status(self, _call: Call) -> Reply:
        return ok({"message": None, "status": "Ok"})

    async def ping(self, _call: Call) -> Reply:
        return Reply(200, b"pong", TEXT_TYPE)

    async def time(self, _call: Call) -> Reply:
        return Reply(200, str(to_ms(self._context.shown_wall_ns())).encode(), TEXT_TYPE)


def assets_of(markets: Iterable[Market]) -> list[str]:
    """Return every asset that is traded or quoted, in a stable order."""
    return sorted(dict.fromkeys(chain.from_iterable((market.base, market.quote) for market in markets)))
