"""E03, the hedge of maker_hedge: every fill is traded back, three tries, rests carried, silence, again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.execution.sending.targets import distance
from services.risk.config import parse_risk
from services.risk.policies.fill_hedge import FillHedge, FillHedgeTable, least, tolerance
from services.risk.policies.policy import ALLOW, Action, Decision, View
from shared.clock import NS_PER_MS, NS_PER_S
from shared.errors import BadInput
from shared.instrument import Instrument
from shared.messages import Position, Side, Target, Top
from tests.execution.world import bid, ready
from tests.risk.desk import ACCOUNT, SYMBOL, VENUE, Desk, info

TOP = Top(VENUE, SYMBOL, 9_999, 5, 10_001, 5, 1, 0, 0, 0, 0)


def view(position: int, seq: int = 1, now_ns: int = 0, **rules: Any) -> View:
    """A lot of 0.01 at 100: one quote unit."""
    instrument = Instrument.from_info(info(**rules))
    held = Position(ACCOUNT, SYMBOL, position, 100.0, True, seq, 0)
    return View(
        now_ns, instrument, TOP, held, 100.0, float(position), 1e6, 1e6, abs(position), 1e6, "", True
    )  # fmt: skip


def hedge(**config: Any) -> FillHedge:
    return FillHedge(FillHedgeTable(**config))


def bounds(decision: Decision) -> tuple[int, int, bool] | None:
    target = decision.target
    return None if target is None else (target.minimum, target.maximum, target.may_open)


@pytest.mark.parametrize("lots", [7, -7])
def test_E03_a_fill_is_traded_back_at_once_reduce_only(lots: int) -> None:
    desk = Desk(fill_hedge={})
    assert desk.target is None
    desk.set_position(lots)  # the same moment, not the next timer
    assert desk.target is not None
    assert (desk.target.minimum, desk.target.maximum, desk.target.may_open) == (0, 0, False)
    assert (desk.target.style, desk.target.max_slice) == ("ioc", 7)
    assert desk.may_quote(), "quoting goes on"
    desk.set_position(0)
    assert desk.target is None


def test_E03_partial_fills_are_hedged_by_what_is_left_not_by_what_was_filled() -> None:
    desk = Desk(fill_hedge={})
    desk.set_position(3)
    desk.set_position(10)
    desk.set_position(4)  # six were traded back
    assert desk.target is not None and desk.target.max_slice == 4


def test_E03_only_symbols_that_are_named_are_traded_back() -> None:
    desk = Desk(SYMBOL, "BTC_USDC_PERP", symbols={"BTC_USDC_PERP": {"fill_hedge": {}}})
    desk.set_position(50)
    assert desk.target is None


def test_E03_three_tries_then_silence_in_which_nothing_is_added_then_again() -> None:
    desk = Desk(fill_hedge={})
    desk.set_position(7)
    targets = _targets_over(desk, 1_250)  # 3 x 0.45 s
    assert {target.reason[-10:] for target in targets} == {"try 1 of 3", "try 2 of 3", "try 3 of 3"}
    desk.run(250)
    assert desk.target is None
    assert (desk.permit.may_buy, desk.permit.may_sell) == (False, True)
    assert desk.permit.reason == "0.07 could not be traded back in 3 tries: again within 60 s"
    assert _targets_over(desk, 58_000) == []
    assert [target.reason[-10:] for target in _targets_over(desk, 2_000)][:1] == ["try 1 of 3"]
    assert desk.may_quote()


def test_E03_a_change_of_the_position_begins_the_tries_anew() -> None:
    policy = hedge()
    for at_ns in range(0, 3 * NS_PER_S, 450 * NS_PER_MS):
        policy.decide(view(7, now_ns=at_ns))
    assert policy.decide(view(7, now_ns=3 * NS_PER_S)).target is None
    decision = policy.decide(view(5, seq=2, now_ns=3 * NS_PER_S))
    assert bounds(decision) == (0, 0, False)
    assert "trading back 0.05, try 1 of 3" in decision.reason


def test_E03_tries_are_paced() -> None:
    policy = hedge(pace_s=0.45)
    reasons = [policy.decide(view(7, now_ns=ms * NS_PER_MS)).reason for ms in (0, 100, 449, 450, 899, 900)]
    assert [reason[-6] for reason in reasons] == ["1", "1", "1", "2", "2", "3"]


def test_E03_what_is_below_the_minimum_is_carried_until_more_comes() -> None:
    policy = hedge()
    rules = {"min_quantity": "0.05"}
    assert policy.decide(view(4, **rules)) is ALLOW
    assert bounds(policy.decide(view(5, seq=2, **rules))) == (0, 0, False)
    money = {"min_notional": "10"}
    assert policy.decide(view(9, seq=3, **money)) is ALLOW
    assert bounds(policy.decide(view(10, seq=4, **money))) == (0, 0, False)
    assert bounds(policy.decide(view(9, seq=5, **money, reduce_only_is_exempt=True))) == (0, 0, False)


def test_E03_tolerance_is_a_tenth_of_the_least_order_and_never_less_than_1e_8() -> None:
    assert tolerance(Instrument.from_info(info(min_quantity="0.5"))) == 5
    tiny = info(lot_size="0.000000001", min_quantity="0.000000001")
    assert tolerance(Instrument.from_info(tiny)) == 10


@pytest.mark.parametrize(
    ("reference", "position", "expected"),
    [
        (0.1, 15, (10, 10, False)),  # too much is held: towards zero
        (0.1, 5, (10, 10, True)),  # too little: only buying brings it back
        (0.1, -5, (10, 10, True)),
        (-0.1, -15, (-10, -10, False)),
        (-0.1, -5, (-10, -10, True)),
        (0.1, 10, None),
    ],
)
def test_E03_fills_are_traded_back_to_the_reference(
    reference: float, position: int, expected: tuple[int, int, bool] | None
) -> None:
    assert bounds(hedge(reference=reference).decide(view(position))) == expected


def test_E03_an_unknown_position_is_neither_hedged_nor_taken_for_zero() -> None:
    desk = Desk(symbols={SYMBOL: {"fill_hedge": {"reference": 0.1}}})
    desk.set_position(0, is_known=False)
    desk.run(1_000)
    assert desk.target is None and not desk.may_quote()


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ({"max_tries": 0}, "risk: fill_hedge.max_tries: Expected `int` >= 1, was 0"),
        ({"pace": 1}, "did you mean 'pace_s'?"),
    ],
)
def test_X02_what_cannot_be_is_refused_naming_the_key(table: dict[str, Any], text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_risk({"fill_hedge": table})
    assert text in str(caught.value)


@settings(max_examples=150)
@given(
    st.integers(-50, 50),
    st.sampled_from(("0.01", "0.04")),
    st.sampled_from((None, "5")),
    st.lists(st.tuples(st.integers(-30, 30), st.integers(0, 40), st.integers(1, 900)), max_size=25),
)
def test_hedging_never_leads_away_from_the_reference_nor_through_it_and_ends_there(
    reference: int, smallest: str, value: str | None, events: list[tuple[int, int, int]]
) -> None:
    """Any fills, slices that trade any part, any times; execution's own rule for the distance."""
    policy = hedge(reference=reference / 100, max_tries=4)
    rules = {"min_quantity": smallest, "min_notional": value}
    position, seq, now_ns = reference, 1, 0
    for fill, traded, wait_ms in [*events, *[(0, 1_000, 450)] * 4]:
        if fill:
            position, seq = position + fill, seq + 1
        now_ns += wait_ms * NS_PER_MS
        seen = view(position, seq, now_ns, **rules)
        decision = policy.decide(seen)
        assert policy.decide(seen) == decision, "asking twice changes nothing"
        assert decision.action is Action.ALLOW
        if decision.target is None:
            if not decision.may_buy or not decision.may_sell:
                assert decision.may_buy is (position < reference) and decision.may_sell is (
                    position > reference
                )
            continue
        lots = distance(_message(decision), position, decision.target.may_open)
        assert (lots > 0) is (position < reference) and abs(lots) <= abs(position - reference)
        if traded := min(traded, abs(lots)):
            position, seq = position + (traded if lots > 0 else -traded), seq + 1
    assert abs(position - reference) < least(view(position, **rules), reference) or policy_is_silent(decision)


def policy_is_silent(decision: Decision) -> bool:
    return "could not be traded back" in decision.reason


def _message(decision: Decision) -> Target:
    wanted = decision.target
    assert wanted is not None
    return Target(
        ACCOUNT, SYMBOL, wanted.minimum, wanted.maximum, "ioc", None, 10**9, wanted.may_open, 1, 10**18, ""
    )


def _targets_over(desk: Desk, milliseconds: int) -> list[Target]:
    first = len(desk.told)
    desk.run(milliseconds)
    return [told for told in desk.told[first:] if isinstance(told, Target) and told.style == "ioc"]


def test_E03_a_maker_fill_is_traded_back_exactly_once_while_the_target_stands() -> None:
    world = ready()
    world.quote(bid(9_990, 10))
    world.settle()
    world.fill(world.ours()[0], 7)
    world.settle()
    decision = hedge().decide(view(world.position, world.core.desk.symbols[SYMBOL].position_seq))
    assert decision.target is not None
    world.target(decision.target.minimum, decision.target.maximum)
    world.run(1_000)  # execution paces slices at 100 ms: the position says when it is enough
    assert world.position == 0
    assert [(fill.side, fill.is_maker, fill.quantity * 100) for fill in world.fills] == [
        (Side.BUY, True, 7),
        (Side.SELL, False, 7),
    ]


def test_E03_the_reference_of_a_contract_that_is_many_coins_is_in_coins() -> None:
    policy = hedge(reference=0.4)
    assert bounds(policy.decide(view(6, contract_multiplier="10"))) == (4, 4, False)


@pytest.mark.parametrize(("position", "expected"), [(10, None), (11, (0, 0, False))])
def test_E03_a_rest_of_up_to_1e_8_base_units_counts_as_hedged_where_lots_are_smaller(
    position: int, expected: tuple[int, int, bool] | None
) -> None:
    rules = {"lot_size": "0.000000001", "min_quantity": "0.000000001"}
    assert bounds(hedge().decide(view(position, **rules))) == expected
