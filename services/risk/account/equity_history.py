"""The highest equity of an account, of the session and of a trailing window of any length.

Only values that two reads agreed on are taken, so that one wrong answer is no peak to fall
from. A deposit is a gain here and a withdrawal a loss: the venue does not tell which it was.
"""

from __future__ import annotations

from bisect import bisect_left

from shared.clock import NS_PER_S

#: no window is longer
LONGEST_NS = 86_400 * NS_PER_S
#: samples are so far apart: a lower value that follows sooner is no peak of anything
RESOLUTION_NS = NS_PER_S
#: of samples; beyond it every second one gives way to the higher one before it
MOST = 8_192
#: so many are kept over a restart
KEPT = 128


class EquityHistory:
    """Falling values and their times: of any trailing window, the first one in it is its peak."""

    def __init__(self) -> None:
        self._times: list[int] = []
        self._values: list[float] = []
        #: quote units; None = no equity was confirmed yet
        self.session_peak_usd: float | None = None

    def falls(self) -> list[tuple[int, float]]:
        """Return when and from where the equity has fallen, at most `KEPT`, with no peak too low."""
        step = -(-len(self._times) // KEPT) or 1
        ends = range(len(self._times) - 1, -1, -step)
        return [(self._times[end], self._values[max(0, end - step + 1)]) for end in reversed(ends)]

    def restore(self, peak_usd: float, falls: list[tuple[int, float]]) -> None:
        """Take the session's peak and its falls from before this process was restarted."""
        self.session_peak_usd = peak_usd
        self._times, self._values = [at for at, _ in falls], [usd for _, usd in falls]

    def restart(self) -> None:
        """Begin anew: what a person has accepted is no loss any more."""
        self._times, self._values, self.session_peak_usd = [], [], None

    def add(self, usd: float, now_ns: int) -> None:
        """Take an equity that is now true."""
        self.session_peak_usd = usd if self.session_peak_usd is None else max(usd, self.session_peak_usd)
        while self._values and self._values[-1] <= usd:
            self._values.pop()
            self._times.pop()
        if self._times and now_ns - self._times[-1] < RESOLUTION_NS:
            return
        self._times.append(now_ns)
        self._values.append(usd)
        self._forget(now_ns)

    def peak_usd(self, window_ns: int, now_ns: int) -> float | None:
        """Return the highest equity of the last `window_ns`, None where none is in it."""
        first = bisect_left(self._times, now_ns - window_ns)
        return self._values[first] if first < len(self._values) else None

    def _forget(self, now_ns: int) -> None:
        old = bisect_left(self._times, now_ns - LONGEST_NS)
        if len(self._times) - old > MOST:  # the higher value, at the later time: never a peak too low
            self._times, self._values = self._times[old + 1 :: 2], self._values[old:-1:2]
        elif old > MOST:
            self._times, self._values = self._times[old:], self._values[old:]
