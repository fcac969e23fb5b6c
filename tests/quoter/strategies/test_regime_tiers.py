"""Regime: inventory tiers, price sanity, and how often prices follow the market. Mid 1000, tick 0.01."""

from __future__ import annotations

from typing import Any

import pytest

from services.quoter.config import parse_quoter
from services.quoter.strategies.base import FOREVER_NS
from services.quoter.strategies.regime import Params, Quoted
from shared.clock import NS_PER_MS, NS_PER_S
from shared.config import Quoter
from shared.errors import BadInput
from shared.messages import Side
from tests.quoter.builders import START_NS, instrument
from tests.quoter.strategies.regime_desk import G7_LIMITS, prices, sizes, wanted


@pytest.mark.parametrize(
    ("position", "bid_factor", "ask_factor"),
    [(0, 1.0, 1.0), (19, 1.0, 1.0), (20, 1.3, 0.9), (34, 1.3, 0.9), (35, 1.8, 0.5), (44, 1.8, 0.5)],
)
def test_Q30_tiers_move_the_adding_side_away_and_bring_the_reducing_one_near(
    position: int, bid_factor: float, ask_factor: float
) -> None:
    """Threshold 0.5: the tiers begin at 0.2, 0.35 and 0.45, all before the hedge."""
    fine = instrument(tick_size="0.0001")
    book = {"instrument": fine, "bid": 9_995_000, "ask": 10_005_000}
    half = (0.009 + 1.0 + 0.3 * (position / 200)) / 2
    for sign in (1, -1):
        bid, ask = prices(wanted(book | {"position": sign * position}, **G7_LIMITS))
        assert bid is not None and ask is not None
        below, above = (10_000_000 - bid) / 1e4, (ask - 10_000_000) / 1e4
        adds, reduces = (below, above) if sign > 0 else (above, below)
        assert adds == pytest.approx(bid_factor * half, abs=2e-4)
        assert reduces == pytest.approx(ask_factor * half, abs=2e-4)


def test_Q30_in_the_last_tier_only_the_reducing_side_is_quoted_a_basis_point_inside() -> None:
    wide = {"bid": 99_000, "ask": 101_000}
    assert prices(wanted(wide | {"position": 45}, **G7_LIMITS)) == (
        None,
        99_010,
    )  # 990 x 1.0001 = 990.099, up
    assert prices(wanted(wide | {"position": -45}, **G7_LIMITS)) == (100_989, None)  # 1010 x 0.9999, down
    assert wanted(wide | {"position": 45}, **G7_LIMITS).reason == "normal, only reducing"


@pytest.mark.parametrize("position", [45, 50, 100])
def test_Q30_every_tier_is_reached_before_the_hedge_in_every_regime(position: int) -> None:
    """In a calm market the regime multiplies Q_max by 2.6: the tiers end at the threshold all the same."""
    for volatility_pct in (1.0, 30.0, 80.0, 200.0):
        found = wanted({"position": position, "volatility_pct": volatility_pct}, **G7_LIMITS)
        assert [level.side for level in found.levels] == [Side.SELL]


def test_Q30_where_stress_leaves_less_than_the_threshold_that_is_the_scale() -> None:
    limits_of: dict[str, Any] = {"risk_threshold": 0.95, "q_max": 1.0}
    calm, stress = ({"position": 75, "volatility_pct": value} for value in (30.0, 200.0))
    assert len(wanted(calm, **limits_of).levels) == 2
    assert len(wanted(stress, **limits_of).levels) == 1  # 0.75 of 0.8


@pytest.mark.parametrize("spread", [1, 2, 5])
@pytest.mark.parametrize("position", [60, -60])
def test_Q30_the_single_quote_never_crosses_a_spread_below_a_basis_point(spread: int, position: int) -> None:
    book = {"bid": 100_000, "ask": 100_000 + spread, "position": position}
    bid, ask = prices(wanted(book, **G7_LIMITS))
    assert ask == 100_000 + spread if position > 0 else bid == 100_000


def test_R19_the_single_quote_never_flips_the_position() -> None:
    assert sizes(wanted({"position": 5}, risk_threshold=0.05)) == {Side.SELL: 5}
    least = {"instrument": instrument(min_quantity="0.08"), "position": 5}
    assert sizes(wanted(least, risk_threshold=0.05)) == {Side.SELL: 8}  # what is smallest at the venue


def test_Q31_bid_and_ask_are_at_least_the_least_spread_apart() -> None:
    tight: dict[str, Any] = {"bid": 99_999, "ask": 100_001}
    assert prices(wanted(tight, min_spread_pct=0.1, legacy_gamma=0.0)) == (99_950, 100_050)
    bid, ask = prices(wanted(tight | {"position": 20}, min_spread_pct=0.1, legacy_gamma=0.0, **G7_LIMITS))
    assert (bid, ask) == (99_940, 100_041)  # 1.3 and 0.9 of 0.1 % / 2.2
    assert Params().min_spread_pct == 0.1


@pytest.mark.parametrize(("gap_pct", "quotes"), [(20.0, 2), (0.051, 2), (0.05, 0)])
def test_Q31_a_price_too_far_from_the_mid_is_left_out(gap_pct: float, quotes: int) -> None:
    assert len(wanted(max_price_gap_pct=gap_pct).levels) == quotes  # 0.0504 % away
    assert Params().max_price_gap_pct == 20.0


def test_Q31_only_the_side_that_is_too_far_is_left_out() -> None:
    long = {"position": 40}  # 1.8 and 0.5 half-spreads: 0.096 % and 0.027 %
    assert [level.side for level in wanted(long, max_price_gap_pct=0.05, **G7_LIMITS).levels] == [Side.SELL]
    assert wanted({"volatility_pct": 1e9}).levels == ()


def test_Q20_C18_prices_follow_the_market_at_most_each_interval() -> None:
    first = wanted()
    assert isinstance(first.memory, Quoted)
    moved = {"bid": 99_960, "ask": 100_060}
    early = wanted(moved | {"now_ns": START_NS + 100 * NS_PER_MS - 1}, first.memory)
    assert early.levels == first.levels
    late = wanted(moved | {"now_ns": START_NS + 100 * NS_PER_MS}, first.memory)
    assert prices(late) == (99_959, 100_061)
    slow = wanted(moved | {"now_ns": START_NS + 100 * NS_PER_MS}, first.memory, update_interval_s=0.3)
    assert slow.levels == first.levels


def test_Q20_what_comes_out_the_same_does_not_begin_a_new_interval() -> None:
    first = wanted()
    assert isinstance(first.memory, Quoted)
    same = wanted({"now_ns": START_NS + NS_PER_S}, first.memory)
    assert isinstance(same.memory, Quoted) and same.memory.at_ns == START_NS


def test_Q20_quotes_hold_for_this_market_unless_a_horizon_lets_the_risk_term_fade() -> None:
    first = wanted()
    assert isinstance(first.memory, Quoted) and first.holds_ns == FOREVER_NS
    held = wanted({"bid": 99_960, "now_ns": START_NS + 1}, first.memory)
    assert held.holds_ns == START_NS + 100 * NS_PER_MS
    assert wanted(horizon_s=1.0).holds_ns == 0


def test_Q20_a_fill_or_a_market_that_ran_through_is_answered_at_once() -> None:
    first = wanted()
    assert isinstance(first.memory, Quoted)
    soon = {"now_ns": START_NS + 1}
    assert wanted(soon | {"position": 30}, first.memory, **G7_LIMITS).levels != first.levels
    for bid, ask in ((99_000, 99_949), (100_051, 101_000)):
        through = wanted(soon | {"bid": bid, "ask": ask}, first.memory)
        assert all(
            level.price < ask if level.side is Side.BUY else level.price > bid for level in through.levels
        )


@pytest.mark.parametrize(("side", "text"), [("bids", "bids"), ("asks", "asks")])
def test_without_depth_of_others_nothing_is_quoted_also_within_the_interval(side: str, text: str) -> None:
    first = wanted()
    assert isinstance(first.memory, Quoted)
    found = wanted({side: ()}, first.memory)
    assert (found.levels, found.reason) == ((), f"no depth of others on the {text}")


def test_the_market_spread_is_multiplied_first() -> None:
    assert prices(wanted(spread_multiplier=3.0, legacy_gamma=0.0)) == (99_850, 100_150)


@pytest.mark.parametrize(("move", "tolerance"), [(0, 0), (1, 0), (3, 2)])
def test_Q19_smaller_moves_than_min_price_move_keep_the_order(move: int, tolerance: int) -> None:
    assert {level.tolerance for level in wanted(min_price_move_ticks=move).levels} == {tolerance}


@pytest.mark.parametrize(
    ("params", "text"),
    [({"risk_threshold": 1, "q_max": 1}, "risk_threshold 1 must be below q_max 1"),
     ({"min_spread_pct": 1, "max_price_gap_pct": 1}, "min_spread_pct 1 must be below max_price_gap_pct 1")],
)  # fmt: skip
def test_X02_rules_between_the_params_of_regime_are_checked(params: dict[str, Any], text: str) -> None:
    assert Params(**params).problem() == text


def test_regime_needs_volatility_and_depth() -> None:
    strategy, params = parse_quoter("SOL_USDC_PERP", Quoter("main", "regime"))
    assert strategy.needs(params).volatility and strategy.needs(params).depth
    with pytest.raises(BadInput, match=r"spread_multiplier: Expected `float` >= 0\.5, was 0\.1"):
        parse_quoter("SOL_USDC_PERP", Quoter("main", "regime", {"spread_multiplier": 0.1}))
