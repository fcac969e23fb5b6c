"""Avellaneda-Stoikov: a reservation price that leans against inventory, and the spread around it.

    reservation price = mid - q gamma sigma^2 tau                            ticks
    half-spread       = gamma sigma^2 tau / 2 + ln(1 + gamma/k) / gamma      ticks

with q = inventory in orders of the quoted size, gamma per tick of one order, sigma in ticks per
root of a second, k per tick, tau in seconds.

tau is a *rolling* horizon: always the same time ahead. The paper's own T - t runs down to a
closing bell that these markets do not have: near T the maker would stop minding inventory, and an
earlier bot was left with a spread of nothing one second after its start. The paper's version without
end, with its omega = gamma^2 sigma^2 (q_max + 1)^2 / 2, is no way out: sigma and gamma cancel, and
the quotes do not mind the volatility. By default tau is as long as `horizon_fills` of our orders
take to be filled at the best distance d of a maker without inventory, exp(-k d) = (1 + gamma/k)^(-k/gamma):

    tau = horizon_fills (1 + gamma/k)^(k/gamma) / A

so that it is short in busy markets and long in quiet ones; A counts there alone.

Source: Avellaneda and Stoikov, High-frequency trading in a limit order book (2008), equations 3.17
and 3.18, and section 2.4 for the version without end.
"""

from __future__ import annotations

import math
from typing import Annotated

from msgspec import Meta, structs

from services.quoter.strategies.base import MarketView, Strategy, Wanted
from services.quoter.strategies.optimal import params as common
from services.quoter.strategies.optimal import quoting
from services.quoter.strategies.optimal.glft import log1p_ratio
from services.quoter.strategies.optimal.quoting import Answer, Market, Priced
from shared.instrument import Instrument

#: a rolling horizon of the model's own choice is at most this, seconds
LONGEST_S = 3_600.0


class Params(common.Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person writes.

    horizon_fills  the horizon is as long as so many of our orders take to be filled, an hour at most
    horizon_s      the horizon, instead of horizon_fills; None = by horizon_fills
    """

    horizon_fills: Annotated[float, Meta(ge=0.1, le=10_000, extra={"unit": "fills"})] = 10.0
    horizon_s: Annotated[float, Meta(ge=0.01, le=86_400)] | None = None


class Plan(common.Plan, frozen=True):
    """horizon_s seconds; None = by horizon_fills."""

    horizon_fills: float
    horizon_s: float | None


def plan(params: Params, instrument: Instrument) -> Plan:
    shared = structs.asdict(common.plan(params, instrument))
    return Plan(**shared, horizon_fills=params.horizon_fills, horizon_s=params.horizon_s)


def quote(view: MarketView, plan: Plan, memory: Priced) -> Wanted:
    return quoting.quote(view, plan, memory, answer_of)


def answer_of(market: Market, plan: Plan) -> Answer:
    horizon_s = plan.horizon_s
    return optimum(market, horizon_of(market, plan.horizon_fills) if horizon_s is None else horizon_s)


def horizon_of(market: Market, fills: float) -> float:
    """Return how long so many of our orders take to be filled, seconds, at most an hour."""
    return min(LONGEST_S, fills * math.exp(log1p_ratio(market.risk / market.k)) / market.a)


def optimum(market: Market, horizon_s: float) -> Answer:
    """Return the quotes for a rolling horizon, seconds."""
    shift = market.risk * market.sigma**2 * horizon_s
    return Answer(shift / 2 + log1p_ratio(market.risk / market.k) / market.k, shift)


STRATEGY = Strategy("avellaneda_stoikov", Params, quote, Priced(), common.needs, plan)
