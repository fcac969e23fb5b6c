"""Whether the venue answers, and whether its private stream may be trusted. Pure.

Neither is a matter of pings: the venue answers if the latest request was answered, the
stream is alive if it confirms what replies tell.
"""

from __future__ import annotations

from shared.clock import NS_PER_S

#: an account without a position gets no sign of life from a new stream; then one smallest
#: order probes it after this pause, which doubles with every probe in vain
FIRST_PROBE_NS = 5 * NS_PER_S
LARGEST_PROBE_NS = 60 * NS_PER_S
#: a fill that a read showed must be told by the stream within this
UNTOLD_NS = NS_PER_S
#: pauses between attempts to get a stream that speaks
FIRST_RECONNECT_NS = NS_PER_S
LARGEST_RECONNECT_NS = 32 * NS_PER_S
NEVER_NS = 1 << 62


class VenueHealth:
    """False from a request without an answer (timeout, 5xx) until a later one is answered."""

    __slots__ = ("_failed_ns", "is_answering")

    def __init__(self) -> None:
        self.is_answering = True
        self._failed_ns = 0

    def on_failed(self, now_ns: int) -> None:
        self.is_answering = False
        self._failed_ns = now_ns

    def on_answered(self, sent_ns: int) -> bool:
        """A request that was sent at `sent_ns` is answered; True when the venue answers again."""
        if self.is_answering or sent_ns < self._failed_ns:
            return False
        self.is_answering = True
        return True


class StreamHealth:
    """Trust in the private stream.

    A reply that tells of a change sets a deadline by which the stream must have said
    something. A stream that did not is replaced, and is trusted again only when it speaks.
    """

    def __init__(self, silence_ns: int) -> None:
        self._silence_ns = silence_ns
        self._is_up = False
        self._expected_ns: int | None = None
        self._event_ns = 0
        self._is_proving = False
        self._probe_ns = FIRST_PROBE_NS
        self._probe_due_ns = 0
        self._reconnect_ns = FIRST_RECONNECT_NS
        self._reconnect_due_ns = 0
        #: fills that only a read has told, and when
        self._untold: dict[tuple[str, int, str], int] = {}
        #: reads must have begun after this before the account is known again
        self.up_since_ns = 0

    @property
    def is_trusted(self) -> bool:
        return self._is_up and not self._is_proving

    @property
    def is_up(self) -> bool:
        return self._is_up

    def on_up(self, now_ns: int) -> None:
        self._is_up = True
        self._expected_ns = None
        self._untold.clear()
        self.up_since_ns = now_ns

    def on_down(self) -> None:
        self._is_up = False
        self._expected_ns = None

    def on_event(self, now_ns: int) -> bool:
        """The stream said something; True when that makes it trusted again."""
        self._expected_ns = None
        self._event_ns = now_ns
        if not self._is_proving:
            return False
        self._is_proving = False
        self._probe_ns, self._reconnect_ns = FIRST_PROBE_NS, FIRST_RECONNECT_NS
        self.up_since_ns = now_ns
        return True

    def expect(self, sent_ns: int, now_ns: int) -> None:
        """The reply to a request sent at `sent_ns` told of a change, so the stream must (or has)."""
        if self._is_up and self._expected_ns is None and self._event_ns < sent_ns:
            self._expected_ns = now_ns

    def expect_fill(self, key: tuple[str, int, str], now_ns: int) -> None:
        """A read showed a fill which the stream has not told."""
        self._untold[key] = now_ns

    def told_fill(self, key: tuple[str, int, str]) -> None:
        self._untold.pop(key, None)

    def distrust(self, now_ns: int) -> None:
        """The stream is known to lose events: it must prove itself."""
        self._expected_ns = None
        self._untold.clear()
        if not self._is_proving:
            self._is_proving = True
            self._reconnect_due_ns = now_ns
            self._probe_due_ns = now_ns + self._probe_ns

    def went_silent(self, now_ns: int) -> bool:
        """True once when an expected event, or a fill, has not come in time."""
        is_overdue = self._expected_ns is not None and now_ns - self._expected_ns >= self._silence_ns
        if self._untold:  # the oldest comes first
            is_overdue = is_overdue or now_ns - next(iter(self._untold.values())) >= UNTOLD_NS
        if not is_overdue:
            return False
        was_proving = self._is_proving
        self.distrust(now_ns)
        return not was_proving

    def idle_until_ns(self) -> int:
        """Return until when neither of the checks on the timer can find anything."""
        if self._is_proving or self._untold:
            return 0
        return NEVER_NS if self._expected_ns is None else self._expected_ns + self._silence_ns

    def must_reconnect(self, now_ns: int) -> bool:
        """True when a stream that has to prove itself should be replaced now."""
        if not self._is_proving or now_ns < self._reconnect_due_ns:
            return False
        self._reconnect_due_ns = now_ns + self._reconnect_ns
        self._reconnect_ns = min(2 * self._reconnect_ns, LARGEST_RECONNECT_NS)
        return True

    def take_probe(self, now_ns: int) -> bool:
        """True when one smallest order may be sent to see whether the stream speaks."""
        if not self._is_up or not self._is_proving or now_ns < self._probe_due_ns:
            return False
        self._probe_ns = min(2 * self._probe_ns, LARGEST_PROBE_NS)
        self._probe_due_ns = now_ns + self._probe_ns
        return True
