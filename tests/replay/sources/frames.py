"""Raw Binance frames of a made-up market, line by line, and what can be wrong with them."""

from __future__ import annotations

from typing import Any

from shared.clock import NS_PER_MS
from tests.replay.market import START_NS

NATIVE = "ETHUSDT"
Line = tuple[int, Any]


class Frames:
    """Builds lines whose ids are chained; futures by `pu`, spot by `U` = the last `u` + 1."""

    def __init__(self, *, is_futures: bool = True, step_ms: int = 20, native: str = NATIVE) -> None:
        self.is_futures, self.step_ms, self.native = is_futures, step_ms, native
        self.now_ms = START_NS // NS_PER_MS
        self.last_id = 1_000
        self.trade_id = 0
        self.lines: list[Line] = []

    def add(self, frame: dict[str, Any]) -> Frames:
        self.now_ms += self.step_ms
        self.lines.append((self.now_ms * NS_PER_MS, frame))
        return self

    def _stream(self, kind: str, data: dict[str, Any]) -> Frames:
        fields = {"s": self.native, "E": self.now_ms, **data}
        return self.add({"stream": f"{self.native.lower()}@{kind}", "data": fields})

    def snapshot(self, bid: str = "2000.00", ask: str = "2000.01") -> Frames:
        levels = {
            "bids": [[bid, "5.000"], ["1999.90", "9.000"]],
            "asks": [[ask, "5.000"], ["2000.20", "9.0"]],
        }
        return self.add({"lastUpdateId": self.last_id, **levels})

    def depth(self, bids: Any = (), asks: Any = (), *, lost: int = 0) -> Frames:
        """lost: so many updates before it are not in the file."""
        previous = self.last_id + lost
        self.last_id = previous + 2
        data: dict[str, Any] = {
            "e": "depthUpdate", "U": previous + 1, "u": self.last_id,
            "b": [list(level) for level in bids], "a": [list(level) for level in asks],
        }  # fmt: skip
        if self.is_futures:
            data["pu"] = previous
        return self._stream("depth@0ms", data)

    def ticker(self, bid: str, bid_size: str, ask: str, ask_size: str) -> Frames:
        return self._stream(
            "bookTicker", {"u": self.last_id, "b": bid, "B": bid_size, "a": ask, "A": ask_size}
        )

    def trade(self, price: str, size: str, is_buyer_maker: bool = True, **changes: Any) -> Frames:
        self.trade_id += 1
        data = {"t": self.trade_id, "p": price, "q": size, "m": is_buyer_maker, "X": "MARKET", **changes}
        return self._stream("trade", data)

    def calm(self, count: int) -> Frames:
        """So many updates that only change a size far from the market and at the best bid."""
        for number in range(count):
            self.depth([("2000.00", f"{4 + number % 3}.000")])
        return self


def a_market(count: int = 300, **changes: Any) -> Frames:
    """A snapshot, and a book that goes on from there."""
    return Frames(**changes).depth().snapshot().calm(count)
