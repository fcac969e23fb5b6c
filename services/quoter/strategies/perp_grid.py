"""Perpetual grid: neutral, long or short, from the confirmed position alone (see `grids/rungs.py`).

A long grid buys below home and sells one level higher, reduce-only; a short one mirrors it; a
neutral one does both, and its position has the sign of the side of home that the price is on.
Nothing opens outside the range; closes rest whatever the price. A close that was passed rests
at the best price that does not take, and follows it for as long as it takes. Deviation from
row E02 ("3 limit retries, then market"): a quoter never takes. At the market trade risk's tables:
`[risk.stops]` closes all of it at a loss or a profit (what a passed close would sell is at a
profit), `[risk.position_table]` brings back what is beyond its `max`.

After a stop-loss or take-profit the position is flat: a range that follows the price is laid
anew there, a fixed one waits for the price to come back (or opens at once what it should hold
there, with `join_passed`).

`martingale` widens the gaps and the lots from level to level; levels below zero are refused.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from services.quoter.strategies.base import Strategy
from services.quoter.strategies.grids import params as grids
from services.quoter.strategies.grids.layout import checked
from services.quoter.strategies.grids.params import (
    Direction,
    Plan,
    Spacing,
    martingale_levels,
    martingale_weights,
    needs,
    plan_of,
)
from services.quoter.strategies.grids.quoting import Kept, quote
from shared.errors import BadInput
from shared.instrument import Instrument


class Params(grids.Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person writes.

    direction        neutral holds either sign, long and short only the one
    spacing          levels at equal distances, at equal ratios, or as a martingale
    step_pct         martingale: distance of the first level from home, percent of home
    price_factor     martingale: each gap is this times the one before
    quantity_factor  martingale: each level has this times the lots of the one before
    """

    direction: Direction = "neutral"
    spacing: Spacing = "arithmetic"
    step_pct: Annotated[float, Meta(ge=0.001, le=50)] = 1.0
    price_factor: Annotated[float, Meta(ge=1, le=10, extra={"unit": "ratio"})] = 1.5
    quantity_factor: Annotated[float, Meta(ge=1, le=10, extra={"unit": "ratio"})] = 1.5

    def problem(self) -> str:
        if self.spacing != "martingale":
            return super().problem()
        return self.size_problem() or self.widening_problem() or self._martingale_problem()

    def _martingale_problem(self) -> str:
        if self.direction == "neutral":
            return 'spacing "martingale" needs direction "long" or "short"'
        given = [name for name in ("lower", "upper", "range_pct") if getattr(self, name) is not None]
        if given:
            return f'spacing "martingale" has its own range: it excludes {", ".join(given)}'
        try:
            martingale_levels(self.step_pct, self.price_factor, self.grid_num, self.direction)
        except BadInput as error:
            return str(error)
        return ""


def plan(params: Params, instrument: Instrument) -> Plan:
    """Raises: BadInput on a spot market, a quantity that is too small, a level that is no price."""
    if not instrument.is_perp:
        raise BadInput(f"{instrument.symbol} is a spot market: perp_grid is for perpetuals, use grid")
    shares: tuple[Decimal, ...] = ()
    weights: tuple[Decimal, ...] = ()
    if params.spacing == "martingale":
        shares = martingale_levels(params.step_pct, params.price_factor, params.grid_num, params.direction)
        weights = martingale_weights(params.quantity_factor, params.grid_num)
    found = plan_of(
        params, instrument, direction=params.direction, spacing=params.spacing, shares=shares, weights=weights
    )
    return checked(found, instrument)


STRATEGY = Strategy(
    "perp_grid", Params, quote, Kept(), needs, plan, follows_position=True, follows_working=True
)
