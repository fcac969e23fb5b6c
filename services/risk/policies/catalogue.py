"""Which policies a configuration asks for. A new policy is a file of its own and a line here."""

from __future__ import annotations

from msgspec.structs import replace

from services.risk.config import Config, PolicyTables
from services.risk.policies.breakers import MidMove, WideSpread
from services.risk.policies.exposure import AccountExposure, SymbolExposure
from services.risk.policies.fill_hedge import FillHedge
from services.risk.policies.hedging.ak47_hedge import Ak47Hedge, Ak47HedgeTable
from services.risk.policies.hedging.rebalance import Rebalance, RebalanceTable
from services.risk.policies.inventory import ExcessInventory
from services.risk.policies.policy import Market, Policy, View
from services.risk.policies.protection.drawdown import EquityLoss
from services.risk.policies.protection.fill_rate import FillRate
from services.risk.policies.protection.position_table import PositionLimits
from services.risk.policies.protection.price_band import PriceBand
from services.risk.policies.protection.stops import Stops
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


def band_of(config: Config, symbol: str) -> PriceBand | None:
    """Return what judges the prices of a symbol at one venue: made for it, as it keeps them."""
    table = config.tables_of(symbol).price_band
    return None if table is None else PriceBand(table)


def policies_of(config: Config, symbol: str, is_leg: bool = False) -> tuple[Policy[View], ...]:
    """Return what judges a symbol of one account: made for it, so that it may keep state.

    is_leg  it is the leg of a hedge: where it should be is what the hedge says and nobody else
    """
    reduction = Reduction(config.reduction_share, config.min_reduction_usd)
    is_strict = config.comparator == "strict"
    policies: tuple[Policy[View], ...] = (
        SymbolExposure(reduction, is_strict),
        AccountExposure(reduction, is_strict),
    )
    if config.excess_share is not None and not is_leg:
        policies += (ExcessInventory(reduction, config.excess_share, is_strict),)
    tables = config.tables_of(symbol)
    if is_leg:  # its loss is the gain of what it hedges
        tables = replace(tables, position_table=None, stops=None, ak47_hedge=None, fill_hedge=None)
    rebalance = None if is_leg else config.rebalance_of(symbol)
    return policies + _protection(tables, is_strict) + _balance(tables.ak47_hedge, rebalance)


def _protection(tables: PolicyTables, is_strict: bool) -> tuple[Policy[View], ...]:
    """Return those whose tables are there."""
    policies: list[Policy[View]] = []
    if tables.position_table is not None:
        policies.append(PositionLimits(tables.position_table))
    if tables.stops is not None:
        policies.append(Stops(tables.stops))
    if tables.drawdown is not None:
        policies.append(EquityLoss("drawdown", tables.drawdown, is_strict))
    if tables.loss_rate is not None:
        policies.append(EquityLoss("loss rate", tables.loss_rate, is_strict))
    if tables.fill_rate is not None:
        policies.append(FillRate(tables.fill_rate, is_strict))
    if tables.fill_hedge is not None:
        policies.append(FillHedge(tables.fill_hedge))
    return tuple(policies)


def _balance(ak47_hedge: Ak47HedgeTable | None, rebalance: RebalanceTable | None) -> tuple[Policy[View], ...]:
    """Return what brings inventory back while all is well."""
    policies: list[Policy[View]] = []
    if ak47_hedge is not None:
        policies.append(Ak47Hedge(ak47_hedge))
    if rebalance is not None:
        policies.append(Rebalance(rebalance))
    return tuple(policies)
