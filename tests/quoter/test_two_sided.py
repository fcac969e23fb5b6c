"""The two-sided strategy: spread, lean, pauses, sizes, refresh."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from services.quoter.strategies.base import Wanted
from services.quoter.strategies.two_sided import Params, Priced, plan, quote
from shared.clock import NS_PER_S
from shared.errors import BadInput
from shared.instrument import Instrument
from shared.messages import Side
from tests.quoter.builders import INSTRUMENT, START_NS, Desk, instrument, permit, position, top
from tests.quoter.builders import view as a_view


def wanted(market: dict[str, Any] | None = None, memory: Priced | None = None, **params: Any) -> Wanted:
    values = market or {}
    rules: Instrument = values.get("instrument", INSTRUMENT)
    params = params if {"size_usd", "equity_pct"} & params.keys() else {"quantity": 0.1} | params
    return quote(a_view(**values), plan(Params(**params), rules), memory or Priced())


def prices(result: Wanted) -> tuple[int | None, int | None]:
    found = {level.side: level.price for level in result.levels}
    return found.get(Side.BUY), found.get(Side.SELL)


def test_Q01_mid_is_half_way_between_the_best_prices_and_there_is_none_without_a_book() -> None:
    assert a_view(bid=19_998, ask=20_001).mid == 19_999.5
    desk = Desk.ready("two_sided", quantity=0.1)
    desk.send(top(None, 20_001, desk.now_ns))
    assert (desk.levels, desk.reason) == ((), "book has no bid")


def test_microprice_weighs_each_price_with_the_opposite_size() -> None:
    assert a_view(bid=100, bid_size=30, ask=110, ask_size=10).microprice == pytest.approx(107.5)


def test_Q02_total_spread_is_a_percentage_of_the_mid_half_on_each_side() -> None:
    assert prices(wanted({"bid": 19_999, "ask": 20_001})) == (19_970, 20_030)  # 0.30 % by default
    assert prices(wanted({"bid": 19_999, "ask": 20_001}, spread_pct=0.2)) == (19_980, 20_020)


def test_Q03_C10_spread_ticks_are_per_side_and_override_the_percentage() -> None:
    market = {"bid": 9_999, "ask": 10_001}  # mid 100.00, tick 0.01: 12 -> 99.88 / 100.12
    assert prices(wanted(market, spread_ticks=12)) == (9_988, 10_012)
    assert prices(wanted(market, half_spread_ticks=12, spread_pct=5)) == (9_988, 10_012)


def test_Q04_ask_stays_a_tick_above_bid_after_rounding() -> None:
    bid, ask = prices(wanted({"bid": 19_999, "ask": 20_001}, half_spread_ticks=0.5))
    assert (bid, ask) == (19_999, 20_001)
    assert prices(wanted({"bid": 20_000, "ask": 20_001}, spread_pct=0.001)) == (20_000, 20_001)


def test_Q05_bids_round_down_and_asks_up() -> None:
    market = {"bid": 20_000, "ask": 20_003}  # mid 20001.5
    assert prices(wanted(market, half_spread_ticks=10)) == (19_991, 20_012)


def test_Q19_smaller_moves_than_min_price_move_keep_the_order() -> None:
    desk = Desk.ready("two_sided", quantity=0.1, half_spread_ticks=10, min_price_move_ticks=3,
                      refresh_interval_s=0.01)  # fmt: skip
    first = desk.levels
    assert {level.tolerance for level in first} == {2}
    desk.now_ns += NS_PER_S // 10
    assert desk.send(top(20_001, 20_003, desk.now_ns)) == []  # two ticks
    desk.now_ns += NS_PER_S // 10
    (moved,) = desk.send(top(20_002, 20_004, desk.now_ns))  # three from what was asked for
    assert [level.price for level in moved.levels] == [level.price + 3 for level in first]


@pytest.mark.parametrize(("move", "tolerance"), [(0, 0), (1, 0), (2, 1)])
def test_Q19_replacement_threshold_is_never_below_one_tick(move: int, tolerance: int) -> None:
    assert {level.tolerance for level in wanted(min_price_move_ticks=move).levels} == {tolerance}


def test_Q21_prices_follow_the_market_only_at_each_refresh() -> None:
    first = wanted(refresh_interval_s=2.0)
    assert isinstance(first.memory, Priced)
    moved = {"bid": 20_009, "ask": 20_011}
    early = wanted(moved | {"now_ns": START_NS + 2 * NS_PER_S - 1}, first.memory)
    assert prices(early) == prices(first)
    late = wanted(moved | {"now_ns": START_NS + 2 * NS_PER_S}, first.memory)
    assert prices(late) == (19_979, 20_041)  # 20010 -+ 30.015, down and up


def test_Q21_a_fill_or_a_market_that_ran_through_the_price_does_not_wait_for_the_refresh() -> None:
    first = wanted()
    assert isinstance(first.memory, Priced)
    filled = wanted({"position": 10, "bid": 19_989, "ask": 19_991}, first.memory)
    assert prices(filled) != prices(first)
    through = wanted({"bid": 19_950, "ask": 19_952}, first.memory)
    assert prices(through) != prices(first)


def test_Q21_refresh_without_a_market_event_happens_on_the_timer() -> None:
    desk = Desk.ready("two_sided", quantity=0.1, refresh_interval_s=1.0)
    before = desk.price(Side.BUY)
    desk.send(top(20_009, 20_011, desk.now_ns))
    assert desk.price(Side.BUY) == before
    desk.wait(1_000)
    assert desk.price(Side.BUY) == 19_979


@pytest.mark.parametrize(("quantity", "lots"), [(0.1, 10), (0.129, 12), (2, 200)])
def test_Q25_fixed_quantity_is_floored_to_the_step(quantity: float, lots: int) -> None:
    assert {level.size for level in wanted(quantity=quantity).levels} == {lots}


def test_Q25_size_by_notional_and_by_share_of_equity() -> None:
    bid, ask = wanted(size_usd=50).levels  # at 199.70 and 200.30
    assert (bid.size, ask.size) == (25, 24)
    bid, _ = wanted(equity_pct=1.0).levels  # 1 % of 1000 = 10
    assert bid.size == 5
    bid, _ = wanted(equity_pct=10.0, size_cap_usd=20.0).levels
    assert bid.size == 10


def test_Q27_skip_leaves_an_order_below_the_minimum_out() -> None:
    rules = {"instrument": instrument(min_quantity="0.2")}
    assert wanted(rules, quantity=0.1, min_size="skip").levels == ()


def test_Q27_raise_takes_the_minimum_of_lots_and_of_notional() -> None:
    rules = {"instrument": instrument(min_quantity="0.2")}
    assert {level.size for level in wanted(rules, quantity=0.1, min_size="raise").levels} == {20}
    rules = {"instrument": instrument(min_notional="100")}
    bid, ask = wanted(rules, quantity=0.1, min_size="raise").levels
    assert (bid.size, ask.size) == (51, 50)  # at 199.70: 0.50 would be 99.85


def test_Q27_raise_does_not_exceed_the_largest_position() -> None:
    market = {"instrument": instrument(min_quantity="0.2"), "position": 90}
    result = wanted(market, quantity=0.1, min_size="raise", max_position=1.0)
    assert prices(result)[0] is None
    assert [level.size for level in result.levels] == [20]


def test_Q27_refuse_stops_the_start_with_the_value_and_the_rule() -> None:
    rules = instrument(min_quantity="0.2")
    with pytest.raises(BadInput, match=r"SOL_USDC_PERP: quantity 0\.1 is below the venue's minimum 0\.2"):
        plan(Params(quantity=0.1, min_size="refuse"), rules)


@pytest.mark.parametrize("size", [{"size_usd": 5.0}, {"equity_pct": 1.0}])
def test_Q27_refuse_is_itself_refused_where_no_size_is_known_before_a_price(size: dict[str, float]) -> None:
    assert Params(min_size="refuse", **size).problem().startswith('min_size "refuse" needs quantity')


@pytest.mark.parametrize("spread", [{"half_spread_ticks": 1.0}, {"spread_pct": 0.01}, {"join_best": True}])
def test_Q04_two_quotes_are_never_nearer_than_the_smallest_spread(spread: dict[str, Any]) -> None:
    bid, ask = prices(wanted(min_spread_ticks=10, **spread))
    assert (bid, ask) == (19_995, 20_005)


@pytest.mark.parametrize(("lots", "expected"), [(150, (19_955, 20_015)), (-150, (19_985, 20_045))])
def test_R01_long_lowers_both_quotes_and_short_raises_them(lots: int, expected: tuple[int, int]) -> None:
    assert prices(wanted({"position": lots}, skew=1.0, max_position=3.0)) == expected


def test_R01_a_full_inventory_leans_by_one_half_spread_and_never_crosses() -> None:
    bid, ask = prices(wanted({"position": 300}, skew=1.0, max_position=3.0))
    assert (bid, ask) == (None, 20_000)  # the mid itself; the best bid of others is 19999


def test_R02_C9_the_shift_is_skew_times_half_spread_times_ratio() -> None:
    market = {"bid": 9_999, "ask": 10_001}
    # mid 100, half 0.175, skew 0.4, 0.3 of 3: shift 0.4 x 0.175 x 0.1 = 0.007
    assert prices(wanted(market | {"position": 30}, spread_pct=0.35, skew=0.4, max_position=3.0)) == (
        9_981,
        10_017,
    )


def test_R02_no_skew_or_no_position_means_no_shift() -> None:
    assert prices(wanted({"position": 250}, skew=0.0, max_position=3.0)) == (19_970, 20_030)
    assert prices(wanted({"position": 0}, skew=1.0, max_position=3.0)) == (19_970, 20_030)


def test_R02_without_a_maximum_of_its_own_the_lean_is_measured_by_the_permit() -> None:
    market = {"position": 50, "permit": permit(max_long=100)}
    assert prices(wanted(market, skew=1.0)) == (19_955, 20_015)


def test_C8_within_the_target_there_is_no_lean() -> None:
    params: dict[str, Any] = {"skew": 1.0, "target_position": 1.0, "max_position": 4.0}
    assert prices(wanted({"position": 100}, **params)) == (19_970, 20_030)
    assert prices(wanted({"position": 200}, **params)) == (19_962, 20_023)  # 30 x 1/4 = 7.5 down
    assert prices(wanted({"position": -200}, **params)) == (19_977, 20_038)


@pytest.mark.parametrize(
    ("net", "bid_on", "ask_on"),
    [(20, True, True), (21, False, True), (-20, True, True), (-21, True, False)],
)
def test_R03_G2_the_adding_side_pauses_strictly_beyond_the_threshold(
    net: int, bid_on: bool, ask_on: bool
) -> None:
    bid, ask = prices(wanted({"position": net}, position_threshold=0.2, max_position=4.0))
    assert (bid is not None, ask is not None) == (bid_on, ask_on)


def test_R03_the_target_widens_the_band() -> None:
    params: dict[str, Any] = {"position_threshold": 0.2, "target_position": 1.0, "max_position": 4.0}
    assert prices(wanted({"position": 120}, **params))[0] is not None
    assert prices(wanted({"position": 121}, **params))[0] is None


def test_join_best_rests_at_the_best_prices_of_others() -> None:
    assert prices(wanted({"bid": 19_990, "ask": 20_010}, join_best=True)) == (19_990, 20_010)
    assert prices(wanted({"bid": 20_000, "ask": 20_001}, join_best=True)) == (20_000, 20_001)


def test_join_best_keeps_the_least_spread() -> None:
    bid, ask = prices(wanted({"bid": 20_000, "ask": 20_001}, join_best=True, min_spread_ticks=4))
    assert bid is not None and ask is not None
    assert ask - bid >= 4 and bid <= 20_000 and ask >= 20_001


def test_join_best_leans_inside_the_spread_on_the_reducing_side() -> None:
    market = {"bid": 19_990, "ask": 20_010, "position": 100}
    assert prices(wanted(market, join_best=True, skew=0.5, max_position=2.0)) == (19_987, 20_008)


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({}, "exactly one of quantity, size_usd and equity_pct is needed, got none"),
        ({"quantity": 1, "size_usd": 5}, "got quantity, size_usd"),
        ({"quantity": 3, "max_position": 2}, "quantity 3 must be at most max_position 2"),
        (
            {"quantity": 1, "max_position": 2, "target_position": 3},
            "target_position 3 must be at most max_position 2",
        ),
        ({"quantity": 1, "join_best": True, "spread_pct": 0.2}, "join_best takes the spread of the market"),
        ({"quantity": 1, "spread_ticks": 2, "half_spread_ticks": 3}, "two names of one thing"),
        ({"size_usd": 5, "size_cap_usd": 9}, "size_cap_usd 9 needs equity_pct"),
    ],
)
def test_X02_rules_between_parameters_are_checked(params: dict[str, Any], text: str) -> None:
    assert text in Params(**params).problem()


def test_a_spread_in_percent_is_exact_where_a_float_is_not() -> None:
    """10000 x (1 - 0.3 / 200) is 9985 exactly; as floats it may be a tick lower."""
    bid, ask = prices(wanted({"bid": 9_999, "ask": 10_001}, spread_pct=0.3))
    assert (bid, ask) == (9_985, 10_015)
    assert Decimal(10_000) * (1 - Decimal("0.3") / 200) == 9_985


def test_positions_keep_both_sides_of_the_quoter_informed() -> None:
    desk = Desk.ready("two_sided", quantity=0.1, position_threshold=0.2, max_position=4.0)
    desk.send(position(21))
    assert [level.side for level in desk.levels] == [Side.SELL]
    desk.send(position(20))
    assert [level.side for level in desk.levels] == [Side.BUY, Side.SELL]
