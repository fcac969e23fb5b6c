"""Feeds in the manner of venues that have no adapter yet, just enough to show that the interface holds them.

Frames are the documented ones, cut down to what is read; prices are ticks, sizes lots as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from shared.clock import NS_PER_MS
from shared.messages import InstrumentInfo, Side
from shared.venues.book_sync import ConsecutiveIds, StreamedChain, WholeBooks
from shared.venues.market_data import (
    Answer,
    BestPrices,
    DepthDiff,
    DepthSnapshot,
    MarketEvent,
    PublicTrade,
    RawSnapshot,
    SequenceRule,
    Unreadable,
)

SYMBOL = "BTC"
INFO = InstrumentInfo(
    "other", SYMBOL, "BTC", "USD", True, "1", "1", "1", None, "10", None, None, "fixed", "1", native_id="0"
)


class OtherFeed:
    """What they have in common: one symbol, JSON."""

    rule: SequenceRule
    ping: bytes | None = None

    def set_instruments(self, infos: Sequence[InstrumentInfo]) -> None:
        pass

    def subscribe(self, symbols: Sequence[str]) -> list[bytes]:
        return [b"subscribe " + symbol.encode() for symbol in symbols]

    def unsubscribe(self, symbols: Sequence[str]) -> list[bytes]:
        return [b"unsubscribe " + symbol.encode() for symbol in symbols]

    def read(self, frame: bytes) -> Sequence[MarketEvent]:
        try:
            message = orjson.loads(frame)
        except orjson.JSONDecodeError:
            return (Unreadable("not JSON"),)
        return self.events(message)

    def events(self, message: dict[str, Any]) -> Sequence[MarketEvent]:
        raise NotImplementedError

    def read_snapshot(self, raw: RawSnapshot) -> DepthSnapshot:
        sides = ([(int(price), int(size)) for price, size in side] for side in (raw.bids, raw.asks))
        return DepthSnapshot(raw.symbol, raw.update_id, *sides, raw.venue_ns)


class HyperliquidKind(OtherFeed):
    """Whole books and best prices, dated but not numbered; trades in arrays; a ping of the application."""

    rule = WholeBooks()
    ping = b'{"method":"ping"}'

    def events(self, message: dict[str, Any]) -> Sequence[MarketEvent]:
        channel, data = message["channel"], message.get("data")
        if channel == "l2Book":
            sides = ([(int(level["px"]), int(level["sz"])) for level in side] for side in data["levels"])
            return (DepthSnapshot(data["coin"], data["time"], *sides, data["time"] * NS_PER_MS),)
        if channel == "bbo":
            bid, ask = ((int(best["px"]), int(best["sz"])) for best in data["bbo"])
            return (BestPrices(data["coin"], *bid, *ask, data["time"], data["time"] * NS_PER_MS),)
        if channel == "trades":
            return [
                PublicTrade(
                    trade["coin"], Side.BUY if trade["side"] == "B" else Side.SELL, int(trade["px"]),
                    int(trade["sz"]), trade["tid"], trade["time"] * NS_PER_MS,
                )
                for trade in data
            ]  # fmt: skip
        return ()


class LighterKind(OtherFeed):
    """A snapshot when subscribed, then diffs that name the nonce before; the venue's own ping."""

    rule = StreamedChain()

    def events(self, message: dict[str, Any]) -> Sequence[MarketEvent]:
        if message["type"] == "ping":
            return (Answer(b'{"type":"pong"}'),)
        if not message["type"].endswith("/order_book"):
            return ()
        book, venue_ns = message["order_book"], message["timestamp"] * NS_PER_MS
        sides = (
            [(int(level["price"]), int(level["size"])) for level in book[side]] for side in ("bids", "asks")
        )
        if message["type"] == "subscribed/order_book":
            return (DepthSnapshot(SYMBOL, book["nonce"], *sides, venue_ns),)
        begin = book["begin_nonce"]
        return (DepthDiff(SYMBOL, begin + 1, book["nonce"], begin, *sides, venue_ns),)


class BinanceSpotKind(OtherFeed):
    """Numbered diffs on a snapshot by REST; best prices without any time."""

    rule = ConsecutiveIds()

    def events(self, message: dict[str, Any]) -> Sequence[MarketEvent]:
        data = message["data"]
        if "e" not in data:
            best = (int(data[name]) for name in ("b", "B", "a", "A"))
            return (BestPrices(data["s"], *best, data["u"], None),)  # type: ignore[arg-type]
        sides = ([(int(price), int(size)) for price, size in data[side]] for side in ("b", "a"))
        return (DepthDiff(data["s"], data["U"], data["u"], None, *sides, data["E"] * NS_PER_MS),)
