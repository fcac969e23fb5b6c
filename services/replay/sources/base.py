"""What a source of market data is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from shared.clock import NS_PER_S
from shared.errors import BadInput
from shared.messages import InstrumentInfo, Message


class Place(Protocol):
    """Under which names a recording is replayed."""

    scope: str
    symbol: str


class Source(Protocol):
    """One symbol's market data.

    size  of the file in bytes, for a progress bar; 0 = not known
    """

    name: str
    size: int

    def instrument(self) -> InstrumentInfo:
        """Return the trading rules. Raises: BadInput where they cannot be told."""
        ...

    def messages(self) -> Iterator[tuple[int, Message]]:
        """Yield (time in ns, message), times never falling. Raises: BadInput naming place and fault."""
        ...

    def gaps(self) -> list[Gap]:
        """Return the gaps that were met so far."""
        ...

    def position(self) -> int:
        """Return how many bytes of `size` have been read."""
        ...


class Gap:
    """A hole in a recording: from when until when (None = to its end), and what is wrong."""

    __slots__ = ("begin_ns", "end_ns", "reason")

    def __init__(self, begin_ns: int, reason: str) -> None:
        self.begin_ns = begin_ns
        self.end_ns: int | None = None
        self.reason = reason


#: events of several streams are stamped by one recorder: this much they may be out of order
MAX_STEP_BACK_NS = NS_PER_S


class Monotone:
    """Holds the times of a file to one rule: they do not fall, but for a little disorder."""

    __slots__ = ("_last_ns", "_name", "_unit")

    def __init__(self, name: str, unit: str = "line") -> None:
        self._name, self._unit = name, unit
        self._last_ns = 0

    def take(self, time_ns: int, number: int) -> int:
        """Return the time, at least the last one. Raises: BadInput when the clock jumped back."""
        if time_ns >= self._last_ns:
            self._last_ns = time_ns
        elif self._last_ns - time_ns > MAX_STEP_BACK_NS:
            back_s = (self._last_ns - time_ns) / NS_PER_S
            where = f"{self._name}: {self._unit} {number}"
            raise BadInput(f"{where}: the recording's clock jumps back by {back_s:.3f} s")
        return self._last_ns
