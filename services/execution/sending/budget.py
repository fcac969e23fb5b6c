"""The account's one request budget: a token bucket with a reserve for cancels.

In any minute at most `share` of the venue's budget is used: a burst, and a steady rate for
the rest. Placements leave a part of the burst to reads and cancels, reads a smaller one
to cancels. A refusal for the rate (429, 418) stops everything for what the venue asks, else
for 1, 2, 4 ... seconds; placements wait until the venue has answered something since.
"""

from __future__ import annotations

from shared.clock import NS_PER_S, seconds_to_ns

#: part of a minute's budget that may be used at once
BURST_SHARE = 1 / 6
#: parts of the burst that are kept from placements, and from reads
KEPT_FROM_PLACES = 0.3
KEPT_FROM_READS = 0.15
FIRST_BACKOFF_NS = NS_PER_S
#: after a refusal one request at a time tries whether the venue listens again
PROBE_NS = NS_PER_S
LARGEST_BACKOFF_NS = 64 * NS_PER_S


class RateBudget:
    """Tokens are requests. `requests_per_min` None = no budget documented: nothing is held back."""

    def __init__(self, requests_per_min: int | None, share: float, now_ns: int) -> None:
        self._is_free = requests_per_min is None
        allowed = (requests_per_min or 0) * share
        self._burst = max(1.0, allowed * BURST_SHARE)
        self._per_ns = (allowed - self._burst) / 60 / NS_PER_S
        self._tokens = self._burst
        self._filled_ns = now_ns
        self._silent_until_ns = 0
        self._backoff_ns = 0
        self._is_refused = False
        self._refused_ns = 0
        self._probed_ns = now_ns - PROBE_NS

    def take_cancel(self, now_ns: int) -> bool:
        return self._take(now_ns, 0.0)

    def may_read(self, now_ns: int) -> bool:
        """True when a read may begin; what it uses is charged as it happens (pages, attempts)."""
        return self._has(now_ns, KEPT_FROM_READS)

    def may_request(self, now_ns: int) -> bool:
        """True when a read that has begun may send its next request. Changes nothing: for any thread."""
        if self.is_silent(now_ns):
            return False
        tokens = self._tokens + (now_ns - self._filled_ns) * self._per_ns
        return self._is_free or tokens >= KEPT_FROM_READS * self._burst

    def charge(self, requests: int) -> None:
        """A read has sent so many requests."""
        self._tokens -= requests

    def take_place(self, now_ns: int) -> bool:
        return not self._is_refused and self._take(now_ns, KEPT_FROM_PLACES)

    def is_silent(self, now_ns: int) -> bool:
        """True while the venue wants to hear nothing."""
        return now_ns < self._silent_until_ns

    @property
    def is_refused(self) -> bool:
        """True from a rate refusal until the venue has answered something since."""
        return self._is_refused

    def give_back(self) -> None:
        """A request for which a token was taken has not left."""
        self._tokens = min(self._burst, self._tokens + 1)

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

    def _take(self, now_ns: int, kept: float) -> bool:
        if not self._has(now_ns, kept):
            return False
        self._tokens -= 1
        return True

    def _has(self, now_ns: int, kept: float) -> bool:
        if now_ns < self._silent_until_ns:
            return False
        if self._is_refused:
            if now_ns - self._probed_ns < PROBE_NS:
                return False
            self._probed_ns = now_ns
        if self._is_free:
            return True
        self._tokens = min(self._burst, self._tokens + (now_ns - self._filled_ns) * self._per_ns)
        self._filled_ns = now_ns
        return self._tokens >= 1 + kept * self._burst
