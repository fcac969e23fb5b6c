"""What a person writes for a strategy of bins, and what it is in ppm, lots and nanoseconds."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Annotated

import msgspec
from msgspec import Meta

from services.quoter.levels.sizing import percent_to_ppm, to_micro
from services.quoter.strategies import base
from services.quoter.strategies.base import Needs
from services.quoter.strategies.bins.shape import Shape
from shared.clock import seconds_to_ns
from shared.errors import BadInput
from shared.instrument import Instrument

#: more bins a side than anybody wants; it bounds the work of one pricing
MAX_BINS = 1_000
Ratio = Annotated[float, Meta(ge=-100, le=100, extra={"unit": "ratio"})]
Quantity = Annotated[float, Meta(gt=0, le=1e12)]


class Params(base.Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person writes. Capital is spread over all bins of the range; the nearest `live_orders` rest.

    up_pct               range of the asks above the anchor, percent
    down_pct             range of the bids below the anchor, percent
    bin_step_bps         distance of two bins, basis points of the anchor, to 0.01
    live_orders          orders at once, half of them on each side
    capital_usd          quote units that inventory and money together are worth; None = the account's equity.
                         Money is what the inventory of this symbol leaves of it: where an account has
                         several such quoters each counts on the whole equity, so give each its capital
    initial_ratio        share of the capital in inventory that counts as neutral (0 = all in money)
    initial_inventory    base units, perps only: a flat position counts as holding so much; None = so much
                         that flat is neutral
    buy_fade_from        move of the inventory ratio, relative to initial_ratio, above which bids shrink
    buy_stop_at          move at which there are no bids; between the two they shrink linearly
    sell_fade_from       move below which asks shrink (< 0)
    sell_stop_at         move at which there are no asks
    min_order            base units: a smaller order is raised to it while the capital of its side lasts;
                         None = an order below the venue's minimum is left out
    max_order            base units: a larger order is cut to it
    recentre_pct         the bins stay until the mid is further than this from their anchor, percent of it,
                         or the inventory changed; an order is kept within this distance
    refresh_interval_s   sizes follow the capital this often
    """

    up_pct: Annotated[float, Meta(ge=0.001, le=50)] = 2.0
    down_pct: Annotated[float, Meta(ge=0.001, le=50)] = 2.0
    bin_step_bps: Annotated[float, Meta(ge=0.01, le=5_000)] = 40.0
    live_orders: Annotated[int, Meta(ge=2, le=200)] = 10
    capital_usd: Annotated[float, Meta(ge=0.01, le=1e12)] | None = None
    initial_ratio: Annotated[float, Meta(ge=0, le=1)] = 0.5
    initial_inventory: Annotated[float, Meta(ge=0, le=1e12)] | None = None
    buy_fade_from: Ratio = 0.3
    buy_stop_at: Ratio = 0.6
    sell_fade_from: Ratio = -0.3
    sell_stop_at: Ratio = -0.6
    min_order: Quantity | None = None
    max_order: Quantity | None = None
    recentre_pct: Annotated[float, Meta(ge=0.001, le=50)] = 0.2
    refresh_interval_s: Annotated[float, Meta(ge=0.01, le=86_400)] = 10.0

    def problem(self) -> str:
        return _bins_problem(self) or _inventory_problem(self)


class Plan(msgspec.Struct, frozen=True):
    """The params for one instrument.

    per_side           how many bins of a side rest at most
    shapes             calm, ordinary, wild; strategies of one shape have only that
    volatility_bounds  annualised percent: below the first the market is calm, above the second wild
    """

    step_ppm: int
    per_side: int
    capital_micro: int | None
    initial_ratio: Fraction
    initial_lots: int | None
    is_perp: bool
    buy_fade: tuple[Fraction, Fraction]
    sell_fade: tuple[Fraction, Fraction]
    min_lots: int | None
    max_lots: int | None
    recentre_ppm: int
    refresh_ns: int
    shapes: tuple[Shape, ...]
    volatility_bounds: tuple[float, float] = (0.0, 0.0)


def bin_count(range_ppm: int, step_ppm: int) -> int:
    """Return how many whole steps a range has: by whole numbers, 0.9 % of 1 bp are 90 (a float says 89)."""
    return range_ppm // step_ppm


def step_ppm(params: Params) -> int:
    return int(Decimal(str(params.bin_step_bps)) * 100)


def counts(params: Params) -> tuple[int, int]:
    """Return how many bins the ranges of bids and asks have."""
    step = step_ppm(params)
    return bin_count(percent_to_ppm(params.down_pct), step), bin_count(percent_to_ppm(params.up_pct), step)


def plan(params: Params, instrument: Instrument, shapes: tuple[Shape, ...]) -> Plan:
    """Raises: BadInput where initial_inventory is given for a spot market: there it is what is held."""
    if params.initial_inventory is not None and not instrument.is_perp:
        text = f"initial_inventory {params.initial_inventory:g} is for perps; on spot it is what is held"
        raise BadInput(f"{instrument.symbol}: {text}")
    return Plan(
        step_ppm=step_ppm(params),
        per_side=params.live_orders // 2,
        capital_micro=None if params.capital_usd is None else to_micro(params.capital_usd),
        initial_ratio=_exact(params.initial_ratio),
        initial_lots=_lots(params.initial_inventory, instrument),
        is_perp=instrument.is_perp,
        buy_fade=(_exact(params.buy_fade_from), _exact(params.buy_stop_at)),
        sell_fade=(_exact(params.sell_fade_from), _exact(params.sell_stop_at)),
        min_lots=_lots(params.min_order, instrument),
        max_lots=_lots(params.max_order, instrument),
        recentre_ppm=percent_to_ppm(params.recentre_pct),
        refresh_ns=seconds_to_ns(params.refresh_interval_s),
        shapes=shapes,
    )


def needs(params: Params) -> Needs:
    return Needs(equity=params.capital_usd is None)


def _exact(value: float) -> Fraction:
    return Fraction(str(value))


def _lots(quantity: float | None, instrument: Instrument) -> int | None:
    return None if quantity is None else instrument.lots_floor(Decimal(str(quantity)))


def _bins_problem(params: Params) -> str:
    step = step_ppm(params)
    for name, count in zip(("down_pct", "up_pct"), counts(params), strict=True):
        value = getattr(params, name)
        if not 1 <= count <= MAX_BINS:
            return (
                f"{name} {value:g} is {count} bins of {params.bin_step_bps:g} bp: 1 to {MAX_BINS} are allowed"
            )
    if percent_to_ppm(params.recentre_pct) >= step:
        return f"recentre_pct {params.recentre_pct:g} must be below a bin, {params.bin_step_bps / 100:g} %"
    return ""


def _inventory_problem(params: Params) -> str:
    if not params.buy_fade_from < params.buy_stop_at:
        return f"buy_fade_from {params.buy_fade_from:g} must be below buy_stop_at {params.buy_stop_at:g}"
    if not params.sell_stop_at < params.sell_fade_from:
        return f"sell_stop_at {params.sell_stop_at:g} must be below sell_fade_from {params.sell_fade_from:g}"
    low, high = params.min_order, params.max_order
    if low is not None and high is not None and low > high:
        return f"min_order {low:g} must be at most max_order {high:g}"
    return ""
