"""Public streams: market events of the engine to the sockets subscribed to them.

Realtime streams are rendered only while somebody listens. The aggregated depth streams
collect what changed and send it at the end of their window; marks, tickers and candles
go out once a second.

Source: the venue's OpenAPI document, "Streams".
"""

from __future__ import annotations

from collections.abc import Callable

from services.exchange.model import BookChange, Trade
from services.exchange.protocols.backpack.context import Context
from services.exchange.protocols.backpack.render.stamps import NS_PER_US
from services.exchange.protocols.backpack.rest.candles import Candle, Candles, bounds_ns
from services.exchange.protocols.backpack.streams import public_frames as frames
from services.exchange.wire.sockets import Carries, Stream

DEPTH_WINDOWS_MS = {"200ms": 200, "600ms": 600, "1000ms": 1000}
_NOBODY = (None, None)


class WindowedDepth:
    """What changed in one book since the last frame of an aggregated stream."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._pending: BookChange | None = None
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}

    def add(self, change: BookChange) -> None:
        if not self.stream.sockets:
            self._pending = None
            return
        if self._pending is None:
            self._pending = change
            self._bids.clear()
            self._asks.clear()
        self._bids.update(change.bids)
        self._asks.update(change.asks)
        self._pending = BookChange(
            change.symbol,
            self._pending.first_id,
            change.last_id,
            (),
            (),
            change.best_bid,
            change.best_ask,
            change.engine_ns,
        )

    def take(self) -> BookChange | None:
        """Return the window's change as one, None if nothing changed."""
        pending, self._pending = self._pending, None
        if pending is None:
            return None
        bids, asks = tuple(self._bids.items()), tuple(self._asks.items())
        ids = (pending.symbol, pending.first_id, pending.last_id)
        return BookChange(*ids, bids, asks, pending.best_bid, pending.best_ask, pending.engine_ns)


class SymbolStreams:
    """The public streams of one market."""

    def __init__(self, symbol: str) -> None:
        self.depth = Stream(f"depth.{symbol}", "depth", symbol, carries=Carries.BOOK)
        self.book_ticker = Stream(f"bookTicker.{symbol}", "bookTicker", symbol, carries=Carries.BEST)
        self.trade = Stream(f"trade.{symbol}", "trade", symbol, carries=Carries.TRADES)
        self.mark_price = Stream(f"markPrice.{symbol}", "markPrice", symbol)
        self.ticker = Stream(f"ticker.{symbol}", "ticker", symbol)
        self.open_interest = Stream(f"openInterest.{symbol}", "openInterest", symbol)
        self.windows = {
            name: WindowedDepth(Stream(f"depth.{name}.{symbol}", "depth", symbol, carries=Carries.BOOK))
            for name in DEPTH_WINDOWS_MS
        }
        self.klines: dict[str, Stream] = {}
        self.best: tuple[tuple[int, int] | None, tuple[int, int] | None] = _NOBODY

    def kline(self, interval: str) -> Stream:
        stream = self.klines.get(interval)
        if stream is None:
            symbol = self.depth.symbol
            stream = self.klines[interval] = Stream(f"kline.{interval}.{symbol}", "kline", symbol)
        return stream


class PublicStreams:
    """Renders market events and publishes them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._wall_ns: Callable[[], int] = context.clock.wall_ns
        self._publish = context.broadcaster.publish
        self.by_symbol = {symbol: SymbolStreams(symbol) for symbol in context.listed}
        self.candles = {
            symbol: Candles(listed.market.tick_size * listed.market.lot_size)
            for symbol, listed in context.listed.items()
        }
        self._open_candles: dict[Stream, Candle] = {}

    def on_book(self, change: BookChange) -> None:
        streams = self.by_symbol[change.symbol]
        listed = self._context.listed[change.symbol]
        if streams.depth.sockets:
            event_us = self._wall_ns() // NS_PER_US
            data = frames.depth(change, listed, event_us)
            self._publish(streams.depth, frames.envelope(data, streams.depth), event_us)
        best = (change.best_bid, change.best_ask)
        if best != streams.best:
            streams.best = best
            if streams.book_ticker.sockets:
                event_us = self._wall_ns() // NS_PER_US
                data = frames.book_ticker(change, listed, event_us)
                self._publish(streams.book_ticker, frames.envelope(data, streams.book_ticker), event_us)
        for window in streams.windows.values():
            window.add(change)

    def on_trade(self, trade: Trade) -> None:
        streams = self.by_symbol[trade.symbol]
        listed = self._context.listed[trade.symbol]
        if streams.trade.sockets:
            event_us = self._wall_ns() // NS_PER_US
            data = frames.trade(trade, listed, event_us)
            self._publish(streams.trade, frames.envelope(data, streams.trade), event_us)
        self.candles[trade.symbol].on_trade(trade.price, trade.quantity, trade.time_ns)

    def on_window(self, name: str) -> None:
        """Send the aggregated depth of one window length, for all symbols."""
        for symbol, streams in self.by_symbol.items():
            window = streams.windows[name]
            change = window.take()
            if change is not None and window.stream.sockets:
                event_us = self._event_us()
                data = frames.depth(change, self._context.listed[symbol], event_us)
                self._send(window.stream, data, event_us)

    def on_second(self) -> None:
        """Send marks, tickers and candles."""
        for symbol, streams in self.by_symbol.items():
            if self._context.has_closed(symbol):
                continue
            mark = self._context.venue.mark(symbol) if streams.mark_price.sockets else None
            if mark is not None:
                event_us = self._event_us()
                self._send(streams.mark_price, frames.mark_price(mark, event_us), event_us)
            stats = self._context.venue.day_stats(symbol) if streams.ticker.sockets else None
            if stats is not None:
                event_us = self._event_us()
                data = frames.ticker(stats, self._context.listed[symbol], event_us)
                self._send(streams.ticker, data, event_us)
            for interval, stream in streams.klines.items():
                self._send_candle(symbol, interval, stream)

    def on_minute(self) -> None:
        """Send open interest."""
        for symbol, streams in self.by_symbol.items():
            listed = self._context.listed[symbol]
            if streams.open_interest.sockets and listed.is_perp:
                event_us = self._event_us()
                lots = self._context.venue.open_interest(symbol)
                self._send(streams.open_interest, frames.open_interest(lots, listed, event_us), event_us)

    def _send_candle(self, symbol: str, interval: str, stream: Stream) -> None:
        """Send the running candle if it changed, and once more when it has closed."""
        if not stream.sockets:
            self._open_candles.pop(stream, None)
            return
        now_ns, listed = self._wall_ns(), self._context.listed[symbol]
        event_us = now_ns // NS_PER_US
        before = self._open_candles.pop(stream, None)
        candles = self.candles[symbol]
        if before is not None and before.end_ns <= now_ns:
            last = candles.range(interval, *bounds_ns(interval, before.start_ns))
            self._send(
                stream, frames.kline((last or [before])[0], listed, event_us, is_closed=True), event_us
            )
            before = None
        running = candles.latest(interval, now_ns)
        if running is not None:
            self._open_candles[stream] = running
            if running != before:
                self._send(stream, frames.kline(running, listed, event_us, is_closed=False), event_us)

    def _event_us(self) -> int:
        return self._wall_ns() // NS_PER_US

    def _send(self, stream: Stream, data: bytes, event_us: int) -> None:
        self._publish(stream, frames.envelope(data, stream), event_us)
