"""Configuration of a quoter: the tables `[quoters.<symbol>]` and `[quoters.<symbol>.params]`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.quoter.strategies import strategy_named
from services.quoter.strategies.base import Params, Strategy
from shared.config import Config, Quoter, parse
from shared.errors import BadInput


@dataclass(frozen=True, slots=True)
class Settings:
    """What one quoter is: where, for whom, how."""

    symbol: str
    venue: str
    account: str
    strategy: Strategy[Any, Any, Any]
    params: Params


def parse_quoter(symbol: str, quoter: Quoter) -> tuple[Strategy[Any, Any, Any], Params]:
    """Return the strategy of a quoter's table and its checked params.

    Raises: BadInput naming the key, the value and the rule, or listing the strategies there are.
    """
    where = f"quoters.{symbol}"
    strategy = strategy_named(quoter.strategy, where)
    params = parse(quoter.params, strategy.params, f"{where}.params")
    problem = params.problem()
    if problem:
        raise BadInput(f"{where}.params: {problem}")
    return strategy, params


def settings_of(config: Config, symbol: str) -> Settings:
    """Return the settings of a configured symbol. Raises: BadInput."""
    if symbol not in config.quoters:
        raise BadInput(f"quoters.{symbol} is not configured; known: {', '.join(config.quoters) or 'none'}")
    quoter = config.quoters[symbol]
    strategy, params = parse_quoter(symbol, quoter)
    config.venue_of(quoter.account)
    return Settings(symbol, config.accounts[quoter.account].venue, quoter.account, strategy, params)
