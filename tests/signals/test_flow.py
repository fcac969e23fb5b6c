"""Order flow: the window, the bounded ratio, the average in time."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.signals.flow import FlowWindow, TimedAverage, bounded_log_ratio
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import Side

BOUND = math.log(2.0)
THRESHOLD = math.log(1.2)
WINDOW_NS = 3 * NS_PER_S

trades = st.lists(
    st.tuples(st.integers(0, 500), st.sampled_from(list(Side)), st.integers(1, 10**12)), max_size=40
)


def test_F01_window_is_pruned_by_the_clock_without_new_trades() -> None:
    window = FlowWindow(WINDOW_NS)
    window.add(0, Side.BUY, 700)
    window.add(NS_PER_S, Side.SELL, 300)
    window.prune(WINDOW_NS)
    assert (window.buy, window.sell) == (700, 300)  # exactly 3.0 s old is still inside
    window.prune(WINDOW_NS + 1)
    assert (window.buy, window.sell) == (0, 300)
    window.prune(NS_PER_S + WINDOW_NS + 1)
    assert (window.buy, window.sell) == (0, 0)


@given(trades=trades, wait_ms=st.integers(0, 8_000))
def test_F01_window_holds_exactly_the_trades_of_the_last_three_seconds(
    trades: list[tuple[int, Side, int]], wait_ms: int
) -> None:
    window, at_ns = FlowWindow(WINDOW_NS), 0
    stamped = []
    for delay_ms, side, notional in trades:
        at_ns += delay_ms * NS_PER_MS
        stamped.append((at_ns, side, notional))
        window.add(at_ns, side, notional)
        window.prune(at_ns)
    now_ns = at_ns + wait_ms * NS_PER_MS
    window.prune(now_ns)
    inside = [trade for trade in stamped if now_ns - trade[0] <= WINDOW_NS]
    assert window.buy == sum(notional for _, side, notional in inside if side is Side.BUY)
    assert window.sell == sum(notional for _, side, notional in inside if side is Side.SELL)


@pytest.mark.parametrize(
    ("buy", "sell", "ratio"),
    [(150, 100, 1.5), (100, 150, 1 / 1.5), (0, 0, 1.0), (5, 0, 2.0), (0, 5, 0.5), (900, 100, 2.0)],
)
def test_F02_imbalance_is_the_log_of_taker_notional_and_neutral_without_trades(
    buy: int, sell: int, ratio: float
) -> None:
    assert bounded_log_ratio(buy, sell, BOUND) == pytest.approx(math.log(ratio))


@given(buy=st.integers(0, 10**15), sell=st.integers(0, 10**15))
def test_F02_buyers_and_sellers_weigh_alike_and_within_the_bound(buy: int, sell: int) -> None:
    ratio = bounded_log_ratio(buy, sell, BOUND)
    assert -BOUND <= ratio <= BOUND
    assert ratio == pytest.approx(-bounded_log_ratio(sell, buy, BOUND))


def test_F03_G6_a_buy_only_window_is_forgotten_within_400_ms_of_neutral_flow() -> None:
    average = TimedAverage(alpha=0.3)
    now_ns = 0
    for _ in range(40):  # four seconds of buyers only: as far as it can go
        average.update(bounded_log_ratio(10**9, 0, BOUND), now_ns)
        now_ns += 100 * NS_PER_MS
    assert average.value > THRESHOLD
    steps = 0
    while average.update(0.0, now_ns) >= THRESHOLD:
        now_ns += 100 * NS_PER_MS
        steps += 1
    assert steps <= 4  # the average of plain ratios with 999 for "no sellers" needed 21


def test_F03_one_buy_only_step_does_not_hide_sellers_for_seconds() -> None:
    average = TimedAverage(alpha=0.3)
    average.update(0.0, 0)
    average.update(bounded_log_ratio(10**9, 0, BOUND), 100 * NS_PER_MS)
    now_ns = 100 * NS_PER_MS
    while average.value > -THRESHOLD:
        now_ns += 100 * NS_PER_MS
        average.update(math.log(0.5), now_ns)
    assert now_ns <= 500 * NS_PER_MS  # lineage: 20 loops


def test_F04_a_value_that_held_for_100_ms_weighs_alpha() -> None:
    average = TimedAverage(alpha=0.3)
    average.update(0.0, 0)
    assert average.update(1.0, 100 * NS_PER_MS) == pytest.approx(0.3)
    assert average.update(1.0, 200 * NS_PER_MS) == pytest.approx(0.51)


def test_F04_raw_ratio_of_one_and_a_half_switches_at_the_second_step() -> None:
    average = TimedAverage(alpha=0.3)
    average.update(0.0, 0)
    raw = math.log(1.5)
    assert average.update(raw, 100 * NS_PER_MS) < THRESHOLD
    assert average.update(raw, 200 * NS_PER_MS) >= THRESHOLD


def test_F04_G6_raw_ratio_of_one_half_switches_at_the_first_step() -> None:
    """In logs both directions weigh alike: 0.5 is further from 1 than 1.5 is. In ratios it took two."""
    average = TimedAverage(alpha=0.3)
    average.update(0.0, 0)
    assert average.update(math.log(0.5), 100 * NS_PER_MS) <= -THRESHOLD


@given(
    sample=st.floats(-1, 1),
    start=st.floats(-1, 1),
    cuts=st.lists(st.integers(1, 999), max_size=6, unique=True),
)
def test_F04_average_depends_on_elapsed_time_and_not_on_the_number_of_calls(
    sample: float, start: float, cuts: list[int]
) -> None:
    once, often = TimedAverage(0.3), TimedAverage(0.3)
    for average in (once, often):
        average.update(0.0, 0)
        average.value = start
    once.update(sample, 1000 * NS_PER_MS)
    for cut_ms in [*sorted(cuts), 1000]:
        often.update(sample, cut_ms * NS_PER_MS)
    assert once.value == pytest.approx(often.value, abs=1e-12)


def test_F04_a_clock_that_stands_still_changes_nothing() -> None:
    average = TimedAverage(0.3)
    average.update(0.0, 5)
    assert average.update(1.0, 5) == 0.0
