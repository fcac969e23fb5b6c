"""Hedge legs in a replay: symbols that nobody quotes, traded by the targets of `risk` alone."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from services.risk.config import Config as RiskConfig
from services.risk.config import parse_risk
from services.risk.hedging import check_accounts
from shared.config import Config
from shared.errors import BadInput


def leg_accounts(config: Config) -> dict[str, str]:
    """Return leg symbol -> the account that holds it. Raises: BadInput."""
    return {table.leg_symbol: table.leg_account for table in parse_risk(config.risk).hedges.values()}


def risk_of(config: Config, symbols: Sequence[str]) -> RiskConfig:
    """Return the risk settings with the hedges of these symbols alone. Raises: BadInput."""
    risk = parse_risk(config.risk)
    hedges = {symbol: table for symbol, table in risk.hedges.items() if symbol in symbols}
    check_accounts(
        hedges, config.accounts, ((quoter.account, name) for name, quoter in config.quoters.items())
    )
    for symbol, table in hedges.items():
        where, leg = f"risk.hedges.{symbol}", table.leg_symbol
        if leg not in symbols:
            raise BadInput(f"{where}: a replay needs data of its leg too: {leg}=DATA")
        if leg in config.quoters:
            raise BadInput(f"{where}: a replay tells symbols apart by name, and {leg} is quoted")
    return msgspec.structs.replace(risk, hedges=hedges)
