"""G3: the lean of the earlier bots, as it was coded, behind an option with a cap (ruling C9)."""

from __future__ import annotations

from typing import Any

import pytest

from services.quoter.strategies.base import MarketView
from services.quoter.strategies.two_sided import Params, Plan, leaning, plan
from services.quoter.strategies.two_sided import prices as prices_of
from tests.quoter.builders import instrument, view

G3 = [(3, 99.4257, 99.7743), (20, 97.163, 97.5037), (100, 86.515, 86.8183), (300, 59.895, 60.105)]


def legacy_view(net: int) -> MarketView:
    """Mid 100 in ticks of 0.0001, so that rounding hides nothing."""
    return view(instrument=instrument(tick_size="0.0001"), bid=999_999, ask=1_000_001, position=net)


def legacy_plan(**params: Any) -> Plan:
    values = {"quantity": 0.01, "spread_pct": 0.35, "skew": 0.4, "max_position": 3.0} | params
    return plan(Params(**values), instrument(tick_size="0.0001"))


@pytest.mark.parametrize(("net", "bid", "ask"), G3)
def test_R02_G3_the_legacy_option_leans_by_a_share_of_the_price_as_it_was_coded(
    net: int, bid: float, ask: float
) -> None:
    got = leaning(legacy_view(net), legacy_plan(legacy_price_skew_cap_pct=40))
    assert [ticks / 10_000 for ticks in got] == pytest.approx(
        [bid, ask], abs=1.01e-4
    )  # a tick, rounded outwards
    mirrored = leaning(legacy_view(-net), legacy_plan(legacy_price_skew_cap_pct=40))
    assert mirrored[0] > 1_000_000 and mirrored[1] > mirrored[0]


@pytest.mark.parametrize("net", [-300, -100, 100, 300])
def test_R02_C9_the_legacy_option_leans_at_most_by_its_cap_and_never_crosses(net: int) -> None:
    capped = legacy_plan(legacy_price_skew_cap_pct=0.5)
    centre = sum(leaning(legacy_view(net), capped)) / 2
    assert centre == pytest.approx(1_000_000 * (1 - 0.005 * (1 if net > 0 else -1)), abs=1)
    bid, ask = prices_of(legacy_view(net), capped)
    assert bid < 1_000_001 and ask > 999_999 and bid < ask


@pytest.mark.parametrize("net", [3, 20, 100, 300])
def test_R02_C9_without_the_legacy_option_the_lean_stays_within_a_half_spread(net: int) -> None:
    bid, ask = leaning(legacy_view(net), legacy_plan())
    assert 1_000_000 - 2 * 1_750 - 1 <= bid < 1_000_000 <= ask


def test_X02_the_legacy_option_without_a_skew_says_nothing_and_is_refused() -> None:
    assert (
        "legacy_price_skew_cap_pct 5 bounds skew" in Params(quantity=1, legacy_price_skew_cap_pct=5).problem()
    )
