"""May a symbol's data be used? Pure rules over times.

Lag is the growth of (local receive time - venue time) above its minimum: the difference
itself says nothing, since no two clocks agree. The monotonic clock is taken for the local
one, so that a step of the wall clock is not taken for lag.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import FeedStatus

#: a book that was crossed, or data that lagged, must be good for this long to count as live
SETTLE_NS = 500 * NS_PER_MS
#: a minimum that falls by more than this must be seen this often to be believed
LEAP_NS = 500 * NS_PER_MS
BELIEVED_LEAPS = 20
#: how fast two clocks drift apart at most: the rate at which a clock is slewed
MAX_DRIFT = 500e-6
#: by how much a fresh message may seem older, or younger, than the venue's clock as it was read
ALLOWANCE_NS = 250 * NS_PER_MS
_FAR = 1 << 62
#: a price read by REST is used for this long
REST_TTL_NS = 3 * NS_PER_S


class LagMeter:
    """The running minimum over one to two windows; one meter per venue.

    The minimum rises no faster than clocks drift: a lag that lasts is no new minimum. Once the
    venue's clock was read, it cannot be far from what that says, so that a lag that was there
    before the first frame is seen too, and a step of the venue's clock is forgiven.

    A single stamp from the future would make all that follows look late for a whole window:
    a minimum that falls by much is believed only when it is seen several times in a row.
    """

    def __init__(self, window_ns: int) -> None:
        self._window_ns = window_ns
        self._ends_ns: int | None = None
        self._began_ns = 0
        self._lowest, self._highest = -_FAR, _FAR  # where the minimum can be
        self._minimum = 0
        self._previous = 0
        self._current = 0
        self._leaps = 0

    def lag_ns(self, venue_ns: int, recv_ns: int) -> int:
        """Take one observation; return how far it is above the minimum, >= 0."""
        difference = recv_ns - venue_ns
        if self._ends_ns is None:
            self._minimum = difference
            self._start_window(difference, difference, recv_ns)
        elif difference < self._minimum - LEAP_NS and self._leaps < BELIEVED_LEAPS:
            self._leaps += 1
            return 0
        elif recv_ns >= self._ends_ns:
            self._start_window(self._current, difference, recv_ns)
        elif difference < self._current:
            self._current = max(difference, self._lowest)
            self._minimum = min(self._previous, self._current)
        self._leaps = 0
        lag_ns = difference - self._minimum
        return lag_ns if lag_ns > 0 else 0

    def bound(self, difference_ns: int, error_ns: int) -> None:
        """Take local minus venue time as it was measured, and the bound of that measurement's error."""
        self._lowest = difference_ns - error_ns - ALLOWANCE_NS
        self._highest = difference_ns + error_ns + ALLOWANCE_NS
        if self._ends_ns is not None:
            self._set(self._previous, self._current)

    def _start_window(self, previous: int, current: int, recv_ns: int) -> None:
        drift_ns = round((recv_ns - self._began_ns) * MAX_DRIFT)
        self._began_ns = recv_ns
        self._ends_ns = recv_ns + self._window_ns
        self._set(min(previous, self._minimum + drift_ns), current)

    def _set(self, previous: int, current: int) -> None:
        self._previous = min(max(previous, self._lowest), self._highest)
        self._current = min(max(current, self._lowest), self._highest)
        self._minimum = min(self._previous, self._current)


@dataclass(frozen=True, slots=True)
class Limits:
    """When data is too old, and when it lags too much."""

    stale_after_ns: int
    max_lag_ns: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a symbol's feed at `now_ns`.

    connection  why there is no connection, "" = there is one
    sync        why the book is not in step, "" = it is
    book        what is wrong with the prices, "" = nothing
    as_of_ns    as of when data was last known alive; 0 = never
    rest_ns     when REST last gave a price; 0 = never
    """

    now_ns: int
    connection: str
    sync: str
    book: str
    as_of_ns: int
    lag_ns: int
    rest_ns: int


def judge(evidence: Evidence, limits: Limits) -> tuple[FeedStatus, str]:
    """Return a symbol's status and, unless it is live, the clock or rule that says so."""
    status, reason = _judge_stream(evidence, limits)
    has_rest = evidence.rest_ns > 0 and evidence.now_ns - evidence.rest_ns < REST_TTL_NS
    if status is not FeedStatus.LIVE and has_rest:
        return FeedStatus.FALLBACK, f"prices by REST: {reason}"
    return status, reason


def _judge_stream(evidence: Evidence, limits: Limits) -> tuple[FeedStatus, str]:
    if evidence.connection:
        return FeedStatus.CONNECTING, evidence.connection
    age_ns = evidence.now_ns - evidence.as_of_ns
    if not evidence.as_of_ns:
        return FeedStatus.SYNCING, evidence.sync or "waiting for data"
    if age_ns > limits.stale_after_ns:
        if evidence.lag_ns > limits.max_lag_ns:
            return FeedStatus.STALE, f"lagging by {evidence.lag_ns / NS_PER_S:.1f} s"
        return FeedStatus.STALE, f"silent for {limits.stale_after_ns / NS_PER_S:g} s"
    if evidence.lag_ns > limits.max_lag_ns:
        return FeedStatus.STALE, f"lagging by {evidence.lag_ns / NS_PER_S:.1f} s"
    if evidence.sync:
        return FeedStatus.SYNCING, evidence.sync
    if evidence.book:
        return FeedStatus.STALE, evidence.book
    return FeedStatus.LIVE, ""


def price_fault(bid: int | None, ask: int | None) -> str:
    """Return what is wrong with a pair of best prices, "" = nothing."""
    if bid is None or ask is None:
        return "the book is empty" if bid is ask else f"the book has no {'bids' if bid is None else 'asks'}"
    if bid <= 0 or ask <= 0:
        return f"a best price is not above 0: {min(bid, ask)} ticks"
    if bid >= ask:
        return f"the book is crossed: bid {bid}, ask {ask} ticks"
    return ""
