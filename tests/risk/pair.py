"""A risk core with a spot market in one account, hedged by a perpetual in another or the same one."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.messages import Message, Permit, Position, Target
from tests.risk.desk import ACCOUNT, Desk, info

SPOT, PERP, OTHER = "SOL_USDC", "SOL_USDC_PERP", "hedge"
HEDGE = {"account": ACCOUNT, "leg_account": OTHER, "leg_symbol": PERP, "active": {}}


class Pair(Desk):
    """A desk whose first account makes a spot market, hedged in a perpetual; totals of 1000.

    Lots are worth one quote unit; 825 of base is the edge of the neutral band.
    """

    def __init__(self, leg_account: str = OTHER, base: int = 500, **changes: Any) -> None:
        accounts = (ACCOUNT,) if leg_account == ACCOUNT else (ACCOUNT, OTHER)
        risk: dict[str, Any] = {
            "max_position_share": 1.0, "max_gross_equity_multiple": 2.0, "rebalance": {"disable": True},
        }  # fmt: skip
        hedge = HEDGE | {"leg_account": leg_account} | changes.pop("hedge", {})
        self.leg_account = leg_account
        super().__init__(SPOT, PERP, accounts=accounts, hedges={SPOT: hedge}, **(risk | changes))
        self.core.set_quoted(leg_account, PERP, False)
        self.hear(info(SPOT, is_perp=False))
        self.base(base)
        self.run(2_000)

    def base(self, lots: int) -> list[Message]:
        """Trade the inventory to so many lots; return what was told."""
        first = len(self.told)
        self.set_position(lots, symbol=SPOT)
        return self.told[first:]

    def leg(self, lots: int, entry: float = 100.0) -> None:
        self.trade(self.leg_account, PERP, lots, entry)

    def trade(self, account: str, symbol: str, lots: int, entry: float = 100.0) -> None:
        """Trade a symbol of an account to so many lots."""
        before: Any = self.inputs["Position", account, symbol]
        if lots != before.quantity:
            fill: Any = self.fill_of(lots - before.quantity, lots, symbol)
            self._give(msgspec.structs.replace(fill, scope=account))
        self.hear(Position(account, symbol, lots, entry, True, before.position_seq + 2, 0))

    @property
    def hedge(self) -> Target | None:
        target = self.targets.get((self.leg_account, PERP))
        return None if target is None or target.style == "none" else target

    @property
    def leg_permit(self) -> Permit:
        return self.permits[self.leg_account, PERP]
