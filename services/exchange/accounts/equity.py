"""The margin summary of an account.

Only quote money backs positions; other assets count in what the account is
worth, at their spot mid, but not in what is available.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from services.exchange.accounts.account import Account
from services.exchange.engine.market_engine import MarketEngine
from services.exchange.engine.rules import MARK_GRID
from services.exchange.model import Collateral

_ZERO = Decimal(0)


def collateral(account: Account, engines: Mapping[str, MarketEngine]) -> Collateral:
    """Return the summary, in quote money; `imf` and `mmf` are fractions of the exposure."""
    quotes = {engine.rules.market.quote for engine in engines.values()}
    assets = sum((account.balances.get(quote, _ZERO) for quote in sorted(quotes)), _ZERO)
    assets += sum((_spot_value(account, engine) for engine in engines.values()), _ZERO)
    locked = sum((account.locked.get(quote, _ZERO) for quote in sorted(quotes)), _ZERO) + account.margin
    exposure = maintenance = _ZERO
    for symbol, position in account.positions.items():
        engine, mark = engines[symbol], engines[symbol].marks.mark or 0
        exposure += engine.margin.notional(position.worst_lots(), mark)
        maintenance += engine.margin.maintenance_margin(position.worst_lots(), mark)
    equity = assets + account.pnl
    return Collateral(
        assets_value=assets,
        net_equity=equity,
        net_equity_available=sum((account.free(quote) for quote in sorted(quotes)), _ZERO)
        + account.pnl
        - account.margin,
        net_equity_locked=locked,
        exposure=exposure,
        pnl_unrealized=account.pnl,
        imf=account.margin / exposure if exposure else _ZERO,
        mmf=maintenance / exposure if exposure else _ZERO,
        margin_fraction=equity / exposure if exposure else None,
    )


def _spot_value(account: Account, engine: MarketEngine) -> Decimal:
    """Return the value of the base asset of a spot market, 0 while that market has no price."""
    rules = engine.rules
    if rules.is_perp or not account.balances.get(rules.market.base):
        return _ZERO
    mid = engine.book.mid(MARK_GRID)
    if mid is None and engine.tape.last is not None:
        mid = engine.tape.last * MARK_GRID
    return account.balances[rules.market.base] * (mid or 0) * rules.prices.step / MARK_GRID
