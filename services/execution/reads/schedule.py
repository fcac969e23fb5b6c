"""The slow clock: what is asked of the venue although the private stream tells it.

One read of a kind is under way at a time. A failed read leaves everything as it was; it is
made again after 1, 2, 4 s. `last_good_ns` is when the latest good one *began*: that is
the moment which it proves something about.
"""

from __future__ import annotations

from collections.abc import Collection

from services.execution.desk import Desk
from services.execution.requests import ReadKind, StartRead
from shared.clock import NS_PER_MS, NS_PER_S, seconds_to_ns

#: a hurried read does not begin sooner than this after the one before
SHORTEST_NS = 100 * NS_PER_MS
#: the same of a read that has failed and that a stop waits for
URGENT_NS = 500 * NS_PER_MS
#: a read that takes longer counts as failed; should its answer come after all, it is used
ABANDON_NS = 2_500 * NS_PER_MS
LARGEST_BACKOFF_NS = 8 * NS_PER_S
INSTRUMENTS_NS = 3_600 * NS_PER_S
#: how often the ledger is compared with balances and positions
STATEMENT_NS = 60 * NS_PER_S
#: of what is read once
NEVER_NS = 1 << 62
#: history may show a fill late: reads reach back so far before what a good read has shown complete
OVERLAP_MS = 30_000


class _Kind:
    __slots__ = ("backoff_ns", "begun_ns", "due_ns", "is_running", "last_good_ns", "period_ns")

    def __init__(self, period_ns: int) -> None:
        self.period_ns = period_ns
        self.due_ns = 0
        self.begun_ns = -NS_PER_S
        self.is_running = False
        self.last_good_ns = 0
        self.backoff_ns = 0


class Reads:
    """Schedules reads.

    start_ms  venue time before which no fill of ours is looked for
    """

    def __init__(self, desk: Desk, start_ms: int) -> None:
        config = desk.config
        self._desk = desk
        self._start_ms = start_ms
        #: nothing is due before this; 0 = that must be found out
        self._soonest_ns = 0
        self._kinds = {
            ReadKind.INSTRUMENTS: _Kind(INSTRUMENTS_NS),
            ReadKind.ORDER_HISTORY: _Kind(NEVER_NS),
            ReadKind.OPEN_ORDERS: _Kind(seconds_to_ns(config.open_orders_read_s)),
            ReadKind.POSITIONS: _Kind(seconds_to_ns(config.position_read_s)),
            ReadKind.FILLS: _Kind(seconds_to_ns(config.fills_read_s)),
            ReadKind.BALANCES: _Kind(seconds_to_ns(config.equity_read_s)),
            ReadKind.EQUITY: _Kind(seconds_to_ns(config.equity_read_s)),
            ReadKind.FUNDING: _Kind(seconds_to_ns(config.funding_read_s)),
            ReadKind.STATEMENT: _Kind(STATEMENT_NS),
        }

    @property
    def idle_until_ns(self) -> int:
        """Until when nothing is due; 0 = that is not known before the next tick."""
        return self._soonest_ns

    def last_good_ns(self, kind: ReadKind) -> int:
        """Return when the latest good read of this kind began; 0 = none was good."""
        return self._kinds[kind].last_good_ns

    def set_start(self, start_ms: int) -> None:
        """Look for fills from here on, until a good read has shown a later time complete."""
        self._start_ms = start_ms

    def hurry(self, kind: ReadKind, now_ns: int, pause_ns: int = 0) -> None:
        """Make the next read of this kind soon, or after a pause; not before a failed one is due again."""
        known = self._kinds[kind]
        self._soonest_ns = 0
        if not known.backoff_ns:
            known.due_ns = min(known.due_ns, max(now_ns + pause_ns, known.begun_ns + SHORTEST_NS))

    def demand(self, kind: ReadKind, now_ns: int) -> None:
        """Make the next read of this kind soon, failed or not: there is no time left to be patient."""
        known = self._kinds[kind]
        self._soonest_ns = 0
        pause_ns = URGENT_NS if known.backoff_ns else SHORTEST_NS
        known.due_ns = min(known.due_ns, max(now_ns, known.begun_ns + pause_ns))

    def tick(self, now_ns: int, held: Collection[ReadKind]) -> None:
        """Start what is due, unless its kind is held: its answer would tell nothing yet."""
        if now_ns < self._soonest_ns:
            return
        self._soonest_ns = 0
        for kind, known in self._kinds.items():
            if known.is_running and now_ns - known.begun_ns > ABANDON_NS:
                if kind is not ReadKind.STATEMENT:  # three requests in one may be slow at a healthy venue
                    self._desk.venue.on_failed(now_ns)
                self.on_failed(kind, now_ns)
            if known.is_running or now_ns < known.due_ns:
                continue
            if kind in held:
                continue
            if not self._desk.budget.may_read(now_ns):
                return
            known.is_running = True
            known.begun_ns = now_ns
            known.due_ns = now_ns + known.period_ns
            newest_ns = self._desk.ledger.newest_fill_ns
            self._desk.outbox.append(StartRead(kind, self._since_ms(kind), newest_ns))
        if not held:
            self._soonest_ns = min(
                known.begun_ns + ABANDON_NS if known.is_running else known.due_ns
                for known in self._kinds.values()
            )

    def on_done(self, kind: ReadKind, begun_ns: int) -> None:
        known = self._kinds[kind]
        self._soonest_ns = 0
        known.is_running = False
        known.backoff_ns = 0
        known.last_good_ns = max(known.last_good_ns, begun_ns)

    def on_failed(self, kind: ReadKind, now_ns: int) -> None:
        known = self._kinds[kind]
        self._soonest_ns = 0
        known.is_running = False
        known.backoff_ns = min(2 * known.backoff_ns or NS_PER_S, LARGEST_BACKOFF_NS)
        known.due_ns = now_ns + known.backoff_ns

    def on_withheld(self, kind: ReadKind, now_ns: int) -> None:
        """It was not made: that tells nothing of the venue, and it is due again soon."""
        known = self._kinds[kind]
        self._soonest_ns = 0
        known.is_running = False
        known.due_ns = now_ns + NS_PER_S

    def _since_ms(self, kind: ReadKind) -> int:
        ledger = self._desk.ledger
        if kind is ReadKind.FILLS:
            return max(self._start_ms, ledger.complete_ms - OVERLAP_MS, ledger.remembered_ms)
        if kind is ReadKind.FUNDING:
            return ledger.funded_until_ms or ledger.started_ms or self._start_ms
        return 0
