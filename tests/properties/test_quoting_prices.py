"""Prices and sizes with whole numbers equal the exact decimals, whatever the instrument."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from services.quoter.levels.rounding import PriceGrid
from services.quoter.levels.sizing import LotSizes, percent_to_ppm, share_of_equity, to_micro
from services.quoter.strategies.two_sided import Params, plan, prices
from shared.errors import Refused
from shared.instrument import Instrument
from shared.messages import Side
from tests.quoter.builders import instrument, permit, view

TICKS = ["0.01", "0.05", "0.25", "1", "10", "0.0001", "0.000001", "0.5"]
LOTS = ["1", "0.1", "0.01", "0.00001", "5", "0.25"]


@st.composite
def instruments(draw: st.DrawFn, rule: str | None = None) -> Instrument:
    return instrument(
        tick_size=draw(st.sampled_from(TICKS)),
        lot_size=draw(st.sampled_from(LOTS)),
        min_quantity=draw(st.sampled_from(["0.00001", "1", "3"])),
        min_notional=draw(st.sampled_from([None, "5", "0.1", "12.5"])),
        price_rule=rule or draw(st.sampled_from(["fixed", "significant_5"])),
        contract_multiplier=draw(st.sampled_from(["1", "0.001", "10"])),
    )


@given(rules=instruments(), ticks=st.floats(0.001, 1e9))
def test_Q05_rounding_equals_the_instruments_exact_one(rules: Instrument, ticks: float) -> None:
    grid = PriceGrid(rules)
    bid, ask = grid.bid(ticks), grid.ask(ticks)
    assert bid == rules.quote_ticks(ticks, Side.BUY)
    assert ask == rules.quote_ticks(ticks, Side.SELL)
    assert bid <= ticks <= ask  # never into the market


@given(rules=instruments("fixed"), numerator=st.integers(1, 10**18), denominator=st.integers(1, 10**9))
def test_Q05_fractions_round_bids_down_and_asks_up_exactly(
    rules: Instrument, numerator: int, denominator: int
) -> None:
    grid, exact = PriceGrid(rules), Fraction(numerator, denominator)
    assert (grid.bid(numerator, denominator), grid.ask(numerator, denominator)) == (floor(exact), ceil(exact))


@given(rules=instruments(), budget=st.integers(0, 10**14), ticks=st.integers(1, 10**7))
def test_Q24_lots_equal_the_exact_division_rounded_down(rules: Instrument, budget: int, ticks: int) -> None:
    lots = LotSizes(rules).lots(budget, ticks)
    assert lots == rules.lots_for_notional(Decimal(budget) / 10**6, ticks)
    assert rules.notional(lots, ticks) <= Decimal(budget) / 10**6 < rules.notional(lots + 1, ticks)


@given(rules=instruments("fixed"), ticks=st.integers(1, 10**7))
def test_Q27_minimum_is_the_smallest_size_that_the_instrument_accepts(rules: Instrument, ticks: int) -> None:
    minimum = LotSizes(rules).minimum(ticks)
    rules.check_order(ticks, minimum)
    try:
        rules.check_order(ticks, minimum - 1)
    except Refused as refused:
        assert refused.reason in ("min_quantity", "min_notional")
    else:
        raise AssertionError(f"{minimum - 1} lots are accepted too")


@given(
    equity=st.floats(0, 1e9),
    percent=st.decimals("0.001", "100", places=4),
    cap=st.none() | st.floats(0.01, 1e6),
)
def test_Q24_a_share_of_the_equity_never_exceeds_share_nor_cap(
    equity: float, percent: Decimal, cap: float | None
) -> None:
    budget = share_of_equity(equity, percent_to_ppm(float(percent)), None if cap is None else to_micro(cap))
    assert Fraction(budget, 10**6) <= Fraction(str(equity)) * Fraction(percent) / 100
    assert cap is None or Fraction(budget, 10**6) <= Fraction(str(cap))
    if cap is None:
        assert Fraction(str(equity)) * Fraction(percent) / 100 - Fraction(budget, 10**6) < Fraction(2, 10**6)


def spreads() -> st.SearchStrategy[dict[str, Any]]:
    named: st.SearchStrategy[dict[str, Any]] = st.one_of(
        st.decimals("0.001", "20", places=4).map(lambda value: {"spread_pct": float(value)}),
        st.decimals("0.5", "2000", places=3).map(lambda value: {"half_spread_ticks": float(value)}),
        st.just({"join_best": True}),
    )
    return st.tuples(named, st.integers(1, 50)).map(lambda drawn: {**drawn[0], "min_spread_ticks": drawn[1]})


def exact_half_spread(params: Params, bid: int, ask: int) -> Fraction:
    if params.join_best:
        half = Fraction(ask - bid, 2)
    elif params.half_spread_ticks is not None:
        half = Fraction(str(params.half_spread_ticks))
    else:
        half = Fraction(bid + ask, 2) * Fraction(str(params.spread_pct)) / 200
    return max(half, Fraction(params.min_spread_ticks, 2))


@given(
    spread=spreads(),
    skew=st.decimals("0", "1", places=3),
    bid=st.integers(2, 10**7),
    width=st.integers(1, 5_000),
    position=st.integers(-2_000, 2_000),
    target=st.integers(0, 500),
)
def test_Q02_Q05_R02_prices_equal_the_exact_fractions_and_never_cross(
    spread: dict[str, Any], skew: Decimal, bid: int, width: int, position: int, target: int
) -> None:
    params = Params(
        quantity=0.01, skew=float(skew), max_position=10.0, target_position=target / 100, **spread
    )
    assume(not params.problem())
    market = view(bid=bid, ask=bid + width, position=position)
    got_bid, got_ask = prices(market, plan(params, market.instrument))
    mid, half = Fraction(2 * bid + width, 2), exact_half_spread(params, bid, bid + width)
    beyond = min(max(0, abs(position) - target), 1_000) * (1 if position > 0 else -1)
    lean = Fraction(skew) * beyond / 1_000
    assert got_bid == min(floor(mid - half * (1 + lean)), bid + width - 1)
    assert got_ask == max(ceil(mid + half * (1 - lean)), bid + 1, got_bid + 1)
    assert got_bid < got_ask and got_bid < bid + width and got_ask > bid


@given(
    spread=spreads(),
    skew=st.decimals("0", "1", places=2),
    bid=st.integers(5_000, 10**6),
    width=st.integers(1, 50),
    positions=st.tuples(st.integers(-1_500, 1_500), st.integers(-1_500, 1_500)),
)
def test_R01_R02_lean_is_monotone_in_the_position_and_bounded_by_the_half_spread(
    spread: dict[str, Any], skew: Decimal, bid: int, width: int, positions: tuple[int, int]
) -> None:
    params = Params(quantity=0.01, skew=float(skew), max_position=10.0, **spread)
    low, high = sorted(positions)
    quoted = []
    for position in (low, high):
        market = view(bid=bid, ask=bid + width, position=position)
        quoted.append(prices(market, plan(params, market.instrument)))
    assert quoted[1][0] <= quoted[0][0] and quoted[1][1] <= quoted[0][1]
    mid, half = Fraction(2 * bid + width, 2), exact_half_spread(params, bid, bid + width)
    for got_bid, got_ask in quoted:
        assert mid - 2 * half - 1 < got_bid <= mid
        assert mid <= got_ask < mid + 2 * half + 1 or got_ask in (bid + 1, got_bid + 1)


def test_R02_permit_bounds_the_lean_where_the_params_do_not() -> None:
    params = Params(quantity=0.01, skew=1.0, half_spread_ticks=10)
    market = view(position=10**6, permit=permit(max_long=50))
    assert prices(market, plan(params, market.instrument)) == (19_980, 20_000)
