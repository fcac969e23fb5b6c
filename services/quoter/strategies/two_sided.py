"""Two-sided: a bid and an ask around the mid, leaning against our inventory.

Three ways to say how far: a total percentage, ticks per side, or `join_best` (at the best
prices of others, which trades most for the fee paid). Long inventory lowers both quotes by
at most one half-spread; beyond a threshold the side that adds to it pauses.

Earlier bots leaned by a *fraction of the price* (mid 100, skew 0.4, position 1 of 3 -> 86.5 /
86.8), far outside any market: `legacy_price_skew_cap_pct` asks for that, up to the given share.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from services.quoter.levels.legacy import moved_by_price_share
from services.quoter.levels.sizing import fixed_lots, percent_to_ppm, share_of_equity, to_micro
from services.quoter.strategies import base
from services.quoter.strategies.base import FOREVER_NS, MarketView, Memory, Needs, Strategy, Wanted
from shared.clock import seconds_to_ns
from shared.instrument import Instrument
from shared.messages import Level, Side

PPM = 1_000_000
DEFAULT_SPREAD_PCT = 0.30
Ticks = Annotated[float, Meta(ge=0.5, le=100_000)]
Base = Annotated[float, Meta(ge=0, le=1e12)]
REFUSE_NEEDS_QUANTITY = 'min_size "refuse" needs quantity: what money buys is known only with a price'
MinSize = Literal["skip", "raise", "refuse"]


class Params(base.Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person writes. Exactly one of quantity, size_usd and equity_pct.

    spread_pct           total spread, percent of the mid (0.30: each side 0.15 % away)
    half_spread_ticks, spread_ticks  ticks *per side*, instead of spread_pct: two names of one thing
    min_spread_ticks     smallest distance of our two quotes
    join_best            rest at the best prices of others, at least min_spread_ticks apart
    quantity, size_usd, equity_pct  size per side: base units, quote units, or percent of the equity
    size_cap_usd         largest order where equity_pct is used
    min_size             an order below the venue's minimum is skipped, raised to it, or refused at start
                         (only a quantity can be: what money buys is known with a price)
    target_position      base units, either side of 0: within it there is no lean
    position_threshold   base units beyond target_position where the adding side pauses; None = at the maximum
    max_position         base units; None = what the permit allows
    skew                 share of a half-spread by which a full inventory shifts both quotes
    legacy_price_skew_cap_pct  skew is a share of the *price*, as in earlier bots: at most this percent
    min_price_move_ticks smaller moves keep the order and its place in the queue
    refresh_interval_s   prices follow the market at most this often; a fill re-prices at once
    """

    spread_pct: Annotated[float, Meta(ge=0.001, le=20)] | None = None
    half_spread_ticks: Ticks | None = None
    spread_ticks: Ticks | None = None
    join_best: bool = False
    min_spread_ticks: Annotated[int, Meta(ge=1, le=100_000)] = 1
    quantity: Annotated[float, Meta(gt=0, le=1e12)] | None = None
    size_usd: Annotated[float, Meta(ge=0.01, le=1e9)] | None = None
    equity_pct: Annotated[float, Meta(ge=0.001, le=100)] | None = None
    size_cap_usd: Annotated[float, Meta(ge=0.01, le=1e9)] | None = None
    min_size: MinSize = "skip"
    target_position: Base = 0.0
    position_threshold: Base | None = None
    max_position: Annotated[float, Meta(gt=0, le=1e12)] | None = None
    skew: Annotated[float, Meta(ge=0, le=1)] = 0.0
    legacy_price_skew_cap_pct: Annotated[float, Meta(gt=0, le=100)] | None = None
    min_price_move_ticks: Annotated[int, Meta(ge=0, le=100_000)] = 0
    refresh_interval_s: Annotated[float, Meta(ge=0.01, le=86_400)] = 2.0

    def problem(self) -> str:
        return size_problem(self) or spread_problem(self) or position_problem(self)

    def largest_position(self) -> float | None:
        return self.max_position


class Plan(msgspec.Struct, frozen=True):
    """The params in ticks, lots, parts per million and nanoseconds; at most one spread is not None."""

    spread_ppm: int | None
    half_spread_milli: int | None
    min_spread: int
    lots: int | None
    budget_micro: int | None
    share_ppm: int
    cap_micro: int | None
    raise_to_minimum: bool
    target: int
    threshold: int | None
    max_position: int | None
    skew_ppm: int
    price_skew_cap_ppm: int | None
    tolerance: int
    refresh_ns: int


class Priced(Memory, frozen=True, gc=False):
    """The prices in force, when they were made and at which position; None = never."""

    bid: int = 0
    ask: int = 0
    at_ns: int | None = None
    position: int = 0


def plan(params: Params, instrument: Instrument) -> Plan:
    """Raises: BadInput where min_size is "refuse" and the quantity is below the venue's minimum."""
    half_ticks, price_cap = params.half_spread_ticks or params.spread_ticks, params.legacy_price_skew_cap_pct
    must_do = params.min_size == "refuse"
    spread_pct = None if half_ticks or params.join_best else params.spread_pct or DEFAULT_SPREAD_PCT
    return Plan(
        spread_ppm=None if spread_pct is None else percent_to_ppm(spread_pct),
        half_spread_milli=None if half_ticks is None else int(Decimal(str(half_ticks)) * 1000),
        min_spread=params.min_spread_ticks,
        lots=None if params.quantity is None else fixed_lots(params.quantity, instrument, must_do=must_do),
        budget_micro=None if params.size_usd is None else to_micro(params.size_usd),
        share_ppm=percent_to_ppm(params.equity_pct or 0.0),
        cap_micro=None if params.size_cap_usd is None else to_micro(params.size_cap_usd),
        raise_to_minimum=params.min_size == "raise",
        target=_lots(params.target_position, instrument),
        threshold=None if params.position_threshold is None else _lots(params.position_threshold, instrument),
        max_position=None if params.max_position is None else _lots(params.max_position, instrument),
        skew_ppm=int(Decimal(str(params.skew)) * PPM),
        price_skew_cap_ppm=None if price_cap is None else percent_to_ppm(price_cap),
        tolerance=max(params.min_price_move_ticks, 1) - 1,
        refresh_ns=seconds_to_ns(params.refresh_interval_s),
    )


def quote(view: MarketView, plan: Plan, memory: Priced) -> Wanted:
    """Return up to one bid and one ask; a paused or too small side is left out."""
    priced = memory if _may_keep(view, plan, memory) else _price(view, plan, memory)
    bid_is_on, ask_is_on = sides_on(view.position, plan)
    bid = _level(view, plan, Side.BUY, priced.bid) if bid_is_on else None
    ask = _level(view, plan, Side.SELL, priced.ask) if ask_is_on else None
    levels = tuple(level for level in (bid, ask) if level is not None)
    reason = "quoting" if levels else "paused or below the minimum size"
    return Wanted(levels, False, reason, priced, _holds_ns(plan, memory, priced))


def _holds_ns(plan: Plan, memory: Priced, priced: Priced) -> int:
    """Return until when these prices are right for this market: kept ones until they may follow it.

    What money buys of a size depends on no size in the book.
    """
    if priced is not memory or priced.at_ns is None:
        return FOREVER_NS
    return priced.at_ns + plan.refresh_ns


def sides_on(position: int, plan: Plan) -> tuple[bool, bool]:
    """Return whether bid and ask are on: strictly beyond target + threshold the adding side pauses."""
    if plan.threshold is None:
        return True, True
    limit = plan.target + plan.threshold
    return position <= limit, position >= -limit


def prices(view: MarketView, plan: Plan) -> tuple[int, int]:
    """Return bid and ask: mid -+ half-spread, both moved by the lean, rounded once, never crossing."""
    bid, ask = leaning(view, plan)
    bid = min(bid, view.prices.bid(view.ask - 1))  # post-only
    ask = max(ask, view.prices.ask(max(view.bid, bid) + 1))
    return bid, ask


def leaning(view: MarketView, plan: Plan) -> tuple[int, int]:
    """Return bid and ask on legal prices, whatever the book."""
    bid, ask, unit = unrounded(view, plan)
    return view.prices.bid(bid, unit), view.prices.ask(ask, unit)


def unrounded(view: MarketView, plan: Plan) -> tuple[int, int, int]:
    """Return bid and ask, ticks, as numerators and their denominator.

    Whole-number fractions all the way, so that a price that falls on a tick stays there.
    """
    lean, lean_unit = lean_of(view, plan)
    centre, unit = view.bid + view.ask, 2
    if plan.price_skew_cap_ppm is not None:
        centre, unit = moved_by_price_share(centre, lean, lean_unit, plan.price_skew_cap_ppm)
        lean, lean_unit = 0, 1
    half, half_unit = half_spread(centre, unit, view.ask - view.bid, plan)
    mid, denominator = centre * half_unit * lean_unit, unit * half_unit * lean_unit
    return mid - unit * half * (lean_unit + lean), mid + unit * half * (lean_unit - lean), denominator


def half_spread(centre: int, unit: int, market_spread: int, plan: Plan) -> tuple[int, int]:
    """Return the half-spread around centre / unit, in ticks, as numerator and denominator."""
    half, half_unit = market_spread, 2
    if plan.spread_ppm is not None:
        half, half_unit = centre * plan.spread_ppm, 2 * unit * PPM
    elif plan.half_spread_milli is not None:
        half, half_unit = plan.half_spread_milli, 1000
    return (half, half_unit) if 2 * half >= plan.min_spread * half_unit else (plan.min_spread, 2)


def lean_of(view: MarketView, plan: Plan) -> tuple[int, int]:
    """Return the lean in half-spreads, within +-1, as numerator and denominator; > 0 moves down.

    skew x (position beyond the target) / (largest position), bounded by the half-spread.
    """
    beyond = max(0, abs(view.position) - plan.target)
    if beyond == 0 or plan.skew_ppm == 0:
        return 0, 1
    permitted = view.permit.max_long if view.position > 0 else view.permit.max_short
    limit = max(1, permitted if plan.max_position is None else plan.max_position)
    lean = plan.skew_ppm * min(beyond, limit)
    return (lean if view.position > 0 else -lean), PPM * limit


def _may_keep(view: MarketView, plan: Plan, memory: Priced) -> bool:
    """True while the prices are younger than the refresh, nothing was filled, and they do not cross."""
    if memory.at_ns is None or view.position != memory.position:
        return False
    if view.now_ns - memory.at_ns >= plan.refresh_ns:
        return False
    return memory.bid < view.ask and memory.ask > view.bid


def _price(view: MarketView, plan: Plan, memory: Priced) -> Priced:
    """Price anew. What comes out the same stays as old as it is: the next move is followed at once."""
    bid, ask = prices(view, plan)
    is_same = (bid, ask) == (memory.bid, memory.ask) and memory.at_ns is not None
    return Priced(bid, ask, memory.at_ns if is_same else view.now_ns, view.position)


def _level(view: MarketView, plan: Plan, side: Side, price: int) -> Level | None:
    """Return the order of one side: its size by the params, within the room to the largest position."""
    if price <= 0:
        return None
    minimum = view.sizes.minimum(price)
    size = size_of(view, plan, price)
    if size < minimum and plan.raise_to_minimum:
        size = minimum
    if plan.max_position is not None:
        size = min(size, plan.max_position - side.sign * view.position)
    return None if size < minimum else Level(side, price, size, tolerance=plan.tolerance)


def size_of(view: MarketView, plan: Plan, price: int) -> int:
    if plan.lots is not None:
        return plan.lots
    if plan.budget_micro is not None:
        return view.sizes.lots(plan.budget_micro, price)
    assert view.equity_usd is not None, "equity_pct needs equity"
    return view.sizes.lots(share_of_equity(view.equity_usd, plan.share_ppm, plan.cap_micro), price)


def _lots(quantity: float, instrument: Instrument) -> int:
    return instrument.lots_floor(Decimal(str(quantity)))


def size_problem(params: Params) -> str:
    given = [name for name in ("quantity", "size_usd", "equity_pct") if getattr(params, name) is not None]
    if len(given) != 1:
        return f"exactly one of quantity, size_usd and equity_pct is needed, got {', '.join(given) or 'none'}"
    if params.min_size == "refuse" and params.quantity is None:
        return REFUSE_NEEDS_QUANTITY
    if params.size_cap_usd is not None and params.equity_pct is None:
        return f"size_cap_usd {params.size_cap_usd:g} needs equity_pct"
    return ""


def spread_problem(params: Params) -> str:
    ticks, alias = params.half_spread_ticks, params.spread_ticks
    if ticks is not None and alias is not None:
        return f"half_spread_ticks {ticks:g} and spread_ticks {alias:g} are two names of one thing: give one"
    if params.join_best and (params.spread_pct or ticks or alias):
        return "join_best takes the spread of the market: it excludes spread_pct and half_spread_ticks"
    if params.legacy_price_skew_cap_pct is not None and not params.skew:
        return f"legacy_price_skew_cap_pct {params.legacy_price_skew_cap_pct:g} bounds skew, which is 0"
    return ""


def position_problem(params: Params) -> str:
    largest = params.max_position
    if largest is None:
        return ""
    for name in ("target_position", "quantity"):
        value = getattr(params, name)
        if value is not None and value > largest:
            return f"{name} {value:g} must be at most max_position {largest:g}"
    return ""


def needs(params: Params) -> Needs:
    return Needs(equity=params.equity_pct is not None)


STRATEGY = Strategy("two_sided", Params, quote, Priced(), needs, plan)
