"""What a source of market data is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from services.replay.agenda import NEVER_NS
from shared.clock import NS_PER_S
from shared.errors import BadInput
from shared.messages import InstrumentInfo, Message


class Place(Protocol):
    """Under which names a recording is replayed."""

    scope: str
    symbol: str


class Source(Protocol):
    """One symbol's market data.

    size  how much there is to read, for a progress bar: bytes of files, simulated milliseconds elsewhere
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
        """Return how much of `size` has been read."""
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
#: no recorder that lives is silent for longer; every timer of the replay would step through it
MAX_STEP_AHEAD_NS = 3_600 * NS_PER_S


class Monotone:
    """Holds the times of a file to one rule: small steps ahead, and none back but for a little disorder."""

    __slots__ = ("_last_ns", "_latest_ns", "_max_ahead_ns", "_name", "_unit")

    def __init__(self, name: str, unit: str = "line", max_ahead_ns: int = MAX_STEP_AHEAD_NS) -> None:
        self._name, self._unit = name, unit
        self._max_ahead_ns = max_ahead_ns
        self._last_ns = 0
        #: the first time is whatever it is
        self._latest_ns = NEVER_NS

    def take(self, time_ns: int, number: int) -> int:
        """Return the time, at least the last one. Raises: BadInput when the clock jumped."""
        if time_ns > self._latest_ns:
            raise self._jump("ahead", time_ns - self._last_ns, number)
        if time_ns >= self._last_ns:
            self._last_ns = time_ns
            self._latest_ns = time_ns + self._max_ahead_ns
        elif self._last_ns - time_ns > MAX_STEP_BACK_NS:
            raise self._jump("back", self._last_ns - time_ns, number)
        return self._last_ns

    def _jump(self, direction: str, by_ns: int, number: int) -> BadInput:
        where = f"{self._name}: {self._unit} {number}"
        return BadInput(f"{where}: the recording's clock jumps {direction} by {by_ns / NS_PER_S:.3f} s")
