"""Index, mark price and funding rate of one perpetual.

Mark = index + one-minute EWMA of (mid - index), each update moving it by at most
0.25 %. The funding rate of an interval is the time-weighted premium of mark over
index, spread over eight hours, bounded. Prices are in ticks * MARK_GRID.

Source: Backpack documentation of mark price and funding; its exact premium rule
is not published, so the eight-hour convention of other venues stands in.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from math import exp

from services.exchange.engine.rules import MARK_GRID, Rules
from services.exchange.model import MarkChange

FUNDING_RATE_BOUND = Decimal("0.01")
_RATE_DECIMALS = 7
_RATE_STEPS = 10**_RATE_DECIMALS
_EWMA_NS = 60_000_000_000
_PREMIUM_PERIOD_NS = 8 * 3_600_000_000_000
_KEPT_INTERVALS = 1000


class MarkPrice:
    """Mark and funding state; there is no mark before the first index."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._interval_ns = rules.market.funding_interval_ns
        self.index: int | None = None
        self.mark: int | None = None
        self.next_funding_ns = 0
        #: (interval end ns, rate), oldest first
        self.rates: deque[tuple[int, Decimal]] = deque(maxlen=_KEPT_INTERVALS)
        self._basis: float | None = None
        self._updated_ns = 0
        self._premium_ns = 0.0
        self._measured_ns = 0

    def set_index(self, index: int, now_ns: int) -> None:
        """Take a new index price; the first one is also the first mark."""
        self.index = index
        if self.mark is None:
            self.mark = index
            self._updated_ns = now_ns
            self.next_funding_ns = (now_ns // self._interval_ns + 1) * self._interval_ns

    def update(self, mid: int | None, now_ns: int) -> None:
        """Move the mark; `mid` is None while a side of the book is empty."""
        if self.index is None or self.mark is None:
            return
        elapsed_ns = max(0, now_ns - self._updated_ns)
        self._updated_ns = now_ns
        self._measure_premium(elapsed_ns)
        if mid is not None:
            basis = float(mid - self.index)
            known = basis if self._basis is None else self._basis
            self._basis = known + (1 - exp(-elapsed_ns / _EWMA_NS)) * (basis - known)
        wanted = self.index + round(self._basis or 0.0)
        lowest, highest = -(-self.mark * 9975 // 10000), self.mark * 10025 // 10000
        self.mark = max(1, lowest, min(highest, wanted))

    def _measure_premium(self, elapsed_ns: int) -> None:
        if self.index and self.mark:
            self._premium_ns += (self.mark - self.index) / self.index * elapsed_ns
            self._measured_ns += elapsed_ns

    def estimated_rate(self) -> Decimal:
        """Return the rate, a fraction of notional, that the running interval would pay now."""
        if not self._measured_ns:
            return Decimal(0)
        rate = self._premium_ns / self._measured_ns * self._interval_ns / _PREMIUM_PERIOD_NS
        bounded = min(FUNDING_RATE_BOUND, max(-FUNDING_RATE_BOUND, Decimal(rate)))
        return Decimal(round(bounded * _RATE_STEPS)).scaleb(-_RATE_DECIMALS)

    def close_interval(self, now_ns: int) -> tuple[int, Decimal] | None:
        """Return (interval end ns, rate) if funding is due, and start the next interval.

        After a stop of several intervals only the one that was running is paid.
        """
        if self.mark is None or now_ns < self.next_funding_ns:
            return None
        ended = self.next_funding_ns, self.estimated_rate()
        self.rates.append(ended)
        self.next_funding_ns = (now_ns // self._interval_ns + 1) * self._interval_ns
        self._premium_ns, self._measured_ns = 0.0, 0
        return ended

    def state(self, now_ns: int) -> MarkChange | None:
        if self.mark is None or self.index is None:
            return None
        step = self._rules.prices.step
        return MarkChange(
            symbol=self._rules.market.symbol,
            mark=self.mark * step / MARK_GRID,
            index=self.index * step / MARK_GRID,
            funding_rate=self.estimated_rate(),
            next_funding_ns=self.next_funding_ns,
            engine_ns=now_ns,
        )
