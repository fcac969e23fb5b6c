"""R25 to R30: what the two hedges want together, and what of it is traded in the leg."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.risk.config import parse_risk
from services.risk.hedging import check_accounts, members
from services.risk.policies.hedging.active_hedge import ActiveTable
from services.risk.policies.hedging.hedge_leg import HedgeLeg, HedgeTable, HedgeView, combined
from services.risk.policies.hedging.passive_hedge import PassiveTable
from services.risk.policies.policy import Range
from shared.clock import NS_PER_S
from shared.errors import BadInput
from tests.risk.test_exposure import view as leg_view

# lots of 0.01 at 100: a lot of the leg is worth one quote unit
ACTIVE = HedgeTable("spot", "perp", "SOL_USDC_PERP", active=ActiveTable())
BOTH = HedgeTable("spot", "perp", "SOL_USDC_PERP", active=ActiveTable(), passive=PassiveTable())


def seen(base_usd: float, leg: int = 0, price: float = 100.0, room: float = 1e9, **changes: Any) -> HedgeView:
    """Return a view of so much base beside quote units for a total of 1000, and a leg of so many lots."""
    return HedgeView(base_usd / price, price, 1_000.0, leg_view(leg, price, **changes), room, room)


def entered(view: HedgeView, price: float) -> HedgeView:
    """Return the view with the leg entered at a price."""
    position = msgspec.structs.replace(view.leg.position, entry_price=price)
    return replace(view, leg=replace(view.leg, position=position))


def wanted(policy: HedgeLeg, view: HedgeView) -> Range | None:
    decision = policy.decide(view)
    assert policy.decide(view) == decision, "asking twice changes nothing"
    return decision.target


def test_R25_the_excess_over_the_band_is_held_against_by_a_maker_first() -> None:
    assert wanted(HedgeLeg("SOL", ACTIVE), seen(825.0)) is None
    assert wanted(HedgeLeg("SOL", ACTIVE), seen(900.0)) == Range(-75, -75, True, "maker")
    assert wanted(HedgeLeg("SOL", ACTIVE), seen(100.0)) == Range(75, 75, True, "maker")


def test_R26_it_is_closed_reduce_only_when_the_move_is_back_inside() -> None:
    policy = HedgeLeg("SOL", ACTIVE)
    policy.decide(seen(900.0))
    assert wanted(policy, seen(900.0, -75)) is None, "it holds what it should: nothing is hedged again"
    assert wanted(policy, seen(800.0, -75)) == Range(0, 0, False, "maker")
    assert wanted(policy, seen(800.0, 0)) is None


def test_R26_a_hedge_of_an_earlier_life_is_closed_too() -> None:
    assert wanted(HedgeLeg("SOL", ACTIVE), seen(500.0, -75)) == Range(0, 0, False, "maker")


def test_R25_a_change_too_small_to_be_worth_it_is_not_traded() -> None:
    policy = HedgeLeg("SOL", ACTIVE)
    assert wanted(policy, seen(829.9)) is None
    assert wanted(policy, seen(830.0)) == Range(-5, -5, True, "maker")
    assert wanted(policy, seen(834.9, -5)) is None
    assert wanted(policy, seen(835.0, -5)) == Range(-10, -10, True, "maker")


def test_R27_what_is_left_of_a_hedge_is_traded_however_small() -> None:
    policy = HedgeLeg("SOL", ACTIVE)
    policy.decide(seen(900.0))
    assert wanted(policy, seen(900.0, -74)) == Range(-75, -75, True, "maker")


@pytest.mark.parametrize(("rules", "lots"), [({"min_quantity": "0.1"}, 10), ({"min_notional": "12"}, 12)])
def test_R29_what_the_venue_does_not_take_is_the_same(rules: dict[str, Any], lots: int) -> None:
    policy = HedgeLeg("SOL", ACTIVE)
    assert wanted(policy, seen(825.0 + lots - 1, **rules)) is None
    assert wanted(policy, seen(825.0 + lots, **rules)) is not None
    assert wanted(policy, seen(825.0 + lots, -1, **rules)) is None, "the rest could not be sent"


def test_R26_dust_that_only_a_reduction_may_trade_is_closed() -> None:
    rules: dict[str, Any] = {"min_notional": "12"}
    assert wanted(HedgeLeg("SOL", ACTIVE), seen(500.0, -3, **rules)) is None
    exempt = seen(500.0, -3, **rules)
    exempt = replace(
        exempt, leg=replace(exempt.leg, instrument=replace(exempt.leg.instrument, reduce_only_is_exempt=True))
    )
    assert wanted(HedgeLeg("SOL", ACTIVE), exempt) == Range(0, 0, False, "maker")


def test_L05_the_leg_grows_to_its_room_only_and_is_not_cut_for_it() -> None:
    assert wanted(HedgeLeg("SOL", ACTIVE), seen(900.0, room=50.0)) == Range(-50, -50, True, "maker")
    assert wanted(HedgeLeg("SOL", ACTIVE), seen(900.0, -60, room=50.0)) is None
    one_sided = replace(seen(900.0), room_short_usd=0.0)
    assert wanted(HedgeLeg("SOL", ACTIVE), one_sided) is None


def test_R28_a_trigger_is_taken_at_once_and_stopped_out_at_once() -> None:
    policy = HedgeLeg("SOL", HedgeTable("spot", "perp", "X", passive=PassiveTable()))
    assert wanted(policy, seen(500.0)) is None
    assert wanted(policy, seen(490.0, price=97.0)) == Range(-250, -250, True, "ioc")
    assert wanted(policy, entered(seen(490.0, -250, price=97.0), 96.9)) is None
    assert wanted(policy, entered(seen(490.0, -250, price=97.19), 96.9)) is None
    assert wanted(policy, entered(seen(490.0, -250, price=97.2), 96.9)) == Range(0, 0, False, "ioc")


def test_R26_R28_one_hedge_serves_the_other_and_the_active_one_rules() -> None:
    assert combined(-3.0, -5.0) == combined(-5.0, -3.0) == -5.0
    assert combined(0.0, 2.0) == combined(2.0, 0.0) == 2.0
    assert combined(-1.0, 4.0) == -1.0
    policy = HedgeLeg("SOL", BOTH)
    assert wanted(policy, seen(840.0)) == Range(-15, -15, True, "maker")
    assert wanted(policy, seen(830.0, -15, price=97.0)) == Range(-420, -420, True, "ioc")
    assert wanted(policy, entered(seen(835.0, -420, price=97.5), 97.0)) == Range(-10, -10, False, "maker")


LEG = {"account": "a", "leg_account": "b", "leg_symbol": "P"}


@pytest.mark.parametrize(
    ("hedges", "line"),
    [
        ({"SOL": {}}, "missing required field"),
        ({"SOL": LEG}, "would hedge nothing"),
        (
            {"SOL": LEG | {"initial_share": 0.005, "active": {}}},
            "initial_share 0.005 must be 0 or at least 0.01",
        ),
        ({"SOL": LEG | {"passive": {"recentre_pct": 3}}}, "recentre_pct 3 must be below trigger_pct 2.25"),
        ({"P": LEG | {"account": "b", "active": {}}}, "P is a leg itself"),
        ({name: LEG | {"active": {}} for name in ("S", "T")}, "P is the leg of S already"),
        ({"SOL": LEG | {"active": {"max_move": 0}}}, "max_move"),
        ({"SOL": LEG | {"activ": {}}}, "did you mean 'active'"),
        ({"../S": LEG | {"active": {}}}, "'../S' is not valid"),
    ],
)
def test_X02_a_contradictory_hedge_is_one_clear_line(hedges: dict[str, Any], line: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_risk({"hedges": hedges})
    assert line in str(refused.value) and str(refused.value).startswith("risk")


def test_X02_a_hedge_by_an_unknown_account_or_a_quoted_symbol_is_refused() -> None:
    tables = {"SOL": ACTIVE}
    check_accounts(tables, ["spot", "perp"], [("spot", "SOL")])
    assert members(tables) == (("spot", "SOL"), ("perp", "SOL_USDC_PERP")), "whose positions are asked for"
    with pytest.raises(BadInput, match=r"risk.hedges.SOL.leg_account: no such account 'perp'; known: spot"):
        check_accounts(tables, ["spot"])
    with pytest.raises(BadInput, match=r"risk.hedges.SOL.account: no such account 'spot'"):
        check_accounts(tables, ["perp"])
    with pytest.raises(BadInput, match="a leg is for the hedge alone"):
        check_accounts(tables, ["spot", "perp"], [("perp", "SOL_USDC_PERP")])


STEPS = st.lists(
    st.tuples(st.floats(0, 1_000), st.floats(50, 200), st.integers(0, 40), st.booleans()), max_size=25
)


@given(STEPS, st.sampled_from([ACTIVE, BOTH]), st.integers(-500, 500), st.floats(0, 2_000))
@example([(0.0, 50.0, 0, False), (0.0, 51.0, 0, False)], ACTIVE, 0, 5.0)  # less room at a higher price
@example([(0.0, 50.0, 0, False), (0.0, 51.0, 0, False)], BOTH, 0, 5.0)
@settings(max_examples=60, deadline=None)
def test_R26_any_path_has_an_answer_and_after_the_hedge_nothing_more_is_wanted(
    steps: list[tuple[float, float, int, bool]], table: HedgeTable, leg: int, room: float
) -> None:
    policy, now_ns = HedgeLeg("SOL", table), 0
    for base_usd, price, after_s, fills in steps:
        now_ns += after_s * NS_PER_S
        for _ in range(4 if fills else 1):
            view = seen(base_usd, leg, price, room)
            view = replace(view, leg=replace(view.leg, now_ns=now_ns))
            target = wanted(policy, view)
            if target is None:
                break
            aim = target.minimum
            assert aim == target.maximum != leg
            assert target.may_open or min(0, leg) <= aim <= max(0, leg), "a reduction stays on its side"
            assert abs(aim) * price / 100 <= max(room + 1e-6, abs(leg) * price / 100 if aim * leg > 0 else 0)
            leg = aim if fills else leg
        else:
            assert not fills or target is None, "it never comes to rest"
