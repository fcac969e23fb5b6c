"""L07: one request budget per account."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.execution.sending.budget import RateBudget
from shared.clock import NS_PER_MS, NS_PER_S
from shared.venues.base import RateLimit

moves = st.lists(
    st.tuples(st.sampled_from(["place", "cancel", "read"]), st.integers(0, 400)), min_size=1, max_size=400
)


@given(moves)
def test_L07_no_minute_holds_more_than_the_share(steps: list[tuple[str, int]]) -> None:
    budget, now_ns, taken = RateBudget((RateLimit(120),), 0.9, 0), 0, []
    for kind, ms in steps * 3:
        now_ns += ms * NS_PER_MS
        ask = {"place": budget.take_place, "cancel": budget.take_cancel, "read": budget.may_read}[kind]
        if ask(now_ns):
            taken.append(now_ns)
            budget.charge(kind == "read")
    for start in taken:
        assert sum(start <= at < start + 60 * NS_PER_S for at in taken) <= 108


def test_L07_cancels_get_through_when_placements_have_used_their_part() -> None:
    budget = RateBudget((RateLimit(2_000),), 0.9, 0)
    placed = sum(budget.take_place(0) for _ in range(1_000))
    assert placed < 300
    assert not budget.take_place(0)
    assert budget.may_read(0)
    assert sum(budget.take_cancel(0) for _ in range(1_000)) >= 0.25 * placed


def test_O05_rate_refusals_back_off_1_2_4_s_and_placements_wait_for_an_answer() -> None:
    budget, now_ns = RateBudget((), 0.9, 0), NS_PER_S
    for pause_s in (1, 2, 4, 8):
        budget.on_rate_limited(None, now_ns, now_ns)
        budget.on_rate_limited(None, now_ns - 1, now_ns)  # sent before: it counts once
        assert not budget.take_cancel(now_ns + pause_s * NS_PER_S - 1)
        now_ns += pause_s * NS_PER_S
        assert not budget.take_place(now_ns)
        assert budget.take_cancel(now_ns)
        assert not budget.take_cancel(now_ns), "one request at a time tries"
        now_ns += NS_PER_MS
    budget.on_answered(now_ns)
    assert budget.take_place(now_ns)


def test_O05_retry_after_is_obeyed() -> None:
    budget = RateBudget((), 0.9, 0)
    budget.on_rate_limited(30.0, 1, 1)
    assert not budget.take_cancel(30 * NS_PER_S)
    assert budget.take_cancel(30 * NS_PER_S + 1)


#: as a venue may have them: weights a minute, orders in ten seconds
SEVERAL = (RateLimit(1_200, 60, place=1, cancel=1, read=20), RateLimit(100, 10, place=1, cancel=0, read=0))


@given(moves)
def test_L07_every_limit_holds_in_its_own_period(steps: list[tuple[str, int]]) -> None:
    budget, now_ns = RateBudget(SEVERAL, 0.9, 0), 0
    taken: list[tuple[int, str]] = []
    for kind, ms in steps * 3:
        now_ns += ms // 4 * NS_PER_MS
        ask = {"place": budget.take_place, "cancel": budget.take_cancel, "read": budget.may_read}[kind]
        if ask(now_ns):
            taken.append((now_ns, kind))
            budget.charge(kind == "read")
    for limit in SEVERAL:
        cost = {"place": limit.place, "cancel": limit.cancel, "read": limit.read}
        for start, _ in taken:
            end_ns = start + round(limit.per_s * NS_PER_S)
            assert sum(cost[kind] for at, kind in taken if start <= at < end_ns) <= 0.9 * limit.count


def test_L07_the_limit_that_binds_decides_and_stops_nothing_that_it_does_not_count() -> None:
    budget = RateBudget(SEVERAL, 0.9, 0)
    placed = sum(budget.take_place(0) for _ in range(1_000))
    assert placed == 10, "of a burst of 15 orders, without what is kept"
    assert budget.take_cancel(0)
    assert budget.may_read(0)
    budget.give_back()
    assert not budget.take_place(0), "what came back may have been a cancel, which this limit does not count"


def test_L07_requests_that_cost_more_than_one_get_through_a_small_budget() -> None:
    budget = RateBudget((RateLimit(60, 60, place=6, cancel=6, read=1),), 0.9, 0)
    assert budget.take_place(0)
    assert not budget.take_place(0)
    assert not budget.take_cancel(0)
    assert budget.take_cancel(10 * NS_PER_S)


def test_L07_a_read_of_many_pages_stops_before_it_takes_what_is_kept_for_cancels() -> None:
    budget = RateBudget(SEVERAL, 0.9, 0)
    pages = 0
    while budget.may_request(0):
        budget.charge(1)
        pages += 1
    assert pages == 8, "of a burst of 180, 20 each, 27 are kept"
    assert budget.take_cancel(0)
    assert budget.may_request(10 * NS_PER_S)
