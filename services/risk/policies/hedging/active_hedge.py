"""Active hedge: inventory too far from its neutral share of the total is held against elsewhere.

The share of the inventory is s = inventory x price / total (total = inventory x price + quote
units), its move m = (s - initial) / initial (rulings C14, C16). Once abs(m) > r, the leg holds
what brings the share of both together back to initial x (1 +- r x k):

    inventory - initial x (1 +- r x k) x total / price

k = 1, the default, is the edge of the neutral band: what is hedged is the excess over it, so
that the hedge begins, changes and ends without a step. With k < 1 it begins with a step and
goes on until m is back inside r x k, where it has come down to nothing by itself: it cannot
open and close around r. An initial share of 0 has no move: m is then the share itself.

Pure, and without a state of its own: whether a hedge is on is read from the leg's position.
Rows R25, R26; vector G11; ruling C16.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from services.risk.policies.table import PolicyTable


class ActiveTable(PolicyTable, frozen=True, forbid_unknown_fields=True):
    """Hedging by the move of the inventory's share.

    max_move    r: abs(m) beyond which it is hedged
    edge        k: the hedge leaves a move of r x k; 1 = the edge of the neutral band, 0 = no move
    dual_sided  True = too little inventory is hedged too, by a long leg
    style       "maker": waits for takers first, then takes what is left; "ioc": takes at once
    """

    max_move: Annotated[float, Meta(gt=0, le=10)] = 0.65
    edge: Annotated[float, Meta(ge=0, le=1)] = 1.0
    dual_sided: bool = True
    style: Literal["maker", "ioc"] = "maker"


def move_of(inventory: float, price: float, total: float, initial_share: float) -> float:
    """Return m. inventory in base units, total > 0 in quote units. Row R22 (initial 0)."""
    return (inventory * price / total - initial_share) / (initial_share or 1.0)


def active_leg(
    config: ActiveTable, initial_share: float, inventory: float, price: float, total: float, *, leg: float
) -> float:
    """Return what the leg should hold, base units (< 0 = short).

    inventory   signed, base units, the leg not counted
    price       > 0, quote units
    total       > 0, quote units
    leg         what it holds now, 0 where that is too little to trade
    """
    move = move_of(inventory, price, total, initial_share)
    if move < 0 and not config.dual_sided:
        return 0.0
    is_hedged = leg * move < 0
    if abs(move) <= config.max_move and not is_hedged:
        return 0.0
    allowed = config.max_move * config.edge * (1 if move > 0 else -1)
    share = initial_share + allowed * (initial_share or 1.0)
    excess = inventory - share * total / price
    return -max(0.0, excess) if move > 0 else -min(0.0, excess)
