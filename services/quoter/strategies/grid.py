"""Grid: buys one level lower, sells one level higher, over a range; for spot, without borrowing.

Below home every level is bought and sold one level higher; above home what was held at home
is sold, level by level, and bought back one level lower. Which levels are filled is told by
the confirmed position alone, so a partial fill is a smaller order and its opposite at once,
an order that is gone proves nothing, and a restart finds the same grid (see `grids/rungs.py`).
No ask exceeds what is held.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta

from services.quoter.strategies.base import Strategy
from services.quoter.strategies.grids import params as grids
from services.quoter.strategies.grids.layout import checked
from services.quoter.strategies.grids.params import Plan, needs, plan_of
from services.quoter.strategies.grids.quoting import Kept, quote
from shared.instrument import Instrument


class Params(grids.Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person writes.

    spacing        levels at equal distances or at equal ratios
    home_position  base units held at home, sold above it; None = 0 with lower and upper, else what is
                   held when the grid is laid
    """

    spacing: Literal["arithmetic", "geometric"] = "arithmetic"
    home_position: Annotated[float, Meta(ge=0, le=1e12)] | None = None


def plan(params: Params, instrument: Instrument) -> Plan:
    """Raises: BadInput where the quantity is too small, or the range too narrow for the tick."""
    held = params.home_position
    if held is None and params.lower is not None:
        held = 0.0
    at_home = None if held is None else instrument.lots_floor(Decimal(str(held)))
    found = plan_of(
        params, instrument, direction="neutral", spacing=params.spacing, at_home=at_home, sells_held=True
    )
    return checked(found, instrument)


STRATEGY = Strategy("grid", Params, quote, Kept(), needs, plan, follows_position=True, follows_working=True)
