"""The replay market: a recording served as one of the venue's markets, at its own pace.

Recorded times are shifted so that the snapshot is now. When the recording ends
its market closes: nothing more is published. Where its diffs have a gap the display
is blank, trades are left out and the index stands still until the next snapshot.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from services.exchange.engine.venue import LocalVenue
from services.exchange.market.recorded_book import Change, GridReader, RecordedBook
from services.exchange.market.recording import BestPrices, Print, RecordedEvent, Recording, RecordingError

_NEVER_NS = 1 << 62
#: at the start, so that a recording that does not fit is refused before anybody trades on it
_CHECKED_EVENTS = 5_000


class ReplayMarket:
    """A `MarketDriver` that serves a recording as `symbol`; the market opens at the first `advance`.

    Raises: RecordingError: at construction if the recording has no snapshot, or its first events
    do not fit the market's ticks and lots; later if one does not, or cannot be read.
    """

    def __init__(self, venue: LocalVenue, symbol: str, recording: Recording) -> None:
        self._venue = venue
        self._symbol = symbol
        self._engine = venue.engine(symbol)
        rules, path = self._engine.rules, recording.path
        self._prices = GridReader(rules.prices, "price", path)
        self._sizes = GridReader(rules.quantities, "size", path)
        self._book = RecordedBook(self._prices, self._sizes)
        self._slack_ns = recording.slack_ns
        self._check_grid(recording)
        self._events = recording.events()
        self._opening, self._recorded_start_ns = self._read_opening(path)
        self._start_ns: int | None = None
        self._next: RecordedEvent | None = None
        self._next_ns = 0

    @property
    def is_finished(self) -> bool:
        """Whether the recording has ended and its market is closed."""
        return self._next_ns == _NEVER_NS

    def advance(self, now_ns: int, stamp_ns: int | None = None) -> int:
        """Do everything due until `now_ns`; return when something is due next."""
        stamp_ns = now_ns if stamp_ns is None else stamp_ns
        if self._start_ns is None:
            self._open(now_ns, stamp_ns)
        while self._next is not None and self._next_ns <= now_ns:
            self._apply(self._next, stamp_ns)
            self._read_next()
        return self._next_ns

    def _check_grid(self, recording: Recording) -> None:
        for event in islice(recording.events(), _CHECKED_EVENTS):
            if isinstance(event, Print):
                levels = [(event.price, event.size)]
            elif isinstance(event, BestPrices):
                levels = [event.bid, event.ask]
            else:
                levels = [*event.bids, *event.asks]
            for price, size in levels:
                self._prices.steps(price)
                self._sizes.steps(size)

    def _read_opening(self, path: Path) -> tuple[list[Change], int]:
        """Read up to the first snapshot; return the book there and its recorded time."""
        for event in self._events:
            if isinstance(event, BestPrices | Print):
                continue
            changes = self._book.on_book(event)
            if self._book.is_synchronised:
                return changes, event.time_ns
        raise RecordingError(f"{path}: holds no snapshot of the book")

    def _open(self, now_ns: int, stamp_ns: int) -> None:
        self._start_ns = now_ns
        self._engine.show(self._opening, stamp_ns, 0)
        self._opening = []
        self._set_index(stamp_ns)
        self._read_next()

    def _read_next(self) -> None:
        """Read one event ahead; at the end of the recording close the market."""
        self._next = next(self._events, None)
        if self._next is None:
            self._next_ns = _NEVER_NS
            self._venue.close(self._symbol)
            return
        self._next_ns = (self._start_ns or 0) + self._next.time_ns - self._recorded_start_ns

    def _apply(self, event: RecordedEvent, stamp_ns: int) -> None:
        was_known = self._book.is_synchronised
        if isinstance(event, Print):
            ticks, lots = self._prices.steps(event.price), self._sizes.steps(event.size)
            if lots and was_known:
                self._engine.print_trade(event.side, ticks, lots, stamp_ns, event.venue_ns - self._slack_ns)
            return
        if isinstance(event, BestPrices):
            changes = self._book.on_best(event)
        else:
            changes = self._book.on_book(event)
        if not self._book.is_synchronised:
            if was_known:
                self._engine.blank(stamp_ns)
        elif changes:
            self._engine.show(changes, stamp_ns, event.venue_ns)
            self._set_index(stamp_ns)

    def _set_index(self, stamp_ns: int) -> None:
        """A recording has no index; its own mid, without our orders, stands in."""
        mid = self._book.mid()
        if mid is not None and self._engine.rules.is_perp:
            self._venue.set_index(self._symbol, mid, stamp_ns)
