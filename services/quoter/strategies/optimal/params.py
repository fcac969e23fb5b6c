"""What a person writes for a model, and what it is in ticks and orders.

Units. A model counts prices in ticks, time in seconds and inventory in *orders* of the size we
quote. The aversion to risk is written per unit of the quote asset, so that one value means the
same on every symbol; in a model it is per tick that one order gains or loses:

    gamma per tick and order = gamma x (quote units that one tick is worth on one order)
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from services.quoter.levels.sizing import to_micro
from services.quoter.strategies import base
from services.quoter.strategies.base import MarketView, Needs
from shared.instrument import Instrument

PER_QUOTE_UNIT = {"unit": "1/quote unit"}


class Params(base.Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person writes. Exactly one of quantity and size_usd; both or none of intensity_a and _k.

    quantity             base units per side
    size_usd             quote units per side, instead of quantity
    gamma                aversion to risk: 1 = a gain or loss of one quote unit matters; more leans more
                         against inventory and quotes further out where the market moves
    intensity_a          takers a second that reach an order at the mid, instead of the estimate
    intensity_k          how fast they become fewer: exp(-intensity_k) of them reach one tick further
    min_spread_ticks     smallest distance of our two quotes
    max_spread_pct       largest distance of our two quotes before inventory moves them, percent of the mid
    max_skew             half-spreads by which inventory shifts both quotes at most; 1 = the reducing
                         quote goes as far as the mid
    max_position         base units; None = what the permit allows
    price_tolerance_pct  an order whose price is off by less than this share of the half-spread, or by
                         less than one tick, keeps its place
    """

    quantity: Annotated[float, Meta(gt=0, le=1e12)] | None = None
    size_usd: Annotated[float, Meta(ge=0.01, le=1e9)] | None = None
    gamma: Annotated[float, Meta(ge=1e-9, le=1e6, extra=PER_QUOTE_UNIT)] = 1.0
    intensity_a: Annotated[float, Meta(ge=1e-6, le=1e6, extra={"unit": "1/s"})] | None = None
    intensity_k: Annotated[float, Meta(ge=1e-6, le=1e3, extra={"unit": "1/tick"})] | None = None
    min_spread_ticks: Annotated[int, Meta(ge=1, le=100_000)] = 1
    max_spread_pct: Annotated[float, Meta(ge=0.001, le=50)] = 5.0
    max_skew: Annotated[float, Meta(ge=0, le=10, extra={"unit": "half-spreads"})] = 1.0
    max_position: Annotated[float, Meta(gt=0, le=1e12)] | None = None
    price_tolerance_pct: Annotated[float, Meta(ge=0, le=50)] = 10.0

    def problem(self) -> str:
        return _size_problem(self) or _intensity_problem(self)

    def largest_position(self) -> float | None:
        return self.max_position


class Plan(msgspec.Struct, frozen=True):
    """The params in lots, micro-units and shares of 1. Exactly one of lots and budget_micro.

    tick_value   quote units that one tick is worth on one lot
    intensity    takers a second at the mid and decay per tick; None = as estimated
    widest_half  largest half-spread as a share of the mid
    tolerance    share of the half-spread
    """

    lots: int | None
    budget_micro: int | None
    tick_value: float
    gamma: float
    intensity: tuple[float, float] | None
    min_spread: int
    widest_half: float
    max_skew: float
    max_position: int | None
    tolerance: float

    def order_lots(self, view: MarketView, price: int) -> int:
        """Return the size of an order at a price (> 0), before any limit."""
        if self.lots is not None:
            return self.lots
        assert self.budget_micro is not None, "one of quantity and size_usd is given"
        return view.sizes.lots(self.budget_micro, price)


def plan(params: Params, instrument: Instrument) -> Plan:
    """Return the params for one instrument."""
    a, k = params.intensity_a, params.intensity_k
    return Plan(
        lots=None if params.quantity is None else _lots(params.quantity, instrument),
        budget_micro=None if params.size_usd is None else to_micro(params.size_usd),
        tick_value=float(instrument.notional(1, 1)),
        gamma=params.gamma,
        intensity=None if a is None or k is None else (a, k),
        min_spread=params.min_spread_ticks,
        widest_half=params.max_spread_pct / 200,
        max_skew=params.max_skew,
        max_position=None if params.max_position is None else _lots(params.max_position, instrument),
        tolerance=params.price_tolerance_pct / 100,
    )


def needs(params: Params) -> Needs:
    return Needs(volatility=True, intensity=params.intensity_k is None)


def _lots(quantity: float, instrument: Instrument) -> int:
    return instrument.lots_floor(Decimal(str(quantity)))


def _size_problem(params: Params) -> str:
    given = [name for name in ("quantity", "size_usd") if getattr(params, name) is not None]
    if len(given) != 1:
        return f"exactly one of quantity and size_usd is needed, got {' and '.join(given) or 'none'}"
    largest = params.max_position
    if params.quantity is not None and largest is not None and params.quantity > largest:
        return f"quantity {params.quantity:g} must be at most max_position {largest:g}"
    return ""


def _intensity_problem(params: Params) -> str:
    a, k = params.intensity_a, params.intensity_k
    if (a is None) == (k is None):
        return ""
    given, missing = ("intensity_a", "intensity_k") if k is None else ("intensity_k", "intensity_a")
    return f"{given} {a if k is None else k:g} needs {missing}: both replace the estimate, or none"
