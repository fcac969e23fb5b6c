"""Start is recovery, after a crash as after a clean stop.

Nothing is placed before: instruments, client ids and the stored ledger are there; the private
stream is up; our orders are gone by a read begun after the last cancel; gone once more by a
read begun after the signing window of whatever the process before us may have sent; fills
are back-filled; positions are confirmed twice; the equity is known.
"""

from __future__ import annotations

from services.execution.desk import Desk
from services.execution.reads.schedule import Reads
from services.execution.requests import ReadKind

_LOADED = (ReadKind.FILLS, ReadKind.POSITIONS, ReadKind.BALANCES, ReadKind.EQUITY)


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
    def is_held(self) -> bool:
        """True while reads of the account would tell nothing: no instruments, no stored state."""
        return not (self._desk.instruments and self._is_loaded)

    def on_loaded(self) -> None:
        """The stored state has been taken up (or Redis is known to be empty)."""
        self._is_loaded = True

    def hurry(self, now_ns: int) -> None:
        """Make the reads that the start waits for."""
        if self._is_complete or self.is_held:
            return
        window_end_ns = self._started_ns + self._desk.window_ns
        if not self._swept_ns or now_ns > window_end_ns:
            self._reads.hurry(ReadKind.OPEN_ORDERS, now_ns)
        if self._swept_ns:
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
        if not self._is_loaded:
            return "stored state"
        if not desk.ids.left:
            return "client ids"
        if not desk.stream.is_up:
            return "private stream"
        swept_ns = reads.last_good_ns(ReadKind.OPEN_ORDERS)
        if not swept_ns or not self._is_clear():
            return "own orders cancelled"
        self._swept_ns = self._swept_ns or swept_ns
        if swept_ns <= self._started_ns + desk.window_ns:
            return "second look after the signing window"
        for kind in _LOADED:
            if reads.last_good_ns(kind) <= self._swept_ns:
                return kind.value
        if not all(symbol.is_known for symbol in desk.symbols.values()):
            return "positions"
        return None

    def _is_clear(self) -> bool:
        return all(symbol.is_clear() for symbol in self._desk.symbols.values())
