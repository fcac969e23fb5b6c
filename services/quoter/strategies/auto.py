"""Auto: the shape of the bins by volatility: calm -> curve, wild -> bid_ask, in between -> spot (Q11).

Volatility and its bounds are in one unit, annualised percent; without a volatility nothing is
quoted. The shape changes when the bins are sized anew: at a refresh, a fill or a move.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import msgspec
from msgspec import Meta

from services.quoter.strategies import bid_ask, curve, spot
from services.quoter.strategies.base import MarketView, Needs, Strategy, Wanted
from services.quoter.strategies.bins import params as bins
from services.quoter.strategies.bins.params import Plan
from services.quoter.strategies.bins.quote import Anchored
from services.quoter.strategies.bins.quote import quote as quote_bins
from services.quoter.strategies.bins.shape import Shape, shape
from shared.instrument import Instrument

Percent = Annotated[float, Meta(ge=0, le=10_000)]


class Params(curve.Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person writes.

    volatility_lower_pct   annualised percent; below it the bins are those of curve
    volatility_upper_pct   annualised percent; above it they are those of bid_ask
    """

    volatility_lower_pct: Percent = 30.0
    volatility_upper_pct: Percent = 80.0

    def problem(self) -> str:
        if self.volatility_lower_pct > self.volatility_upper_pct:
            return (
                f"volatility_lower_pct {self.volatility_lower_pct:g} must be at most"
                f" volatility_upper_pct {self.volatility_upper_pct:g}"
            )
        return super().problem()


def plan(params: Params, instrument: Instrument) -> Plan:
    """Raises: BadInput."""
    counts = bins.counts(params)
    shapes = (
        shape("curve", lambda count: curve.weights(count, params.decay), counts),
        shape("spot", spot.weights, counts),
        shape("bid_ask", lambda count: bid_ask.weights(count, params.decay), counts, bids_at_own_price=True),
    )
    bounds = (params.volatility_lower_pct, params.volatility_upper_pct)
    return msgspec.structs.replace(bins.plan(params, instrument, shapes), volatility_bounds=bounds)


def quote(view: MarketView, plan: Plan, memory: Anchored) -> Wanted:
    assert view.volatility_pct is not None, "auto needs volatility"
    return quote_bins(view, plan, memory, shape_at(view.volatility_pct, plan))


def shape_at(volatility_pct: float, plan: Plan) -> Shape:
    """Return the shape for a volatility, annualised percent."""
    calm, ordinary, wild = plan.shapes
    lower, upper = plan.volatility_bounds
    if volatility_pct < lower:
        return calm
    return wild if volatility_pct > upper else ordinary


def needs(params: Params) -> Needs:
    return replace(bins.needs(params), volatility=True)


STRATEGY = Strategy("auto", Params, quote, Anchored(), needs, plan)
