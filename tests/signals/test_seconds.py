"""The mid second by second: quiet markets, holes, late timers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.signals.seconds import NEVER_NS, MidSeconds, spread_of
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import Top
from tests.quoter.builders import top

S = NS_PER_S


def running(at_s: int = 0, first: Top | None = None) -> MidSeconds:
    """Seconds whose first one has ended at `first`."""
    seconds = MidSeconds()
    seconds.begin(at_s * S)
    assert seconds.end(first or top(99, 101), (at_s + 1) * S) is None
    return seconds


def test_Q12_a_second_in_which_nothing_happened_is_a_return_of_zero() -> None:
    block = running().end(top(99, 101), 2 * S)
    assert block is not None
    assert (block.at_s, block.span_s, block.log_return, block.one_tick) == (2, 1, 0.0, 0.01)


def test_Q12_a_return_is_from_the_end_of_one_second_to_the_end_of_the_next() -> None:
    seconds = running()
    up = seconds.end(top(100, 102), 2 * S + 3 * NS_PER_MS)  # told a little late
    down = seconds.end(top(99, 101), 3 * S)
    assert up is not None and down is not None
    assert up.log_return == pytest.approx(math.log(101 / 100))
    assert down.log_return == pytest.approx(math.log(100 / 101))
    assert (up.at_s, down.at_s) == (2, 3)


@pytest.mark.parametrize("bad", [None, top(None, 101), top(99, None), top(101, 99), top(99, 99), top(0, 1)])
def test_Q12_there_is_no_return_from_or_to_a_book_without_a_mid(bad: Top | None) -> None:
    seconds = running()
    assert seconds.end(bad, 2 * S) is None
    assert seconds.end(top(150, 152), 3 * S) is None
    assert seconds.end(top(150, 152), 4 * S) is not None
    assert bad is None or spread_of(bad) is None


def test_Q12_seconds_at_which_nobody_looked_are_a_hole_and_not_one_large_return() -> None:
    seconds = running()
    first = seconds.end(top(99, 101), 7 * S)  # until second 2 it stood; then nobody knows
    assert first is not None and first.at_s == 2 and first.log_return == 0.0
    assert seconds.end_ns == 8 * S
    assert seconds.end(top(199, 201), 8 * S) is None
    after = seconds.end(top(199, 201), 9 * S)
    assert after is not None and after.log_return == 0.0


def test_Q12_after_a_stop_the_next_return_begins_anew() -> None:
    seconds = running()
    seconds.stop()
    assert seconds.end_ns == NEVER_NS
    seconds.begin(50 * S + 1)
    seconds.begin(50 * S + 2)  # once is enough
    assert seconds.end_ns == 51 * S
    assert seconds.end(top(199, 201), 51 * S) is None
    assert seconds.end(top(199, 201), 52 * S) is not None


def test_Q12_highs_and_lows_are_of_every_mid_within_the_second() -> None:
    seconds = running()
    for bid in (104, 90, 97):
        seconds.on_top(top(bid, bid + 2))
    seconds.on_top(top(None, 500))
    block = seconds.end(top(100, 102), 2 * S)
    assert block is not None
    assert block.log_high == pytest.approx(math.log(105 / 100))
    assert block.log_low == pytest.approx(math.log(91 / 100))
    following = seconds.end(top(100, 102), 3 * S)
    assert following is not None and (following.log_high, following.log_low) == (0.0, 0.0)


books = st.one_of(
    st.none(),
    st.tuples(st.one_of(st.none(), st.integers(-5, 10**12)), st.one_of(st.none(), st.integers(-5, 10**12))),
)


@given(steps=st.lists(st.tuples(st.integers(1, 3 * S), books), max_size=30))
def test_any_books_at_any_times_give_ordered_finite_blocks(
    steps: list[tuple[int, tuple[int | None, int | None] | None]],
) -> None:
    seconds, now_ns, last_s = MidSeconds(), 0, -1
    seconds.begin(now_ns)
    for wait_ns, book in steps:
        now_ns += wait_ns
        found = None if book is None else top(*book)
        if found is not None:
            seconds.on_top(found)
        if now_ns >= seconds.end_ns:
            block = seconds.end(found, now_ns)
            if block is not None:
                assert block.at_s > last_s
                assert math.isfinite(block.log_return)
                assert block.log_low <= min(0.0, block.log_return)
                assert block.log_high >= max(0.0, block.log_return)
                last_s = block.at_s
