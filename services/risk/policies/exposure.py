"""Exposure: quoting stops while a position, or the account's sum of them, is too large.

A position over its limit is brought back by `reduction.py`. Where the excess is too small to
trade (row G14), only quotes that reduce it may rest: otherwise it would stay there for good.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.risk.policies.policy import ALLOW, Action, Decision, View
from services.risk.policies.reduction import Reduction


def is_over(value: float, limit: float, is_strict: bool) -> bool:
    """True when `value` breaks `limit`; strict: being equal is allowed (ruling C1)."""
    return value > limit if is_strict else value >= limit


@dataclass(frozen=True, slots=True)
class SymbolExposure:
    """abs(position × mark) of a symbol is over its limit. Row R17.

    What may be hedged is not traded while nobody knows how much of it is (row L02).
    """

    reduction: Reduction
    is_strict: bool

    def decide(self, view: View) -> Decision:
        exposure = view.exposure_usd
        if not is_over(exposure, view.cap_usd, self.is_strict) or view.position.quantity == 0:
            return ALLOW
        reason = f"position of {exposure:.2f} is over its limit {view.cap_usd:.2f}"
        if view.against_usd is None:
            return Decision(Action.REDUCE_ONLY, f"{reason}, and what is held against it is unknown")
        return _bring_back(self.reduction, view, exposure - view.cap_usd, reason)


@dataclass(frozen=True, slots=True)
class AccountExposure:
    """The sum of abs(position × mark) over an account is over its limit. Row L05.

    Every symbol may only reduce; the largest is reduced actively. While the sum or the room
    for it is in doubt nothing may grow, and nothing is traded for it.
    """

    reduction: Reduction
    is_strict: bool

    def decide(self, view: View) -> Decision:
        if view.gross_doubt:
            return Decision(Action.REDUCE_ONLY, view.gross_doubt)
        if not is_over(view.gross_usd, view.gross_cap_usd, self.is_strict):
            return ALLOW
        reason = f"gross exposure {view.gross_usd:.2f} is over its limit {view.gross_cap_usd:.2f}"
        if not view.is_largest:
            return Decision(Action.REDUCE_ONLY, reason)
        return _bring_back(self.reduction, view, view.gross_usd - view.gross_cap_usd, reason)


def _bring_back(reduction: Reduction, view: View, excess_usd: float, reason: str) -> Decision:
    target = reduction.target(view, excess_usd)
    if target is None:
        return Decision(Action.REDUCE_ONLY, reason)
    return Decision(Action.STOP, reason, target=target)
