"""What is known of one account: its equity and the sum of its exposures."""

from __future__ import annotations

import math
from dataclasses import dataclass

from services.risk.allocation import Commitments
from services.risk.holding import Holding
from shared.bus import STATE_TTL_NS
from shared.clock import NS_PER_S
from shared.messages import Equity


@dataclass(frozen=True, slots=True)
class Gross:
    """Sum of abs(notional) over an account, and its largest member; unknown names what is not known."""

    usd: float = 0.0
    largest: str = ""
    unknown: str = ""


class AccountState:
    """The newest equity of an account, and its symbols in the order in which they appeared."""

    def __init__(self, max_equity_age_ns: int, ttl_ns: int) -> None:
        self._max_age_ns = max_equity_age_ns
        self._equity: Equity | None = None
        self._heard_ns = 0
        self.holdings: dict[str, Holding] = {}
        self.commitments = Commitments(ttl_ns)
        self.gross_cap_usd = 0.0

    def on_equity(self, equity: Equity, now_ns: int) -> bool:
        """Take an equity; return whether it says anything new."""
        is_new = self._equity is None or equity.equity_usd != self._equity.equity_usd
        self._equity, self._heard_ns = equity, now_ns
        return is_new

    @property
    def equity_usd(self) -> float:
        """The equity; only to be used while nothing is `missing`."""
        return 0.0 if self._equity is None else self._equity.equity_usd or 0.0

    def missing(self, now_ns: int) -> str | None:
        """Return why the equity cannot be relied on; None when it can."""
        equity = self._equity
        if equity is None or now_ns - self._heard_ns > STATE_TTL_NS:
            return "equity not heard"
        if equity.equity_usd is None or not math.isfinite(equity.equity_usd):
            return "equity is unknown"
        if now_ns - equity.as_of_ns > self._max_age_ns:
            return f"equity is older than {self._max_age_ns / NS_PER_S:g} s"
        if equity.equity_usd <= 0:
            return "equity is not above 0"
        return None

    def gross(self) -> Gross:
        """Return the sum over every position heard of; one that cannot be valued makes it unknown."""
        total, largest, largest_usd = 0.0, "", -1.0
        for symbol, holding in self.holdings.items():
            notional = holding.notional_usd()
            if notional is None:
                if holding.position is None:
                    continue  # only its orders or its quoter were heard of
                return Gross(unknown=f"gross exposure is unknown: {symbol} has no price")
            total += abs(notional)
            if abs(notional) > largest_usd:
                largest, largest_usd = symbol, abs(notional)
        return Gross(total, largest)

    def uses_usd(self) -> dict[str, float]:
        """Return what each symbol uses in the worst case, as far as it can be valued."""
        return {symbol: holding.worst_case_usd() or 0.0 for symbol, holding in self.holdings.items()}
