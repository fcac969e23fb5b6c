"""Whatever the parameters and the market: a model's quotes are total, bounded, and move the right way."""

from __future__ import annotations

import math
from typing import Any

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.quoter.levels.rounding import PriceGrid
from services.quoter.strategies.base import MarketView
from services.quoter.strategies.optimal import avellaneda_stoikov, glft
from services.quoter.strategies.optimal.quoting import Answer, Market, Priced, reservation_of
from shared.messages import Side
from tests.quoter.builders import INSTRUMENT, instrument, view
from tests.quoter.strategies.test_optimal_quoting import MODELS


@st.composite
def parameters(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """Any params in their ranges, extremes included."""
    values: dict[str, Any] = {
        "quantity": draw(st.floats(0.01, 1e6)),
        "gamma": draw(st.floats(1e-9, 1e6)),
        "intensity_a": draw(st.floats(1e-6, 1e6)),
        "intensity_k": draw(st.floats(1e-6, 1e3)),
        "min_spread_ticks": draw(st.integers(1, 1_000)),
        "max_spread_pct": draw(st.floats(0.001, 50)),
        "max_skew": draw(st.floats(0, 10)),
        "price_tolerance_pct": draw(st.floats(0, 50)),
    }
    if draw(st.booleans()):
        values["max_position"] = values["quantity"] * draw(st.floats(1, 100))
    if name == "glft" and draw(st.booleans()):
        values["xi"] = draw(st.floats(0, 1e6))
    if name == "avellaneda_stoikov" and draw(st.booleans()):
        values["horizon_s"] = draw(st.floats(0.01, 86_400))
    return values


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, dict[str, Any], MarketView, Priced]:
    """A model, its params, a market and prices that may be in force."""
    name = draw(st.sampled_from(sorted(MODELS)))
    bid = draw(st.integers(1, 10**7))
    ask = bid + draw(st.integers(1, 50))
    rules = instrument(price_rule=draw(st.sampled_from(["fixed", "significant_5"])))
    market = view(
        bid=bid, ask=ask, prices=PriceGrid(rules), position=draw(st.integers(-(10**9), 10**9)),
        volatility_pct=draw(st.floats(0, 1e6)),
    )  # fmt: skip
    params = draw(parameters(name))
    half = draw(st.integers(params["min_spread_ticks"], 2_000))
    memory = Priced(max(1, bid - half), ask + half) if draw(st.booleans()) else Priced()
    return name, params, market, memory


def answered(case: tuple[str, dict[str, Any], MarketView, Priced], **changes: Any) -> Priced:
    name, params, market, memory = case
    strategy = MODELS[name]
    planned = strategy.plan(strategy.params(**params), INSTRUMENT)
    priced = strategy.quote(msgspec.structs.replace(market, **changes), planned, memory).memory
    assert isinstance(priced, Priced)
    return priced


@settings(max_examples=200)
@given(case=cases())
def test_R02_quotes_are_total_never_cross_and_keep_the_limits(
    case: tuple[str, dict[str, Any], MarketView, Priced],
) -> None:
    name, params, market, memory = case
    strategy = MODELS[name]
    assert strategy.params(**params).problem() == ""
    planned = strategy.plan(strategy.params(**params), INSTRUMENT)
    wanted = strategy.quote(market, planned, memory)
    bids = [level for level in wanted.levels if level.side is Side.BUY]
    asks = [level for level in wanted.levels if level.side is Side.SELL]
    assert len(bids) <= 1 and len(asks) <= 1 and all(level.size > 0 for level in wanted.levels)
    assert all(0 < level.price < market.ask for level in bids)
    assert all(level.price > market.bid for level in asks)
    for buy in bids:
        assert planned.max_position is None or market.position + buy.size <= planned.max_position
        assert all(sell.price - buy.price >= params["min_spread_ticks"] for sell in asks)
    for sell in asks:
        assert planned.max_position is None or market.position - sell.size >= -planned.max_position
    assert strategy.quote(market, planned, wanted.memory) == wanted  # applied twice: the same


@settings(max_examples=150)
@given(case=cases(), more=st.integers(0, 10**9))
def test_R01_more_inventory_never_raises_a_quote(
    case: tuple[str, dict[str, Any], MarketView, Priced], more: int
) -> None:
    less = answered(case)
    longer = answered(case, position=case[2].position + more)
    assert longer.bid <= less.bid and longer.ask <= less.ask


@settings(max_examples=150)
@given(case=cases(), factor=st.floats(1, 100))
def test_more_volatility_never_brings_a_flat_makers_quotes_nearer(
    case: tuple[str, dict[str, Any], MarketView, Priced], factor: float
) -> None:
    calm = answered(case, position=0)
    wild = answered(case, position=0, volatility_pct=(case[2].volatility_pct or 0.0) * factor)
    assert wild.bid <= calm.bid and wild.ask >= calm.ask


positive = st.floats(1e-12, 1e12)


@settings(max_examples=150)
@given(
    market=st.builds(Market, sigma=st.floats(0, 1e12), risk=positive, a=positive, k=positive),
    factor=st.floats(1, 1e3),
    xi_share=st.floats(0, 1e12),
    horizon_s=st.floats(0.01, 86_400),
)
def test_models_stay_in_the_floats_and_answer_more_risk_with_more_distance(
    market: Market, factor: float, xi_share: float, horizon_s: float
) -> None:
    wilder = market._replace(sigma=market.sigma * factor)

    def both(of: Market) -> tuple[Answer, Answer]:
        return glft.optimum(of, of.risk * xi_share), avellaneda_stoikov.optimum(of, horizon_s)

    for calm, wild in zip(both(market), both(wilder), strict=True):
        assert all(math.isfinite(value) and value >= 0 for value in (*calm, *wild))
        assert wild.half_spread >= calm.half_spread and wild.shift_per_order >= calm.shift_per_order
    assert 0 < avellaneda_stoikov.horizon_of(market, 10.0) <= avellaneda_stoikov.LONGEST_S


@settings(max_examples=100)
@given(half=st.floats(0, 1e300), shift=st.floats(0, 1e300), position=st.integers(-(10**12), 10**12))
def test_R02_the_reservation_price_falls_with_inventory_within_its_bound(
    half: float, shift: float, position: int
) -> None:
    planned = glft.plan(glft.Params(quantity=0.5, max_skew=1.5), INSTRUMENT)
    around = reservation_of(view(position=position), planned, Answer(half, shift), 50)
    assert 0.5 <= around.half_spread <= 500  # half of 5 % of the mid
    assert abs(around.price - 20_000) <= 1.5 * around.half_spread + 1e-9
    assume(position != 0 and shift > 1e-9)
    assert (around.price - 20_000) * position <= 0
