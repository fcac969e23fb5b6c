"""One symbol of an account with everything known, for policies asked directly."""

from __future__ import annotations

from typing import Any

from services.risk.account.equity_history import EquityHistory
from services.risk.policies.policy import Action, Policy, Range, View
from shared.instrument import Instrument
from shared.messages import Position, Top
from tests.risk.desk import ACCOUNT, SYMBOL, VENUE, info


def view(
    lots: int,
    *,
    price: float = 100.0,
    entry: float | None = 100.0,
    now_ns: int = 0,
    equity: float = 1_000.0,
    history: EquityHistory | None = None,
    **rules: Any,
) -> View:
    """Return a view of `lots` of 0.01 base units; rules: those of the instrument."""
    instrument = Instrument.from_info(info(**rules))
    notional = instrument.notional_at(lots, price)
    mid = round(price * 100)
    return View(
        now_ns, instrument, Top(VENUE, SYMBOL, mid - 1, 5, mid + 1, 5, 1, 0, 0, 0, 0),
        Position(ACCOUNT, SYMBOL, lots, entry if lots else None, True, 1, 0), price, notional, equity,
        1e9, abs(notional), 1e9, "", True, history=history or EquityHistory(),
    )  # fmt: skip


def after(target: Range | None, position: int) -> int:
    """Return the position once a target has been traded: to the nearer end of its range."""
    return position if target is None else min(max(position, target.minimum), target.maximum)


def settle(policy: Policy[View], position: int, **of_view: Any) -> list[int]:
    """Return the trades (lots, signed) of one evaluation after another, until one asks for none."""
    trades: list[int] = []
    for _ in range(10):
        goal = after(policy.decide(view(position, **of_view)).target, position)
        trades.append(goal - position)
        if goal == position:
            return trades
        position = goal
    raise AssertionError(f"no end: {trades}")


def sides(policy: Policy[View], position: int) -> tuple[bool, bool]:
    """Return whether bids and asks may rest."""
    decision = policy.decide(view(position))
    if decision.action >= Action.STOP:
        return False, False
    if decision.action is Action.REDUCE_ONLY:
        return decision.may_buy and position < 0, decision.may_sell and position > 0
    return decision.may_buy, decision.may_sell
