"""The margin summary of an account.

Only quote money backs positions; other assets count in what the account is
worth, at `asset_price`, but not in what is available.
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
    others = [asset for asset in account.balances if asset not in quotes]
    assets += sum((account.balances[asset] * asset_price(asset, engines) for asset in others), _ZERO)
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


def asset_price(asset: str, engines: Mapping[str, MarketEngine]) -> Decimal:
    """Return what one unit is worth in quote money, 0 while nothing tells.

    Quote money is 1; others have their spot mid, or else the last spot price, or else the
    mark of their perpetual.
    """
    if any(engine.rules.market.quote == asset for engine in engines.values()):
        return Decimal(1)
    own = sorted(
        (engine for engine in engines.values() if engine.rules.market.base == asset),
        key=lambda engine: engine.rules.is_perp,
    )
    for engine in own:
        if (fine := _fine_price(engine)) is not None:
            return fine * engine.rules.prices.step / MARK_GRID
    return _ZERO


def _fine_price(engine: MarketEngine) -> int | None:
    """Return the price of a market in ticks * MARK_GRID."""
    if engine.rules.is_perp:
        return engine.marks.mark
    mid = engine.book.mid(MARK_GRID)
    if mid is None and engine.tape.last is not None:
        return engine.tape.last * MARK_GRID
    return mid
