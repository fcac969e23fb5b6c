"""R14 to R16: a market that moves too fast or stands too wide is left alone for a while."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.risk.policies.breakers import MidMove, TrailingExtremes, WideSpread
from services.risk.policies.policy import Action, Decision, Market
from services.risk.policies.ratio import Limit
from shared.clock import NS_PER_S
from shared.messages import Depth, OrderStatus, Permit, Side, Working, WorkingOrder
from tests.risk.desk import ACCOUNT, MID, MS, SYMBOL, VENUE, Desk, is_nothing

STRICT = Limit.of_percent(0.6, "strict")


def judge_mids(samples: list[tuple[float, int]], limit: Limit = STRICT) -> Decision:
    """Return the decision at the last of (seconds, mid in ticks)."""
    window, policy = TrailingExtremes(NS_PER_S), MidMove(limit, NS_PER_S, 5 * NS_PER_S)
    decision = Decision()
    for seconds, mid in samples:
        low, high = window.add(round(seconds * NS_PER_S), 2 * mid)
        decision = policy.decide(Market(mid - 1, mid + 1, low, high))
    return decision


@pytest.mark.parametrize(
    ("samples", "is_fired"),
    [
        ([(0, 10_000), (0.9, 10_061)], True),
        ([(0, 10_000), (1.0, 10_061)], True),  # inside 1.0 s: the end belongs to it
        ([(0, 10_000), (1.000000001, 10_061)], False),  # over more than 1 s
        ([(0, 10_000), (0.5, 10_060)], False),  # 0.6 % exactly: allowed (ruling C1)
        ([(0, 10_000), (0.5, 9_939)], True),
        ([(0, 10_000), (0.5, 9_940)], False),
        ([(0, 10_000), (0.4, 10_040), (0.8, 9_990)], False),
        ([(0, 10_000), (0.4, 10_050), (0.8, 9_985)], True),  # from the highest of the window
        ([(0, 10_000), (0.5, 10_031), (1.2, 10_061)], False),  # 0.61 %, but in 1.2 s
    ],
)
def test_R14_fires_on_a_move_beyond_six_thousandths_within_one_second(
    samples: list[tuple[float, int]], is_fired: bool
) -> None:
    assert (judge_mids(samples).action is Action.FREEZE) is is_fired


def test_R14_the_inclusive_comparator_fires_at_the_boundary() -> None:
    inclusive = Limit.of_percent(0.6, "inclusive")
    assert judge_mids([(0, 10_000), (0.5, 10_060)], inclusive).action is Action.FREEZE
    assert judge_mids([(0, 10_000), (0.5, 10_059)], inclusive).action is Action.ALLOW


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 50)), min_size=1, max_size=60))
def test_R14_the_window_is_exactly_the_values_of_the_trailing_second(steps: list[tuple[int, int]]) -> None:
    window, now, samples = TrailingExtremes(10), 0, list[tuple[int, int]]()
    for step, value in steps:
        now += step
        samples.append((now, value))
        in_window = [v for at, v in samples if at >= now - 10]
        assert window.add(now, value) == (min(in_window), max(in_window))


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.sampled_from(["strict", "inclusive"]))
def test_R15_fires_exactly_beyond_two_percent_of_the_mid(bid: int, spread: int, comparator: str) -> None:
    policy = WideSpread(Limit.of_percent(2.0, comparator), 1)
    decision = policy.decide(Market(bid, bid + spread, 1, 1))
    share, limit = 2 * spread * 100, 2 * (2 * bid + spread)
    is_fired = share > limit if comparator == "strict" else share >= limit
    assert (decision.action is Action.FREEZE) is is_fired


def test_R15_the_boundary_itself_is_allowed() -> None:
    policy = WideSpread(Limit.of_percent(2.0, "strict"), 1)
    assert policy.decide(Market(9_900, 10_100, 1, 1)).action is Action.ALLOW
    assert policy.decide(Market(9_900, 10_101, 1, 1)).action is Action.FREEZE


# --- through the core --------------------------------------------------------------------------------


def test_R14_tells_at_once_that_nothing_is_permitted_and_why() -> None:
    desk = Desk()
    assert desk.may_quote()
    told = desk.hear(desk.top_at(MID + 60, MID + 62))
    assert told == [desk.permit]
    assert is_nothing(desk.permit)
    assert "mid moved +0.61 % in 1 s" in desk.permit.reason


def test_R14_a_mid_that_stood_still_for_long_and_jumps_fires_too() -> None:
    desk = Desk()
    desk.run(60_000)
    desk.hear(desk.top_at(MID + 60, MID + 62))
    assert is_nothing(desk.permit)


def test_R14_a_slow_move_of_any_size_does_not_fire() -> None:
    desk = Desk()
    for step in range(1, 41):
        desk.run(250)
        desk.hear(desk.top_at(MID - 1 + 10 * step, MID + 1 + 10 * step))
    assert desk.permit.may_buy


def test_R16_the_cool_down_lasts_five_seconds_and_ends_by_itself() -> None:
    desk = Desk()
    desk.hear(desk.top_at(MID + 60, MID + 62))
    desk.run(4_750)
    assert is_nothing(desk.permit)
    desk.run(250)
    assert desk.may_quote()


def test_R16_a_spread_that_stays_wide_renews_the_cool_down() -> None:
    desk = Desk()
    desk.hear(desk.top_at(MID - 102, MID + 102))
    assert "spread is 2.04 % of the mid" in desk.permit.reason
    desk.run(20_000)
    assert is_nothing(desk.permit)
    desk.hear(desk.top_at(MID - 1, MID + 1))
    desk.run(6_000)
    assert desk.permit.may_buy


def test_R16_in_the_cool_down_no_order_is_sent_a_reduction_neither() -> None:
    desk = Desk()
    desk.set_position(260)
    assert desk.has_target()
    desk.hear(desk.top_at(MID + 60, MID + 62))
    assert not desk.has_target() and is_nothing(desk.permit)
    desk.run(5_250)
    assert desk.has_target()


def test_R16_while_frozen_nothing_is_told_per_book() -> None:
    desk = Desk()
    desk.hear(desk.top_at(MID + 60, MID + 62))
    for number in range(100):
        assert desk.hear(desk.top_at(MID + 60 - number % 2, MID + 62)) == []


def test_a_breaker_freezes_its_own_symbol_only() -> None:
    desk = Desk("SOL_USDC_PERP", "BTC_USDC_PERP")
    desk.hear(desk.top_at(MID + 60, MID + 62))
    desk.run(250)
    assert is_nothing(desk.permits["main", "SOL_USDC_PERP"])
    assert desk.permits["main", "BTC_USDC_PERP"].may_buy


def test_a_permit_is_repeated_each_quarter_second_and_lives_for_one() -> None:
    desk = Desk()
    desk.told.clear()
    desk.run(2_000)
    permits = [message for message in desk.told if isinstance(message, Permit)]
    assert len(permits) == 8
    assert desk.permit.expires_ns == desk.now_ns + 1_000 * MS


def test_R14_the_mid_that_was_in_force_until_a_move_counts_as_its_start() -> None:
    """100.00 until 0.96 s ago, then 100.30, now 100.61: +0.61 % inside 1.0 s, however seldom it was heard."""
    desk = Desk()
    desk.now_ns += 45 * MS  # the timer's last sample of 100.00 will be older than the window
    desk.hear(desk.top_at(MID + 29, MID + 31))
    desk.now_ns += 960 * MS
    desk.hear(desk.top_at(MID + 60, MID + 62))
    assert is_nothing(desk.permit) and "mid moved +0.61 %" in desk.permit.reason


def test_R14_the_mid_that_fired_is_the_start_of_the_next_move() -> None:
    desk = Desk(cool_down_s=0.1)
    desk.hear(desk.top_at(MID + 60, MID + 62))
    desk.now_ns += 500 * MS
    desk.hear(desk.top_at(MID + 122, MID + 124))  # +0.62 % from there
    assert "mid moved +0.62 %" in desk.core.markets["backpack", SYMBOL].decide(desk.now_ns).reason


def test_R16_a_market_is_watched_for_a_window_before_it_is_quoted() -> None:
    """What moved, or was in a cool-down, when this process began is not known to it."""
    desk = Desk(move_window_s=3.0)
    assert is_nothing(desk.permit) and "market is watched for 3 s first" in desk.permit.reason
    desk.run(1_500)
    assert is_nothing(desk.permit)
    desk.run(250)
    assert desk.may_quote()


# --- the book of others ------------------------------------------------------------------------------


def resting(desk: Desk, bid: int | None, ask: int | None) -> Working:
    orders = [
        WorkingOrder(number, "v", side, price, 5, 0, OrderStatus.LIVE, 0, False)
        for number, (side, price) in enumerate(((Side.BUY, bid), (Side.SELL, ask)))
        if price is not None
    ]
    return Working(ACCOUNT, desk.symbols[0], tuple(orders), (), "ready")


def depth(desk: Desk, bids: tuple[tuple[int, int], ...], asks: tuple[tuple[int, int], ...]) -> Depth:
    return Depth(VENUE, desk.symbols[0], bids, asks, 1, 0, desk.now_ns, desk.now_ns, desk.now_ns)


def test_R15_quotes_of_our_own_do_not_make_a_wide_market_narrow() -> None:
    desk = Desk()
    desk.hear(resting(desk, MID - 1, MID + 1))
    desk.hear(depth(desk, ((MID - 1, 5), (MID - 60, 9)), ((MID + 1, 5), (MID + 60, 9))))
    desk.run(2_000)  # from now on these are surely ours alone
    assert desk.may_quote(), "1.2 % between the others"
    desk.hear(depth(desk, ((MID - 1, 5), (MID - 110, 9)), ((MID + 1, 5), (MID + 110, 9))))
    desk.run(250)
    assert is_nothing(desk.permit) and "spread is 2.20 % of the mid" in desk.permit.reason


def test_R14_an_order_of_our_own_that_comes_or_goes_is_no_move_of_the_market() -> None:
    desk = Desk(max_move_pct=0.01)
    desk.hear(depth(desk, ((MID - 4, 9),), ((MID + 4, 9),)), desk.top_at(MID - 4, MID + 4))
    desk.run(2_000)
    desk.hear(resting(desk, MID - 1, None))
    desk.hear(depth(desk, ((MID - 1, 5), (MID - 4, 9)), ((MID + 4, 9),)), desk.top_at(MID - 1, MID + 4))
    assert desk.may_quote(), "1.5 ticks of the mid are three times the limit"
    desk.run(2_000)
    assert desk.may_quote()
    desk.hear(resting(desk, None, None))
    desk.hear(depth(desk, ((MID - 4, 9),), ((MID + 4, 9),)), desk.top_at(MID - 4, MID + 4))
    assert desk.may_quote()


def test_orders_of_every_account_of_ours_are_taken_out_of_the_book() -> None:
    desk = Desk(accounts=("a", "b"))
    for account, side, price in (("a", Side.BUY, MID - 1), ("b", Side.SELL, MID + 1)):
        order = WorkingOrder(1, "v", side, price, 5, 0, OrderStatus.LIVE, 0, False)
        desk.hear(Working(account, SYMBOL, (order,), (), "ready"))
    desk.hear(depth(desk, ((MID - 1, 5), (MID - 110, 9)), ((MID + 1, 5), (MID + 110, 9))))
    desk.run(2_000)
    assert "spread is 2.20 % of the mid" in desk.permit.reason


def test_a_book_of_ours_alone_without_depth_behind_it_is_no_book() -> None:
    desk = Desk()
    desk.hear(resting(desk, MID - 1, MID + 1))
    desk.run(3_500)
    assert is_nothing(desk.permit) and "no price but our own" in desk.permit.reason
