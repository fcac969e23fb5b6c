"""What volume costs, and what a market-maker program scores: hand numbers and exact boundaries."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.accounting.report import costs_of, goal_for
from shared.accounting.watched.program import program_of, score
from shared.messages import OrderStatus, Side
from tests.accounting.scene import S, fill, order, stats, top, trade, working

D = Decimal


@pytest.mark.parametrize(
    ("net", "volume", "cost", "is_met"),
    [
        (D("-1"), D(10_000), 1.0, True),  # the goal itself is met
        (D("-1.0001"), D(10_000), 1.0001, False),
        (D("-3"), D(60_000), 0.5, True),
        (D("2"), D(10_000), -2.0, True),  # a gain
        (D(f"-1.{'0' * 39}1"), D(10_000), 1.0, False),  # compared before anything is rounded
        (D(0), D(500), 0.0, True),
    ],
)
def test_X20_the_loss_per_10k_of_volume_against_the_goal(
    net: D, volume: D, cost: float, is_met: bool
) -> None:
    costs = costs_of(net, volume)
    assert costs.cost_per_10k == pytest.approx(cost)
    assert costs.meets_goal is is_met


def test_X20_the_goals_are_those_that_were_promised() -> None:
    assert (goal_for("ETH"), goal_for("PAXG")) == (D(1), D("0.5"))
    assert stats(goal_per_10k=D("0.25")).report().costs.goal_per_10k == 0.25


def test_X20_a_volume_goal_says_how_far_it_is_done() -> None:
    session = stats(volume_goal=D(10_000))
    session.on_top(top(9_999, 10_001), 0)
    session.on_fill(fill(Side.BUY, 10_000, 250), 1)  # 25 units at 100
    assert session.report().costs.volume_done_pct == pytest.approx(25.0)


def test_X20_without_volume_or_with_an_unknown_profit_there_is_no_cost() -> None:
    for costs in (costs_of(D(0), D(0)), costs_of(None, D(100))):
        assert (costs.cost_per_10k, costs.meets_goal, costs.wear_rate_pct) == (None, None, None)


def test_E06_the_wear_rate_is_the_profit_over_the_volume_in_percent() -> None:
    assert costs_of(D("-2.5"), D(1_000)).wear_rate_pct == pytest.approx(-0.25)
    assert costs_of(D("2.5"), D(1_000)).wear_rate_pct == pytest.approx(0.25)


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**12))
def test_E06_the_wear_rate_and_the_cost_per_10k_are_the_same_number(net: int, volume: int) -> None:
    costs = costs_of(D(net) / 1000, D(volume) / 1000)
    assert costs.wear_rate_pct is not None and costs.cost_per_10k is not None
    assert costs.cost_per_10k == pytest.approx(-costs.wear_rate_pct * 100)


def test_E13_the_score_is_eight_tenths_volume_and_two_tenths_liquidity() -> None:
    assert score(1.0, 0.0) == pytest.approx(0.8)
    assert score(0.0, 1.0) == pytest.approx(0.2)
    program = program_of(0.05, 0.9, 3_000.0, 2.0, all_liquidity=13_500.0)
    assert program.liquidity == pytest.approx(3_000 / 2 * 0.9)
    assert program.score == pytest.approx(0.8 * 0.05 + 0.2 * 0.1)


@pytest.mark.parametrize(
    ("share", "uptime", "size", "met"),
    [
        (0.015, 0.8, 2_000.0, (True, True, True)),  # each bound itself is met
        (0.01499, 0.79999, 1_999.99, (False, False, False)),
    ],
)
def test_E13_what_qualifies_at_its_boundaries(
    share: float, uptime: float, size: float, met: tuple[bool, bool, bool]
) -> None:
    program = program_of(share, uptime, size, 2.0)
    assert (program.meets_volume, program.meets_uptime, program.meets_size) == met


def test_E13_what_nobody_told_is_unknown_and_not_missed() -> None:
    program = program_of(None, 0.0, None, None)
    assert (program.meets_volume, program.meets_size, program.liquidity, program.score) == (None,) * 4
    assert program.meets_uptime is False


def test_E13_a_session_measures_uptime_size_spread_and_volume_share() -> None:
    session = stats()
    session.on_top(top(9_990, 10_010), 0)
    session.on_working(working(order(Side.BUY, 9_990, 300), order(Side.SELL, 10_010, 100)), 0)
    session.on_fill(fill(Side.BUY, 9_990, 10), 1 * S)
    session.on_trade(trade(Side.SELL, 9_990, 40), 1 * S)
    session.on_working(working(), 4 * S)
    program = session.report(10 * S).program
    assert program.uptime == pytest.approx(0.4)
    assert program.average_size_usd == pytest.approx((30 * 99.9 + 10 * 100.1) / 2)
    assert program.average_spread_bps == pytest.approx(20 / 10_000 * 10_000)
    assert program.volume_share == pytest.approx(0.25)
    assert (program.meets_size, program.meets_uptime, program.meets_volume) == (False, False, True)


@pytest.mark.parametrize(("price", "is_in"), [(9_900, True), (9_899, False)])
def test_E13_an_order_exactly_100_bps_from_the_mid_counts_and_one_tick_more_does_not(
    price: int, is_in: bool
) -> None:
    session = stats()
    session.on_top(top(9_990, 10_010), 0)
    session.on_working(working(order(Side.BUY, price, 300), order(Side.SELL, 10_100, 300)), 0)
    report = session.report(2 * S)
    assert report.presence.two_sided == 1.0
    assert report.program.uptime == (1.0 if is_in else 0.0)


def test_E13_only_the_depth_within_the_band_has_a_size() -> None:
    session = stats()
    session.on_top(top(9_990, 10_010), 0)
    near, far = order(Side.BUY, 9_950, 100), order(Side.BUY, 9_800, 100_000)
    dead = order(Side.BUY, 9_950, 999, OrderStatus.PENDING_NEW)
    session.on_working(working(near, far, dead, order(Side.SELL, 10_050, 100)), 0)
    size = session.report(5 * S).program.average_size_usd
    assert size == pytest.approx((10 * 99.5 + 10 * 100.5) / 2)
