"""What holds for every model's quotes: bounds, places, inputs, and properties over all parameters."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.quoter.config import parse_quoter
from services.quoter.explain import Allowed, assumptions, explain
from services.quoter.levels.rounding import PriceGrid
from services.quoter.strategies.base import MarketView, Strategy
from services.quoter.strategies.optimal import avellaneda_stoikov, glft
from services.quoter.strategies.optimal.quoting import Answer, Around, Market, Priced, prices, reservation_of
from shared.config import Quoter as QuoterTable
from shared.errors import BadInput
from shared.messages import Side
from tests.quoter.builders import ACCOUNT, INSTRUMENT, SYMBOL, Desk, instrument, intensity, view
from tests.quoter.builders import volatility as volatility_of

MODELS: dict[str, Strategy[Any, Any, Any]] = {
    "avellaneda_stoikov": avellaneda_stoikov.STRATEGY,
    "glft": glft.STRATEGY,
}
NAMES = pytest.mark.parametrize("name", MODELS)
GIVEN = {"intensity_a": 1.0, "intensity_k": 0.1}


def quoted(name: str, market: MarketView, memory: Priced | None = None, **params: Any) -> tuple[int, int]:
    """Return bid and ask, before sizes."""
    strategy = MODELS[name]
    planned = strategy.plan(strategy.params(**({"quantity": 0.5} | GIVEN | params)), INSTRUMENT)
    priced = strategy.quote(market, planned, memory or Priced()).memory
    assert isinstance(priced, Priced)
    return priced.bid, priced.ask


@NAMES
def test_inventory_shifts_both_quotes_by_at_most_max_skew_half_spreads(name: str) -> None:
    for position, side in ((10**6, -1), (-(10**6), 1)):
        market = view(volatility_pct=50.0, position=position)
        flat = quoted(name, view(volatility_pct=50.0), max_spread_pct=1.0, gamma=5.0)
        bid, ask = quoted(name, market, max_spread_pct=1.0, gamma=5.0, max_skew=0.5)
        half = (flat[1] - flat[0]) / 2
        assert (bid + ask) / 2 == pytest.approx(20_000 + side * half / 2, abs=1.5)


@NAMES
def test_R01_long_lowers_and_short_raises_both_quotes(name: str) -> None:
    long, flat, short = (
        quoted(name, view(volatility_pct=80.0, position=position), gamma=50.0) for position in (200, 0, -200)
    )
    assert long[0] < flat[0] < short[0] and long[1] < flat[1] < short[1]


@NAMES
def test_spread_is_between_its_least_and_its_largest(name: str) -> None:
    market = view(volatility_pct=50.0)
    bid, ask = quoted(name, market, intensity_k=1e3, gamma=1e-9, min_spread_ticks=7)
    assert ask - bid == 8  # seven around a mid that is a tick: outwards
    bid, ask = quoted(name, market, intensity_k=1e-6, max_spread_pct=1.0)
    assert (bid, ask) == (19_900, 20_100)


@NAMES
def test_Q17_a_target_that_moves_by_less_than_a_tick_keeps_both_places(name: str) -> None:
    first = quoted(name, view(volatility_pct=50.0), price_tolerance_pct=0.0)
    memory, prices_seen = Priced(*first), set()
    for pct in (50.0, 50.5, 49.5, 50.2, 49.8):
        now = quoted(name, view(volatility_pct=pct), memory, price_tolerance_pct=0.0)
        memory = Priced(*now)
        prices_seen.add(now)
    assert prices_seen == {first}
    moved = quoted(name, view(volatility_pct=50.0, bid=20_001, ask=20_003), memory, price_tolerance_pct=0.0)
    assert moved == (first[0] + 2, first[1] + 2)


def test_Q17_a_price_is_kept_below_a_tick_or_the_tolerance_and_not_at_it() -> None:
    planned = glft.plan(glft.Params(quantity=0.5, price_tolerance_pct=10.0), INSTRUMENT)
    market, memory = view(), Priced(19_950, 20_050)
    for shift, expected in ((4.9, (19_950, 20_050)), (5.0, (19_955, 20_055))):  # a tenth of 50 ticks
        found = prices(market, planned, Around(20_000 + shift, 50.0), memory)
        assert (found.bid, found.ask) == expected
    near = Priced(19_996, 20_004)
    for shift, expected in ((0.9, (19_996, 20_004)), (1.0, (19_997, 20_005))):  # a tick of 4
        found = prices(market, planned, Around(20_000 + shift, 4.0), near)
        assert (found.bid, found.ask) == expected


def test_two_prices_that_are_near_enough_each_may_not_be_too_near_together() -> None:
    planned = glft.plan(glft.Params(quantity=0.5, min_spread_ticks=3), INSTRUMENT)
    found = prices(view(bid=19_990, ask=20_010), planned, Around(20_000.0, 1.5), Priced(19_999, 20_001))
    assert (found.bid, found.ask) == (19_998, 20_002)


@NAMES
def test_sizes_keep_the_largest_position(name: str) -> None:
    strategy = MODELS[name]
    planned = strategy.plan(strategy.params(quantity=0.5, max_position=1.0, **GIVEN), INSTRUMENT)
    for position, sizes in ((0, [50, 50]), (70, [30, 50]), (100, [50]), (-100, [50])):
        levels = strategy.quote(view(volatility_pct=50.0, position=position), planned, Priced()).levels
        assert [level.size for level in levels] == sizes
    assert strategy.params(max_position=1.0).largest_position() == 1.0


@NAMES
def test_money_buys_lots_at_each_price(name: str) -> None:
    strategy = MODELS[name]
    planned = strategy.plan(strategy.params(size_usd=100.0, **GIVEN), INSTRUMENT)
    levels = strategy.quote(view(volatility_pct=50.0), planned, Priced()).levels
    assert [level.size for level in levels] == [50, 49]  # 100 / 199.8 = 0.5005, 100 / 200.2 = 0.4995
    poor = strategy.plan(strategy.params(size_usd=1.0, **GIVEN), INSTRUMENT)
    nothing = strategy.quote(view(volatility_pct=50.0), poor, Priced())
    assert (nothing.levels, nothing.reason) == ((), "size below one lot")


@NAMES
def test_needs_the_volatility_and_the_intensity_unless_both_its_numbers_are_given(name: str) -> None:
    desk = Desk.ready(name, quantity=0.5)
    assert desk.reason == "quoting" and len(desk.levels) == 2
    for message, reason in (
        (intensity(None, None, desk.now_ns), "missing: Intensity"),
        (intensity(1.0, math.nan, desk.now_ns), "unknown: intensity"),
        (intensity(0.0, 0.1, desk.now_ns), "unknown: intensity"),
        (intensity(1.0, -0.1, desk.now_ns), "unknown: intensity"),
        (volatility_of(None, desk.now_ns), "missing: Volatility"),
    ):
        desk.send(message)
        desk.wait(300)
        assert (desk.levels, desk.reason) == ((), reason)
    given = Desk.ready(name, quantity=0.5, **GIVEN)
    given.send(intensity(None, None, given.now_ns))
    given.tick()
    assert given.reason == "quoting"


@NAMES
@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "exactly one of quantity and size_usd is needed, got none"),
        ({"quantity": 1.0, "size_usd": 10.0}, "got quantity and size_usd"),
        ({"quantity": 1.0, "intensity_a": 2.0}, "intensity_a 2 needs intensity_k"),
        ({"quantity": 1.0, "intensity_k": 0.5}, "intensity_k 0.5 needs intensity_a"),
        ({"quantity": 2.0, "max_position": 1.0}, "quantity 2 must be at most max_position 1"),
        ({"quantity": 1.0, "gamma": 0.0}, "gamma"),
        ({"quantity": 1.0, "gama": 1.0}, "did you mean 'gamma'"),
    ],
)
def test_X02_a_bad_parameter_is_named_with_its_rule(name: str, params: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        parse_quoter(SYMBOL, QuoterTable(ACCOUNT, name, params))


@NAMES
def test_check_shows_a_models_quotes_and_what_it_assumed_of_the_signals(name: str) -> None:
    table = QuoterTable(ACCOUNT, name, {"quantity": 0.5})
    rows = explain(SYMBOL, table, INSTRUMENT, Decimal(200), Allowed(10_000, 2_000, 1_000))
    assert [(row.situation, row.side) for row in rows[:2]] == [("flat", "bid"), ("flat", "ask")]
    long = [row for row in rows if row.situation == "long"]
    assert Decimal(long[0].price) < Decimal(rows[0].price)
    assert assumptions(table, SYMBOL) == (
        "a volatility of 50 % a year, 1 taker a second at the mid, a factor e fewer each 0.01 % further out"
    )
    given = QuoterTable(ACCOUNT, name, {"quantity": 0.5} | GIVEN)
    assert assumptions(given, SYMBOL) == "a volatility of 50 % a year"


# --- properties: whatever the parameters and the market ---------------------------------


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
