"""The strategies, by name. A new one is a file here and a line below."""

from __future__ import annotations

from typing import Any

from services.quoter.strategies import (
    auto,
    bid_ask,
    curve,
    grid,
    ladder,
    maker_hedge,
    one_sided,
    perp_grid,
    regime,
    spot,
    two_sided,
)
from services.quoter.strategies.base import Strategy
from services.quoter.strategies.optimal import avellaneda_stoikov, glft
from shared.errors import BadInput

STRATEGIES: dict[str, Strategy[Any, Any, Any]] = {
    module.STRATEGY.name: module.STRATEGY
    for module in (
        auto,
        avellaneda_stoikov,
        bid_ask,
        curve,
        glft,
        grid,
        ladder,
        maker_hedge,
        one_sided,
        perp_grid,
        regime,
        spot,
        two_sided,
    )
}


def strategy_named(name: str, where: str) -> Strategy[Any, Any, Any]:
    """Return a strategy. Raises: BadInput listing the choices."""
    if name not in STRATEGIES:
        raise BadInput(f"{where}.strategy {name!r} is unknown; choices: {', '.join(sorted(STRATEGIES))}")
    return STRATEGIES[name]
