"""Numbers of several days together: sums add up, ratios are made of sums, unknown stays unknown."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.replay.sweep.numbers import COST, DRAWDOWN, DURATION, KNOWN, NET, Numbers, combined, drawdown
from shared.accounting.watched.paths import Point
from tests.sweep.sweep_files import numbers

UPTIME = "presence.two_sided"


def point(at_ns: int, net: float) -> Point:
    return Point(at_ns, 0, 0, 0, None, None, 0, 0, 0, 0, net, 0, 0, 0, 0, 1, 0, 0)


def test_cost_of_two_days_is_that_of_their_sums_and_not_the_mean() -> None:
    both = combined([numbers(-1.0, volume=10_000), numbers(-9.0, volume=30_000)])
    assert both[COST] == pytest.approx(2.5) and both[NET] == -10 and both["costs.volume"] == 40_000


def test_shares_weigh_by_time_and_markouts_by_fills() -> None:
    parts = [
        numbers(0, **{UPTIME: 1.0, DURATION: 100.0, "markout_1s_bps": 2.0, "markout_1s_fills": 1.0}),
        numbers(0, **{UPTIME: 0.0, DURATION: 300.0, "markout_1s_bps": -2.0, "markout_1s_fills": 3.0}),
        numbers(0, **{UPTIME: 0.25, DURATION: 400.0, "markout_1s_bps": None, "markout_1s_fills": 0.0}),
    ]
    both = combined(parts)
    assert both[UPTIME] == pytest.approx(0.25) and both["markout_1s_bps"] == pytest.approx(-1.0)


def test_a_day_whose_net_is_not_known_makes_the_whole_unknown() -> None:
    both = combined([numbers(1.0), numbers(0, **{NET: None})])
    assert both[NET] is None and both[COST] is None


def test_nothing_traded_has_no_cost() -> None:
    assert combined([numbers(0.0, volume=0.0)])[COST] is None


def test_the_drawdown_is_that_of_the_symbols_together() -> None:
    falls = [point(1, 4.0), point(3, -2.0)]
    assert drawdown([falls]) == 6.0
    assert drawdown([falls, [point(2, 5.0), point(4, 1.0)]]) == 10.0  # 9 at 2, -1 at 4
    assert drawdown([[point(1, -1.0)]]) == 1.0 and drawdown([[]]) == 0.0
    assert combined([numbers(0, **{DRAWDOWN: 1.0}), numbers(0, **{DRAWDOWN: 3.0})])[DRAWDOWN] == 3.0


known = st.floats(0, 1e6, allow_subnormal=False)
part = st.builds(
    lambda values: dict(zip(KNOWN, values, strict=True)),
    st.lists(known | st.none(), min_size=len(KNOWN), max_size=len(KNOWN)),
)


@settings(max_examples=30)
@given(st.lists(part, min_size=1, max_size=3))
def test_any_numbers_can_be_combined_and_every_one_is_there(parts: list[Numbers]) -> None:
    assert combined(parts).keys() == set(KNOWN)
