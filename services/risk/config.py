"""Configuration of the risk service: the table `[risk]`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from services.risk.policies.fill_hedge import FillHedgeTable
from services.risk.policies.hedging.ak47_hedge import Ak47HedgeTable
from services.risk.policies.hedging.hedge_leg import HedgeTable, check_hedges
from services.risk.policies.hedging.rebalance import RebalanceTable
from services.risk.policies.protection.drawdown import DrawdownTable, LossRateTable
from services.risk.policies.protection.fill_rate import FillRateTable
from services.risk.policies.protection.position_table import PositionTable
from services.risk.policies.protection.price_band import PriceBandTable
from services.risk.policies.protection.stops import StopsTable
from services.risk.policies.table import PolicyTable
from shared.config import parse
from shared.errors import BadInput
from shared.halt import check_scope
from shared.own_orders import DEFAULT_SETTLE_S, SettleSeconds

Share = Annotated[float, Meta(gt=0, le=10)]
Usd = Annotated[float, Meta(gt=0, le=1e12)]
#: each trades inventory to where it wants it: beside one of them rebalancing would trade it back, by
#: IOC and without end
RIVALS = ("excess_share", "position_table", "stops", "ak47_hedge", "fill_hedge")


class PolicyTables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tables of the policies that are off until they are configured; None = off.

    A symbol's own table (`[risk.symbols.X.<policy>]`) changes single values of `[risk.<policy>]`.

    position_table  how far a position may be from its target, and how it is brought back
    stops           stop-loss and take-profit of a position
    drawdown        how far the account's equity may fall from its peak
    loss_rate       how much of it may be lost within a minute
    fill_rate       how many fills a side may have within a minute
    ak47_hedge      a part of a position over a threshold is traded back
    rebalance       spot: a base value too far from its share of the total goes back to it; None = on, as is,
                    unless another policy moves the inventory (RIVALS)
    fill_hedge      what a maker order filled is traded back at the market (the other half of maker_hedge)
    price_band      how far mid and mark may be from where they have been of late
    """

    position_table: PositionTable | None = None
    stops: StopsTable | None = None
    drawdown: DrawdownTable | None = None
    loss_rate: LossRateTable | None = None
    fill_rate: FillRateTable | None = None
    price_band: PriceBandTable | None = None
    ak47_hedge: Ak47HedgeTable | None = None
    rebalance: RebalanceTable | None = None
    fill_hedge: FillHedgeTable | None = None


class SymbolLimits(PolicyTables, frozen=True, forbid_unknown_fields=True):
    """Limits of one symbol; None = those of the whole table."""

    max_position_share: Share | None = None
    max_position_usd: Usd | None = None
    max_order_usd: Usd | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What counts for one symbol; max_position_usd None = only the share counts."""

    max_position_share: float
    max_position_usd: float | None
    max_order_usd: float


class Config(PolicyTables, frozen=True, forbid_unknown_fields=True):
    """What is allowed.

    max_position_share         largest abs(position × mark) of a symbol, as a share of the account's equity
    max_position_usd           the same in quote units; None = only the share counts
    max_order_usd              largest single order, quote units
    max_gross_equity_multiple  largest sum over an account's symbols, as a multiple of its equity
    max_total_gross_usd        largest sum over all accounts and venues, quote units; None = no such limit
    max_move_pct               a move of the mid beyond this within `move_window_s` freezes the symbol, %
    max_spread_pct             a spread beyond this freezes the symbol, % of the mid
    cool_down_s                how long a symbol stays frozen after its breaker last fired, seconds
    comparator                 "strict": a value equal to its limit is allowed; "inclusive": it is not
    excess_share               part of a position limit beyond which inventory is traded back while quoting
                               goes on; None = only the limit itself is acted on
    reduction_share            part of the excess over a position limit that one reduction trades
    min_reduction_usd          smaller reductions are not traded, quote units
    max_equity_age_s           equity that is older is unknown, seconds
    max_mark_age_s             a mark price that is older is unknown, seconds
    max_mark_gap_pct           a mark price further from the mid freezes the symbol, % of the mid
    max_equity_step_pct        a larger change of the equity freezes the account until a later read agrees, %
    confirm_s                  a position that jumps without fills must stay so for this long, seconds
    own_order_settle_s         how long the book may lag behind what is known of our own orders, seconds
    symbols                    limits of single symbols
    hedges                     symbols that are hedged by another one, of any account
    """

    max_position_share: Share = 0.20
    max_position_usd: Usd | None = None
    max_order_usd: Usd = 1_000.0
    max_gross_equity_multiple: Annotated[float, Meta(gt=0, le=100)] = 1.0
    max_total_gross_usd: Usd | None = None
    max_move_pct: Annotated[float, Meta(gt=0, le=50)] = 0.6
    move_window_s: Annotated[float, Meta(ge=0.1, le=60)] = 1.0
    max_spread_pct: Annotated[float, Meta(gt=0, le=50)] = 2.0
    cool_down_s: Annotated[float, Meta(ge=0.1, le=3600)] = 5.0
    comparator: Literal["strict", "inclusive"] = "strict"
    excess_share: Annotated[float, Meta(gt=0, le=1)] | None = None
    reduction_share: Annotated[float, Meta(gt=0, le=1)] = 0.5
    min_reduction_usd: Annotated[float, Meta(ge=0, le=1e9)] = 5.0
    max_equity_age_s: Annotated[float, Meta(ge=1, le=600)] = 30.0
    max_mark_age_s: Annotated[float, Meta(ge=1, le=600)] = 10.0
    max_mark_gap_pct: Annotated[float, Meta(gt=0, le=50)] = 5.0
    max_equity_step_pct: Annotated[float, Meta(gt=0, le=100)] = 10.0
    confirm_s: Annotated[float, Meta(ge=0.25, le=60)] = 1.0
    own_order_settle_s: SettleSeconds = DEFAULT_SETTLE_S
    symbols: dict[str, SymbolLimits] = {}
    hedges: dict[str, HedgeTable] = {}

    def limits_of(self, symbol: str) -> Limits:
        """Return a symbol's limits: its own, filled up from the table."""
        own = self.symbols.get(symbol, SymbolLimits())
        return Limits(
            self.max_position_share if own.max_position_share is None else own.max_position_share,
            self.max_position_usd if own.max_position_usd is None else own.max_position_usd,
            self.max_order_usd if own.max_order_usd is None else own.max_order_usd,
        )

    def is_leg(self, account: str, symbol: str) -> bool:
        """True when a symbol of an account is there to hedge another one."""
        return any(
            (table.leg_account, table.leg_symbol) == (account, symbol) for table in self.hedges.values()
        )

    def tables_of(self, symbol: str) -> PolicyTables:
        """Return the tables of the policies that judge a symbol."""
        own = self.symbols.get(symbol, SymbolLimits())
        return PolicyTables(**{
            name: getattr(self if getattr(own, name) is None else own, name)
            for name in PolicyTables.__struct_fields__
        })  # fmt: skip

    def rivals_of(self, symbol: str) -> list[str]:
        """Return the keys of the policies beside which a symbol is not rebalanced."""
        tables = self.tables_of(symbol)
        return [name for name in RIVALS if getattr(tables, name, None) or getattr(self, name)]

    def rebalance_of(self, symbol: str) -> RebalanceTable | None:
        """Return how a symbol is rebalanced if it is a spot one; None = not at all. Row R33."""
        table = self.tables_of(symbol).rebalance or RebalanceTable()
        is_off = table.disable or (self.rivals_of(symbol) and not table.enable)
        return None if is_off else table


def parse_risk(raw: dict[str, Any]) -> Config:
    """Read the table `[risk]`. Raises: BadInput naming the key, the value and the rule."""
    config = parse(_filled_up(raw), Config, "risk")
    _check_symbols(config.symbols)
    _check_tables(config, "risk")
    _check_rebalance(config)
    check_hedges(config.hedges)
    for symbol, own in config.symbols.items():
        _check_tables(own, f"risk.symbols.{symbol}")
    return config


def _filled_up(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the table with every policy's table of a symbol filled up from the general one."""
    symbols = raw.get("symbols")
    if not isinstance(symbols, dict):
        return raw
    return {**raw, "symbols": {symbol: _one_filled_up(own, raw) for symbol, own in symbols.items()}}


def _one_filled_up(own: Any, raw: dict[str, Any]) -> Any:
    if not isinstance(own, dict):
        return own
    return {
        name: {**raw[name], **value} if isinstance(value, dict) and isinstance(raw.get(name), dict) else value
        for name, value in own.items()
    }


def _check_tables(tables: PolicyTables, where: str) -> None:
    for name in PolicyTables.__struct_fields__:
        table: PolicyTable | None = getattr(tables, name)
        problem = "" if table is None else table.problem()
        if problem:
            raise BadInput(f"{where}.{name}: {problem}")


def _check_rebalance(config: Config) -> None:
    for symbol, own in [("", SymbolLimits()), *config.symbols.items()]:
        table = config.tables_of(symbol).rebalance or RebalanceTable()
        problem = table.problem_under(config.limits_of(symbol).max_position_share)
        if problem:
            where = f"risk.symbols.{symbol}" if own.rebalance or own.max_position_share else "risk"
            raise BadInput(f"{where}.rebalance: {problem}")
        rivals = config.rivals_of(symbol) if table.enable and not table.disable else []
        if rivals:
            where = f"risk.symbols.{symbol}" if symbol else "risk"
            raise BadInput(
                f"{where}.rebalance: enable is true beside {' and '.join(rivals)}: "
                "each would trade back what the other has traded; leave one out"
            )


def _check_symbols(symbols: Iterable[str]) -> None:
    for symbol in symbols:
        try:
            check_scope(symbol)
        except BadInput as error:
            raise BadInput(f"risk: symbols: {error}") from None
