"""What hypothesis draws for every strategy: any valid params, any valid view."""

from __future__ import annotations

from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from services.quoter.strategies import STRATEGIES
from services.quoter.strategies.base import Levels, MarketView, Params, Strategy
from shared.clock import NS_PER_S
from shared.instrument import Instrument
from tests.quoter.builders import START_NS, instrument, view

NAMES = ("regime", "ladder", "spot", "curve", "bid_ask", "auto")
BINS = ("spot", "curve", "bid_ask", "auto")
RULES = [
    instrument(),
    instrument(is_perp=False, min_notional="5"),
    instrument(lot_size="0.00001", min_quantity="0.00001", is_perp=False),
    instrument(tick_size="0.0001", price_rule="significant_5"),
    instrument(tick_size="1", lot_size="1", min_quantity="3", max_quantity="50", contract_multiplier="0.001"),
    instrument(min_price="50", max_price="5000", min_notional="0.5"),
]
Named = Strategy[Any, Any, Any]


def _some(draw: st.DrawFn, names: dict[str, st.SearchStrategy[Any]]) -> dict[str, Any]:
    return {name: draw(values) for name, values in names.items() if draw(st.booleans())}


REGIME: dict[str, st.SearchStrategy[Any]] = {
    "base_order_usd": st.sampled_from([0.01, 20.0, 1e6]), "risk_threshold": st.sampled_from([1e-9, 0.4, 3.0]),
    "q_max": st.sampled_from([1e-6, 0.5, 7.0, 1e9]), "spread_multiplier": st.floats(0.5, 50),
    "gamma": st.sampled_from([0.0, 0.01]), "legacy_gamma": st.sampled_from([0.0, 3.0, 1e6]),
    "price_tolerance_pct": st.sampled_from([0.0, 50.0]), "horizon_s": st.sampled_from([0.001, 5.0]),
    "min_spread_pct": st.sampled_from([0.0, 2.0]), "max_price_gap_pct": st.sampled_from([0.01, 50.0]),
    "min_size": st.sampled_from(["skip", "raise"]), "update_interval_s": st.sampled_from([0.01, 5.0]),
}  # fmt: skip
LADDER: dict[str, st.SearchStrategy[Any]] = {
    "max_orders": st.integers(1, 12), "offset_ticks": st.floats(0.001, 20), "offset_power": st.floats(0.1, 3),
    "legacy_price_skew_cap_pct": st.just(5.0),
    "skew": st.floats(0, 1), "max_position": st.sampled_from([0.5, 5.0]), "max_share_pct": st.floats(0.1, 25),
    "position_threshold": st.sampled_from([0.0, 1.0]), "min_size": st.sampled_from(["skip", "raise"]),
    "refresh_interval_s": st.sampled_from([0.01, 5.0]), "min_spread_ticks": st.integers(1, 20),
}  # fmt: skip
SIZES: list[dict[str, Any]] = [{}, {"quantity": 0.3}, {"size_usd": 40.0}, {"equity_pct": 7.0}]
SPREADS: list[dict[str, Any]] = [
    {}, {"spread_pct": 0.001}, {"spread_pct": 20.0}, {"half_spread_ticks": 0.5}, {"join_best": True},
]  # fmt: skip
BIN_PARAMS: dict[str, st.SearchStrategy[Any]] = {
    "up_pct": st.sampled_from([0.5, 1.0, 7.3]), "down_pct": st.sampled_from([0.4, 3.0, 50.0]),
    "bin_step_bps": st.sampled_from([5.0, 21.5, 40.0]), "live_orders": st.integers(2, 30),
    "capital_usd": st.sampled_from([0.01, 300.0, 1e7]), "initial_ratio": st.sampled_from([0.0, 0.3, 1.0]),
    "buy_fade_from": st.sampled_from([-0.2, 0.1, 0.5]), "sell_fade_from": st.sampled_from([0.2, -0.1, -0.5]),
    "min_order": st.sampled_from([0.001, 0.2]), "max_order": st.sampled_from([0.2, 5.0]),
    "recentre_pct": st.sampled_from([0.001, 0.04]), "refresh_interval_s": st.sampled_from([0.01, 60.0]),
}  # fmt: skip


@st.composite
def params_of(draw: st.DrawFn, name: str) -> Params:
    """Valid params of a strategy, many of them extreme."""
    if name == "regime":
        values = _some(draw, REGIME)
    elif name == "ladder":
        values = _some(draw, LADDER) | draw(st.sampled_from(SIZES)) | draw(st.sampled_from(SPREADS))
    else:
        values = _some(draw, BIN_PARAMS)
    if name in ("curve", "bid_ask", "auto") and draw(st.booleans()):
        values["decay"] = draw(st.sampled_from([0.1, 0.8, 1.0]))
    if not values.get("skew"):
        values.pop("legacy_price_skew_cap_pct", None)
    params: Params = STRATEGIES[name].params(**values)
    assume(not params.problem())
    return params


@st.composite
def depth_side(draw: st.DrawFn, best: int, step: int) -> Levels:
    count = draw(st.sampled_from([4, 3, 2, 1, 4, 3, 4, 3, 0]))
    sizes = draw(st.lists(st.integers(1, 10**6), min_size=count, max_size=count))
    return tuple((best + step * index, size) for index, size in enumerate(sizes))


@st.composite
def views(draw: st.DrawFn, rules: Instrument, now_ns: int = START_NS) -> MarketView:
    """A valid view at a time: any spread, any position that the market can have, any equity."""
    bid = draw(st.one_of(st.integers(1, 50), st.integers(5_000, 30_000), st.integers(10**6, 10**9)))
    return drawn_view(draw, rules, bid, now_ns)


def drawn_view(draw: st.DrawFn, rules: Instrument, bid: int, now_ns: int) -> MarketView:
    ask = bid + draw(st.one_of(st.integers(1, 5), st.integers(1, 20_000)))
    held = draw(st.one_of(st.integers(-30, 30), st.integers(-(10**7), 10**7)))
    return view(
        instrument=rules, now_ns=now_ns, bid=bid, ask=ask, position=held if rules.is_perp else abs(held),
        bids=draw(depth_side(bid, -1)) if bid > 4 else ((bid, 3),), asks=draw(depth_side(ask, 1)),
        equity_usd=draw(st.one_of(st.floats(-1e3, 1e4), st.floats(0, 1e12))),
        volatility_pct=draw(st.one_of(st.floats(0, 60), st.floats(0, 150), st.floats(0, 1e300))),
    )  # fmt: skip


@st.composite
def tapes(draw: st.DrawFn, rules: Instrument) -> list[MarketView]:
    """A few views one after the other, near and far, at once and after a while."""
    bid = draw(st.integers(200, 30_000))
    now_ns, tape = START_NS, []
    for _ in range(draw(st.integers(2, 5))):
        tape.append(drawn_view(draw, rules, bid, now_ns))
        bid = max(1, bid + draw(st.one_of(st.integers(-20, 20), st.integers(-bid + 1, 3 * bid))))
        now_ns += draw(st.sampled_from([0, NS_PER_S // 50, NS_PER_S, 100 * NS_PER_S]))
    return tape
