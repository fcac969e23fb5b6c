"""Curve: bins that shrink with their distance, for a calm market (Q09).

size_i in proportion to r^i, normalised to the capital of the side.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

from msgspec import Meta

from services.quoter.strategies.base import MarketView, Strategy, Wanted
from services.quoter.strategies.bins import params as bins
from services.quoter.strategies.bins.params import Plan, needs
from services.quoter.strategies.bins.quote import Anchored
from services.quoter.strategies.bins.quote import quote as quote_bins
from services.quoter.strategies.bins.shape import Weights, powers, shape
from shared.instrument import Instrument

Decay = Annotated[float, Meta(ge=0.1, le=1, extra={"unit": "share"})]


class Params(bins.Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person writes.

    decay   size of a bin as a share of its nearer neighbour's
    """

    decay: Decay = 0.95


def weights(count: int, decay: float) -> Weights:
    return powers(Fraction(str(decay)), count)


def plan(params: Params, instrument: Instrument) -> Plan:
    """Raises: BadInput."""
    curve = shape("curve", lambda count: weights(count, params.decay), bins.counts(params))
    return bins.plan(params, instrument, (curve,))


def quote(view: MarketView, plan: Plan, memory: Anchored) -> Wanted:
    return quote_bins(view, plan, memory, plan.shapes[0])


STRATEGY = Strategy("curve", Params, quote, Anchored(), needs, plan)
