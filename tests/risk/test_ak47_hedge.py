"""R20, R21, G7, C19: above a threshold a part of the position is traded back, more the larger it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.risk.config import parse_risk
from services.risk.policies.hedging.ak47_hedge import Ak47Hedge, Ak47HedgeTable, hedge_quantity
from shared.errors import BadInput
from tests.risk.desk import ACCOUNT, SYMBOL, Desk
from tests.risk.test_exposure import view


@pytest.mark.parametrize(
    ("q", "q_max", "hedged"),
    [
        (0.5, 1.0, 0.0), (0.51, 1.0, 0.1601), (0.6, 1.0, 0.264), (0.75, 1.0, 0.4875), (0.9, 1.0, 0.774),
        (1.0, 1.0, 1.0), (0.6, 2.0, 0.208), (1.0, 2.0, 0.5333), (0.75, 0.8, 0.6625), (5.0, 1.0, 5.0),
    ],
)  # fmt: skip
def test_G7_R20_the_hedge_of_a_position_above_the_threshold(q: float, q_max: float, hedged: float) -> None:
    assert hedge_quantity(q, 0.5, q_max) == pytest.approx(hedged, abs=5e-5)
    assert hedge_quantity(-q, 0.5, q_max) == hedge_quantity(q, 0.5, q_max)


def test_G7_R21_thresholds_follow_from_the_base_order_and_the_price() -> None:
    assert Ak47HedgeTable(base_order_usd=100).levels(1_000.0) == (0.5, 1.0)


def test_R21_C19_explicit_values_go_before_automatic_ones() -> None:
    assert Ak47HedgeTable(threshold=0.7).levels(1_000.0) == (0.7, 1.4)
    assert Ak47HedgeTable(threshold=0.7, q_max=3.0).levels(1.0) == (0.7, 3.0)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(("lots", "left"), [(50, None), (60, 34), (75, 27), (100, 0)])
def test_R20_the_target_is_nearer_to_zero_and_reduce_only(side: int, lots: int, left: int | None) -> None:
    """Lots of 0.01: the vectors of G7 in lots, what is traded rounded down."""
    decision = Ak47Hedge(Ak47HedgeTable(threshold=0.5, q_max=1.0)).decide(view(side * lots))
    assert (decision.target is None) is (left is None)
    if decision.target is not None and left is not None:
        assert (decision.target.minimum, decision.target.maximum) == ((0, left) if side > 0 else (-left, 0))
        assert not decision.target.may_open
        assert decision.may_buy and decision.may_sell, "quoting goes on"


def test_E07_the_full_mode_trades_all_of_it_back() -> None:
    policy = Ak47Hedge(Ak47HedgeTable(mode="full", threshold=0.5))
    target = policy.decide(view(60)).target
    assert target is not None and (target.minimum, target.maximum) == (0, 0)
    assert policy.decide(view(50)).is_silent


def test_R20_too_little_for_the_venue_is_raised_to_the_least_it_takes() -> None:
    policy = Ak47Hedge(Ak47HedgeTable(threshold=0.5, q_max=1.0))
    target = policy.decide(view(51, min_quantity="0.3")).target
    assert target is not None and target.maximum == 21
    target = policy.decide(view(51, min_notional="40")).target
    assert target is not None and target.maximum == 11
    assert policy.decide(view(51, min_quantity="0.6")).is_silent, "the whole position is less"


def test_R20_risk_asks_for_it_once_per_position_and_goes_on_quoting() -> None:
    desk = Desk(max_position_share=1.0, ak47_hedge={"threshold": 0.5, "q_max": 1.0})
    desk.set_position(50)
    assert desk.target is None
    desk.set_position(60)
    assert desk.target is not None and (desk.target.minimum, desk.target.maximum) == (0, 34)
    assert desk.target.position_seq == desk.core.watch(ACCOUNT, SYMBOL).position.position_seq  # type: ignore[union-attr]
    assert desk.target.style == "ioc" and not desk.target.may_open and desk.may_quote()
    desk.set_position(34)
    assert desk.target is None


@pytest.mark.parametrize(
    ("config", "line"),
    [({"q_max": 1.0}, "needs a threshold"), ({"threshold": 1.0, "q_max": 1.0}, "must be above threshold 1")],
)
def test_R21_contradictions_are_one_clear_line(config: dict[str, Any], line: str) -> None:
    with pytest.raises(BadInput, match=line):
        parse_risk({"ak47_hedge": config})


LOTS = st.integers(-100_000, 100_000)
LEVEL = st.floats(0.01, 1_000)


@given(LOTS, LEVEL, st.floats(1.01, 10), st.sampled_from(["partial", "full"]), st.floats(0.01, 1e5))
def test_R19_R20_it_never_opens_or_flips_and_ends_inside(
    lots: int, threshold: float, times: float, mode: Any, price: float
) -> None:
    policy = Ak47Hedge(Ak47HedgeTable(mode=mode, threshold=threshold, q_max=threshold * times))
    for _ in range(200):
        decision = policy.decide(view(lots, price))
        assert policy.decide(view(lots, price)) == decision
        if decision.target is None:
            break
        after = decision.target.maximum if lots > 0 else decision.target.minimum
        assert abs(after) < abs(lots) and after * lots >= 0
        lots = after
    assert abs(lots) * 0.01 <= threshold * 1.001 or abs(lots) < 1, "then it wants nothing"


@given(LEVEL, LEVEL, LEVEL, LEVEL)
def test_R20_a_larger_position_is_never_hedged_less(
    one: float, other: float, thr: float, q_max: float
) -> None:
    low, high = sorted((one, other))
    assert hedge_quantity(low, thr, q_max) <= hedge_quantity(high, thr, q_max) <= high
