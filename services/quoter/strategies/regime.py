"""Regime: spread, size and largest inventory by volatility and liquidity, distance by inventory tier.

spread = gamma sigma^2 tau mid + 0.3 (q/Q) cs + k cs, where cs is the market's spread and k, gamma
and Q are multiplied by the regime: low volatility, normal, high volatility or stress. (In the
earlier bot gamma was an absolute price: nothing on BTC, ten spreads on a coin of a cent.) With
inventory the adding side moves away and the reducing one comes near, until only that is quoted.

Source: the quoting of the earlier Backpack bot AK47, rules Q28 to Q31.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from services.quoter.levels.sizing import to_micro
from services.quoter.strategies import base
from services.quoter.strategies.base import FOREVER_NS, MarketView, Memory, Needs, Strategy, Wanted
from services.quoter.strategies.regimes.market import (
    Regime,
    composite,
    liquidity_ratio,
    regime_of,
    size_factor,
    spread_of,
)
from services.quoter.strategies.regimes.tiers import distances, one_sided, sane_prices
from shared.clock import seconds_to_ns
from shared.instrument import Instrument
from shared.messages import Level, Side

#: of the automatic limits: the threshold is so many base orders, Q_max twice the threshold
THRESHOLD_ORDERS = 5
#: 0.1 quote units, as the earlier bot, at a price of 2,500
GAMMA = 0.00004
LEAST_TAU = 0.001
Prices = tuple[int | None, int | None]
Inventory = Annotated[float, Meta(gt=0, le=1e12)]


class Params(base.Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person writes. Give risk's hedge the same risk_threshold and q_max.

    base_order_usd       order size in a balanced market without inventory, quote units
    risk_threshold       base units from which risk hedges; None = q_max / 2, or 5 base orders
    q_max                base units of a full inventory, before the regime; None = 2 x risk_threshold
    spread_multiplier    multiplies the spread of the market before everything else
    gamma                share of the mid that the risk term is at a volatility of 100 %
    legacy_gamma         quote units that it is then at any price, as in the earlier bot; instead of gamma
    size_tolerance_pct   as everywhere; more here: the size follows the liquidity, which flickers
    horizon_s            the risk term fades to a thousandth in so many seconds; None = it does not fade
    normal_volatility_pct  volatility of a normal market, annualised percent
    min_spread_pct       smallest distance of bid and ask, percent of the mid
    max_price_gap_pct    a quote that is further from the mid than this is left out, percent of it
    min_size             an order below the venue's minimum is raised to it or skipped
    update_interval_s    prices follow the market at most this often; a fill re-prices at once
    min_price_move_ticks smaller moves keep the order and its place in the queue
    price_tolerance_pct  so do moves below this share of the half-spread, until there is a fill
    """

    size_tolerance_pct: Annotated[float, Meta(ge=0, le=50)] = 30.0
    base_order_usd: Annotated[float, Meta(ge=0.01, le=1e9)] = 100.0
    risk_threshold: Inventory | None = None
    q_max: Inventory | None = None
    spread_multiplier: Annotated[float, Meta(ge=0.5, le=1_000, extra={"unit": "ratio"})] = 1.0
    gamma: Annotated[float, Meta(ge=0, le=0.01, extra={"unit": "share"})] = GAMMA
    legacy_gamma: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    horizon_s: Annotated[float, Meta(ge=0.001, le=86_400)] | None = None
    normal_volatility_pct: Annotated[float, Meta(ge=0.1, le=10_000)] = 30.0
    min_spread_pct: Annotated[float, Meta(ge=0, le=10)] = 0.1
    max_price_gap_pct: Annotated[float, Meta(gt=0, le=50)] = 20.0
    min_size: Literal["skip", "raise"] = "raise"
    update_interval_s: Annotated[float, Meta(ge=0.01, le=3_600)] = 0.1
    min_price_move_ticks: Annotated[int, Meta(ge=0, le=100_000)] = 0
    price_tolerance_pct: Annotated[float, Meta(ge=0, le=50)] = 10.0

    def problem(self) -> str:
        threshold, q_max = self.risk_threshold, self.q_max
        if threshold is not None and q_max is not None and threshold >= q_max:
            return f"risk_threshold {threshold:g} must be below q_max {q_max:g}"
        if self.min_spread_pct >= self.max_price_gap_pct:
            least, most = self.min_spread_pct, self.max_price_gap_pct
            return f"min_spread_pct {least:g} must be below max_price_gap_pct {most:g}"
        return ""


class Plan(msgspec.Struct, frozen=True):
    """The params in lots, ticks and nanoseconds; a limit of None follows the price.

    base_lot_ticks  the base order as lots x ticks: divided by a price it is lots
    gamma           share of the mid, or ticks where `gamma_is_ticks`
    near            share of the half-spread by which a price may be off
    """

    base_micro: int
    base_lot_ticks: float
    threshold: float | None
    q_max: float | None
    spread_multiplier: float
    gamma: float
    gamma_is_ticks: bool
    horizon_ns: int | None
    sigma_normal: float
    min_spread: float
    max_gap: float
    raise_to_minimum: bool
    update_ns: int
    tolerance: int
    near: float


class Quoted(Memory, frozen=True, gc=False):
    """What was quoted, when, at which position and in which regime.

    started_ns  when the first view came; None = never
    """

    started_ns: int | None = None
    at_ns: int = 0
    position: int = 0
    levels: tuple[Level, ...] = ()
    reason: str = ""
    regime: Regime | None = None


def plan(params: Params, instrument: Instrument) -> Plan:
    tick, lot_tick = float(instrument.tick_size), float(instrument.notional(1, 1))
    threshold, q_max = params.risk_threshold, params.q_max
    if threshold is None and q_max is not None:
        threshold = q_max / 2
    if q_max is None and threshold is not None:
        q_max = 2 * threshold
    return Plan(
        base_micro=to_micro(params.base_order_usd),
        base_lot_ticks=params.base_order_usd / lot_tick,
        threshold=None if threshold is None else threshold / float(instrument.lot_size),
        q_max=None if q_max is None else q_max / float(instrument.lot_size),
        spread_multiplier=params.spread_multiplier,
        gamma=params.gamma if params.legacy_gamma is None else params.legacy_gamma / tick,
        gamma_is_ticks=params.legacy_gamma is not None,
        horizon_ns=None if params.horizon_s is None else seconds_to_ns(params.horizon_s),
        sigma_normal=params.normal_volatility_pct / 100,
        min_spread=params.min_spread_pct / 100,
        max_gap=params.max_price_gap_pct / 100,
        raise_to_minimum=params.min_size == "raise",
        update_ns=seconds_to_ns(params.update_interval_s),
        tolerance=max(params.min_price_move_ticks, 1) - 1,
        near=params.price_tolerance_pct / 100,
    )


def quote(view: MarketView, plan: Plan, memory: Quoted) -> Wanted:
    """Return a bid and an ask, or only the reducing one; at most one change in `update_interval_s`."""
    if not view.bids or not view.asks:
        return Wanted((), False, f"no depth of others on the {'asks' if view.bids else 'bids'}", memory)
    if _is_held(view, plan, memory):
        return Wanted(memory.levels, False, memory.reason, memory, memory.at_ns + plan.update_ns)
    started_ns = view.now_ns if memory.started_ns is None else memory.started_ns
    sigma, ratio = _sigma(view), liquidity_ratio(view.bids, view.asks)
    regime = regime_of(composite(sigma, plan.sigma_normal, ratio), memory.regime)
    levels, reason = _decided(view, plan, tau(plan, view.now_ns - started_ns), regime, memory)
    is_same = memory.started_ns is not None and levels == memory.levels
    at_ns = memory.at_ns if is_same else view.now_ns
    quoted = Quoted(started_ns, at_ns, view.position, levels, reason, regime)
    return Wanted(levels, False, reason, quoted, FOREVER_NS if plan.horizon_ns is None else 0)


def limits(view: MarketView, plan: Plan) -> tuple[float, float]:
    """Return threshold and Q_max, lots: as configured, else 5 base orders and twice that (R21, C19)."""
    if plan.threshold is not None and plan.q_max is not None:
        return plan.threshold, plan.q_max
    threshold = THRESHOLD_ORDERS * plan.base_lot_ticks / view.mid
    return threshold, 2 * threshold


def tau(plan: Plan, elapsed_ns: int) -> float:
    """Return what is left of the horizon, 1 to 0.001."""
    return 1.0 if plan.horizon_ns is None else max(LEAST_TAU, 1.0 - elapsed_ns / plan.horizon_ns)


def _is_held(view: MarketView, plan: Plan, memory: Quoted) -> bool:
    """True within the interval after a change, unless there was a fill or the market ran through (Q20)."""
    if memory.started_ns is None or view.position != memory.position:
        return False
    if view.now_ns - memory.at_ns >= plan.update_ns:
        return False
    return all(
        level.price < view.ask if level.side is Side.BUY else level.price > view.bid
        for level in memory.levels
    )


def _sigma(view: MarketView) -> float:
    assert view.volatility_pct is not None, "regime needs volatility"
    return view.volatility_pct / 100


def _decided(
    view: MarketView, plan: Plan, left: float, regime: Regime, memory: Quoted
) -> tuple[tuple[Level, ...], str]:
    """Return the levels and why. left  what is left of the horizon, 0.001 to 1"""
    sigma, ratio = _sigma(view), liquidity_ratio(view.bids, view.asks)
    threshold, q_max = limits(view, plan)
    q_max *= regime.q_max
    fullness = abs(view.position) / q_max
    gamma = plan.gamma if plan.gamma_is_ticks else plan.gamma * view.mid
    risk = gamma * regime.gamma * sigma * sigma * left
    market_spread = (view.ask - view.bid) * plan.spread_multiplier
    half = spread_of(risk, fullness, market_spread, regime.spread) / 2
    budget = int(plan.base_micro * size_factor(regime, fullness, sigma, plan.sigma_normal, ratio))
    near_hedge = abs(view.position) / min(threshold, q_max)
    least = plan.min_spread * view.mid
    away = distances(view.position, near_hedge, half, least)
    if away is None:
        levels = _reducing(view, plan, budget)
        return levels, f"{regime.name}, only reducing" if levels else "below the minimum size"
    prices = sane_prices(view, away, plan.max_gap * view.mid)
    bid, ask = _near_enough(view, plan, memory, prices, plan.near * min(away), least)
    levels = _level(view, plan, Side.BUY, bid, budget) + _level(view, plan, Side.SELL, ask, budget)
    return levels, regime.name if levels else "below the minimum size, or too far from the mid"


def _near_enough(
    view: MarketView, plan: Plan, memory: Quoted, prices: Prices, band: float, least: float
) -> Prices:
    """Return the prices in force where they are off by at most the band, ticks, and none was filled (Q17)."""
    if view.position != memory.position:
        return prices
    old = {level.side: level.price for level in memory.levels if _is_within(level, view, plan)}
    bid, ask = (
        old[side] if price is not None and side in old and abs(old[side] - price) <= band else price
        for side, price in zip((Side.BUY, Side.SELL), prices, strict=True)
    )
    is_moved = (bid, ask) != (old.get(Side.BUY), old.get(Side.SELL))
    if is_moved and bid is not None and ask is not None and ask - bid < max(1.0, least):
        return prices  # each is near enough, both together are not
    return bid, ask


def _is_within(level: Level, view: MarketView, plan: Plan) -> bool:
    """True while an order there would not cross, and not be too far from the mid."""
    opposite = view.ask if level.side is Side.BUY else view.bid
    return (opposite - level.price) * level.side > 0 and abs(level.price - view.mid) < plan.max_gap * view.mid


def _reducing(view: MarketView, plan: Plan, budget: int) -> tuple[Level, ...]:
    """Return the one order of the last tier: of no more than is held, or the venue's smallest order."""
    held = abs(view.position)
    return tuple(
        msgspec.structs.replace(level, size=min(level.size, max(held, view.sizes.minimum(level.price))))
        for level in _level(view, plan, *one_sided(view), budget)
    )


def _level(view: MarketView, plan: Plan, side: Side, price: int | None, budget: int) -> tuple[Level, ...]:
    """Return the order of a side that a budget, micro-units, buys; none where it is too small."""
    if price is None or price <= 0:
        return ()
    size, minimum = view.sizes.lots(budget, price), view.sizes.minimum(price)
    if size < minimum and plan.raise_to_minimum:
        size = minimum
    return (Level(side, price, size, tolerance=plan.tolerance),) if size >= minimum else ()


def needs(_params: Params) -> Needs:
    return Needs(volatility=True, depth=True)


STRATEGY = Strategy("regime", Params, quote, Quoted(), needs, plan)
