"""Price band: a mid or a mark far from where the mid has been of late is not believed.

The reference is the median mid of a trailing window, sampled on the timer; the band around it
is a fixed share, or a multiple of the mid's own spread of late (interquartile, as a standard
deviation) where that is wider, so that a trend does not leave it. Both are deaf to a spike.

Outside it nothing is quoted (never clamped), and neither mid nor mark values a position. As
the window follows, a new level is believed after half of it; a spike never is. Until enough
is seen nothing is quoted either: the first price of all has nothing to be compared with but
the mark (`max_mark_gap_pct`).

Source: reliability.md, row 15.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from typing import Annotated

from msgspec import Meta

from services.risk.policies.policy import ALLOW, Action, Decision
from services.risk.policies.table import PolicyTable
from shared.clock import NS_PER_MS, NS_PER_S, seconds_to_ns

#: between samples, at least: a depth may cause more looks than the timer
SPACING_NS = 200 * NS_PER_MS
#: the reference is not trusted before the samples span this
WARM_NS = 5 * NS_PER_S
#: interquartile ranges of a normal distribution in a standard deviation
_IQR_PER_SIGMA = 1.349


class PriceBandTable(PolicyTable, frozen=True, forbid_unknown_fields=True):
    """How far mid and mark may be from the median mid of late.

    max_deviation_pct    always allowed, % of the median
    volatility_multiple  allowed where it is more: so many standard deviations of the mid in the window
    window_s             of the median, seconds
    cool_down_s          how long a symbol stays frozen after a price was last outside, seconds
    """

    max_deviation_pct: Annotated[float, Meta(gt=0, le=50)] = 2.0
    volatility_multiple: Annotated[float, Meta(ge=0, le=100)] = 6.0
    window_s: Annotated[float, Meta(ge=10, le=3_600)] = 60.0
    cool_down_s: Annotated[float, Meta(ge=0.1, le=3_600)] = 5.0


class PriceBand:
    """The trailing mids of one symbol. Prices are sums bid + ask in ticks: twice a price."""

    def __init__(self, table: PriceBandTable) -> None:
        self._share = table.max_deviation_pct / 100
        self._multiple = table.volatility_multiple
        self._window_ns = seconds_to_ns(table.window_s)
        self._cool_down_ns = seconds_to_ns(table.cool_down_s)
        self.restart()

    def restart(self) -> None:
        """Forget every sample: ticks mean something else now."""
        self._samples: deque[tuple[int, int]] = deque()
        self._sorted: list[int] = []
        self._low = self._high = 0.0
        self._is_known = False

    def sample(self, twice_mid: int, now_ns: int) -> None:
        """Take the mid that is in force; set the band anew."""
        samples = self._samples
        if samples and now_ns - samples[-1][0] < SPACING_NS:
            return
        samples.append((now_ns, twice_mid))
        insort(self._sorted, twice_mid)
        while now_ns - samples[0][0] > self._window_ns:
            del self._sorted[bisect_left(self._sorted, samples.popleft()[1])]
        self._is_known = now_ns - samples[0][0] >= WARM_NS
        count = len(self._sorted)
        median, low, high = (self._sorted[count * part // 4] for part in (2, 1, 3))
        width = max(self._share * median, self._multiple * (high - low) / _IQR_PER_SIGMA)
        self._low, self._high = median - width, median + width

    def of_mid(self, twice_mid: int) -> Decision:
        """Judge a mid; nothing to compare it with forbids too."""
        if not self._is_known:
            return Decision(Action.FREEZE, f"price band: less than {WARM_NS / NS_PER_S:g} s of prices seen")
        return self._judge("mid", twice_mid)

    def of_mark(self, twice_mark: float) -> Decision:
        """Judge a mark; without a reference yet it is left to the comparison with the mid."""
        return self._judge("mark", twice_mark) if self._is_known else ALLOW

    def _judge(self, what: str, twice_price: float) -> Decision:
        if self._low <= twice_price <= self._high:
            return ALLOW
        away = 200 * twice_price / (self._low + self._high) - 100
        span = f"{self._window_ns / NS_PER_S:g} s"
        reason = f"price band: {what} is {away:+.2f} % from the median of the last {span}"
        return Decision(Action.FREEZE, f"{reason}: cool-down", self._cool_down_ns)
