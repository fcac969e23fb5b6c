"""What every grid can be told, and what that is for one instrument."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from services.quoter.levels.sizing import percent_to_ppm, to_micro
from services.quoter.strategies import base
from services.quoter.strategies.base import Needs
from services.quoter.strategies.grids.spacing import ONE, martingale
from shared.clock import seconds_to_ns
from shared.errors import BadInput
from shared.instrument import Instrument, plain

DEFAULT_RANGE_PCT = 5.0
Price = Annotated[float, Meta(gt=0, le=1e12)]
Direction = Literal["neutral", "long", "short"]
Spacing = Literal["arithmetic", "geometric", "martingale"]


class Params(base.Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person writes. Exactly one of quantity, size_usd and equity_pct.

    size_tolerance_pct  as everywhere; 0 here: orders and position add up exactly
    lower, upper    quote units, the range, both or none; with it a restart finds the same orders
    range_pct       without it: this percent around the price when the grid is laid, None = 5. It is laid
                    anew where it is flat and the price has left it, and after a restart
    grid_num        levels, both ends of the range included
    home            quote units, price at which nothing is held; None = where the grid is laid; with
                    lower and upper: upper for a long grid, lower for a short one, else half-way
    quantity        base units a level
    size_usd        quote units a level, at home
    equity_pct      percent of the equity, all levels together, when the grid is laid
    join_passed     open at the best price what the price has passed without us; False: its side waits
    settle_s        for so long an order that rested and was passed by the price is believed to be filled
    resize_after_s  an order that rests with less than wanted for so long is replaced
    """

    size_tolerance_pct: Annotated[float, Meta(ge=0, le=50)] = 0.0
    lower: Price | None = None
    upper: Price | None = None
    range_pct: Annotated[float, Meta(ge=0.01, le=90)] | None = None
    grid_num: Annotated[int, Meta(ge=2, le=200)] = 10
    home: Price | None = None
    quantity: Annotated[float, Meta(gt=0, le=1e12)] | None = None
    size_usd: Annotated[float, Meta(ge=0.01, le=1e9)] | None = None
    equity_pct: Annotated[float, Meta(ge=0.001, le=100)] | None = None
    join_passed: bool = False
    settle_s: Annotated[float, Meta(ge=0.1, le=60)] = 1.0
    resize_after_s: Annotated[float, Meta(ge=0.05, le=600)] = 1.0

    def problem(self) -> str:
        return self.size_problem() or self.widening_problem() or self.range_problem()

    def size_problem(self) -> str:
        given = [name for name in ("quantity", "size_usd", "equity_pct") if getattr(self, name) is not None]
        if len(given) == 1:
            return ""
        return f"exactly one of quantity, size_usd and equity_pct is needed, got {', '.join(given) or 'none'}"

    def widening_problem(self) -> str:
        if not self.volatility_spread or self.join_passed:
            return ""
        return (
            f"volatility_spread {self.volatility_spread:g} needs join_passed = true: an order that rests "
            "further out than its level is passed there before it can fill, and its side would wait"
        )

    def range_problem(self) -> str:
        lower, upper, home = self.lower, self.upper, self.home
        if (lower is None) is not (upper is None):
            return f"lower and upper go together, got only {'upper' if lower is None else 'lower'}"
        if lower is None or upper is None:
            return (
                "" if home is None else f"home {home:g} needs lower and upper: without them it is the price"
            )
        if self.range_pct is not None:
            return f"range_pct {self.range_pct:g} excludes lower and upper"
        if lower >= upper:
            return f"lower {lower:g} must be below upper {upper:g}"
        if home is not None and not lower <= home <= upper:
            return f"home {home:g} must be within lower {lower:g} and upper {upper:g}"
        return ""


class Plan(msgspec.Struct, frozen=True):
    """The params for one instrument: prices in ticks (exact), shares of 1, lots, nanoseconds.

    lower, upper, home  None where the grid is laid around the price
    reach               half the width of such a range, as a share of the price
    shares, weights     of a martingale: its levels as shares of home, its lots as multiples; else empty
    at_home             lots held at home; None = what is held when the grid is laid
    is_widened          orders may rest further out than the grid says, for the volatility
    sells_held          spot: above home what is held at home is sold, and nothing else
    """

    direction: Direction
    spacing: Spacing
    count: int
    lower: Decimal | None
    upper: Decimal | None
    home: Decimal | None
    reach: Decimal
    shares: tuple[Decimal, ...]
    weights: tuple[Decimal, ...]
    lots: int | None
    budget_micro: int | None
    share_ppm: int
    at_home: int | None
    sells_held: bool
    close_reduces: bool
    is_widened: bool
    join_passed: bool
    settle_ns: int
    resize_after_ns: int

    @property
    def is_fixed(self) -> bool:
        """True when the range does not depend on when the grid is laid."""
        return self.home is not None


def plan_of(
    params: Params,
    instrument: Instrument,
    *,
    direction: Direction,
    spacing: Spacing,
    shares: tuple[Decimal, ...] = (),
    weights: tuple[Decimal, ...] = (),
    at_home: int | None = 0,
    sells_held: bool = False,
) -> Plan:
    """Return the plan of a grid. Raises: BadInput where the quantity is below the venue's minimum."""
    tick = instrument.tick_size
    lower, upper, home = (
        None if price is None else Decimal(str(price)) / tick
        for price in (params.lower, params.upper, params.home)
    )
    if home is None and lower is not None and upper is not None:
        home = {"neutral": (lower + upper) / 2, "long": upper, "short": lower}[direction]
    return Plan(
        direction=direction,
        spacing=spacing,
        count=params.grid_num,
        lower=lower,
        upper=upper,
        home=home,
        reach=Decimal(str(DEFAULT_RANGE_PCT if params.range_pct is None else params.range_pct)) / 100,
        shares=shares,
        weights=weights,
        lots=None if params.quantity is None else _lots(params.quantity, instrument),
        budget_micro=None if params.size_usd is None else to_micro(params.size_usd),
        share_ppm=percent_to_ppm(params.equity_pct or 0.0),
        at_home=at_home,
        sells_held=sells_held,
        close_reduces=instrument.is_perp and direction != "neutral",
        is_widened=params.volatility_spread > 0,
        join_passed=params.join_passed,
        settle_ns=seconds_to_ns(params.settle_s),
        resize_after_ns=seconds_to_ns(params.resize_after_s),
    )


def martingale_levels(
    step_pct: float, price_factor: float, count: int, direction: Direction
) -> tuple[Decimal, ...]:
    """Return the levels as shares of home, nearest first.

    Raises: BadInput naming the first level that is no price (vector G12: the tenth, at -13.33 %).
    """
    shares = martingale(Decimal(str(step_pct)) / 100, Decimal(str(price_factor)), count)
    if direction == "short":
        return tuple(2 - share for share in shares)
    for number, share in enumerate(shares, 1):
        if share <= 0:
            raise BadInput(
                f"grid_num {count}: level {number} would be at {100 * share:.2f} % of home, and a price must "
                f"be above 0: at most {number - 1} levels with step_pct {step_pct:g} and price_factor "
                f"{price_factor:g}"
            )
    return tuple(shares)


def martingale_weights(quantity_factor: float, count: int) -> tuple[Decimal, ...]:
    """Return the lots of each level as a multiple of the first one's."""
    weights = [ONE]
    for _ in range(count - 1):
        weights.append(weights[-1] * Decimal(str(quantity_factor)))
    return tuple(weights)


def needs(params: Params) -> Needs:
    return Needs(equity=params.equity_pct is not None)


def _lots(quantity: float, instrument: Instrument) -> int:
    lots = instrument.lots_floor(Decimal(str(quantity)))
    if lots < instrument.min_lots:
        minimum = plain(instrument.quantity(instrument.min_lots))
        raise BadInput(f"{instrument.symbol}: quantity {quantity:g} is below the venue's minimum {minimum}")
    return lots
