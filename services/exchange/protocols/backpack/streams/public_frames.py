"""Market events to websocket payloads: decimals padded to the tick and lot, microseconds.

Members are written in alphabetical order, capitals first, as the venue sends them.

Source: the venue's OpenAPI document, "Streams", and frames recorded from it.
"""

from __future__ import annotations

import orjson

from services.exchange.decimals import plain
from services.exchange.model import (
    BookChange,
    DayStats,
    MarkChange,
    Side,
    Trade,
)
from services.exchange.protocols.backpack.render.stamps import NS_PER_MS, iso_s, to_ms, to_us
from services.exchange.protocols.backpack.render.symbols import Listed
from services.exchange.protocols.backpack.rest.candles import Candle
from services.exchange.wire.sockets import Stream, text_frame


def envelope(data: bytes, stream: Stream) -> bytes:
    """Return the finished websocket frame of one payload in one stream."""
    return text_frame(b'{"data":' + data + b',"stream":"' + stream.wire_name + b'"}')


def error_frame(code: int, message: str) -> bytes:
    return text_frame(orjson.dumps({"id": None, "error": {"code": code, "message": message}}))


def depth(change: BookChange, listed: Listed, event_us: int) -> bytes:
    price, size = listed.prices.padded, listed.sizes.padded
    return orjson.dumps(
        {
            "E": event_us,
            "T": change.engine_ns // 1_000,
            "U": change.first_id,
            "a": [(price(ticks), size(lots)) for ticks, lots in sorted(change.asks)],
            "b": [(price(ticks), size(lots)) for ticks, lots in sorted(change.bids)],
            "e": "depth",
            "s": change.symbol,
            "u": change.last_id,
        }
    )


def book_ticker(change: BookChange, listed: Listed, event_us: int) -> bytes:
    """A side without orders is null."""
    price, size = listed.prices.padded, listed.sizes.padded
    bid, ask = change.best_bid, change.best_ask
    return orjson.dumps(
        {
            "A": None if ask is None else size(ask[1]),
            "B": None if bid is None else size(bid[1]),
            "E": event_us,
            "T": change.engine_ns // 1_000,
            "a": None if ask is None else price(ask[0]),
            "b": None if bid is None else price(bid[0]),
            "e": "bookTicker",
            "s": change.symbol,
            "u": change.last_id,
        }
    )


def trade(print_: Trade, listed: Listed, event_us: int) -> bytes:
    """The engine time of a trade has milliseconds only."""
    return orjson.dumps(
        {
            "E": event_us,
            "T": print_.time_ns // NS_PER_MS * 1_000,
            "a": str(print_.seller_order_id),
            "b": str(print_.buyer_order_id),
            "e": "trade",
            "m": print_.side is Side.SELL,
            "p": listed.prices.padded(print_.price),
            "q": listed.sizes.padded(print_.quantity),
            "s": print_.symbol,
            "t": print_.id,
        }
    )


def mark_price(mark: MarkChange, event_us: int) -> bytes:
    return orjson.dumps(
        {
            "E": event_us,
            "T": to_us(mark.engine_ns),
            "e": "markPrice",
            "f": plain(mark.funding_rate),
            "i": plain(mark.index),
            "n": to_ms(mark.next_funding_ns),
            "p": plain(mark.mark),
            "s": mark.symbol,
        }
    )


def ticker(stats: DayStats, listed: Listed, event_us: int) -> bytes:
    price = listed.prices.plain
    return orjson.dumps(
        {
            "E": event_us,
            "V": plain(stats.quote_volume),
            "c": price(stats.last),
            "e": "ticker",
            "h": price(stats.high),
            "l": price(stats.low),
            "n": stats.trades,
            "o": price(stats.first),
            "s": listed.symbol,
            "v": listed.sizes.plain(stats.volume),
        }
    )


def kline(candle: Candle, listed: Listed, event_us: int, *, is_closed: bool) -> bytes:
    price = listed.prices.padded
    return orjson.dumps(
        {
            "E": event_us,
            "T": iso_s(candle.end_ns),
            "X": is_closed,
            "c": price(candle.close),
            "e": "kline",
            "h": price(candle.high),
            "l": price(candle.low),
            "n": candle.trades,
            "o": price(candle.open),
            "s": listed.symbol,
            "t": iso_s(candle.start_ns),
            "v": listed.sizes.padded(candle.volume),
        }
    )


def open_interest(lots: int, listed: Listed, event_us: int) -> bytes:
    text = listed.sizes.plain(lots)
    return orjson.dumps({"E": event_us, "e": "openInterest", "o": text, "s": listed.symbol})
