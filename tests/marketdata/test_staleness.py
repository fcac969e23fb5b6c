"""Lag and status as pure rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.marketdata.staleness import (
    ALLOWANCE_NS,
    REST_TTL_NS,
    Evidence,
    LagMeter,
    Limits,
    judge,
    price_fault,
)
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import FeedStatus

LIMITS = Limits(2 * NS_PER_S, NS_PER_S)
NOW = 1_000 * NS_PER_S
AHEAD = 1_700_000_000 * NS_PER_S


def evidence(**changes: object) -> Evidence:
    values: dict[str, object] = {
        "now_ns": NOW, "connection": "", "sync": "", "book": "", "as_of_ns": NOW - NS_PER_S, "lag_ns": 0,
        "rest_ns": 0,
    }  # fmt: skip
    return Evidence(**{**values, **changes})  # type: ignore[arg-type]


@given(
    offset_s=st.integers(-(10**9), 10**9),
    delays_ms=st.lists(st.integers(0, 400), min_size=1, max_size=50),
)
def test_lag_is_the_growth_above_the_smallest_delay_whatever_the_offset(
    offset_s: int, delays_ms: list[int]
) -> None:
    meter, seen = LagMeter(600 * NS_PER_S), []
    for number, delay in enumerate(delays_ms):
        sent = AHEAD + number * NS_PER_S
        recv = sent + delay * NS_PER_MS + offset_s * NS_PER_S
        seen.append(delay)
        assert meter.lag_ns(sent, recv) == (delay - min(seen)) * NS_PER_MS


def test_the_minimum_is_forgotten_after_two_windows() -> None:
    """Two clocks drift apart: an old minimum must not count for ever."""
    meter = LagMeter(10 * NS_PER_S)
    lags = [
        meter.lag_ns(AHEAD + second * NS_PER_S, second * NS_PER_S + second * NS_PER_MS // 4)
        for second in range(1, 200)
    ]
    assert max(lags) <= 5 * NS_PER_MS


def test_a_lag_that_lasts_does_not_become_the_minimum() -> None:
    """No clock drifts by five seconds in an hour: it is the feed."""
    meter = LagMeter(600 * NS_PER_S)
    meter.lag_ns(AHEAD, 0)
    lags = [meter.lag_ns(AHEAD + (second - 5) * NS_PER_S, second * NS_PER_S) for second in range(1, 3600)]
    assert min(lags) > 3 * NS_PER_S


def test_the_venues_clock_as_it_was_read_bounds_the_minimum_from_both_sides() -> None:
    meter = LagMeter(600 * NS_PER_S)
    meter.bound(-AHEAD, 10 * NS_PER_MS)
    largest_ns = 10 * NS_PER_MS + ALLOWANCE_NS
    assert meter.lag_ns(AHEAD - 5 * NS_PER_S, 0) == 5 * NS_PER_S - largest_ns, "late from the first frame on"
    assert meter.lag_ns(AHEAD + NS_PER_S, NS_PER_S + 7 * NS_PER_MS) == 0
    assert meter.lag_ns(AHEAD + 3 * NS_PER_S, 2 * NS_PER_S) == 0, "from the future: not believed"
    assert meter.lag_ns(AHEAD + 3 * NS_PER_S, 3 * NS_PER_S + 407 * NS_PER_MS) <= 400 * NS_PER_MS + largest_ns
    meter.bound(-AHEAD + 60 * NS_PER_S, 10 * NS_PER_MS)  # the venue's clock was set back by a minute
    assert meter.lag_ns(AHEAD - 56 * NS_PER_S, 4 * NS_PER_S + 7 * NS_PER_MS) <= largest_ns + 7 * NS_PER_MS


def test_one_stamp_from_the_future_is_not_believed_many_are() -> None:
    meter = LagMeter(600 * NS_PER_S)
    assert meter.lag_ns(AHEAD, NS_PER_S) == 0
    assert meter.lag_ns(AHEAD + 60 * NS_PER_S, 2 * NS_PER_S) == 0
    assert meter.lag_ns(AHEAD + 2 * NS_PER_S, 3 * NS_PER_S) == 0, "the old minimum still counts"
    for step in range(30):  # the venue's clock was set forward by a minute
        meter.lag_ns(AHEAD + (62 + step) * NS_PER_S, (3 + step) * NS_PER_S)
    assert meter.lag_ns(AHEAD + 100 * NS_PER_S, 42 * NS_PER_S) == NS_PER_S


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({}, FeedStatus.LIVE, ""),
        ({"as_of_ns": 0}, FeedStatus.SYNCING, "waiting for data"),
        ({"as_of_ns": NOW - 3 * NS_PER_S}, FeedStatus.STALE, "silent for 2 s"),
        ({"lag_ns": 1_500 * NS_PER_MS}, FeedStatus.STALE, "lagging by 1.5 s"),
        ({"sync": "gap"}, FeedStatus.SYNCING, "gap"),
        ({"sync": "gap", "as_of_ns": NOW - 3 * NS_PER_S}, FeedStatus.STALE, "silent for 2 s"),
        ({"book": "crossed"}, FeedStatus.STALE, "crossed"),
        ({"connection": "closed"}, FeedStatus.CONNECTING, "closed"),
        ({"connection": "closed", "rest_ns": NOW - 1}, FeedStatus.FALLBACK, "prices by REST: closed"),
        ({"connection": "closed", "rest_ns": NOW - REST_TTL_NS}, FeedStatus.CONNECTING, "closed"),
        ({"rest_ns": NOW - 1}, FeedStatus.LIVE, ""),
    ],
)
def test_D06_D07_D09_a_feed_is_live_only_if_nothing_speaks_against_it(
    changes: dict[str, object], status: FeedStatus, reason: str
) -> None:
    assert judge(evidence(**changes), LIMITS) == (status, reason)


@given(st.none() | st.integers(-5, 5), st.none() | st.integers(-5, 5))
def test_D09_prices_are_good_only_if_both_are_there_positive_and_apart(
    bid: int | None, ask: int | None
) -> None:
    is_good = bid is not None and ask is not None and 0 < bid < ask
    assert (price_fault(bid, ask) == "") is is_good
