"""The equity of an account: one wrong answer of a venue is not acted on.

An equity far from the last one was once read as 100 instead of 1000, and a position was
traded down for it. A large step permits nothing until a second, later read agrees; the
first equity of all lets quotes rest, but no reduction is traded for it alone.
"""

from __future__ import annotations

import math

from shared.bus import STATE_TTL_NS
from shared.clock import NS_PER_S
from shared.messages import Equity


class TrustedEquity:
    """The newest equity that a second read has not contradicted."""

    def __init__(self, max_age_ns: int, max_step: float) -> None:
        """max_step: as a share of the trusted equity; a larger change must be confirmed."""
        self._max_age_ns = max_age_ns
        self._max_step = max_step
        self._last: Equity | None = None
        self._heard_ns = 0
        self._doubted: Equity | None = None
        self._first_ns: int | None = None
        #: quote units; only to be used while nothing is `missing`
        self.usd = 0.0
        #: True once two reads agreed: reductions may be traded
        self.is_confirmed = False

    @property
    def available_usd(self) -> float | None:
        """What the venue says can be spent, quote units; None = it does not."""
        value = None if self._last is None else self._last.available_usd
        return value if value is not None and math.isfinite(value) else None

    @property
    def is_heard(self) -> bool:
        return self._last is not None

    def on_equity(self, equity: Equity, now_ns: int) -> bool:
        """Take an equity; return whether it says anything new."""
        last, self._last, self._heard_ns = self._last, equity, now_ns
        value = equity.equity_usd
        if value is not None and math.isfinite(value) and value > 0:
            self._judge(equity, value)
        return last is None or (value, equity.as_of_ns) != (last.equity_usd, last.as_of_ns)

    def _judge(self, equity: Equity, value: float) -> None:
        if self._first_ns is None:
            self._first_ns, self.usd = equity.as_of_ns, value
        elif not self._is_step(value, self.usd):
            self._trust(value, equity.as_of_ns > self._first_ns)
        elif self._doubted is None or equity.as_of_ns > self._doubted.as_of_ns:
            doubted = None if self._doubted is None else self._doubted.equity_usd
            if doubted is not None and not self._is_step(value, doubted):
                self._trust(value, True)
            else:
                self._doubted = equity

    def _trust(self, value: float, is_confirmed: bool) -> None:
        self.usd, self._doubted = value, None
        self.is_confirmed = self.is_confirmed or is_confirmed

    def _is_step(self, value: float, from_value: float) -> bool:
        return abs(value - from_value) > self._max_step * from_value

    def missing(self, now_ns: int) -> str | None:
        """Return why the equity cannot be relied on; None when it can."""
        equity = self._last
        if equity is None or now_ns - self._heard_ns > STATE_TTL_NS:
            return "equity not heard"
        if equity.equity_usd is None or not math.isfinite(equity.equity_usd):
            return "equity is unknown"
        if now_ns - equity.as_of_ns > self._max_age_ns:
            return f"equity is older than {self._max_age_ns / NS_PER_S:g} s"
        if equity.equity_usd <= 0:
            return "equity is not above 0"
        if self._doubted is not None:
            return f"equity went from {self.usd:g} to {self._doubted.equity_usd:g} at once: confirming"
        return None
