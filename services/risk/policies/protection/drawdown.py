"""Drawdown and loss rate: the account's equity against its own highest value of late.

Equity holds everything: fees, funding, what is realised and what is not. Only values that two
reads agreed on count. A withdrawal looks like a loss, so it is one. Every symbol of the account
is stopped, each by its own instance of the policy.

A halt that a person ends begins a new session: the peak is what the equity is then.

Source: reliability.md, rows 9 (loss from peak, loss per minute) and 17; ruling C1.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from services.risk.account.equity_history import LONGEST_NS, EquityHistory
from services.risk.policies.exposure import is_over
from services.risk.policies.policy import ALLOW, Decision, View
from services.risk.policies.protection.response import CoolDown, Response, respond
from services.risk.policies.table import PolicyTable
from shared.clock import NS_PER_S, seconds_to_ns

Percent = Annotated[float, Meta(gt=0, le=100)]
Usd = Annotated[float, Meta(gt=0, le=1e12)]
Window = Annotated[float, Meta(ge=1, le=LONGEST_NS // NS_PER_S)]


class DrawdownTable(PolicyTable, frozen=True, forbid_unknown_fields=True):
    """How far the equity may fall from its peak.

    max_pct      largest fall, % of the peak
    max_usd      the same in quote units; the first of the two that is broken counts; None = none
    window_s     the peak is that of the last so many seconds; None = of the session
    action       "halt": until a person resumes; "stop": no quotes, reductions work, while it lasts and
                 cool_down_s more; "freeze": no order at all for as long, no stop-loss either
    cool_down_s  see action, seconds
    """

    max_pct: Percent | None = None
    max_usd: Usd | None = None
    window_s: Window | None = None
    action: Response = "halt"
    cool_down_s: CoolDown = 60.0

    def problem(self) -> str:
        if self.max_pct is None and self.max_usd is None:
            return "max_pct or max_usd must be given"
        if self.window_s is None and self.action != "halt":
            return (
                f'action "{self.action}" needs a window_s: without trading no session peak is reached again'
            )
        return ""


class LossRateTable(PolicyTable, frozen=True, forbid_unknown_fields=True):
    """How much the equity may lose within a short time.

    max_usd      largest loss, quote units; None = only the share counts
    max_pct      the same in % of the highest equity of the window; None = only the amount counts
    window_s     within so many seconds
    action       as of the drawdown
    cool_down_s  see action, seconds
    """

    max_usd: Usd | None = None
    max_pct: Percent | None = None
    window_s: Window = 60.0
    action: Response = "stop"
    cool_down_s: CoolDown = 300.0

    def problem(self) -> str:
        is_given = self.max_usd is not None or self.max_pct is not None
        return "" if is_given else "max_usd or max_pct must be given"


class EquityLoss:
    """The equity has fallen too far from the peak of the session or of a trailing window."""

    def __init__(self, name: str, table: DrawdownTable | LossRateTable, is_strict: bool) -> None:
        self.name, self._table, self._is_strict = name, table, is_strict
        self._window_ns = None if table.window_s is None else seconds_to_ns(table.window_s)

    def decide(self, view: View) -> Decision:
        history = view.history
        window_ns = self._window_ns
        peak = history.session_peak_usd if window_ns is None else history.peak_usd(window_ns, view.now_ns)
        if peak is None or peak <= view.equity_usd:
            return ALLOW
        loss = peak - view.equity_usd
        limit = self._limit(peak)
        if not is_over(loss, limit, self._is_strict):
            return ALLOW
        span = "this session" if self._window_ns is None else f"within {self._table.window_s:g} s"
        reason = f"{self.name}: equity fell by {loss:.2f} from {peak:.2f} {span}, limit {limit:.2f}"
        return respond(self._table.action, self._table.cool_down_s, reason)

    def on_resume(self, history: EquityHistory) -> None:
        history.restart()

    def _limit(self, peak: float) -> float:
        """Return the smaller of the two limits, quote units."""
        limits = []
        if self._table.max_usd is not None:
            limits.append(self._table.max_usd)
        if self._table.max_pct is not None:
            limits.append(peak * self._table.max_pct / 100)
        return min(limits)
