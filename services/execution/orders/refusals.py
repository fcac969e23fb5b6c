"""A circuit for each side of a symbol: no refusal is repeated for long.

The third refusal in a row opens it, whatever the reasons were; then one order at a time probes
whether the last one is gone, after a minute. A post-only refusal is answered by a price one
tick further from the market each time (bounded by the same three), not before the market
that refused it has had time to reach us, and probed sooner: the market moves on.
"""

from __future__ import annotations

from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import Level, Side

MAX_REFUSALS = 3
PROBE_NS = 60 * NS_PER_S
POST_ONLY = "post_only"
NO_ANSWER = "no_answer"
AUTH = "auth"  # most likely a stamp that the venue's clock has stepped away from: it is measured again
#: first probe after refusals that pass by themselves; doubles up to PROBE_NS
_FIRST_PROBE_NS = {POST_ONLY: 10 * NS_PER_S, NO_ANSWER: 10 * NS_PER_S, AUTH: 2 * NS_PER_S}
#: a post-only refusal means that the market has moved: at once, the same price would be refused again
_MOVED_NS = 100 * NS_PER_MS
#: a maker target waits so long after such a refusal: its tries are counted, so they may go on
_MAKER_PAUSE_NS = 500 * NS_PER_MS


#: refusals in a row, and the pause before the next probe
Before = tuple[int, int]


class Refusals:
    """What was refused on one side of one symbol, in a row."""

    __slots__ = ("_closed_until_ns", "_count", "_probe_ns", "_shift", "_wanted_price")

    def __init__(self) -> None:
        self._count = 0
        self._closed_until_ns = 0
        self._probe_ns = 0
        self._wanted_price = 0
        self._shift = 0

    @property
    def is_open(self) -> bool:
        """True while only probes are sent."""
        return self._count >= MAX_REFUSALS

    def may_place(self, now_ns: int) -> bool:
        return now_ns >= self._closed_until_ns

    def on_sent(self, now_ns: int) -> None:
        """A probe is out: no second one before its answer, or before the next probe is due."""
        if self.is_open:
            self._closed_until_ns = now_ns + self._probe_ns

    def on_refused(self, reason: str, now_ns: int) -> bool:
        """Count a refusal; True when this one opened the circuit."""
        self._count += 1
        if not self.is_open:
            self._closed_until_ns = now_ns + _MOVED_NS if reason == POST_ONLY else 0
            return False
        first_ns = _FIRST_PROBE_NS.get(reason, PROBE_NS)
        self._probe_ns = min(max(2 * self._probe_ns, first_ns), PROBE_NS)
        self._closed_until_ns = now_ns + self._probe_ns
        return self._count == MAX_REFUSALS

    def on_accepted(self) -> Before:
        """An order is taken: nothing is refused any longer. Returns what that ends, for `take_back`."""
        before = (self._count, self._probe_ns)
        self._count, self._probe_ns = 0, 0
        self._closed_until_ns = 0
        return before

    def take_back(self, before: Before) -> None:
        """An order that was taken has been refused after all: what its acceptance ended goes on."""
        self._count, self._probe_ns = max(self._count, before[0]), max(self._probe_ns, before[1])

    def on_would_take(self, side: Side, price: int) -> None:
        """A post-only order at `price` was refused: the level that it stood for moves away by a tick."""
        if self._shift and price == self._wanted_price - side.sign * self._shift:
            self._shift = min(self._shift + 1, MAX_REFUSALS)
        else:
            self._wanted_price, self._shift = price, 1

    def shifted(self, level: Level) -> Level:
        """Return the level, away from the market by what its refusals asked for."""
        if not self._shift or not level.post_only or level.price != self._wanted_price:
            return level
        price = level.price - level.side.sign * self._shift
        return Level(
            level.side, price, level.size, level.tolerance, level.max_age_ns, True, level.reduce_only
        )


class MakerRefusals(Refusals):
    """Those of a maker target: a market that moved on uses up a try, and opens no circuit."""

    __slots__ = ()

    def on_refused(self, reason: str, now_ns: int) -> bool:
        if reason != POST_ONLY:
            return super().on_refused(reason, now_ns)
        self._closed_until_ns = max(self._closed_until_ns, now_ns + _MAKER_PAUSE_NS)
        return False
