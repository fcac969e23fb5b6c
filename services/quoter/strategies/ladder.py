"""Ladder: several orders a side, each further out than the last by a growing number of ticks.

The nearest are where `two_sided` would quote; behind them level i is 1.5 i^1.5 ticks further
(0, 1.5, 4.24, 7.79, 12, ...), so that the ladder is dense at the market and thin behind. Without
a size each order takes a small share of what there is: of the money for bids, of the inventory
for asks.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from math import ceil
from typing import Annotated

import msgspec
from msgspec import Meta

from services.quoter.levels.sizing import MICRO, percent_to_ppm, share_of_equity
from services.quoter.strategies import two_sided
from services.quoter.strategies.base import FOREVER_NS, MarketView, Memory, Needs, Strategy, Wanted
from services.quoter.strategies.two_sided import PPM
from shared.instrument import Instrument
from shared.messages import Level, Side

DEFAULT_SPREAD_PCT = 0.20
SIZES = ("quantity", "size_usd", "equity_pct")


class Params(two_sided.Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As of two_sided, for each order; spread_pct is 0.20 where nothing else is given. Besides:

    max_orders           orders a side
    offset_ticks         distance of the second order from the first; ticks, or legal price steps
                         where the venue's depend on the price
    offset_power         order i is offset_ticks x i^offset_power from the first
    max_share_pct        without a size: largest share of the money (bids) or the inventory (asks)
                         that one order takes, percent; never above 1 / (4 x max_orders)
    """

    max_orders: Annotated[int, Meta(ge=1, le=50)] = 3
    offset_ticks: Annotated[float, Meta(gt=0, le=10_000)] = 1.5
    offset_power: Annotated[float, Meta(ge=0.1, le=4, extra={"unit": "exponent"})] = 1.5
    max_share_pct: Annotated[float, Meta(gt=0, le=25)] = 5.0

    def problem(self) -> str:
        sizes = _auto_problem(self) if is_auto(self) else two_sided.size_problem(self)
        return sizes or two_sided.spread_problem(self) or two_sided.position_problem(self)


class Plan(msgspec.Struct, frozen=True):
    """First prices and sizes as of two_sided, the offsets of the levels behind, the automatic share.

    offsets    micro-ticks, rounded away from the market
    share_ppm  of the money or the inventory for each order; None = a size is given
    """

    first: two_sided.Plan
    offsets: tuple[int, ...]
    share_ppm: int | None
    is_perp: bool


class Laid(Memory, frozen=True, gc=False):
    """The prices in force, best first, when they were made and at which position; None = never."""

    bids: tuple[int, ...] = ()
    asks: tuple[int, ...] = ()
    at_ns: int | None = None
    position: int = 0


def is_auto(params: Params) -> bool:
    """True where no size is given: each order is a share of what there is."""
    return all(getattr(params, name) is None for name in SIZES)


def plan(params: Params, instrument: Instrument) -> Plan:
    """Raises: BadInput, as of two_sided."""
    given = (params.spread_pct, params.half_spread_ticks, params.spread_ticks, params.join_best or None)
    if all(value is None for value in given):
        params = msgspec.structs.replace(params, spread_pct=DEFAULT_SPREAD_PCT)
    share = min(percent_to_ppm(params.max_share_pct), PPM // (4 * params.max_orders))
    return Plan(
        first=two_sided.plan(params, instrument),
        offsets=offsets(params),
        share_ppm=share if is_auto(params) else None,
        is_perp=instrument.is_perp,
    )


def offsets(params: Params) -> tuple[int, ...]:
    """Return the distance of each level from the first, micro-ticks, rounded up (Q06)."""
    first, power = Decimal(str(params.offset_ticks)), Decimal(str(params.offset_power))
    distances = (first * Decimal(index) ** power for index in range(1, params.max_orders))
    twelve = Decimal("1e-12")  # 4^1.5 is 8, not a last digit more
    return (0, *(int((d.quantize(twelve) * MICRO).to_integral_value(ROUND_CEILING)) for d in distances))


def quote(view: MarketView, plan: Plan, memory: Laid) -> Wanted:
    """Return up to `max_orders` a side, best first; a paused side or a too small order is left out."""
    laid = memory if _may_keep(view, plan, memory) else _lay(view, plan, memory)
    bid_is_on, ask_is_on = two_sided.sides_on(view.position, plan.first)
    bids = _levels(view, plan, Side.BUY, laid.bids) if bid_is_on else ()
    asks = _levels(view, plan, Side.SELL, laid.asks) if ask_is_on else ()
    levels = bids + asks
    reason = "quoting" if levels else "paused or below the minimum size"
    return Wanted(levels, False, reason, laid, _holds_ns(plan, memory, laid))


def prices(view: MarketView, plan: Plan) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the prices of both sides, best first: each legal, none twice, none crossing."""
    bid, ask, unit = two_sided.unrounded(view, plan.first)
    grid, step = view.prices, view.prices.step(int(view.mid))
    aways = [offset * step * unit for offset in plan.offsets]
    bids, bound = [], view.ask
    for away in aways:
        bound = min(grid.bid(bid * MICRO - away, unit * MICRO), grid.bid(bound - 1))
        bids.append(bound)
    asks, bound = [], view.bid  # the first two are a spread apart already
    for away in aways:
        bound = max(grid.ask(ask * MICRO + away, unit * MICRO), grid.ask(bound + 1))
        asks.append(bound)
    return tuple(bids), tuple(asks)


def _may_keep(view: MarketView, plan: Plan, memory: Laid) -> bool:
    """True while the prices are younger than the refresh, nothing was filled, and they do not cross."""
    if memory.at_ns is None or view.position != memory.position:
        return False
    if view.now_ns - memory.at_ns >= plan.first.refresh_ns:
        return False
    return memory.bids[0] < view.ask and memory.asks[0] > view.bid


def _holds_ns(plan: Plan, memory: Laid, laid: Laid) -> int:
    """Return until when these prices are right for this market: kept ones until they may follow it."""
    if laid is not memory or laid.at_ns is None:
        return FOREVER_NS
    return laid.at_ns + plan.first.refresh_ns


def _lay(view: MarketView, plan: Plan, memory: Laid) -> Laid:
    """Price anew. What comes out the same stays as old as it is: the next move is followed at once."""
    bids, asks = prices(view, plan)
    is_same = (bids, asks) == (memory.bids, memory.asks)
    return Laid(bids, asks, memory.at_ns if is_same else view.now_ns, view.position)


def _levels(view: MarketView, plan: Plan, side: Side, ladder: tuple[int, ...]) -> tuple[Level, ...]:
    """Return the orders of one side, within the room to the largest position, best first."""
    largest = plan.first.max_position
    room = None if largest is None else largest - side.sign * view.position
    auto = 0 if plan.share_ppm is None else _auto_budget(view, plan, side, plan.share_ppm)
    levels = []
    for price in ladder:
        if price <= 0:
            break
        minimum, size = view.sizes.minimum(price), _size(view, plan, side, price, auto)
        if size < minimum and plan.first.raise_to_minimum:
            size = minimum
        size = size if room is None else min(size, room)
        if size >= minimum:
            room = None if room is None else room - size
            levels.append(Level(side, price, size, tolerance=plan.first.tolerance))
    return tuple(levels)


def _size(view: MarketView, plan: Plan, side: Side, price: int, auto: int) -> int:
    if plan.share_ppm is None:
        return two_sided.size_of(view, plan.first, price)
    return auto if _is_in_lots(plan, side) else view.sizes.lots(auto, price)


def _is_in_lots(plan: Plan, side: Side) -> bool:
    """True where an automatic order is a share of the inventory: asks of a spot market."""
    return side is Side.SELL and not plan.is_perp


def _auto_budget(view: MarketView, plan: Plan, side: Side, share_ppm: int) -> int:
    """Return what one order takes: lots of the inventory (spot asks), else micro-units of the money (Q26).

    On spot the money is the equity without the inventory; a perp needs neither, both sides
    take their share of the equity.
    """
    if _is_in_lots(plan, side):
        return view.position * share_ppm // PPM
    assert view.equity_usd is not None, "sizes without a number need equity"
    money = share_of_equity(view.equity_usd, PPM, None)
    if not plan.is_perp:
        mid = Fraction(view.bid + view.ask, 2)
        money -= ceil(view.sizes.worth(max(0, view.position), mid))
    return max(0, money) * share_ppm // PPM


def _auto_problem(params: Params) -> str:
    if params.min_size == "refuse":
        return two_sided.REFUSE_NEEDS_QUANTITY
    if params.size_cap_usd is not None:
        return f"size_cap_usd {params.size_cap_usd:g} needs equity_pct"
    return ""


def needs(params: Params) -> Needs:
    return Needs(equity=params.equity_pct is not None or is_auto(params))


STRATEGY = Strategy("ladder", Params, quote, Laid(), needs, plan)
