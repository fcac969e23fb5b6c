"""Ladder: several orders a side. Mid 200, tick 0.01, lot 0.01 unless said."""

from __future__ import annotations

from typing import Any

import pytest

from services.quoter.strategies.base import FOREVER_NS, Wanted
from services.quoter.strategies.ladder import Laid, Params, needs, offsets, plan, quote
from shared.clock import NS_PER_S
from shared.errors import BadInput
from shared.instrument import Instrument
from shared.messages import Side
from tests.quoter.builders import INSTRUMENT, START_NS, instrument, view

G4 = [0, 1.5, 4.2426, 7.7942, 12, 16.7705]
SPOT = instrument(is_perp=False)


def wanted(market: dict[str, Any] | None = None, memory: Laid | None = None, **params: Any) -> Wanted:
    values = market or {}
    rules: Instrument = values.get("instrument", INSTRUMENT)
    parsed = Params(**params)
    assert parsed.problem() == ""
    return quote(view(**values), plan(parsed, rules), memory or Laid())


def prices(result: Wanted, side: Side) -> list[int]:
    return [level.price for level in result.levels if level.side is side]


def sizes(result: Wanted, side: Side) -> list[int]:
    return [level.size for level in result.levels if level.side is side]


def test_Q06_G4_level_i_is_one_and_a_half_times_i_to_the_one_and_a_half_ticks_further() -> None:
    assert [offset / 1e6 for offset in offsets(Params(max_orders=6))] == pytest.approx(G4, abs=5e-5)


def test_Q06_offsets_that_are_whole_ticks_are_exact_and_the_rest_rounds_outwards() -> None:
    found = offsets(Params(max_orders=50))
    for index, micro in enumerate(found):
        square = 9 * index**3 * 10**12  # (1.5 i^1.5)^2 = 9 i^3 / 4
        assert 4 * micro**2 >= square > 4 * (micro - 1) ** 2 or index == micro == 0
    assert found[4] == 12_000_000 and found[9] == 40_500_000


def test_Q06_the_ladder_has_three_orders_a_side_unless_told_otherwise() -> None:
    found = wanted(quantity=0.1, half_spread_ticks=10)
    assert prices(found, Side.BUY) == [19_990, 19_988, 19_985]  # 1.5 and 4.24 ticks behind, down
    assert prices(found, Side.SELL) == [20_010, 20_012, 20_015]
    assert len(prices(wanted(quantity=0.1, max_orders=7), Side.BUY)) == 7
    assert prices(wanted(quantity=0.1, max_orders=1, half_spread_ticks=10), Side.BUY) == [19_990]


def test_Q06_each_level_is_rounded_once_from_the_exact_price() -> None:
    """The mid is 20000.5: 1.5 ticks behind 19990.5 is 19989, not a tick less."""
    found = wanted({"bid": 20_000, "ask": 20_001}, quantity=0.1, half_spread_ticks=10)
    assert prices(found, Side.BUY) == [19_990, 19_989, 19_986]
    assert prices(found, Side.SELL) == [20_011, 20_012, 20_015]


def test_Q02_the_total_spread_is_a_percentage_of_the_mid_half_on_each_side() -> None:
    assert prices(wanted(quantity=0.1), Side.BUY)[0] == 19_980  # 0.20 % by default
    assert prices(wanted(quantity=0.1, spread_pct=0.3), Side.SELL)[0] == 20_030
    assert prices(wanted(quantity=0.1, join_best=True), Side.BUY)[0] == 19_999


def test_Q03_C10_spread_ticks_are_per_side() -> None:
    found = wanted(quantity=0.1, spread_ticks=12)
    assert (prices(found, Side.BUY)[0], prices(found, Side.SELL)[0]) == (19_988, 20_012)


def test_Q04_Q05_the_first_orders_are_a_tick_apart_and_no_price_is_used_twice() -> None:
    tight = {"bid": 20_000, "ask": 20_001}
    found = wanted(tight, quantity=0.1, half_spread_ticks=0.5, offset_ticks=0.1, max_orders=4)
    assert prices(found, Side.BUY) == [20_000, 19_999, 19_998, 19_997]
    assert prices(found, Side.SELL) == [20_001, 20_002, 20_003, 20_004]


def test_Q06_where_the_tick_depends_on_the_price_the_steps_are_legal_ones() -> None:
    rules = instrument(tick_size="0.0001", price_rule="significant_5")  # at 200: steps of 0.01
    market = {"instrument": rules, "bid": 1_999_900, "ask": 2_000_100}
    found = wanted(market, quantity=0.1, half_spread_ticks=1_000)
    assert prices(found, Side.BUY) == [1_999_000, 1_998_800, 1_998_500]


def test_R01_R02_a_long_position_moves_the_whole_ladder_down_by_at_most_a_half_spread() -> None:
    params: dict[str, Any] = {"quantity": 0.1, "half_spread_ticks": 10, "skew": 1.0, "max_position": 2.0}
    assert prices(wanted({"position": 100}, **params), Side.BUY) == [19_985, 19_983, 19_980]
    assert prices(wanted({"position": 100}, **params), Side.SELL) == [20_005, 20_007, 20_010]
    assert prices(wanted({"position": 200}, **params), Side.SELL)[0] == 20_000


def test_R03_beyond_the_threshold_the_adding_side_pauses() -> None:
    found = wanted({"position": 21}, quantity=0.1, position_threshold=0.2, max_position=4.0)
    assert prices(found, Side.BUY) == [] and len(prices(found, Side.SELL)) == 3
    found = wanted({"position": -21}, quantity=0.1, position_threshold=0.2, max_position=4.0)
    assert len(prices(found, Side.BUY)) == 3 and prices(found, Side.SELL) == []


@pytest.mark.parametrize("position", [400, -400])
def test_C9_the_legacy_lean_by_a_share_of_the_price_does_not_cross_either(position: int) -> None:
    lean: dict[str, Any] = {"skew": 1.0, "max_position": 4.0, "legacy_price_skew_cap_pct": 5.0}
    found = wanted({"position": position}, quantity=0.1, **lean)
    if position > 0:
        assert prices(found, Side.SELL) == [20_000, 20_001, 20_002]
    else:
        assert prices(found, Side.BUY) == [20_000, 19_999, 19_998]


@pytest.mark.parametrize(("orders", "lots"), [(3, 25), (5, 25), (6, 20), (10, 12)])
def test_Q26_without_a_size_an_order_is_at_most_5_percent_and_a_quarter_of_a_side_altogether(
    orders: int, lots: int
) -> None:
    """1000 USD at 199.80: 5 % are 0.25, a quarter shared by 10 are 0.125; on perps for both sides."""
    found = wanted(max_orders=orders)
    assert sizes(found, Side.BUY)[0] == lots
    spent = sum(level.size * level.price for level in found.levels if level.side is Side.BUY)
    assert spent <= 250 * 10_000


def test_Q26_on_spot_bids_take_a_share_of_the_money_and_asks_of_what_is_held() -> None:
    found = wanted({"instrument": SPOT, "position": 300})  # 600 of 1000 USD are inventory
    assert sizes(found, Side.BUY) == [10, 10, 10]  # 5 % of 400
    assert sizes(found, Side.SELL) == [15, 15, 15]
    assert sizes(wanted({"instrument": SPOT, "position": 0}), Side.SELL) == []
    assert sizes(wanted({"instrument": SPOT, "position": 600}), Side.BUY) == []


def test_Q26_the_share_can_be_made_smaller_but_not_larger_than_a_quarter_altogether() -> None:
    assert sizes(wanted(max_share_pct=1), Side.BUY) == [5, 5, 5]
    assert sizes(wanted(max_share_pct=25), Side.BUY) == [41, 41, 41]  # 1 / 12 of 1000


@pytest.mark.parametrize(
    ("params", "lots"),
    [({"quantity": 0.129}, 12), ({"size_usd": 50}, 25), ({"equity_pct": 10}, 50),
     ({"equity_pct": 10, "size_cap_usd": 20}, 10)],
)  # fmt: skip
def test_Q25_a_given_size_is_that_of_each_order(params: dict[str, Any], lots: int) -> None:
    assert sizes(wanted(**params), Side.BUY) == [lots] * 3


def test_Q27_an_order_below_the_minimum_is_skipped_raised_or_refused() -> None:
    rules = instrument(min_quantity="0.3")
    assert wanted({"instrument": rules}).levels == ()
    assert wanted({"instrument": rules}).reason == "paused or below the minimum size"
    assert sizes(wanted({"instrument": rules}, min_size="raise"), Side.BUY) == [30] * 3
    with pytest.raises(BadInput, match=r"quantity 0\.1 is below the venue's minimum 0\.3"):
        wanted({"instrument": rules}, quantity=0.1, min_size="refuse")


def test_R17_a_side_shares_the_room_to_the_largest_position() -> None:
    params: dict[str, Any] = {"quantity": 0.5, "max_position": 1.2}
    assert sizes(wanted(**params), Side.BUY) == [50, 50, 20]
    assert sizes(wanted({"position": 100}, **params), Side.BUY) == [20]
    assert sizes(wanted({"position": 100}, **params), Side.SELL) == [50, 50, 50]


def test_prices_below_a_tick_are_left_out() -> None:
    found = wanted({"bid": 10, "ask": 12}, quantity=0.1, half_spread_ticks=5, max_orders=5)
    assert prices(found, Side.BUY) == [6, 4, 1]


def test_Q21_prices_follow_the_market_at_each_refresh_or_after_a_fill() -> None:
    first = wanted(quantity=0.1)
    assert isinstance(first.memory, Laid)
    moved = {"bid": 20_009, "ask": 20_011}
    assert (
        wanted(moved | {"now_ns": START_NS + 2 * NS_PER_S - 1}, first.memory, quantity=0.1).levels
        == first.levels
    )
    late = wanted(moved | {"now_ns": START_NS + 2 * NS_PER_S}, first.memory, quantity=0.1)
    assert prices(late, Side.BUY)[0] == 19_989
    assert wanted(moved | {"position": 1}, first.memory, quantity=0.1).levels != first.levels


@pytest.mark.parametrize(("bid", "ask"), [(19_900, 19_980), (20_020, 20_100)])
def test_a_market_that_ran_through_the_ladder_does_not_wait_for_the_refresh(bid: int, ask: int) -> None:
    first = wanted(quantity=0.1)
    assert isinstance(first.memory, Laid)
    found = wanted({"bid": bid, "ask": ask}, first.memory, quantity=0.1)
    assert max(prices(found, Side.BUY)) < ask and min(prices(found, Side.SELL)) > bid


def test_fresh_prices_hold_for_this_market_and_kept_ones_until_the_refresh() -> None:
    first = wanted(quantity=0.1)
    assert isinstance(first.memory, Laid) and first.holds_ns == FOREVER_NS
    kept = wanted({"bid": 20_009, "ask": 20_011, "now_ns": START_NS + 1}, first.memory, quantity=0.1)
    assert kept.memory is first.memory and kept.holds_ns == START_NS + 2 * NS_PER_S


def test_prices_that_come_out_the_same_are_followed_at_the_next_move() -> None:
    first = wanted(quantity=0.1)
    assert isinstance(first.memory, Laid)
    same = wanted({"now_ns": START_NS + 2 * NS_PER_S}, first.memory, quantity=0.1)
    assert isinstance(same.memory, Laid) and same.memory.at_ns == START_NS


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"quantity": 1, "size_usd": 5}, "exactly one of quantity, size_usd and equity_pct is needed"),
        ({"size_cap_usd": 5}, "size_cap_usd 5 needs equity_pct"),
        ({"min_size": "refuse"}, 'min_size "refuse" needs quantity'),
        ({"half_spread_ticks": 1, "spread_ticks": 2}, "two names of one thing"),
        ({"quantity": 3, "max_position": 2}, "quantity 3 must be at most max_position 2"),
    ],
)
def test_X02_rules_between_the_params_of_ladder_are_checked(params: dict[str, Any], text: str) -> None:
    assert text in Params(**params).problem()


def test_Q26_equity_is_needed_where_the_size_depends_on_it() -> None:
    assert needs(Params()).equity and needs(Params(equity_pct=1)).equity
    assert not needs(Params(quantity=1)).equity and not needs(Params(size_usd=5)).equity
