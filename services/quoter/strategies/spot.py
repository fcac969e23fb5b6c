"""Spot: bins of equal size on each side (Q08).

bid size = (money / mid) / bids, ask size = inventory / asks.
"""

from __future__ import annotations

from services.quoter.strategies.base import MarketView, Strategy, Wanted
from services.quoter.strategies.bins import params as bins
from services.quoter.strategies.bins.params import Plan, needs
from services.quoter.strategies.bins.quote import Anchored
from services.quoter.strategies.bins.quote import quote as quote_bins
from services.quoter.strategies.bins.shape import Weights, shape
from shared.instrument import Instrument


class Params(bins.Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person writes: what every strategy of bins can be told."""


def weights(count: int) -> Weights:
    return (1,) * count


def plan(params: Params, instrument: Instrument) -> Plan:
    """Raises: BadInput."""
    return bins.plan(params, instrument, (shape("spot", weights, bins.counts(params)),))


def quote(view: MarketView, plan: Plan, memory: Anchored) -> Wanted:
    return quote_bins(view, plan, memory, plan.shapes[0])


STRATEGY = Strategy("spot", Params, quote, Anchored(), needs, plan)
