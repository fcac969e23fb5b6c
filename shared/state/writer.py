"""Writes state to Redis from one thread, so that no loop ever waits for it.

States are coalesced: only the newest value of a key is written. Journal entries are never
dropped and keep their order; while they cannot be written, or the backlog is too long,
`is_healthy` is False and its owner stops quoting.

Redis may come back with less than it had, or be emptied while it runs: the mark of the latest
append in it tells. Then the latest entries, the ledger and the newest of every state are written
again, so that the next start takes over all of it or nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from shared.clock import NS_PER_MS, NS_PER_S, Clock, seconds_to_ns
from shared.errors import Fatal, Unknown
from shared.state.journal import Change, Journal, Journalled
from shared.state.records import JournalEntry, StoredEquity, StoredOrders, StoredPosition
from shared.state.store import StateStore

MAX_BACKLOG = 10_000
#: unhealthy when Redis has not answered for this long; quoting must stop within 2 s
MAX_SILENCE_NS = 1_500 * NS_PER_MS
#: it is asked this often whether Redis is still there, and still holds what was written
PING_S = 0.25
#: entries that are written again after a loss: no back-fill at a start reaches further back
KEPT = 2_000
RETRY_S = 0.1
TRIM_NS = 60 * NS_PER_S
#: keys of states whose newest value is kept elsewhere
ONCE = ("ledger", "remembered")
log = logging.getLogger("state")

OnJournalled = Callable[[Change, Journalled], None]


class StateWriter:
    """The writing thread of one account.

    on_journalled  called in the writer's thread with what became of each journal entry; an entry whose
                   first answer was lost is DUPLICATE at the second attempt
    """

    def __init__(
        self, store: StateStore, account: str, clock: Clock, on_journalled: OnJournalled | None = None
    ) -> None:
        self._store = store
        self._account = account
        self._clock = clock
        self._on_journalled = on_journalled
        self._journal: Journal = store.journal(account)
        self._changes: deque[Change] = deque()
        self._states: dict[str, Callable[[], None]] = {}
        self._wake = threading.Condition()
        self._is_stopping = False
        self._is_abandoned = False
        self._is_failing = False
        self._answered_ns: int | None = None
        self._looked_ns: int | None = None
        #: what Redis should hold; of the writer's thread
        self._must_rewrite = False
        self._name = str(clock.wall_ns())  # no two writers leave the same mark
        self._appended = 0
        self._mark = ""
        self._kept: deque[JournalEntry] = deque(maxlen=KEPT)
        self._ledger: dict[str, Decimal] = {}
        self._newest: dict[str, Callable[[], None]] = {}
        self._trimmed_ns = clock.monotonic_ns()
        self._thread = threading.Thread(target=self._run, name="state-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def append(self, change: Change) -> None:
        """Queue a journal entry; never blocks, never drops."""
        with self._wake:
            self._changes.append(change)
            self._wake.notify()

    def remember(self, entries: Sequence[JournalEntry], ledger: Mapping[str, Decimal]) -> None:
        """Take over what a start has read: it is written again, too, should Redis lose it."""

        def take() -> None:
            self._kept = deque([*entries, *self._kept], maxlen=KEPT)
            self._ledger = {**ledger, **self._ledger}

        self._put("remembered", take)

    def put_ledger(self, values: Mapping[str, Decimal]) -> None:
        """Set fields of the ledger that no journal entry changes."""

        def write() -> None:
            self._store.put_ledger(self._account, values)
            self._ledger.update(values)

        self._put("ledger", write)

    def put_position(self, symbol: str, position: StoredPosition) -> None:
        store, account = self._store, self._account
        self._put(f"position:{symbol}", lambda: store.put_position(account, symbol, position))

    def put_equity(self, equity: StoredEquity) -> None:
        store, account = self._store, self._account
        self._put("equity", lambda: store.put_equity(account, equity))

    def put_orders(self, symbol: str, orders: StoredOrders) -> None:
        store, account = self._store, self._account
        self._put(f"orders:{symbol}", lambda: store.put_orders(account, symbol, orders))

    def is_healthy(self, now_ns: int) -> bool:
        """True while Redis answers and the backlog is bounded; False = do not quote.

        Raises: Fatal when the writer's thread has ended by an error: nothing is written any more.
        """
        if self._thread.ident is not None and not self._thread.is_alive() and not self._is_stopping:
            raise Fatal(f"{self._account}: the thread that writes state has ended")
        answered_ns = self._answered_ns
        if answered_ns is None or len(self._changes) > MAX_BACKLOG:
            return False
        return now_ns - answered_ns <= MAX_SILENCE_NS

    def stop(self, timeout_s: float = 2.0) -> bool:
        """Write what is queued, then end the thread; True when nothing was left behind."""
        with self._wake:
            self._is_stopping = True
            self._wake.notify()
        self._thread.join(timeout_s)
        self._is_abandoned = True
        return not self._changes and not self._states

    def _put(self, key: str, write: Callable[[], None]) -> None:
        with self._wake:
            self._states[key] = write
            self._wake.notify()

    def _run(self) -> None:
        while not self._is_abandoned:
            with self._wake:
                if not self._changes and not self._states:
                    if self._is_stopping:
                        return
                    self._wake.wait(PING_S)
            try:
                self._write_all()
            except Unknown as error:
                self._fail(error)

    def _write_all(self) -> None:
        """Write the journal, then the states: a state may reflect every entry queued before it."""
        self._look()
        while self._changes:
            change = self._changes[0]
            mark = f"{self._name}-{self._appended + 1}"
            outcome = self._journal.append(change, mark)
            self._appended += 1
            self._mark = mark
            self._answered()
            self._changes.popleft()  # only now: an unanswered append is made again
            self._keep(change)
            if self._on_journalled is not None:
                self._on_journalled(change, outcome)
        self._write_states()
        if self._clock.monotonic_ns() - self._trimmed_ns >= TRIM_NS:
            self._trimmed_ns = self._clock.monotonic_ns()
            self._journal.trim()

    def _look(self) -> None:
        """Ask, now and then, whether Redis still holds what was written; after a failure at once."""
        now_ns = self._clock.monotonic_ns()
        is_due = self._looked_ns is None or now_ns - self._looked_ns >= seconds_to_ns(PING_S)
        if not is_due and not self._is_failing:
            return
        is_lost = self._journal.has_lost(self._mark)
        self._looked_ns = now_ns
        self._must_rewrite = self._must_rewrite or is_lost or self._is_failing
        self._answered()
        if is_lost and (self._kept or self._newest):
            log.error("redis has lost what was in it; it is written again", extra={"account": self._account})
        if self._must_rewrite:
            self._rewrite()
            self._must_rewrite = False

    def _rewrite(self) -> None:
        for entry in self._kept:  # every one with all sums: a crash in between leaves no part of them
            self._journal.append(Change(entry, None, self._ledger), self._mark)
            self._answered()
        if self._ledger:
            self._store.put_ledger(self._account, self._ledger)
        with self._wake:
            for key, write in self._newest.items():
                self._states.setdefault(key, write)

    def _keep(self, change: Change) -> None:
        self._kept.append(change.entry)
        self._ledger.update(change.ledger)
        symbol, position = change.entry.symbol, change.position
        if position is not None:
            store, account = self._store, self._account
            self._newest[f"position:{symbol}"] = lambda: store.put_position(account, symbol, position)

    def _write_states(self) -> None:
        while self._states and not self._changes:
            with self._wake:
                key = next(iter(self._states))
                write = self._states.pop(key)
            try:
                write()
            except Unknown:
                with self._wake:
                    self._states.setdefault(key, write)  # unless a newer value came meanwhile
                raise
            if key not in ONCE:
                self._newest[key] = write
            self._answered()

    def _answered(self) -> None:
        self._answered_ns = self._clock.monotonic_ns()
        if self._is_failing:
            self._is_failing = False
            log.info("state is written again", extra={"backlog": len(self._changes)})

    def _fail(self, error: Unknown) -> None:
        if not self._is_failing:
            self._is_failing = True
            log.error("state is not written", extra={"error": str(error), "backlog": len(self._changes)})
        time.sleep(RETRY_S)
