"""reliability.md, row 9: fills of one side that come too fast pause it, stop, freeze or halt."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.risk.config import parse_risk
from services.risk.policies.policy import Action
from services.risk.policies.protection.fill_rate import FillRate, FillRateTable
from shared.clock import NS_PER_S
from shared.errors import BadInput
from shared.messages import Fill, Gap, Side
from tests.risk.desk import ACCOUNT, SYMBOL, Desk, is_nothing
from tests.risk.protection.views import view


def fill(side: Side = Side.BUY, is_target: bool = False) -> Fill:
    return Fill(
        ACCOUNT, SYMBOL, 1, 1, "v", side, 10_000, 1, True, "0", "USDC", None, 1, is_target, 0, 0
    )  # fmt: skip


def after_fills(count: int, is_strict: bool = True, seconds: float = 0, **table: Any) -> FillRate:
    policy = FillRate(FillRateTable(**({"max_fills": 5} | table)), is_strict)
    for number in range(count):
        policy.on_fill(fill(), round(number * seconds * NS_PER_S))
    return policy


@pytest.mark.parametrize(
    ("count", "is_strict", "pauses"), [(5, True, False), (6, True, True), (5, False, True), (4, False, False)]
)
def test_C1_more_fills_than_allowed_pause_their_side_only(count: int, is_strict: bool, pauses: bool) -> None:
    decision = after_fills(count, is_strict).decide(view(0))
    assert (decision.may_buy, decision.may_sell, decision.action) == (not pauses, True, Action.ALLOW)


def test_fills_spread_over_more_than_the_window_are_no_rush() -> None:
    assert after_fills(6, seconds=12).decide(view(0, now_ns=60 * NS_PER_S)).may_buy is False
    assert after_fills(6, seconds=12.1).decide(view(0, now_ns=round(60.5 * NS_PER_S))).may_buy is True


def test_reductions_and_hedges_of_ours_do_not_count() -> None:
    policy = FillRate(FillRateTable(max_fills=1), True)
    for _ in range(9):
        policy.on_fill(fill(is_target=True), 0)
    assert policy.decide(view(0)).is_silent


def test_each_side_has_a_cool_down_of_its_own() -> None:
    policy = FillRate(FillRateTable(max_fills=1, window_s=1, cool_down_s=10), True)
    paused = []
    for second, side in ((0, Side.BUY), (5, Side.SELL), (None, None)):
        for _ in range(2 if side is not None and second is not None else 0):
            policy.on_fill(fill(side or Side.BUY), (second or 0) * NS_PER_S)
        for at in range(second, second + 5) if second is not None else range(10, 25):
            decision = policy.decide(view(0, now_ns=at * NS_PER_S))
            paused.append((at, not decision.may_buy, not decision.may_sell))
    assert [at for at, buys, _ in paused if buys] == list(range(11)), "until 10 s after it was last too many"
    assert [at for at, _, sells in paused if sells] == list(range(5, 16))


def test_through_the_core_a_rush_of_fills_pauses_a_side_and_it_comes_back() -> None:
    desk = Desk(fill_rate={"max_fills": 3, "window_s": 2, "cool_down_s": 3})
    for lots in (1, 2, 3):
        desk.set_position(lots)
    assert desk.may_quote()
    desk.set_position(4)
    assert not desk.permit.may_buy and desk.permit.may_sell, "at once"
    assert desk.permit.decisions == ("pause bids: fill rate: more than 3 fills of buys in 2 s: cool-down",)
    desk.run(4_500)
    assert not desk.permit.may_buy
    desk.run(1_000)
    assert desk.may_quote()


@pytest.mark.parametrize(
    ("action", "expected"), [("stop", Action.STOP), ("freeze", Action.FREEZE), ("halt", Action.HALT)]
)
def test_its_action_is_what_the_table_says(action: str, expected: Action) -> None:
    assert after_fills(6, action=action).decide(view(0)).action is expected
    assert after_fills(5, action=action).decide(view(0)).is_silent
    desk = Desk(fill_rate={"max_fills": 1, "action": action})
    desk.set_position(1)
    desk.set_position(2)
    assert is_nothing(desk.permit) and desk.permit.halted is (action == "halt")


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from(Side)), max_size=30),
    st.integers(1, 10),
    st.sampled_from(["pause", "stop", "freeze", "halt"]),
    st.booleans(),
)
def test_the_window_is_exactly_the_fills_of_it_and_asking_twice_changes_nothing(
    steps: list[tuple[int, Side]], most: int, action: Any, is_strict: bool
) -> None:
    policy = FillRate(FillRateTable(most, 60, action, 0.1), is_strict)
    now_s, fills = 0, []
    for seconds, side in steps:
        now_s += seconds
        policy.on_fill(fill(side), now_s * NS_PER_S)
        fills.append((now_s, side))
        seen = view(0, now_ns=now_s * NS_PER_S)
        decision = policy.decide(seen)
        assert decision == policy.decide(seen)
        counts = [sum(at >= now_s - 60 and of is side for at, of in fills) for side in Side]
        is_over = any(count > most if is_strict else count >= most for count in counts)
        assert decision.is_silent is not is_over


def test_X02_a_bad_value_is_named() -> None:
    with pytest.raises(BadInput, match=r"fill_rate\.max_fills"):
        parse_risk({"fill_rate": {"max_fills": 0}})
    assert msgspec.structs.asdict(FillRateTable())["action"] == "pause"


@pytest.mark.parametrize("action", ["pause", "freeze", "halt"])
@pytest.mark.parametrize("symbol", [SYMBOL, "-"])
def test_fills_that_were_lost_on_the_way_are_not_none_nothing_is_quoted_for_a_window(
    action: str, symbol: str
) -> None:
    desk = Desk(fill_rate={"max_fills": 3, "window_s": 2, "action": action})
    desk.take(desk.core.on_gap(Gap(ACCOUNT, symbol, "Fill"), desk.now_ns))
    assert not desk.permit.may_buy and not desk.permit.may_sell and not desk.permit.halted, "at once"
    assert "fills were lost" in desk.permit.reason
    desk.run(1_750)
    assert not desk.permit.may_buy
    desk.run(500)
    assert desk.may_quote()


def test_a_gap_of_others_or_without_a_limit_changes_nothing() -> None:
    desk = Desk(fill_rate={"max_fills": 3})
    for gap in (Gap("other", SYMBOL, "Fill"), Gap(ACCOUNT, "X", "Fill"), Gap(ACCOUNT, SYMBOL, "OrderUpdate")):
        desk.take(desk.core.on_gap(gap, desk.now_ns))
    desk.run(250)
    assert desk.may_quote()
    plain = Desk()
    plain.take(plain.core.on_gap(Gap(ACCOUNT, SYMBOL, "Fill"), plain.now_ns))
    plain.run(250)
    assert plain.may_quote()
