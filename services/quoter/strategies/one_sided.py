"""One-sided, direction-aware: one post-only order at the best price, on the passive side of the flow.

Takers buying -> rest on the ask, where they come; takers selling -> rest on the bid; in
between keep the side. A large inventory of our own overrules the flow (L06): the side is
then the one that reduces it.
"""

from __future__ import annotations

import math
from typing import Annotated

import msgspec
from msgspec import Meta

from services.quoter.levels.sizing import percent_to_ppm, share_of_equity, to_micro
from services.quoter.strategies import base
from services.quoter.strategies.base import MarketView, Memory, Needs, Strategy, Wanted
from shared.clock import seconds_to_ns
from shared.instrument import Instrument
from shared.messages import Level, Side


class Params(base.Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person writes.

    offset_ticks    distance behind the best price; 0 joins it
    equity_pct      order size as percent of the equity, at most cap_usd
    cap_usd         largest order, quote units
    lifetime_s      an older order is replaced
    flow_threshold  ratio of taker buying to selling from which the side is the ask (its inverse: the bid)
    min_hold_s      shortest time between two switches of the side
    inventory_veto  share of the permitted position above which only the reducing side is quoted
    """

    offset_ticks: Annotated[int, Meta(ge=0, le=1000)] = 0
    equity_pct: Annotated[float, Meta(ge=0.001, le=100)] = 0.5
    cap_usd: Annotated[float, Meta(ge=0.01, le=1e9)] = 25.0
    lifetime_s: Annotated[float, Meta(ge=0.1, le=3600)] = 3.0
    flow_threshold: Annotated[float, Meta(ge=1.001, le=100)] = 1.2
    min_hold_s: Annotated[float, Meta(ge=0, le=600)] = 2.0
    inventory_veto: Annotated[float, Meta(ge=0, le=1)] = 0.5


class Plan(msgspec.Struct, frozen=True):
    """The params in ticks, parts per million and nanoseconds."""

    offset: int
    share_ppm: int
    cap_micro: int
    lifetime_ns: int
    log_threshold: float
    min_hold_ns: int
    veto: float


class Chosen(Memory, frozen=True, gc=False):
    """The side in force and since when; None = since ever, so that the first switch is free."""

    side: Side = Side.BUY
    since_ns: int | None = None


def plan(params: Params, _instrument: Instrument) -> Plan:
    return Plan(
        offset=params.offset_ticks,
        share_ppm=percent_to_ppm(params.equity_pct),
        cap_micro=to_micro(params.cap_usd),
        lifetime_ns=seconds_to_ns(params.lifetime_s),
        log_threshold=math.log(params.flow_threshold),
        min_hold_ns=seconds_to_ns(params.min_hold_s),
        veto=params.inventory_veto,
    )


def quote(view: MarketView, plan: Plan, memory: Chosen) -> Wanted:
    """Return one order, or none when the size is below what the venue takes (Q27: skip)."""
    assert view.equity_usd is not None, "one_sided needs equity"
    chosen = choose_side(view, plan, memory)
    price = price_of(view, chosen.side, plan.offset)
    if price <= 0:
        return Wanted((), True, "offset leaves no price", chosen)
    budget = share_of_equity(view.equity_usd, plan.share_ppm, plan.cap_micro)
    size = view.sizes.lots(budget, price)
    if size < view.sizes.minimum(price):
        return Wanted((), True, "size below the venue's minimum", chosen)
    level = Level(chosen.side, price, size, max_age_ns=plan.lifetime_ns)
    return Wanted((level,), True, "quoting", chosen)


def choose_side(view: MarketView, plan: Plan, memory: Chosen) -> Chosen:
    """Return the side to quote: inventory first, then flow, and never back within the hold (F05, F06)."""
    assert view.flow is not None, "one_sided needs flow"
    reducing = _reducing_side(view, plan.veto)
    if reducing is not None:
        return memory if reducing is memory.side else Chosen(reducing, view.now_ns)
    wanted = _passive_side(view.flow, plan.log_threshold, memory.side)
    is_held = memory.since_ns is not None and view.now_ns - memory.since_ns < plan.min_hold_ns
    return memory if wanted is memory.side or is_held else Chosen(wanted, view.now_ns)


def price_of(view: MarketView, side: Side, offset: int) -> int:
    """Return the best price of others, `offset` ticks behind it: it cannot cross."""
    if side is Side.BUY:
        return view.prices.bid(view.bid - offset)
    return view.prices.ask(view.ask + offset)


def _passive_side(flow: float, threshold: float, current: Side) -> Side:
    if flow >= threshold:
        return Side.SELL
    return Side.BUY if flow <= -threshold else current


def _reducing_side(view: MarketView, veto: float) -> Side | None:
    if view.position > 0 and view.position > veto * view.permit.max_long:
        return Side.SELL
    if view.position < 0 and -view.position > veto * view.permit.max_short:
        return Side.BUY
    return None


def needs(_params: Params) -> Needs:
    return Needs(flow=True, equity=True)


STRATEGY = Strategy("one_sided", Params, quote, Chosen(), needs, plan)
