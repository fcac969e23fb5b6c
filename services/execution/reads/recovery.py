"""Start is recovery, after a crash as after a clean stop.

Nothing is placed before: instruments, client ids and the stored ledger are there; the private
stream is up; our orders are gone by a read begun after the last cancel; gone once more by a
read begun after the signing window of whatever the process before us may have sent; fills
are back-filled; positions are confirmed twice; the equity is known.

Cancelling waits for none of that but the instruments: what we left at the venue goes, and a
halt or a stop is confirmed, whether Redis answers or not.
"""

from __future__ import annotations

from services.execution.desk import Desk
from services.execution.reads.schedule import Reads
from services.execution.requests import ReadKind

_LOADED = (ReadKind.FILLS, ReadKind.POSITIONS, ReadKind.BALANCES, ReadKind.EQUITY)
_NEED_INSTRUMENTS = frozenset(ReadKind) - {ReadKind.INSTRUMENTS}
#: what tells nothing before the stored state is there: it is compared with it, or added to it
_NEED_STATE = _NEED_INSTRUMENTS - {ReadKind.OPEN_ORDERS, ReadKind.FIND_ORDER, ReadKind.ORDER_HISTORY}


class Recovery:
    """Tells what is still missing. Orders that are found are cancelled as usual: nobody wants them."""

    def __init__(self, desk: Desk, reads: Reads, now_ns: int) -> None:
        self._desk = desk
        self._reads = reads
        self._started_ns = now_ns
        self._is_loaded = False
        self._swept_ns = 0
        self._is_complete = False

    @property
    def is_complete(self) -> bool:
        return self._is_complete

    @property
    def is_loaded(self) -> bool:
        """True when the stored state has been taken up."""
        return self._is_loaded

    @property
    def is_swept(self) -> bool:
        """True when open orders were read after the last moment at which one of before could appear."""
        window_end_ns = self._started_ns + self._desk.window_ns
        return self._reads.last_good_ns(ReadKind.OPEN_ORDERS) > window_end_ns

    def held(self) -> frozenset[ReadKind]:
        """Return what cannot be read yet."""
        if not self._desk.instruments:
            return _NEED_INSTRUMENTS
        return frozenset() if self._is_loaded else _NEED_STATE

    def on_loaded(self) -> None:
        """The stored state has been taken up (or Redis is known to be empty)."""
        self._is_loaded = True

    def hurry(self, now_ns: int) -> None:
        """Make the reads that the start waits for."""
        if self._is_complete or not self._desk.instruments:
            return
        window_end_ns = self._started_ns + self._desk.window_ns
        is_due = not self._swept_ns if now_ns <= window_end_ns else not self.is_swept
        if is_due or not self._desk.is_clear():
            self._reads.hurry(ReadKind.OPEN_ORDERS, now_ns)
        if self._swept_ns and self._is_loaded:
            for kind in _LOADED:
                if self._reads.last_good_ns(kind) <= self._swept_ns:
                    self._reads.hurry(kind, now_ns)

    def missing(self) -> str | None:
        """Return what the start still waits for, None when it is complete; complete is for good."""
        if self._is_complete:
            return None
        waiting = self._missing()
        self._is_complete = waiting is None
        return waiting

    def _missing(self) -> str | None:
        desk, reads = self._desk, self._reads
        if not desk.instruments:
            return "instruments"
        swept_ns = reads.last_good_ns(ReadKind.OPEN_ORDERS)
        if not swept_ns or not desk.is_clear():
            return "own orders cancelled"
        self._swept_ns = self._swept_ns or swept_ns
        if not self._is_loaded:
            return "stored state"
        if not desk.ids.left:
            return "client ids"
        if not desk.stream.is_up:
            return "private stream"
        if not self.is_swept:
            return "second look after the signing window"
        for kind in _LOADED:
            if reads.last_good_ns(kind) <= self._swept_ns:
                return kind.value
        if not all(symbol.is_known for symbol in desk.symbols.values()):
            return "positions"
        if desk.orders.has_owed():
            return "fills of the orders that were cancelled"
        return None
