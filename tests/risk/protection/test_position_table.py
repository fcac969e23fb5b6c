"""R03 to R08, G1, G2, C5 to C7: how far a position may be from its target, and how it comes back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.risk.config import parse_risk
from services.risk.policies.policy import Action, Range
from services.risk.policies.protection.position_table import PositionLimits, PositionTable
from shared.errors import BadInput
from tests.risk.desk import Desk, is_nothing
from tests.risk.protection.views import after, settle, sides, view

# a lot is 0.01 base units
MODES: tuple[Any, ...] = ("reduce_to_max", "reduce_to_threshold", "flatten_to_target")


def limits(**table: Any) -> PositionLimits:
    return PositionLimits(PositionTable(**({"target": 0, "threshold": 0.2, "max": 0.4} | table)))


def first_trade(position: int, **table: Any) -> int:
    """Return the lots that the first evaluation trades, signed."""
    return after(limits(**table).decide(view(position)).target, position) - position


@pytest.mark.parametrize(
    ("position", "trade"),
    [(10, 0), (20, 0), (25, -5), (40, -20), (41, -1), (50, -10), (-50, 10), (-25, 5), (-20, 0)],
)
def test_G1_the_position_rule_of_two_steps(position: int, trade: int) -> None:
    assert first_trade(position) == trade


def test_G1_the_sequence_from_a_half_ends_at_the_threshold() -> None:
    assert settle(limits(), 50) == [-10, -20, 0]
    assert settle(limits(), -50) == [10, 20, 0]


def test_R04_only_the_part_beyond_target_and_threshold_is_traded_reduce_only() -> None:
    decision = limits(target=0.1, threshold=0.1).decide(view(25))
    assert decision.target == Range(0, 20, may_open=False)
    assert decision.action is Action.ALLOW, "the side that brings it back goes on quoting"
    assert limits(target=0.1, threshold=0.1).decide(view(20)).target is None


def test_R05_C5_above_max_the_hard_cut_at_once_then_the_soft_excess_within_a_second() -> None:
    desk = Desk(position_table={"threshold": 0.2, "max": 0.4})
    desk.set_position(50)
    assert desk.target is not None and (desk.target.minimum, desk.target.maximum) == (0, 40)
    assert desk.permit.reduce_only and not desk.permit.may_buy and desk.permit.may_sell
    began_ns = desk.now_ns
    desk.set_position(40)  # the cut is filled: the changed position is the next evaluation
    assert desk.target is not None and (desk.target.minimum, desk.target.maximum) == (0, 20)
    assert desk.now_ns - began_ns < 1e9
    desk.set_position(20)
    assert desk.target is None


def test_R05_the_position_must_be_above_max_not_at_it() -> None:
    assert limits().decide(view(40)).action is Action.ALLOW
    assert limits().decide(view(41)).action is Action.REDUCE_ONLY


def test_R06_C6_flatten_to_target_fires_at_max_stops_quoting_and_goes_to_the_target() -> None:
    desk = Desk(position_table={"mode": "flatten_to_target", "target": 0.1, "threshold": 0.1, "max": 0.4})
    desk.set_position(39)
    assert desk.target is None and desk.permit.may_sell and not desk.permit.may_buy
    desk.set_position(40)
    assert is_nothing(desk.permit)
    assert desk.target is not None and (desk.target.minimum, desk.target.maximum) == (0, 10)
    assert not desk.target.may_open
    desk.set_position(10)
    desk.run(250)
    assert desk.target is None and desk.may_quote()


def test_C6_reduce_to_threshold_takes_both_steps_in_one() -> None:
    assert settle(limits(mode="reduce_to_threshold"), 50) == [-30, 0]
    assert settle(limits(mode="reduce_to_threshold"), 41) == [-21, 0]


def test_C7_the_default_target_is_flat() -> None:
    assert PositionTable().target == 0.0 and PositionTable().mode == "reduce_to_max"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("position", "both"), [(20, (True, True)), (21, (False, True)), (-20, (True, True)), (-21, (True, False))]
)
def test_G2_R03_the_adding_side_pauses_beyond_the_threshold_and_not_at_it(
    mode: str, position: int, both: tuple[bool, bool]
) -> None:
    assert sides(limits(mode=mode), position) == both


@pytest.mark.parametrize("position", [40, -40, 45])
def test_G2_at_max_it_is_flattened(position: int) -> None:
    policy = limits(mode="flatten_to_target")
    assert sides(policy, position) == (False, False)
    assert settle(policy, position) == [-position, 0]


def test_R08_a_position_below_the_target_is_not_brought_up_to_it() -> None:
    for mode in MODES:
        policy = limits(mode=mode, target=0.3, threshold=0.1)
        assert [policy.decide(view(lots)).target for lots in (0, 5, -5, 29)] == [None] * 4


def test_quotes_alone_never_lead_beyond_max() -> None:
    desk = Desk(position_table={"threshold": 0.2, "max": 0.4})
    desk.run(250)
    assert (desk.permit.max_long, desk.permit.max_short) == (40, 40), "20 % of the equity would be 200"


def test_an_excess_that_the_venue_would_refuse_is_traded_with_the_rest_or_left_to_quotes() -> None:
    assert settle(limits(), 45, min_quantity="0.10") == [-25, 0], "5 to max is too small: both at once"
    assert settle(limits(), 25, min_quantity="0.10") == [0]
    assert settle(limits(), 25, min_notional="6") == [0]
    assert settle(limits(), 25, min_notional="5") == [-5, 0]
    assert settle(limits(), 25, min_notional="6", reduce_only_is_exempt=True) == [-5, 0]
    stuck = limits(mode="flatten_to_target", target=0.39, threshold=0.01).decide(view(40, min_quantity="0.1"))
    assert stuck.action is Action.REDUCE_ONLY and stuck.target is None, "quotes may still bring it back"


sizes = st.integers(0, 60).map(lambda lots: lots / 100)


@st.composite
def tables(draw: st.DrawFn) -> PositionLimits:
    target, threshold = draw(sizes), draw(sizes)
    above = draw(st.integers(0 if target or threshold else 1, 60)) / 100
    return PositionLimits(
        PositionTable(draw(st.sampled_from(MODES)), target, threshold, round(target + threshold + above, 2))
    )


@settings(max_examples=150)
@given(tables(), st.integers(-250, 250), st.integers(1, 30), st.integers(0, 40))
def test_R07_R08_reductions_never_open_and_are_monotone_over_the_evaluations_of_a_second(
    policy: PositionLimits, position: int, least: int, step: int
) -> None:
    rules = {"min_quantity": f"{least / 100:.2f}"}
    seen = view(position, **rules)
    decision = policy.decide(seen)
    assert decision == policy.decide(seen), "idempotent"
    if decision.target is not None:
        low, high = sorted((0, position))
        assert low <= decision.target.minimum <= decision.target.maximum <= high
        assert not decision.target.may_open and decision.target.distance(position) >= least
    larger = position + step if position >= 0 else position - step
    reduced, more = (abs(sum(settle(policy, lots, **rules))) for lots in (position, larger))
    assert more >= reduced, "a larger position never ends with less reduction"


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ({"target": 2}, "risk.position_table: target 2 must not be above max 1"),
        ({"target": 0.95, "threshold": 0.1}, "target 0.95 + threshold 0.1 must not be above max 1"),
        ({"max": 0}, "position_table.max"),
        ({"threshold": -0.1}, "position_table.threshold"),
        ({"mode": "reduce"}, "position_table.mode"),
        ({"maximum": 1}, "did you mean 'max'?"),
    ],
)
def test_X02_contradictions_and_bad_values_are_named(table: dict[str, Any], line: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_risk({"position_table": table})
    assert line in str(refused.value)


def test_a_symbols_own_table_changes_single_values_of_the_general_one() -> None:
    raw = {"position_table": {"threshold": 0.3, "max": 2}, "symbols": {"SOL": {"position_table": {"max": 5}}}}
    config = parse_risk(raw)
    assert config.tables_of("SOL").position_table == PositionTable(threshold=0.3, max=5)
    assert config.tables_of("BTC").position_table == PositionTable(threshold=0.3, max=2)
    assert parse_risk({"symbols": {"SOL": {"position_table": {}}}}).tables_of("BTC").position_table is None
    with pytest.raises(BadInput, match=r"risk\.symbols\.SOL\.position_table: target 1 \+ threshold 0\.3"):
        parse_risk({**raw, "symbols": {"SOL": {"position_table": {"target": 1, "max": 1.2}}}})


@pytest.mark.parametrize("mode", MODES)
def test_sizes_of_a_contract_that_is_many_coins_are_in_coins(mode: str) -> None:
    """A contract of 10 coins, lots of 0.01 contracts: 0.4 coins are 4 lots."""
    policy, rules = limits(mode=mode), {"contract_multiplier": "10"}
    assert policy.decide(view(2, **rules)).bound == 4
    assert policy.decide(view(2, **rules)).is_silent is False and policy.decide(view(2, **rules)).may_buy
    beyond = policy.decide(view(5, **rules))
    assert beyond.target is not None and beyond.action is not Action.ALLOW
    assert beyond.reason == "position 0.5 is over max 0.4"
    at_max = policy.decide(view(4, **rules))
    assert (at_max.action is Action.STOP) is (mode == "flatten_to_target")


def test_R04_quotes_never_lead_beyond_max_while_the_soft_excess_is_traded_back() -> None:
    desk = Desk(position_table={"threshold": 0.2, "max": 0.4})
    desk.set_position(30)
    desk.run(250)
    assert desk.has_target() and not desk.permit.reduce_only
    assert (desk.permit.max_long, desk.permit.max_short) == (40, 40)
