"""Guéant-Lehalle-Fernandez-Tapia: the quotes that are optimal for ever, with inventory risk, in closed form.

The maker maximises expected utility while the mid diffuses and takers reach an order `d` ticks
from it with the intensity A exp(-k d). Far from any end of time the best quotes no longer depend
on it, and are close to

    c = ln(1 + x/k) / x
    s = sigma sqrt( gamma / (2 A k) (1 + x/k)^(1 + k/x) )

    half-spread = c + s / 2                 ticks
    reservation price = mid - s q           q = inventory in orders

so that bid = mid - c - s (2q + 1)/2 and ask = mid + c - s (2q - 1)/2, with sigma in ticks per
root of a second, A per second, k per tick, gamma and x per tick of one order. x = xi, the
aversion to the risk of *not being filled*: as large as gamma under exponential utility (the
default), 0 for a mean-variance maker (then c = 1/k and the power is e).

The size counts: q, gamma and xi are those of one order of the quoted size, the paper's general
form with Delta = the order size. Larger orders lean more for each, and quote a little further out.

Source: Guéant, Lehalle and Fernandez-Tapia, Dealing with the inventory risk: a solution to the market
making problem (2013), section 4 (asymptotic quotes); Guéant, Optimal market making (2017), section 4
(xi and Delta).
"""

from __future__ import annotations

import math
from typing import Annotated

from msgspec import Meta, structs

from services.quoter.strategies.base import MarketView, Strategy, Wanted
from services.quoter.strategies.optimal import params as common
from services.quoter.strategies.optimal import quoting
from services.quoter.strategies.optimal.quoting import Answer, Market, Priced
from shared.instrument import Instrument


class Params(common.Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person writes.

    xi  aversion to the risk of not being filled; None = as gamma (exponential utility), 0 = none
    """

    xi: Annotated[float, Meta(ge=0, le=1e6, extra=common.PER_QUOTE_UNIT)] | None = None


class Plan(common.Plan, frozen=True):
    """xi_share  xi as a multiple of gamma."""

    xi_share: float


def plan(params: Params, instrument: Instrument) -> Plan:
    xi = params.gamma if params.xi is None else params.xi
    return Plan(**structs.asdict(common.plan(params, instrument)), xi_share=xi / params.gamma)


def quote(view: MarketView, plan: Plan, memory: Priced) -> Wanted:
    return quoting.quote(view, plan, memory, answer_of)


def answer_of(market: Market, plan: Plan) -> Answer:
    return optimum(market, market.risk * plan.xi_share)


def optimum(market: Market, xi: float) -> Answer:
    """Return the asymptotic quotes. xi: per tick of one order, 0 or above."""
    ratio = xi / market.k
    base = log1p_ratio(ratio) / market.k
    power = math.exp((1 + ratio) * log1p_ratio(ratio))  # (1 + x/k)^(1 + k/x); e where x is 0
    shift = market.sigma * math.sqrt(market.risk / (2 * market.a * market.k) * power)
    return Answer(base + shift / 2, shift)


def log1p_ratio(ratio: float) -> float:
    """Return ln(1 + r) / r for r >= 0, which is 1 at 0."""
    return math.log1p(ratio) / ratio if ratio > 1e-12 else 1.0


STRATEGY = Strategy("glft", Params, quote, Priced(), common.needs, plan)
