"""The account's one request budget: a token bucket for each of its limits, with a reserve for cancels.

In any period of a limit (often a minute) at most `share` of it is used: a burst, and a
steady rate for the rest. What one limit has no room for waits, whatever the others have.
Placements leave a part of the burst to reads and cancels, reads a smaller one to cancels.
A refusal for the rate (429, 418) stops everything for what the venue asks, else for 1, 2,
4 ... seconds; placements wait until the venue has answered something since.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.clock import NS_PER_S, seconds_to_ns
from shared.venues.base import RateLimit

#: part of a period's budget that may be used at once
BURST_SHARE = 1 / 6
#: parts of the burst that are kept from placements, and from reads
KEPT_FROM_PLACES = 0.3
KEPT_FROM_READS = 0.15
FIRST_BACKOFF_NS = NS_PER_S
#: after a refusal one request at a time tries whether the venue listens again
PROBE_NS = NS_PER_S
LARGEST_BACKOFF_NS = 64 * NS_PER_S


class _Bucket:
    """What is left of one limit."""

    __slots__ = ("_burst", "_filled_ns", "_per_ns", "_tokens", "limit")

    def __init__(self, limit: RateLimit, share: float, now_ns: int) -> None:
        self.limit = limit
        allowed = limit.count * share
        dearest = max(limit.place, limit.cancel, limit.read)
        self._burst = max(dearest / (1 - KEPT_FROM_PLACES), allowed * BURST_SHARE)
        self._per_ns = max(0.0, allowed - self._burst) / seconds_to_ns(limit.per_s)
        self._tokens = self._burst
        self._filled_ns = now_ns

    def has(self, cost: int, kept: float, now_ns: int) -> bool:
        self._tokens = min(self._burst, self._tokens + (now_ns - self._filled_ns) * self._per_ns)
        self._filled_ns = now_ns
        return not cost or self._tokens >= cost + kept * self._burst

    def has_kept(self, kept: float, now_ns: int) -> bool:
        """True while what is kept is untouched. Changes nothing: for any thread."""
        return self._tokens + (now_ns - self._filled_ns) * self._per_ns >= kept * self._burst

    def take(self, cost: int) -> None:
        """Take tokens, or give some back (cost < 0)."""
        self._tokens = min(self._burst, self._tokens - cost)


Cost = Callable[[RateLimit], int]


def _place(limit: RateLimit) -> int:
    return limit.place


def _cancel(limit: RateLimit) -> int:
    return limit.cancel


def _read(limit: RateLimit) -> int:
    return limit.read


class RateBudget:
    """Every limit has to have room. No limits = none are documented: nothing is held back."""

    def __init__(self, limits: Sequence[RateLimit], share: float, now_ns: int) -> None:
        self._buckets = [_Bucket(limit, share, now_ns) for limit in limits]
        self._silent_until_ns = 0
        self._backoff_ns = 0
        self._is_refused = False
        self._refused_ns = 0
        self._probed_ns = now_ns - PROBE_NS

    def take_cancel(self, now_ns: int) -> bool:
        return self._take(_cancel, 0.0, now_ns)

    def may_read(self, now_ns: int) -> bool:
        """True when a read may begin; what it uses is charged as it happens (pages, attempts)."""
        return self._has(_read, KEPT_FROM_READS, now_ns)

    def may_request(self, now_ns: int) -> bool:
        """True when a read that has begun may send its next request. Changes nothing: for any thread."""
        if self.is_silent(now_ns):
            return False
        counted = (bucket for bucket in self._buckets if bucket.limit.read)
        return all(bucket.has_kept(KEPT_FROM_READS, now_ns) for bucket in counted)

    def charge(self, weight: int) -> None:
        """A read has sent requests of so much weight."""
        for bucket in self._buckets:
            bucket.take(weight * bucket.limit.read)

    def take_place(self, now_ns: int) -> bool:
        return not self._is_refused and self._take(_place, KEPT_FROM_PLACES, now_ns)

    def is_silent(self, now_ns: int) -> bool:
        """True while the venue wants to hear nothing."""
        return now_ns < self._silent_until_ns

    @property
    def is_refused(self) -> bool:
        """True from a rate refusal until the venue has answered something since."""
        return self._is_refused

    def give_back(self) -> None:
        """A placement or cancel for which tokens were taken has not left: give back what either costs."""
        for bucket in self._buckets:
            bucket.take(-min(bucket.limit.place, bucket.limit.cancel))

    def on_rate_limited(self, retry_after_s: float | None, sent_ns: int, now_ns: int) -> None:
        """The venue refused a request that was sent at `sent_ns` for the rate."""
        if self._is_refused and sent_ns <= self._refused_ns:
            return  # sent before the refusal that is being obeyed
        self._refused_ns = now_ns
        self._probed_ns = now_ns - PROBE_NS
        self._backoff_ns = min(2 * self._backoff_ns or FIRST_BACKOFF_NS, LARGEST_BACKOFF_NS)
        asked_ns = seconds_to_ns(retry_after_s) if retry_after_s else 0
        self._silent_until_ns = max(self._silent_until_ns, now_ns + max(asked_ns, self._backoff_ns))
        self._is_refused = True

    def on_answered(self, sent_ns: int) -> None:
        """The venue answered a request that was sent at `sent_ns`."""
        if self._is_refused and sent_ns > self._refused_ns:
            self._is_refused = False
            self._backoff_ns = 0

    def _take(self, cost: Cost, kept: float, now_ns: int) -> bool:
        if not self._has(cost, kept, now_ns):
            return False
        for bucket in self._buckets:
            bucket.take(cost(bucket.limit))
        return True

    def _has(self, cost: Cost, kept: float, now_ns: int) -> bool:
        if now_ns < self._silent_until_ns:
            return False
        if self._is_refused:
            if now_ns - self._probed_ns < PROBE_NS:
                return False
            self._probed_ns = now_ns
        return all(bucket.has(cost(bucket.limit), kept, now_ns) for bucket in self._buckets)
