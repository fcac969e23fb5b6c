"""The market as a strategy sees it: what is known, without our own orders."""

from __future__ import annotations

from typing import NamedTuple

from services.quoter.inputs import Inputs
from services.quoter.levels.rounding import PriceGrid
from services.quoter.levels.sizing import LotSizes
from services.quoter.strategies.base import MarketView
from shared.instrument import Instrument
from shared.messages import Intensity
from shared.own_orders import OwnOrders

Rules = tuple[Instrument, PriceGrid, LotSizes]


class Sees(NamedTuple):
    """What of it a strategy is shown that not every one needs."""

    depth: bool
    working: bool


def view_of(inputs: Inputs, own: OwnOrders, sees: Sees, rules: Rules, now_ns: int) -> MarketView | None:
    """Return the view of inputs in which nothing is missing; None where a side of others cannot be told."""
    top, working, permit, position = inputs.top, inputs.working, inputs.permit, inputs.position
    assert top and working and permit and position
    assert top.bid is not None and top.ask is not None
    depth = inputs.depth if inputs.is_depth_fresh(now_ns) else None
    bids, asks = (depth.bids, depth.asks) if depth else ((), ())
    bid = own.bids.best(top.bid, top.bid_size, bids, now_ns)
    ask = own.asks.best(top.ask, top.ask_size, asks, now_ns)
    if bid is None or ask is None:
        return None
    return MarketView(
        now_ns, rules[0], rules[1], rules[2], bid[0], bid[1], ask[0], ask[1],
        own.bids.depth(bids, now_ns) if sees.depth else (),
        own.asks.depth(asks, now_ns) if sees.depth else (),
        position.quantity, permit, working.orders if sees.working else (),
        inputs.equity.equity_usd if inputs.equity else None,
        inputs.flow.log_ratio if inputs.flow else None,
        inputs.volatility.annualised_pct if inputs.volatility else None,
        _parameters_of(inputs.intensity),
    )  # fmt: skip


def _parameters_of(intensity: Intensity | None) -> tuple[float, float] | None:
    if intensity is None or intensity.arrivals_per_s is None or intensity.decay_per_tick is None:
        return None
    return intensity.arrivals_per_s, intensity.decay_per_tick
