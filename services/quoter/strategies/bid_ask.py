"""Bid-ask: bins that grow with their distance, for a market that swings (Q10).

size_i in proportion to r^-(i+1), normalised to the capital of the side; each bid is paid for
at its own price, so that the bids together cost exactly the money there is.
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


class Params(bins.Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person writes.

    decay   share of a bin that its nearer neighbour has
    """

    decay: Annotated[float, Meta(ge=0.1, le=1, extra={"unit": "share"})] = 0.95


def weights(count: int, decay: float) -> Weights:
    """Return the inverse decay: r^-(i+1) normalised is the decaying ladder read from its far end."""
    return powers(Fraction(str(decay)), count)[::-1]


def plan(params: Params, instrument: Instrument) -> Plan:
    """Raises: BadInput."""
    inverse = shape(
        "bid_ask", lambda count: weights(count, params.decay), bins.counts(params), bids_at_own_price=True
    )
    return bins.plan(params, instrument, (inverse,))


def quote(view: MarketView, plan: Plan, memory: Anchored) -> Wanted:
    return quote_bins(view, plan, memory, plan.shapes[0])


STRATEGY = Strategy("bid_ask", Params, quote, Anchored(), needs, plan)
