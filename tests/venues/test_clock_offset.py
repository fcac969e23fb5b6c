"""L04: requests are stamped with the venue's clock, measured with its round trip."""

from __future__ import annotations

from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from shared.clock import NS_PER_MS, NS_PER_S, ManualClock
from shared.venues.clock_offset import ClockOffset


def test_before_it_is_measured_the_wall_clock_counts() -> None:
    clock = ManualClock(now_ns=5 * NS_PER_S, wall_offset_ns=100 * NS_PER_S)
    offset = ClockOffset(clock)
    assert offset.timestamp_ms() == 105_000
    assert offset.ahead_ms() is None
    assert offset.error_ms() is None


@given(
    ahead_ms=st.integers(-10_000, 10_000),
    trips=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=1, max_size=12),
)
def test_L04_the_error_is_at_most_half_the_shortest_round_trip(
    ahead_ms: int, trips: list[tuple[int, int]]
) -> None:
    clock = ManualClock(now_ns=NS_PER_S, wall_offset_ns=1_000 * NS_PER_S)
    offset = ClockOffset(clock)

    def read(there: int, back: int) -> int:
        clock.advance(there * NS_PER_MS)
        server_ms = clock.wall_ns() // NS_PER_MS + ahead_ms
        clock.advance(back * NS_PER_MS)
        return server_ms

    for trip in trips:
        offset.measure(partial(read, *trip))
    measured, bound = offset.ahead_ms(), offset.error_ms()
    assert measured is not None
    assert bound is not None
    assert bound == min(there + back for there, back in trips[-8:]) / 2 + 0.5
    assert abs(measured - ahead_ms) <= bound


def test_a_step_of_the_wall_clock_changes_no_stamp() -> None:
    clock = ManualClock(now_ns=NS_PER_S, wall_offset_ns=1_000 * NS_PER_S)
    offset = ClockOffset(clock)
    offset.measure(lambda: 1_001_000)
    before = offset.timestamp_ms()
    clock.wall_offset_ns += 3_600 * NS_PER_S
    assert offset.timestamp_ms() == before


def test_L04_a_step_of_the_venues_clock_counts_from_the_next_measurement() -> None:
    clock = ManualClock(now_ns=NS_PER_S, wall_offset_ns=1_000 * NS_PER_S)
    offset = ClockOffset(clock)
    offset.observe(clock.now_ns, clock.now_ns + 1, 1_001_000)
    offset.observe(clock.now_ns, clock.now_ns + 90 * NS_PER_MS, 1_011_045)
    ahead_ms = offset.ahead_ms()
    assert ahead_ms is not None
    assert abs(ahead_ms - 10_000) <= 1
