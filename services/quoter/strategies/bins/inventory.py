"""What we hold, how far that is from neutral, and what it leaves of the bids and the asks.

The inventory is the position that the venue confirms, the money what the capital leaves:
never a sum of our own fills. All exact.
"""

from __future__ import annotations

from fractions import Fraction

import msgspec

from services.quoter.levels.sizing import MICRO
from services.quoter.strategies.base import MarketView
from services.quoter.strategies.bins.params import Plan


class Holdings(msgspec.Struct, frozen=True):
    """Inventory in lots (>= 0), its value and the money beside it in micro-units of the quote asset."""

    lots: int
    value: Fraction
    money: Fraction


def holdings(view: MarketView, plan: Plan) -> Holdings:
    """Return what we hold at the mid: all of the capital, in inventory and in money."""
    mid, capital = Fraction(view.bid + view.ask, 2), _capital_micro(view, plan)
    lots = max(0, view.position + _virtual_lots(view, plan, capital, mid))
    value = view.sizes.worth(lots, mid)
    return Holdings(lots, value, max(Fraction(0), capital - value))


def inventory_ratio(held: Holdings) -> Fraction | None:
    """Return iqv = inventory x mid / (inventory x mid + money); None when there is neither (R22, C14)."""
    total = held.value + held.money
    return None if total == 0 else held.value / total


def move_ratio(held: Holdings, initial_ratio: Fraction) -> Fraction:
    """Return how far the inventory ratio is from the initial one, relative to it.

    Where we began without inventory nothing is relative to it: the ratio itself is the move.
    """
    ratio = inventory_ratio(held)
    if ratio is None:
        return Fraction(0)
    return ratio if initial_ratio == 0 else (ratio - initial_ratio) / initial_ratio


def multipliers(move: Fraction, plan: Plan) -> tuple[Fraction, Fraction]:
    """Return what is left of bids and of asks, 0 to 1: linear from `fade_from` to `stop_at` (R23, R24)."""
    return _left(move, *plan.buy_fade), _left(-move, -plan.sell_fade[0], -plan.sell_fade[1])


def _left(move: Fraction, fade_from: Fraction, stop_at: Fraction) -> Fraction:
    left = 1 - (move - fade_from) / (stop_at - fade_from)
    return min(Fraction(1), max(Fraction(0), left))


def _capital_micro(view: MarketView, plan: Plan) -> int:
    if plan.capital_micro is not None:
        return plan.capital_micro
    assert view.equity_usd is not None, "bins need equity or capital_usd"
    return max(0, int(view.equity_usd * MICRO))


def _virtual_lots(view: MarketView, plan: Plan, capital: int, mid: Fraction) -> int:
    """Return what a flat position counts as: nothing on spot, on perps the neutral inventory."""
    if not plan.is_perp:
        return 0
    if plan.initial_lots is not None:
        return plan.initial_lots
    return int(plan.initial_ratio * capital / view.sizes.worth(1, mid))
