"""The venue's clock, as seen from here: signatures are stamped with it, not with ours.

Kept against the monotonic clock, so that a step of the local wall clock changes nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from shared.clock import NS_PER_MS, Clock

#: the best of so many measurements counts; older ones are forgotten with the drift in them
KEPT_SAMPLES = 8
#: more than the kept samples can drift apart, and less than any signing window
MAX_DRIFT_NS = 200 * NS_PER_MS


@dataclass(frozen=True, slots=True)
class _Sample:
    """Venue time minus monotonic time, ns; wrong by at most half the round trip."""

    difference_ns: int
    round_trip_ns: int

    def contradicts(self, other: _Sample) -> bool:
        """True when no clock that only drifts can have given both."""
        possible_ns = (self.round_trip_ns + other.round_trip_ns) // 2 + MAX_DRIFT_NS
        return abs(self.difference_ns - other.difference_ns) > possible_ns


class ClockOffset:
    """Measured by reading the venue's time; the sample with the shortest round trip counts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._samples: deque[_Sample] = deque(maxlen=KEPT_SAMPLES)

    def measure(self, read_server_time_ms: Callable[[], int]) -> None:
        """Read the venue's time once. Blocks. Raises what the read raises."""
        sent_ns = self._clock.monotonic_ns()
        server_ms = read_server_time_ms()
        self.observe(sent_ns, self._clock.monotonic_ns(), server_ms)

    def observe(self, sent_ns: int, recv_ns: int, server_ms: int) -> None:
        """Take one measurement: monotonic times of request and reply, and what the venue said."""
        middle_ns = (sent_ns + recv_ns) // 2
        # the venue cuts its time to whole milliseconds: half of one is the best guess
        server_ns = server_ms * NS_PER_MS + NS_PER_MS // 2
        sample, best = _Sample(server_ns - middle_ns, recv_ns - sent_ns), self._best()
        if best is not None and sample.contradicts(best):
            self._samples.clear()  # the venue's clock was stepped: what was measured before is void
        self._samples.append(sample)

    def timestamp_ms(self) -> int:
        """Return the venue's time now; the local wall clock's until it was measured."""
        best = self._best()
        if best is None:
            return self._clock.wall_ns() // NS_PER_MS
        return (self._clock.monotonic_ns() + best.difference_ns) // NS_PER_MS

    def ahead_ns(self) -> int | None:
        """Return venue time minus monotonic time; None until it was measured."""
        best = self._best()
        return None if best is None else best.difference_ns

    def ahead_ms(self) -> float | None:
        """Return venue time minus local wall time; None until it was measured."""
        best = self._best()
        if best is None:
            return None
        local_ns = self._clock.wall_ns() - self._clock.monotonic_ns()
        return (best.difference_ns - local_ns) / NS_PER_MS

    def error_ms(self) -> float | None:
        """Return the bound of the error: half the shortest round trip; None until measured."""
        best = self._best()
        return None if best is None else best.round_trip_ns / 2 / NS_PER_MS + 0.5

    def _best(self) -> _Sample | None:
        return min(tuple(self._samples), key=lambda sample: sample.round_trip_ns, default=None)
