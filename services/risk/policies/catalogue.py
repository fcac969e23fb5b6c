"""Which policies a configuration asks for. A new policy is a file of its own and a line here."""

from __future__ import annotations

from services.risk.config import Config
from services.risk.policies.breakers import MidMove, WideSpread
from services.risk.policies.exposure import AccountExposure, SymbolExposure
from services.risk.policies.fill_hedge import FillHedge
from services.risk.policies.inventory import ExcessInventory
from services.risk.policies.policy import Market, Policy, View
from services.risk.policies.ratio import Limit
from services.risk.policies.reduction import Reduction
from shared.clock import seconds_to_ns


def breakers_of(config: Config) -> tuple[Policy[Market], ...]:
    """Return what judges every book of a symbol."""
    cool_down_ns = seconds_to_ns(config.cool_down_s)
    move = Limit.of_percent(config.max_move_pct, config.comparator)
    spread = Limit.of_percent(config.max_spread_pct, config.comparator)
    return (
        MidMove(move, seconds_to_ns(config.move_window_s), cool_down_ns),
        WideSpread(spread, cool_down_ns),
    )


def policies_of(config: Config, symbol: str) -> tuple[Policy[View], ...]:
    """Return what judges a symbol of one account: made for it, so that it may keep state."""
    reduction = Reduction(config.reduction_share, config.min_reduction_usd)
    is_strict = config.comparator == "strict"
    policies: tuple[Policy[View], ...] = (
        SymbolExposure(reduction, is_strict),
        AccountExposure(reduction, is_strict),
    )
    if config.excess_share is not None:
        policies += (ExcessInventory(reduction, config.excess_share, is_strict),)
    tables = config.tables_of(symbol)
    if tables.fill_hedge is not None:
        policies += (FillHedge(tables.fill_hedge),)
    return policies
