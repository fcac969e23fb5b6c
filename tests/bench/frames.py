"""Pre-rendered public frames of one symbol, and the book that they describe. Pure.

Every depth frame has one id. Even ids put a best bid at `TOUCH`, odd ones remove it, and each
sets one deeper level, so that whatever the book holds is a function of the id alone.
"""

from __future__ import annotations

from typing import Any

#: fixed widths: numbers are written over the placeholders
START_ID = 100_000_000_000
CYCLE = 50
DEEP_LEVELS = 10
LEVELS = 20
TOUCH = 15_000
ASK = 15_002
#: one trade after so many other frames
TRADE_EVERY = 10
_STAMP = b"1000000000000000"
_ID = b"100000000000"


def _price(ticks: int) -> str:
    return f"{ticks // 100}.{ticks % 100:02}"


def _deep_size(update_id: int) -> str:
    return f"{1 + update_id % CYCLE}.00"


def _ask_size(update_id: int) -> str:
    return f"{1 + update_id % CYCLE}.50"


def best_bid(update_id: int) -> int:
    """Return the best bid in ticks once `update_id` has been applied."""
    return TOUCH if update_id % 2 == 0 else TOUCH - 1


def snapshot(update_id: int) -> dict[str, Any]:
    """Return the REST depth reply as of an id."""
    bids = []
    for level in range(LEVELS):
        setter = update_id - (update_id - level) % DEEP_LEVELS
        size = _deep_size(setter) if level < DEEP_LEVELS else "50"
        bids.append((_price(TOUCH - 2 - level), size))
    bids.insert(0, (_price(TOUCH - 1), "30"))
    if update_id % 2 == 0:
        bids.insert(0, (_price(TOUCH), "20"))
    asks = [(_price(ASK), _ask_size(update_id)), *((_price(ASK + 1 + n), "40") for n in range(LEVELS))]
    return {"asks": asks, "bids": bids[::-1], "lastUpdateId": str(update_id), "timestamp": 0}


def text_frame(payload: bytes) -> bytes:
    """Return an unmasked text frame of 126 to 65,535 bytes. Source: RFC 6455, section 5.2."""
    return b"\x81\x7e" + len(payload).to_bytes(2, "big") + payload


class Template:
    """One rendered frame and where its numbers are."""

    __slots__ = ("_frame", "_ids", "_stamps")

    def __init__(self, payload: str) -> None:
        frame = text_frame(payload.encode())
        self._frame = bytearray(frame)
        self._stamps = _places(frame, _STAMP)
        self._ids = _places(frame, _ID)

    def render(self, stamp: bytes, number: bytes) -> bytes:
        frame = self._frame
        for place in self._stamps:
            frame[place] = stamp
        for place in self._ids:
            frame[place] = number
        return bytes(frame)


def _places(frame: bytes, placeholder: bytes) -> list[slice]:
    """Return where a placeholder stands alone, between characters that are no digits."""
    found, start = [], frame.find(placeholder)
    while start >= 0:
        stop = start + len(placeholder)
        if not frame[start - 1 : start].isdigit() and not frame[stop : stop + 1].isdigit():
            found.append(slice(start, stop))
        start = frame.find(placeholder, stop)
    return found


class SymbolFrames:
    """The endless frames of one symbol: depth, its bookTicker, now and then a trade.

    depth_id, best_id  ids of the last depth and of the last bookTicker
    """

    def __init__(self, symbol: str) -> None:
        self._depths = [Template(_depth(symbol, variant)) for variant in range(CYCLE)]
        self._tickers = [Template(_ticker(symbol, variant)) for variant in range(CYCLE)]
        self._trade = Template(_trade(symbol))
        self.depth_id = self.best_id = START_ID
        self._count = 0

    def next_frame(self, stamp: bytes) -> bytes:
        """Return the next frame, stamped with `stamp` (µs, 16 digits)."""
        self._count += 1
        if self._count % TRADE_EVERY == 0:
            return self._trade.render(stamp, b"%d" % (START_ID + self._count))
        if self.best_id < self.depth_id:
            self.best_id = self.depth_id
            return self._tickers[self.best_id % CYCLE].render(stamp, b"%d" % self.best_id)
        self.depth_id += 1
        return self._depths[self.depth_id % CYCLE].render(stamp, b"%d" % self.depth_id)


def _depth(symbol: str, variant: int) -> str:
    touch = "20.00" if variant % 2 == 0 else "0.00"
    deep = _price(TOUCH - 2 - variant % DEEP_LEVELS)
    return (
        f'{{"data":{{"E":{_STAMP.decode()},"T":{_STAMP.decode()},"U":{_ID.decode()},'
        f'"a":[["{_price(ASK)}","{_ask_size(variant)}"]],'
        f'"b":[["{deep}","{_deep_size(variant)}"],["{_price(TOUCH)}","{touch}"]],'
        f'"e":"depth","s":"{symbol}","u":{_ID.decode()}}},"stream":"depth.{symbol}"}}'
    )


def _ticker(symbol: str, variant: int) -> str:
    bid = best_bid(variant)
    return (
        f'{{"data":{{"A":"{_ask_size(variant)}","B":"{"20.00" if bid == TOUCH else "30.00"}",'
        f'"E":{_STAMP.decode()},"T":{_STAMP.decode()},"a":"{_price(ASK)}","b":"{_price(bid)}",'
        f'"e":"bookTicker","s":"{symbol}","u":{_ID.decode()}}},"stream":"bookTicker.{symbol}"}}'
    )


def _trade(symbol: str) -> str:
    return (
        f'{{"data":{{"E":{_STAMP.decode()},"T":{_STAMP.decode()},"a":"1","b":"2","e":"trade","m":false,'
        f'"p":"{_price(ASK)}","q":"0.25","s":"{symbol}","t":{_ID.decode()}}},"stream":"trade.{symbol}"}}'
    )
