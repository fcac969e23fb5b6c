"""Intensity: known arrivals are recovered, whatever the spread does, and odd ones break nothing."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.signals.intensity import MAX_EXCESS, IntensityWindow, decay_of
from shared.messages import Side

MS = 1_000_000
MID = 100_000


class Takers:
    """Poisson arrivals on both sides; how far each would go is exponential from the mid.

    One that does not reach the best price leaves no trade. `spreads` are in ticks, a second each
    in turn, and even or odd: a mid may be between two ticks.
    """

    def __init__(
        self, arrivals_per_s: float, decay: float, spreads: tuple[int, ...] = (1,), seed: int = 5
    ) -> None:
        self._rate, self._decay, self._spreads = arrivals_per_s, decay, spreads
        self._random = random.Random(seed)
        self.at_s = 0
        self.window = IntensityWindow(900, 50)
        self.window.on_second(0, spreads[0])

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            spread = self._spreads[self.at_s % len(self._spreads)]
            for side in Side:
                at = self._random.expovariate(self._rate)
                while at < 1.0:
                    self._arrive(side, spread, self.at_s * 1000 * MS + round(at * 1000 * MS))
                    at += self._random.expovariate(self._rate)
            self.at_s += 1
            self.window.on_second(self.at_s, spread)

    def _arrive(self, side: Side, spread: int, at_ns: int) -> None:
        beyond = self._random.expovariate(self._decay) - spread / 2
        if beyond < 0:
            return
        best = MID if side is Side.BUY else MID - spread
        for ticks in range(math.floor(beyond) + 1):  # a trade at each price of the way
            self.window.on_trade(side, best + side * ticks, at_ns)


def taken(window: IntensityWindow, side: Side, excess: int, at_ns: int) -> None:
    """A taker who begins at the best price and reaches so many ticks more."""
    window.on_trade(side, MID, at_ns)
    window.on_trade(side, MID + side * excess, at_ns)


@pytest.mark.parametrize(
    ("arrivals_per_s", "decay", "spreads"),
    [(5.0, 0.8, (1,)), (2.0, 0.15, (4,)), (3.0, 0.05, (1, 2, 3, 20)), (20.0, 2.0, (1, 2)), (0.5, 0.3, (2,))],
)
def test_the_known_intensity_of_synthetic_takers_is_recovered(
    arrivals_per_s: float, decay: float, spreads: tuple[int, ...]
) -> None:
    takers = Takers(arrivals_per_s, decay, spreads)
    takers.run(900)
    estimate = takers.window.estimate()
    assert estimate is not None
    error = 4 / math.sqrt(takers.window.trade_count)  # standard errors of a count, and some more
    assert estimate.decay_per_tick == pytest.approx(decay, rel=error)
    assert estimate.arrivals_per_s == pytest.approx(arrivals_per_s, rel=1.5 * error)


def test_the_rate_of_one_side_at_the_best_price_is_the_counted_one() -> None:
    takers = Takers(5.0, 0.8, (3,))
    takers.run(600)
    estimate = takers.window.estimate()
    assert estimate is not None
    at_best = estimate.arrivals_per_s * math.exp(-estimate.decay_per_tick * 1.5)
    assert at_best == pytest.approx(takers.window.trade_count / 2 / 600)


def test_what_left_the_window_counts_no_more() -> None:
    takers = Takers(5.0, 0.3)
    takers.run(900)
    takers._rate, takers._decay = 1.0, 1.5
    takers.run(920)
    estimate = takers.window.estimate()
    assert estimate is not None
    assert estimate.decay_per_tick == pytest.approx(1.5, rel=0.2)
    assert estimate.arrivals_per_s == pytest.approx(1.0, rel=0.3)
    assert len(takers.window._slices) <= 92


def test_an_hour_without_takers_leaves_nothing() -> None:
    takers = Takers(5.0, 0.8)
    takers.run(60)
    for _ in range(3600):
        takers.at_s += 1
        takers.window.on_second(takers.at_s, 1)
    assert takers.window.trade_count == 0
    assert not takers.window._excess and takers.window._spread_s.total() <= 920
    assert takers.window.estimate() is None


def test_none_before_enough_trades_and_enough_seconds() -> None:
    window = IntensityWindow(900, 50)
    window.on_second(0, 1)
    for number in range(49):
        taken(window, Side.BUY, number % 3, number * MS)
    for at_s in range(1, 60):
        window.on_second(at_s, 1)
    assert window.estimate() is None
    window.on_trade(Side.BUY, MID, 60_000 * MS)
    assert window.estimate() is not None
    burst = IntensityWindow(900, 50)
    burst.on_second(0, 1)
    for number in range(500):
        taken(burst, Side.BUY, number % 3, number * MS)
    burst.on_second(1, 1)
    assert burst.estimate() is None  # 250 a second? one second says little


def test_takers_who_all_stop_at_one_distance_have_a_finite_decay() -> None:
    for excess in (1, 7):
        window = IntensityWindow(900, 50)
        window.on_second(0, 2)
        for number in range(200):
            taken(window, Side.SELL, excess, number * MS)
        for at_s in range(1, 100):
            window.on_second(at_s, 2)
        estimate = window.estimate()
        assert estimate is not None
        assert 0 < estimate.decay_per_tick < 10 and math.isfinite(estimate.arrivals_per_s)


def observed(spread: int, went_on: int, takers: int = 899) -> IntensityWindow:
    """A quarter of an hour with a taker a second, of whom some went one tick beyond the best price."""
    window = IntensityWindow(900, 50)
    window.on_second(0, spread)
    for at_s in range(1, takers + 1):
        taken(window, Side.BUY if at_s % 2 else Side.SELL, int(at_s <= went_on), at_s * 1000 * MS)
        window.on_second(at_s, spread)
    return window


@pytest.mark.parametrize("spread", [1, 2, 6])
def test_nothing_is_told_while_too_few_takers_went_beyond_the_best_price(spread: int) -> None:
    """Without them the decay is the logarithm of how many came, and the rate at the mid anything at all."""
    assert observed(spread, 0).estimate() is None
    assert observed(spread, 9).estimate() is None
    assert observed(1, 10).estimate() is not None


def test_the_rate_is_carried_over_no_more_than_a_few_decay_lengths() -> None:
    """A third of them went on: k is about 1.4 a tick, so from 7 ticks away the rate would be e to the 9.7."""
    near, further, beyond = (observed(spread, 300).estimate() for spread in (1, 5, 14))
    assert near is not None and further is not None and beyond is None
    assert 0.5 < near.arrivals_per_s < further.arrivals_per_s < 0.5 * math.exp(5)


@settings(max_examples=100)
@given(spread=st.integers(1, 4_000), went_on=st.integers(0, 120))
def test_no_estimate_is_more_than_a_few_decay_lengths_from_what_was_counted(
    spread: int, went_on: int
) -> None:
    estimate = observed(spread, went_on, 120).estimate()
    assert estimate is None or estimate.arrivals_per_s <= 0.5 * math.exp(5) * 1.001


def test_an_order_that_walks_the_book_is_one_arrival_at_its_last_price() -> None:
    window = IntensityWindow(900, 10)
    window.on_second(0, 1)
    for ticks in (0, 3, 1):  # as told, out of order
        window.on_trade(Side.BUY, MID + ticks, 5 * MS)
    window.on_trade(Side.SELL, MID - 1, 5 * MS)
    window.on_trade(Side.SELL, MID - 1, 6 * MS)
    assert window.trade_count == 3
    assert +window._excess == Counter({3: 1, 0: 2})


@given(prices=st.lists(st.integers(-40, 40), min_size=1, max_size=6), side=st.sampled_from(Side))
def test_an_arrival_reaches_from_its_nearest_to_its_furthest_price_in_whatever_order_they_are_told(
    prices: list[int], side: Side
) -> None:
    window = IntensityWindow(900, 10)
    window.on_second(0, 1)
    for price in prices:
        window.on_trade(side, MID + price, MS)
    assert +window._excess == Counter({max(prices) - min(prices): 1})


def test_one_trade_through_the_whole_book_does_not_own_the_decay() -> None:
    takers = Takers(5.0, 0.8)
    takers.run(900)
    before = takers.window.estimate()
    taken(takers.window, Side.BUY, 10**9, 10**15)
    after = takers.window.estimate()
    assert before is not None and after is not None
    assert after.decay_per_tick == pytest.approx(before.decay_per_tick, rel=0.01)
    assert max(takers.window._excess) == MAX_EXCESS


def test_a_break_voids_the_unfinished_part_and_keeps_what_is_whole() -> None:
    takers = Takers(5.0, 0.8)
    takers.run(300)
    whole = takers.window.trade_count
    takers.window.on_second(takers.at_s, 1)
    takers.run(5)
    assert takers.window.trade_count > whole
    takers.window.break_off()
    takers.window.break_off()
    assert takers.window.trade_count <= whole
    observed_s = takers.window._spread_s.total()
    takers.window.on_trade(Side.BUY, MID, 10**15)  # of a time that is not observed
    assert takers.window.trade_count <= whole
    takers.at_s += 500
    takers.window.on_second(takers.at_s, 1)
    assert takers.window._spread_s.total() == observed_s  # the 500 s were not watched
    takers.run(100)
    estimate = takers.window.estimate()
    assert estimate is not None and estimate.arrivals_per_s == pytest.approx(5.0, rel=0.2)


def test_nothing_is_told_of_a_mid_from_which_the_best_price_is_out_of_reach() -> None:
    window = IntensityWindow(900, 10)
    window.on_second(0, 4_000)
    for at_s in range(1, 100):
        taken(window, Side.BUY, at_s % 3, at_s * MS)
        window.on_second(at_s, 4_000)
    assert window.estimate() is None  # 2,000 ticks away


@given(excess=st.dictionaries(st.integers(0, MAX_EXCESS), st.integers(1, 10_000), min_size=1, max_size=30))
def test_every_decay_is_positive_and_finite(excess: dict[int, int]) -> None:
    decay = decay_of(Counter(excess), sum(excess.values()))
    assert 0 < decay < 20


@given(
    excess=st.dictionaries(st.integers(0, 40), st.integers(1, 1000), min_size=1, max_size=10),
    deeper=st.integers(1, 1000),
)
def test_takers_who_go_on_one_tick_never_raise_the_decay(excess: dict[int, int], deeper: int) -> None:
    """Of those at the best price some go one further: the bound stays, the decay falls."""
    before = Counter({0: 1000}) + Counter(excess)
    after = Counter(before)
    after[0] -= min(deeper, 999)
    after[1] += min(deeper, 999)
    count = before.total()
    assert decay_of(after, count) < decay_of(before, count)


events = st.lists(
    st.one_of(
        st.tuples(st.just("trade"), st.sampled_from(Side), st.integers(-(10**6), 10**6), st.integers(0, 5)),
        st.tuples(st.just("second"), st.integers(1, 400), st.one_of(st.none(), st.integers(1, 10**6))),
        st.tuples(st.just("break")),
    ),
    max_size=60,
)


@settings(max_examples=80, deadline=None)
@given(events=events)
def test_any_trades_and_seconds_leave_true_counts_and_an_estimate_or_none(events: list[tuple]) -> None:  # type: ignore[type-arg]
    window, at_s = IntensityWindow(60, 10), 0
    for kind, *values in events:
        if kind == "trade":
            side, price, at_ns = values
            window.on_trade(side, price, at_ns)
        elif kind == "second":
            at_s += values[0]
            window.on_second(at_s, values[1])
        else:
            window.break_off()
        assert window.trade_count == window._excess.total() >= 0
        assert all(count >= 0 for count in (*window._excess.values(), *window._spread_s.values()))
        estimate = window.estimate()
        assert estimate is None or all(math.isfinite(value) and value > 0 for value in estimate)
