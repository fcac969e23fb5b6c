"""Recorded market data: what a replay reads, and the readers of file formats.

A reader yields events in file order, one at a time, so a recording of any length
costs no memory. Prices and sizes stay decimal strings: only the replay knows the
grid of the market they are served on.

Source: Binance spot and USD-M futures streams (depthUpdate, bookTicker, trade) and
REST depth, as `<receive ns> <raw JSON>` lines.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson

from services.exchange.model import Side

_NS_PER_MS = 1_000_000
_CHUNK = 1 << 20
#: between streams of one venue, where frames carry no venue time
_SPOT_SLACK_NS = 20 * _NS_PER_MS

Levels = list[tuple[str, str]]


class RecordingError(Exception):
    """A recording cannot be read or served; the text names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class BookUpdate:
    """A snapshot or a diff, sizes absolute, as (price, size) strings.

    time_ns      when it was received; the pace of the replay
    venue_ns     when it happened, comparable within one recording
    previous_id  `last_id` of the diff before it; for a snapshot its own
    """

    time_ns: int
    venue_ns: int
    bids: Levels
    asks: Levels
    last_id: int
    previous_id: int
    is_snapshot: bool


@dataclass(frozen=True, slots=True)
class BestPrices:
    """The best level of each side after book update `last_id`."""

    time_ns: int
    venue_ns: int
    bid: tuple[str, str]
    ask: tuple[str, str]
    last_id: int


@dataclass(frozen=True, slots=True)
class Print:
    """A public trade; `side` is the taker's."""

    time_ns: int
    venue_ns: int
    price: str
    size: str
    side: Side


RecordedEvent = BookUpdate | BestPrices | Print


class Recording(Protocol):
    """A readable recording of one symbol.

    slack_ns  a trade may be printed up to this much after the book shows it, in venue time
    """

    path: Path
    slack_ns: int

    def events(self) -> Iterator[RecordedEvent]:
        """Yield the events in order. Raises RecordingError at what cannot be read."""
        ...


def open_recording(path: Path) -> Recording:
    """Return the reader for the file at `path`, after checking that the file is whole.

    Raises: RecordingError: missing, truncated, or of no known format.
    """
    last = _last_line(path)
    with gzip.open(path, "rb") as lines:
        first = lines.readline()
    receive_ns, _, frame = first.partition(b" ")
    if not (receive_ns.isdigit() and frame.startswith(b"{")):
        raise RecordingError(f"{path}: not a recording of raw frames, the first line is {first[:60]!r}")
    frames = BinanceFrames(path)
    frames.check_last(last)
    return frames


def _last_line(path: Path) -> bytes:
    """Read the file to its end; return its last line, or that line's last megabyte."""
    tail = b""
    try:
        with gzip.open(path, "rb") as stream:
            while chunk := stream.read(_CHUNK):
                lines = (tail + chunk).rstrip().rpartition(b"\n")
                tail = lines[2][-_CHUNK:] + (b"\n" if chunk.endswith(b"\n") else b"")
        return tail.rstrip()
    except EOFError as error:
        raise RecordingError(f"{path}: truncated, the gzip stream has no end") from error
    except (OSError, zlib.error) as error:
        raise RecordingError(f"{path}: cannot be read: {error}") from error


class BinanceFrames:
    """Raw Binance frames of one symbol, spot or USD-M futures."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.slack_ns = _SPOT_SLACK_NS if self._is_spot() else 0

    def check_last(self, line: bytes) -> None:
        """Raises RecordingError if the last line is not a whole frame: its recorder was cut off."""
        try:
            self._event(line)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise RecordingError(
                f"{self.path}: truncated, the last line is not a whole frame: {line[:60]!r}"
            ) from error

    def events(self) -> Iterator[RecordedEvent]:
        with gzip.open(self.path, "rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    event = self._event(line)
                except (ValueError, KeyError, TypeError, IndexError) as error:
                    raise RecordingError(
                        f"{self.path}: line {number} is not a Binance frame ({error!r}): {line[:60]!r}"
                    ) from error
                if event is not None:
                    yield event

    def _is_spot(self) -> bool:
        """Return whether book tickers carry no venue time, as on spot."""
        with gzip.open(self.path, "rb") as lines:
            for line in lines:
                if b"@bookTicker" in line:
                    return b'"T":' not in line
        return True

    def _event(self, line: bytes) -> RecordedEvent | None:
        receive, _, frame = line.partition(b" ")
        time_ns, message = int(receive), orjson.loads(frame)
        if "lastUpdateId" in message:
            return self._book(time_ns, message, message["lastUpdateId"], message["lastUpdateId"])
        kind, data = message["stream"].partition("@")[2], message["data"]
        if kind.startswith("depth"):
            previous = data["pu"] if "pu" in data else data["U"] - 1
            return self._book(time_ns, data, data["u"], previous)
        if kind == "bookTicker":
            bid, ask = (data["b"], data["B"]), (data["a"], data["A"])
            return BestPrices(time_ns, self._venue_ns(time_ns, data), bid, ask, data["u"])
        if kind == "trade":
            side = Side.SELL if data["m"] else Side.BUY
            return Print(time_ns, self._venue_ns(time_ns, data), data["p"], data["q"], side)
        return None

    def _book(self, time_ns: int, data: dict[str, Any], last_id: int, previous_id: int) -> BookUpdate:
        is_snapshot = "lastUpdateId" in data
        bids, asks = (data["bids"], data["asks"]) if is_snapshot else (data["b"], data["a"])
        venue_ns = self._venue_ns(time_ns, data)
        return BookUpdate(time_ns, venue_ns, bids, asks, last_id, previous_id, is_snapshot)

    def _venue_ns(self, time_ns: int, data: dict[str, Any]) -> int:
        """Return the transaction time, or the receive time where tickers have none to compare with."""
        return time_ns if self.slack_ns else int(data["T"]) * _NS_PER_MS
