"""Rebalancing at spot: a base value too far from its share of the total is traded back to it.

The deviation is counted in percentage points of the total as it is now (base value + quote
units), strictly: with 30 % and 15 of 1000, a base value of 450 is left alone and 450.01 is
brought back to 300. A price that moves alone moves the total with it: 300 of base beside 700 of
quote units is over only beyond 572.7 (450 of 1150 is 39 %). Rows R31 to R33; vector G5;
ruling C11.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

from msgspec import Meta

from services.risk.policies.lots import lots_within
from services.risk.policies.policy import ALLOW, Decision, Range, View
from services.risk.policies.table import PolicyTable
from shared.messages import Side

#: part of what there is of either kind that one rebalancing spends at most
LARGEST_PART = 0.95
#: a total that is worth fewer smallest orders than this is left alone
LEAST_ORDERS = 10
#: limit of its order beyond the best price
SLIP = Fraction(1, 1_000)


class RebalanceTable(PolicyTable, frozen=True, forbid_unknown_fields=True):
    """Rebalancing of spot symbols; perps have none.

    enable, disable        neither = on; one of them says so expressly
    base_asset_target_pct  share of the base in the total, %
    threshold_pct          a deviation beyond it is traded back, percentage points of the total
    """

    enable: bool = False
    disable: bool = False
    base_asset_target_pct: Annotated[float, Meta(ge=0, le=100)] = 30.0
    threshold_pct: Annotated[float, Meta(gt=0, le=100)] = 15.0

    def problem(self) -> str:
        target, threshold = self.base_asset_target_pct, self.threshold_pct
        if self.enable and self.disable:
            return "enable and disable are both true: one of them only"
        if self.disable:
            return ""
        if 0 < target <= threshold:  # a target of 0 says it expressly
            return (
                f"base_asset_target_pct {target:g} is not above threshold_pct {threshold:g}: "
                "it could sell but never buy"
            )
        if 100 - threshold <= target < 100:
            return (
                f"base_asset_target_pct {target:g} and threshold_pct {threshold:g} reach 100: "
                "it could buy but never sell"
            )
        return ""

    def problem_under(self, max_position_share: float) -> str:
        """Return why the limit forbids what was asked for; on by default, it ends below the limit."""
        if not self.enable or self.base_asset_target_pct <= 100 * max_position_share:
            return ""
        return (
            f"base_asset_target_pct {self.base_asset_target_pct:g} is beyond max_position_share "
            f"{max_position_share:g}: raise the limit or lower the target"
        )


def is_off_balance(base_usd: float, total_usd: float, target_pct: float, threshold_pct: float) -> bool:
    """True when abs(base - target share of total) is more than the threshold's share of it; exact."""
    base, total = Fraction(base_usd), Fraction(total_usd)
    target, threshold = Fraction(str(target_pct)), Fraction(str(threshold_pct))
    return abs(100 * base - target * total) > threshold * total


class Rebalance:
    """Of one spot symbol. Once begun it goes on until the target is reached, to the lot."""

    def __init__(self, config: RebalanceTable) -> None:
        self._config = config
        self._is_under_way = False

    def decide(self, view: View) -> Decision:
        if view.instrument.is_perp or self._config.disable or not view.is_quoted or view.quote_usd is None:
            return ALLOW  # coins that no quoter trades are not ours to move
        base, config = view.notional_usd, self._config
        total = base + view.quote_usd
        if not total > 0 or total < LEAST_ORDERS * _smallest_order_usd(view):
            self._is_under_way = False
            return ALLOW
        is_off = is_off_balance(base, total, config.base_asset_target_pct, config.threshold_pct)
        self._is_under_way = self._is_under_way or is_off
        target = self._target(view, base, total) if self._is_under_way else None
        if target is None:
            self._is_under_way = False
            return ALLOW
        reason = (
            f"base is {100 * base / total:.2f} % of the total: back to {config.base_asset_target_pct:g} %"
        )
        return Decision(reason=reason, target=target)

    def _target(self, view: View, base: float, total: float) -> Range | None:
        """Return the position to go to and the limit of its order; None where that is too little."""
        wanted = total * self._config.base_asset_target_pct / 100
        if wanted < base:
            usd, side = min(base - wanted, LARGEST_PART * base), Side.SELL
        else:
            # not up to the position limit itself: the next tick would break it
            wanted = min(wanted, LARGEST_PART * view.cap_usd)
            usd, side = min(wanted - base, LARGEST_PART * _spendable_usd(view, total - base)), Side.BUY
        lots = lots_within(usd, view.instrument, view.price)
        limit = limit_price(view, side)
        if limit is None or lots < view.instrument.min_lots:
            return None
        if view.instrument.notional(lots, limit) < (view.instrument.min_notional or 0):
            return None
        aim = view.position.quantity + side.sign * lots
        return Range(aim, aim, side is Side.BUY, "ioc", limit)


def _spendable_usd(view: View, quote_usd: float) -> float:
    """Return the quote balance: the rest of the equity may be in other coins, or locked."""
    return quote_usd if view.available_usd is None else min(quote_usd, max(0.0, view.available_usd))


def limit_price(view: View, side: Side) -> int | None:
    """Return bid x 0.999 or ask x 1.001, rounded to a legal price that still trades."""
    top = view.top
    if side is Side.SELL:
        return None if top.bid is None else view.instrument.quote_ticks(float(top.bid * (1 - SLIP)), side)
    return None if top.ask is None else view.instrument.quote_ticks(float(top.ask * (1 + SLIP)), side)


def _smallest_order_usd(view: View) -> float:
    least = view.instrument.notional_at(view.instrument.min_lots, view.price)
    return max(least, float(view.instrument.min_notional or 0))
