"""The market of the tests of regime: mid 1000, tick 0.01, a spread of 1.0, normal volatility.

The risk term is that of the vectors, an absolute price, unless a test says otherwise.
"""

from __future__ import annotations

from typing import Any

from services.quoter.strategies.base import MarketView, Wanted
from services.quoter.strategies.regime import Params, Quoted, plan, quote
from shared.instrument import Instrument
from shared.messages import Side
from tests.quoter.builders import INSTRUMENT
from tests.quoter.builders import view as a_view

#: a balanced book of three levels a side; the market's spread is 1.0
BIDS, ASKS = ((99_950, 50), (99_949, 50), (99_948, 50)), ((100_050, 50), (100_051, 50), (100_052, 50))
MARKET: dict[str, Any] = {
    "bid": 99_950, "ask": 100_050, "bids": BIDS, "asks": ASKS, "volatility_pct": 30.0,
}  # fmt: skip
#: the threshold at 5 orders of 100 at 1000, and twice that
G7_LIMITS: dict[str, Any] = {"risk_threshold": 0.5, "q_max": 1.0}


def view(**changes: Any) -> MarketView:
    return a_view(**(MARKET | changes))


def wanted(market: dict[str, Any] | None = None, memory: Quoted | None = None, **params: Any) -> Wanted:
    values = market or {}
    given: Instrument = values.get("instrument", INSTRUMENT)
    parsed = Params(**({"min_spread_pct": 0.0, "legacy_gamma": 0.1} | params))
    assert parsed.problem() == ""
    return quote(view(**values), plan(parsed, given), memory or Quoted())


def prices(result: Wanted) -> tuple[int | None, int | None]:
    found = {level.side: level.price for level in result.levels}
    return found.get(Side.BUY), found.get(Side.SELL)


def sizes(result: Wanted) -> dict[Side, int]:
    return {level.side: level.size for level in result.levels}
