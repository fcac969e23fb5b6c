"""Inventory: what is held beyond a part of the limit is traded back while quoting goes on.

The limit itself (`exposure.py`) stops quoting; this one acts before, so that a market maker
keeps two sides in the market. The side that would add to the excess pauses meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.risk.policies.exposure import is_over
from services.risk.policies.policy import ALLOW, Action, Decision, View
from services.risk.policies.reduction import Reduction


@dataclass(frozen=True, slots=True)
class ExcessInventory:
    """abs(position × mark) is over `share` of the symbol's limit (0 < share <= 1)."""

    reduction: Reduction
    share: float
    is_strict: bool

    def decide(self, view: View) -> Decision:
        exposure, comfortable = view.exposure_usd, self.share * view.cap_usd
        if view.against_usd is None or not is_over(exposure, comfortable, self.is_strict):
            return ALLOW  # while the hedge is unknown it may not grow anyway (hedging.py)
        target = self.reduction.target(view, exposure - comfortable)
        if target is None:
            return ALLOW  # too little to pay a taker's fee for: quotes bring it back
        position = view.position.quantity
        reason = f"position of {exposure:.2f} is over {comfortable:.2f}, {self.share:.0%} of its limit"
        return Decision(Action.ALLOW, reason, target=target, may_buy=position < 0, may_sell=position > 0)
