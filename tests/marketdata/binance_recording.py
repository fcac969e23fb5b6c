"""Reads the recorded Binance frames as our own events: for tests only, no adapter of that venue.

A line is `<local receive ns> <raw JSON>`; one of the first lines is the REST snapshot.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from shared.messages import Side
from shared.venues.market_data import BestPrices, DepthDiff, DepthSnapshot, MarketEvent, PublicTrade

NS_PER_MS = 1_000_000


class Recording:
    """One file; prices become ticks and sizes lots with the given scales."""

    def __init__(self, path: Path, symbol: str, price_scale: int, size_scale: int) -> None:
        self._path = path
        self._symbol = symbol
        self._price_scale = price_scale
        self._size_scale = size_scale

    def events(self, limit: int | None = None) -> Iterator[MarketEvent]:
        with gzip.open(self._path, "rb") as lines:
            for number, line in enumerate(lines):
                if number == limit:
                    return
                received, _, raw = line.partition(b" ")
                event = self._event(orjson.loads(raw), int(received))
                if event is not None:
                    yield event

    def _event(self, frame: dict[str, Any], received_ns: int) -> MarketEvent | None:
        if "lastUpdateId" in frame:
            levels = self._levels(frame["bids"]), self._levels(frame["asks"])
            return DepthSnapshot(self._symbol, frame["lastUpdateId"], *levels, received_ns)
        stream, data = frame["stream"], frame["data"]
        if "@depth" in stream:
            return DepthDiff(
                self._symbol, data["U"], data["u"], data.get("pu"), self._levels(data["b"]),
                self._levels(data["a"]), data["E"] * NS_PER_MS,
            )  # fmt: skip
        if stream.endswith("@bookTicker"):
            bid, ask = self._level(data["b"], data["B"]), self._level(data["a"], data["A"])
            venue_ns = data["E"] * NS_PER_MS if "E" in data else None  # spot does not tell
            return BestPrices(self._symbol, *bid, *ask, data["u"], venue_ns)
        if stream.endswith("@trade"):
            side = Side.SELL if data["m"] else Side.BUY
            price, size = self._level(data["p"], data["q"])
            return PublicTrade(self._symbol, side, price, size, data["t"], data["E"] * NS_PER_MS)
        return None

    def _level(self, price: str, size: str) -> tuple[int, int]:
        return round(float(price) * self._price_scale), round(float(size) * self._size_scale)

    def _levels(self, pairs: list[list[str]]) -> list[tuple[int, int]]:
        return [self._level(price, size) for price, size in pairs]
