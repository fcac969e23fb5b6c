"""The end: every order of ours cancelled, confirmed by the venue, the ledger tied out; in bounded time.

That our orders are gone needs the venue alone. Where fills or payments cannot be read, or
Redis does not answer, the tie-out is unknown, and the end is confirmed all the same.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from decimal import Decimal

from services.execution.account.tieout import differences, free_cash
from services.execution.core import Execution
from services.execution.live.store_link import StoreLink
from services.execution.live.venue_link import VenueLink
from services.execution.requests import ReadKind
from shared.clock import NS_PER_S, Clock, seconds_to_ns
from shared.errors import Unknown
from shared.loop import Loop

#: how often the tie-out is tried: its answers must belong to one moment
TIE_OUT_TRIES = 10
TIE_OUT_PAUSE_S = 0.1
TIE_OUT_NS = 2 * NS_PER_S
log = logging.getLogger("execution")


class Ending:
    """Waits until the core has stopped, ties out, then calls `finish` once."""

    def __init__(
        self, loop: Loop, clock: Clock, core: Execution, link: VenueLink, store: StoreLink,
        finish: Callable[[], None],
    ) -> None:  # fmt: skip
        self._loop, self._clock, self._core = loop, clock, core
        self._link, self._store, self._finish = link, store, finish
        self._deadline_ns = 0
        self._is_waiting = False
        self.is_over = False
        self.is_confirmed = False

    def begin(self) -> None:
        """The core has been told to stop."""
        self._deadline_ns = self._clock.monotonic_ns() + seconds_to_ns(self._core.desk.config.stop_timeout_s)
        self._is_waiting = True
        self._loop.in_worker(self._store.forget_closing, lambda _done: None)  # nothing is confirmed yet
        self._loop.every(Execution.timer_ns, self._check)

    def _check(self) -> None:
        if not self._is_waiting:
            return
        is_late = self._clock.monotonic_ns() >= self._deadline_ns
        self.is_confirmed = self._core.is_stopped()
        if self.is_confirmed and self._core.is_ledger_read():
            self._is_waiting = False
            self._loop.in_worker(self._tie_out, self._on_tied_out)
            self._loop.after(TIE_OUT_NS, self._end)
        elif is_late:
            self._is_waiting = False
            if self.is_confirmed:
                log.error(
                    "our orders are gone; fills or payments could not be read, the ledger is not tied out"
                )
                self._close({"open_orders_at_end": Decimal(0)})
            else:
                self._end()

    def _tie_out(self) -> dict[str, Decimal]:
        """Compare ledger and venue now that nothing trades; return the ledger's closing fields.

        Without a beginning, or answers of one moment, there is nothing to compare: that is unknown.
        """
        ledger, instruments = self._core.desk.ledger, self._core.desk.instruments
        closing, found = {"open_orders_at_end": Decimal(0)}, None
        for _ in range(TIE_OUT_TRIES if ledger.started_ms is not None else 0):
            try:
                statement = self._link.ask_now(ReadKind.STATEMENT)
            except Unknown:  # withheld by the budget, or not answered: the next try may be
                time.sleep(TIE_OUT_PAUSE_S)
                continue
            if statement is None:
                continue
            cash = free_cash(statement.balances, statement.positions, instruments)
            found = differences(ledger.snapshot(), cash, instruments)
            if not found:
                return closing | {"matches_venue": Decimal(1)}
        if found is None:
            log.error("the ledger could not be compared with the venue")
            return closing
        log.error("the ledger differs from the venue", extra={"venue_minus_ledger": str(found)})
        return closing | {"matches_venue": Decimal(0)}

    def _on_tied_out(self, future: Future[dict[str, Decimal]]) -> None:
        self._close(future.result())

    def _close(self, closing: dict[str, Decimal]) -> None:
        self._loop.in_worker(lambda: self._store.put_ledger(closing), lambda _done: self._end())

    def _end(self) -> None:
        if not self.is_over:
            self.is_over = True
            self._finish()
