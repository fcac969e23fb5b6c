"""Made-up Binance frames: lines of a recording, written to a gzip file."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FIRST_NS = 1_700_000_000 * 10**9
MS = 1_000_000

Levels = Sequence[tuple[str, str]]


def line(at_ms: int, message: dict[str, Any]) -> str:
    return f"{FIRST_NS + at_ms * MS} {json.dumps(message, separators=(',', ':'))}\n"


def snapshot(at_ms: int, last_id: int, bids: Levels, asks: Levels) -> str:
    stamps = {"E": at_ms, "T": at_ms}
    return line(at_ms, {"lastUpdateId": last_id, **stamps, "bids": list(bids), "asks": list(asks)})


def diff(at_ms: int, first: int, last: int, previous: int, bids: Levels = (), asks: Levels = ()) -> str:
    ids = {"U": first, "u": last, "pu": previous}
    data = {"e": "depthUpdate", "E": at_ms, "T": at_ms, "s": "SOLUSDT", **ids, "b": bids, "a": asks}
    return line(at_ms, {"stream": "solusdt@depth@0ms", "data": data})


def ticker(at_ms: int, update_id: int, bid: tuple[str, str], ask: tuple[str, str]) -> str:
    best = {"b": bid[0], "B": bid[1], "a": ask[0], "A": ask[1]}
    data = {"e": "bookTicker", "u": update_id, "s": "SOLUSDT", **best, "T": at_ms, "E": at_ms}
    return line(at_ms, {"stream": "solusdt@bookTicker", "data": data})


def trade(at_ms: int, price: str, size: str, *, taker_sold: bool) -> str:
    data = {"e": "trade", "E": at_ms, "T": at_ms, "s": "SOLUSDT", "t": 1, "p": price, "q": size}
    return line(at_ms, {"stream": "solusdt@trade", "data": data | {"X": "MARKET", "m": taker_sold}})


def write(path: Path, lines: Sequence[str]) -> Path:
    path.write_bytes(gzip.compress("".join(lines).encode()))
    return path
