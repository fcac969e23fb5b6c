"""Paths stay short however long the session, and lose no extreme."""

from __future__ import annotations

import itertools
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.accounting.watched.paths import YEAR_S, FillMark, FillMarks, Path, Point
from shared.messages import Side
from tests.accounting.scene import MS, S, fill, stats, top


def point(at_ns: int, mid: float, position: float = 0.0) -> Point:
    nothing = (0.0,) * 5  # made of any part
    return Point(at_ns, mid, mid, mid, None, None, *(position,) * 3, *nothing, 2.0, 1, 1e-8, S)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(1, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=200))
def test_a_path_is_bounded_and_keeps_its_extremes_ends_and_sums(values: list[tuple[float, float]]) -> None:
    path = Path(most_points=16)
    for at, (mid, position) in enumerate(values):
        path.add(point(at, mid, position))
        assert len(path.points()) <= 16
    points = path.points()
    assert max(p.mid_high for p in points) == max(mid for mid, _ in values)
    assert min(p.mid_low for p in points) == min(mid for mid, _ in values)
    assert max(p.position_high for p in points) == max(position for _, position in values)
    assert min(p.position_low for p in points) == min(position for _, position in values)
    assert (points[-1].at_ns, points[-1].mid) == (len(values) - 1, values[-1][0])
    assert sum(p.weight for p in points) == len(values)
    assert sum(p.returns_ns for p in points) == len(values) * S
    assert [p.at_ns for p in points] == sorted(p.at_ns for p in points)


def test_the_volatility_of_a_stretch_is_annualised_by_its_time() -> None:
    joined = point(1, 100.0).joined(point(2, 100.0))
    assert joined.volatility_pct is not None
    assert math.isclose(joined.volatility_pct, math.sqrt(1e-8 * YEAR_S) * 100)


def test_fill_marks_are_thinned_out_evenly() -> None:
    marks = FillMarks(most=8)
    for at in range(1_000):
        marks.add(FillMark(at, 100, 1, True))
        assert len(marks.marks()) < 8
    times = [mark.at_ns for mark in marks.marks()]
    assert marks.seen == 1_000
    assert len({later - earlier for earlier, later in itertools.pairwise(times)}) == 1


def test_a_move_between_two_looks_is_in_the_path() -> None:
    session = stats()
    session.on_top(top(9_999, 10_001), 0)
    session.on_top(top(10_099, 10_101), 10 * MS)
    session.on_top(top(9_899, 9_901), 20 * MS)
    session.on_fill(fill(Side.BUY, 10_000, 30, after=30), 21 * MS)
    session.on_fill(fill(Side.SELL, 10_000, 30), 22 * MS)
    session.on_top(top(9_999, 10_001), 30 * MS)
    session.on_top(top(9_999, 10_001), 5 * S)
    first, *_ = session.report().path
    assert (first.mid, first.mid_low, first.mid_high) == (10_000, 9_900, 10_100)
    assert (first.position, first.position_low, first.position_high) == (0.0, 0.0, 3.0)


def test_a_quiet_day_is_a_single_look_and_not_as_many_as_would_have_been() -> None:
    session = stats()
    session.on_top(top(9_999, 10_001), 0)
    session.on_top(top(9_999, 10_001), 86_400 * S)
    points = session.report().path
    assert [p.at_ns for p in points] == [86_400 * S]


def test_nothing_of_a_session_grows_with_its_length() -> None:
    session = stats()
    for at in range(30_000):
        session.on_top(top(10_000 + at % 3, 10_002 + at % 3), at * S)
        if at % 10 == 0:
            side = Side.BUY if at % 20 == 0 else Side.SELL
            session.on_fill(fill(side, 10_000, 5), at * S)
    report = session.report()
    assert len(report.path) <= 2_000
    assert len(report.fill_marks) <= 2_000
    assert report.activity.fills == 3_000
