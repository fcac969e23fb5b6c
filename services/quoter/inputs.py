"""What the quoter knows: the newest message of each kind, and what is missing.

A missing or old input is named; it never gets a default, and nothing is quoted without it.
"""

from __future__ import annotations

from math import inf, isfinite

from services.quoter.sanity import book_problem
from services.quoter.strategies.base import Needs
from shared.clock import NS_PER_S
from shared.messages import (
    Depth,
    Equity,
    FeedState,
    FeedStatus,
    Flow,
    Intensity,
    Permit,
    Position,
    Top,
    Volatility,
    Working,
)

#: every state is repeated each 250 ms; unheard for this long = its process is gone
HEARD_TTL_NS = NS_PER_S
#: volatility and intensity are told once a second: the newest one's inputs may be that much older
TOLD_EACH_NS = NS_PER_S


class Inputs:
    """The newest of each; `..._ns` = when it was last heard, for those that carry no time of their own.

    A quiet book has an old Depth that is still true: what makes it old is not being repeated.
    """

    __slots__ = (
        "_has_needs", "_needs", "_outdated_seq", "_stale_ns", "depth", "depth_ns", "equity", "equity_ns",
        "feed", "flow", "intensity", "permit", "position", "position_ns", "top", "volatility", "working",
        "working_ns",
    )  # fmt: skip

    def __init__(self, needs: Needs, stale_ns: int) -> None:
        self._needs = needs
        self._has_needs = needs != Needs()
        self._stale_ns = stale_ns
        self.top: Top | None = None
        self.depth: Depth | None = None
        self.feed: FeedState | None = None
        self.flow: Flow | None = None
        self.volatility: Volatility | None = None
        self.intensity: Intensity | None = None
        self.permit: Permit | None = None
        self.position: Position | None = None
        self.working: Working | None = None
        self.equity: Equity | None = None
        self._outdated_seq: int | None = None
        self.depth_ns = self.position_ns = self.working_ns = self.equity_ns = 0

    def take_position(self, position: Position, now_ns: int) -> bool:
        """Take a position, unless it was told in lots that mean something else now."""
        if self._outdated_seq is not None:
            if position.position_seq <= self._outdated_seq:
                return False
            self._outdated_seq = None
        self.position, self.position_ns = position, now_ns
        return True

    def forget_numbers(self) -> None:
        """Forget everything in ticks and lots; the position counts again under a newer seq."""
        if self.position is not None:
            self._outdated_seq = self.position.position_seq
        self.top = self.depth = self.permit = self.position = self.working = self.intensity = None

    def position_seq(self) -> int:
        """Return which position is the newest, 0 = none was told."""
        return 0 if self.position is None else self.position.position_seq

    def market_as_of_ns(self) -> int:
        """When the symbol's market data were last known alive."""
        top, feed = self.top, self.feed
        if top is None or feed is None:
            return 0
        return max(top.as_of_ns, feed.as_of_ns)

    def problem(self, now_ns: int) -> str:
        """Return the first thing that forbids to quote, "" when nothing does."""
        problem = self._market_problem(now_ns) or self._account_problem(now_ns)
        return problem or (self._needs_problem(now_ns) if self._has_needs else "")

    def valid_until_ns(self) -> int:
        """Return until when nothing that was found in order here grows old by itself, but for market data."""
        assert self.permit is not None
        heard_ns = min(self.position_ns, self.working_ns)
        needs = self._needs
        if needs.depth:
            heard_ns = min(heard_ns, self.depth_ns)
        if needs.equity:
            heard_ns = min(heard_ns, self.equity_ns)
        until_ns = min(self.permit.expires_ns, heard_ns + HEARD_TTL_NS)
        for is_needed, signal, told_each_ns in (
            (needs.flow, self.flow, 0), (needs.volatility, self.volatility, TOLD_EACH_NS),
            (needs.intensity, self.intensity, TOLD_EACH_NS),
        ):  # fmt: skip
            if is_needed and signal is not None:
                until_ns = min(until_ns, signal.as_of_ns + self._stale_ns + told_each_ns)
        return until_ns

    def is_depth_fresh(self, now_ns: int) -> bool:
        return self.depth is not None and now_ns - self.depth_ns <= HEARD_TTL_NS

    def _market_problem(self, now_ns: int) -> str:
        if self.top is None:
            return "missing: Top"
        if self.feed is None:
            return "missing: FeedState"
        if self.feed.status is not FeedStatus.LIVE:
            return f"feed is {self.feed.status.name.lower()}: {self.feed.reason}"
        if now_ns - self.market_as_of_ns() > self._stale_ns:
            return "stale: market data"
        return book_problem(self.top)

    def _account_problem(self, now_ns: int) -> str:
        permit = self.permit
        if permit is None:
            return "missing: Permit"
        if now_ns >= permit.expires_ns:
            return "expired: Permit"
        if permit.halted:
            return f"halted: {permit.reason}"
        if self.position is None or now_ns - self.position_ns > HEARD_TTL_NS:
            return "missing: Position"
        if not self.position.is_known:
            return "unknown: position"
        if self.working is None or now_ns - self.working_ns > HEARD_TTL_NS:
            return "missing: Working"
        return ""

    def _needs_problem(self, now_ns: int) -> str:
        needs, oldest_ns = self._needs, now_ns - self._stale_ns
        if needs.equity:
            if self.equity is None or now_ns - self.equity_ns > HEARD_TTL_NS:
                return "missing: Equity"
            if self.equity.equity_usd is None or not isfinite(self.equity.equity_usd):
                return "unknown: equity"
        if needs.flow and (self.flow is None or self.flow.as_of_ns < oldest_ns):
            return "missing: Flow" if self.flow is None else "stale: Flow"
        if needs.volatility:
            if self.volatility is None or self.volatility.annualised_pct is None:
                return "missing: Volatility"
            if not 0 <= self.volatility.annualised_pct < inf:
                return "unknown: volatility"
            if self.volatility.as_of_ns < oldest_ns - TOLD_EACH_NS:
                return "stale: Volatility"
        if needs.intensity:
            if self.intensity is None:
                return "missing: Intensity"
            if self.intensity.arrivals_per_s is None:
                return self._untold_intensity(self.intensity)
            if not _is_usable(self.intensity):
                return "unknown: intensity"
            if self.intensity.as_of_ns < oldest_ns - TOLD_EACH_NS:
                return "stale: Intensity"
        if needs.depth and not self.is_depth_fresh(now_ns):
            return "missing: Depth" if self.depth is None else "stale: Depth"
        return ""

    def _untold_intensity(self, intensity: Intensity) -> str:
        """Name what the estimate lacks: takers, or a spread from which they tell something of the mid."""
        assert self.top and self.top.bid is not None and self.top.ask is not None
        seen = f"{intensity.trade_count} takers, spread {self.top.ask - self.top.bid} ticks"
        return f"intensity cannot be told: {seen} (or give intensity_a and intensity_k)"


def _is_usable(intensity: Intensity) -> bool:
    """True when takers come, and come less often the further away: else there is no best distance."""
    arrivals, decay = intensity.arrivals_per_s, intensity.decay_per_tick
    return arrivals is not None and decay is not None and 0 < arrivals < inf and 0 < decay < inf
