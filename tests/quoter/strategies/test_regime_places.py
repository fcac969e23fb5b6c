"""Regime keeps the places of its orders while the market flickers, at every price alike. Mid 1000."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.quoter.config import parse_quoter
from services.quoter.strategies.base import Wanted
from services.quoter.strategies.regime import Params, Quoted
from services.quoter.strategies.regimes.market import CALMEST_FIRST, DEAD_BAND, NORMAL, Regime, regime_of
from shared.clock import NS_PER_S
from shared.config import Quoter
from shared.errors import BadInput
from shared.messages import Side
from tests.quoter.builders import START_NS, Desk, depth, instrument, top, volatility
from tests.quoter.strategies.regime_desk import prices, wanted

#: half-spread 0.5045: a tenth of it are five ticks
MOVED = (99_950, 100_050)


def after(first: Wanted, market: dict[str, Any], **params: Any) -> Wanted:
    """What is wanted a second later."""
    assert isinstance(first.memory, Quoted)
    return wanted(market | {"now_ns": START_NS + NS_PER_S}, first.memory, **params)


def book(by: int) -> dict[str, Any]:
    return {"bid": MOVED[0] + by, "ask": MOVED[1] + by}


@pytest.mark.parametrize(("by", "kept"), [(0, True), (5, True), (-5, True), (6, False), (-6, False)])
def test_Q17_a_move_below_a_tenth_of_the_half_spread_keeps_both_places(by: int, kept: bool) -> None:
    first = wanted()
    later = prices(after(first, book(by)))
    assert later == (prices(first) if kept else (99_949 + by, 100_051 + by))


def test_Q17_kept_prices_are_measured_from_where_they_rest_so_that_small_moves_add_up() -> None:
    first = wanted()
    second = after(first, book(4))
    assert second.levels == first.levels
    assert prices(after(second, book(8))) == (99_957, 100_059)


def test_Q17_a_fill_re_prices_however_small_the_move() -> None:
    assert prices(after(wanted(), book(3) | {"position": 1})) == (99_952, 100_054)


def test_Q17_without_a_tolerance_every_move_is_followed() -> None:
    first = wanted(price_tolerance_pct=0)
    assert prices(after(first, book(1), price_tolerance_pct=0)) == (99_950, 100_052)


def test_Q31_the_least_spread_holds_although_each_price_is_near_enough() -> None:
    narrow: dict[str, Any] = {"min_spread_pct": 0.1, "legacy_gamma": 0.0, "price_tolerance_pct": 50}
    first = wanted({"bid": 99_999, "ask": 100_001}, **narrow)
    assert prices(first) == (99_950, 100_050)
    assert prices(after(first, {"bid": 100_004, "ask": 100_006}, **narrow)) == (99_950, 100_050)
    assert prices(after(first, {"bid": 99_994, "ask": 99_996}, **narrow)) == (99_950, 100_050)
    bid, ask = prices(after(first, {"bid": 100_038, "ask": 100_040}, **narrow))
    assert bid is not None and ask is not None and ask - bid >= 0.001 * 100_039


@settings(max_examples=150)
@given(
    moves=st.lists(st.tuples(st.integers(-80, 80), st.integers(1, 120)), min_size=2, max_size=6),
    tolerance=st.sampled_from([0, 10, 50]),
    least=st.sampled_from([0.0, 0.1]),
)
def test_Q31_kept_or_not_quotes_never_cross_nor_come_nearer_than_the_least_spread(
    moves: list[tuple[int, int]], tolerance: int, least: float
) -> None:
    found = None
    for number, (by, spread) in enumerate(moves):
        market = {"bid": 100_000 + by, "ask": 100_000 + by + spread, "now_ns": START_NS + number * NS_PER_S}
        memory = None if found is None else found.memory
        assert memory is None or isinstance(memory, Quoted)
        found = wanted(market, memory, price_tolerance_pct=tolerance, min_spread_pct=least)
        bid, ask = prices(found)
        assert bid is not None and ask is not None
        assert bid < market["ask"] and ask > market["bid"] and bid < ask
        assert ask - bid >= least / 100 * (market["bid"] + spread / 2) * 0.999  # of the mid when it was made


@pytest.mark.parametrize(
    ("last", "value", "regime"),
    [
        (NORMAL, 0.69, "normal"), (NORMAL, 0.601, "normal"), (NORMAL, 0.59, "low volatility"),
        (CALMEST_FIRST[0], 0.69, "low volatility"), (CALMEST_FIRST[0], 0.7, "normal"),
        (CALMEST_FIRST[2], 1.45, "high volatility"), (CALMEST_FIRST[2], 1.39, "normal"),
        (NORMAL, 1.51, "high volatility"), (NORMAL, 2.01, "stress"),
        (CALMEST_FIRST[3], 1.95, "stress"), (CALMEST_FIRST[3], 1.0, "normal"),
    ],
)  # fmt: skip
def test_Q28_a_regime_gets_wilder_at_once_and_calmer_only_well_within_the_calmer_one(
    last: Regime, value: float, regime: str
) -> None:
    assert regime_of(value, last).name == regime


@given(value=st.floats(0, 5), last=st.sampled_from(CALMEST_FIRST))
def test_Q28_the_regime_in_force_is_at_most_a_band_wilder_and_never_calmer_than_the_market(
    value: float, last: Regime
) -> None:
    found, order = regime_of(value, last), CALMEST_FIRST.index
    assert order(regime_of(value)) <= order(found) <= max(order(regime_of(value + DEAD_BAND)), order(found))
    assert regime_of(value, found) == found  # asked again nothing changes


def test_Q28_an_ordinary_market_does_not_flap_between_two_regimes() -> None:
    """At the ordinary volatility the composite is 0.7, the bound, and both sides of it a moment later."""
    found, reasons = wanted(), []
    for number in range(1, 20):
        assert isinstance(found.memory, Quoted)
        market = {"volatility_pct": 30.0 - number % 2, "now_ns": START_NS + number * NS_PER_S}
        found = wanted(market, found.memory)
        reasons.append(found.reason)
    assert set(reasons) == {"normal"}


def test_the_size_of_regime_flickers_with_the_liquidity_and_its_order_stays() -> None:
    asks, orders = ((20_100, 300),), set()
    desk = Desk.ready("regime", base_order_usd=2000)
    for number in range(8):
        desk.send(volatility(30.0, desk.now_ns))
        desk.send(top(19_900, 20_100, desk.now_ns))
        desk.send(depth(((19_900, 300 + 70 * (number % 2)),), asks, desk.now_ns))
        desk.wait(200)
        orders.add(desk.levels)
    assert len(orders - {()}) == 1


@pytest.mark.parametrize("scale", [10**-4, 1, 10**3])
def test_Q28_the_risk_term_is_the_same_share_of_every_price(scale: float) -> None:
    """1 % at a volatility of 100 %: 0.0009 of the mid at 30 %, on a coin of a cent as on BTC."""
    fine = instrument(tick_size="0.00000001")
    bid, ask = (round(price * scale) * 10**6 for price in (99_950, 100_050))
    market = {"instrument": fine, "bid": bid, "ask": ask}
    bid_at, ask_at = prices(wanted(market, gamma=0.01, legacy_gamma=None))
    assert bid_at is not None and ask_at is not None
    risk = (ask_at - bid_at) - (ask - bid)
    assert risk / ((bid + ask) / 2) == pytest.approx(0.0009, rel=1e-4)


def test_Q28_by_default_the_risk_term_is_that_of_the_earlier_bot_on_ETH() -> None:
    assert Params().legacy_gamma is None and Params().gamma * 2_500 == pytest.approx(0.1)


def test_X02_a_gamma_of_the_earlier_bot_is_refused_where_the_share_belongs() -> None:
    with pytest.raises(BadInput, match=r"gamma: Expected `float` <= 0\.01, was 0\.1"):
        parse_quoter("SOL_USDC_PERP", Quoter("main", "regime", {"gamma": 0.1}))
    parse_quoter("SOL_USDC_PERP", Quoter("main", "regime", {"legacy_gamma": 0.1}))


def test_Q17_an_order_that_would_cross_is_not_kept() -> None:
    first = wanted(price_tolerance_pct=50)
    through = after(first, {"bid": 99_900, "ask": 99_949}, price_tolerance_pct=50)
    assert all(level.price < 99_949 for level in through.levels if level.side is Side.BUY)
