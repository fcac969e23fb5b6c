"""Public market data of any venue, read from its frames: what a feed adapter yields.

Structs rather than messages: they never leave the process, and are made per frame, so
they are not frozen. Prices are ticks, sizes lots, `venue_ns` is when the venue sent it
(its wall clock), None where it does not tell: nothing can be said then of how late it is.
A snapshot may come by REST or in the stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from shared.messages import InstrumentInfo, Side
from shared.venues.base import PublicClient

Levels = Sequence[tuple[int, int]]


class DepthDiff(msgspec.Struct, gc=False):
    """Absolute sizes of changed levels; size 0 removes one.

    first_id, last_id  ids of the changes within; previous_id  last_id of the diff before
    (None = the venue does not tell)
    """

    symbol: str
    first_id: int
    last_id: int
    previous_id: int | None
    bids: Levels
    asks: Levels
    venue_ns: int | None


class RawSnapshot(msgspec.Struct, gc=False):
    """A whole book as decimal strings, before the instrument is needed."""

    symbol: str
    update_id: int
    bids: Sequence[tuple[str, str]]
    asks: Sequence[tuple[str, str]]
    venue_ns: int | None


class RawCandles(msgspec.Struct, gc=False):
    """Candles of traded prices, oldest first: start (the venue's wall clock, s), high, low, close.

    interval_s  how long each of them really is; an interval without a trade has no candle
    """

    symbol: str
    interval_s: int
    rows: Sequence[tuple[int, str, str, str]]


class DepthSnapshot(msgspec.Struct, gc=False):
    """A whole book, or its best levels, in any order, as of `update_id`."""

    symbol: str
    update_id: int
    bids: Levels
    asks: Levels
    venue_ns: int | None


class BestPrices(msgspec.Struct, gc=False):
    """Best bid and ask; None = that side is empty. Its ids compare with those of the depth."""

    symbol: str
    bid: int | None
    bid_size: int
    ask: int | None
    ask_size: int
    update_id: int
    venue_ns: int | None


class PublicTrade(msgspec.Struct, gc=False):
    """One trade; `side` is the taker's."""

    symbol: str
    side: Side
    price: int
    size: int
    trade_id: int
    venue_ns: int | None


class MarkPrice(msgspec.Struct, gc=False):
    """Mark and index in quote units; funding as a fraction per interval."""

    symbol: str
    mark_price: float
    index_price: float | None
    funding_rate: float | None
    next_funding_ns: int | None
    venue_ns: int | None


class Alive(msgspec.Struct, gc=False):
    """A periodic message of one symbol that says nothing but that its feed lives."""

    symbol: str
    venue_ns: int | None


class Aside(msgspec.Struct, gc=False):
    """What belongs to no symbol."""


class Unreadable(Aside, gc=False):
    """A frame that could not be read, or an error of the venue; `text` says why."""

    text: str


class Answer(Aside, gc=False):
    """What the venue wants to be sent for a frame: the reply to a ping of its own, say."""

    frame: bytes


MarketEvent = DepthDiff | DepthSnapshot | BestPrices | PublicTrade | MarkPrice | Alive | Unreadable | Answer


class PublicFeed(Protocol):
    """The pure half of a venue's public stream: frames to send, frames to read."""

    @property
    def rule(self) -> SequenceRule:
        """How this venue's diffs follow each other."""
        ...

    @property
    def ping(self) -> bytes | None:
        """The message that keeps the connection open, sent now and then; None = websocket pings do."""
        ...

    def set_instruments(self, infos: Sequence[InstrumentInfo]) -> None:
        """Learn the tick and lot sizes that frames are converted with."""
        ...

    def subscribe(self, symbols: Sequence[str]) -> list[bytes]:
        """Return the frames that subscribe to these symbols."""
        ...

    def unsubscribe(self, symbols: Sequence[str]) -> list[bytes]: ...

    def read(self, frame: bytes) -> Sequence[MarketEvent]:
        """Return what a frame says, in its order; often one event, () = nothing of interest. Never raises."""
        ...

    def read_snapshot(self, raw: RawSnapshot) -> DepthSnapshot:
        """Convert a REST snapshot. Raises: Unknown when a value is not readable."""
        ...


class MarketClient(PublicClient, Protocol):
    """Blocking public reads of what the stream does not bring. Raises: Unknown, RateLimited."""

    def depth(self, symbol: str, limit: int = 1000) -> RawSnapshot:
        """Return the best `limit` levels of each side."""
        ...

    def candles(self, symbol: str, since_s: int) -> RawCandles:
        """Return the shortest candles that the venue has, from a time of its clock until now."""
        ...


class SequenceRule(Protocol):
    """How the ids of a venue's diffs follow each other, and where its snapshots come from.

    snapshots_in_stream  False = a snapshot is read by REST, and diffs have to join it. True = it comes
                         in the stream, in its place: it is the book; another one is had by
                         subscribing anew
    is_chained           True = each change has an id, shared by depth and best prices: a book that does
                         not reach an id which the venue has told has lost something. False = ids only
                         tell what is newer (times)
    """

    snapshots_in_stream: bool
    is_chained: bool

    def joins(self, snapshot_id: int, diff: DepthDiff) -> bool:
        """True if `diff` may be the first one applied after a snapshot."""
        ...

    def follows(self, last_id: int, diff: DepthDiff) -> bool:
        """True if `diff` comes right after the one whose last id is `last_id`."""
        ...
