"""R25 to R30, L05: a symbol hedged by another one of another account, through the whole core."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import msgspec
import pytest

from services.risk.core import Risk
from services.risk.policies.hedging.hedge_leg import HedgeLeg, HedgeView
from services.risk.policies.policy import Action, Decision, Range, strictest
from shared.messages import FeedState, FeedStatus, Position, Target
from tests.risk.desk import ACCOUNT, VENUE
from tests.risk.pair import OTHER, PERP, SPOT, Pair


@pytest.mark.parametrize("leg_account", [OTHER, ACCOUNT])
def test_R25_inventory_beyond_the_band_is_hedged_at_once_in_the_other_symbol(leg_account: str) -> None:
    desk = Pair(leg_account)
    assert desk.hedge is None
    told = desk.base(900)
    assert desk.hedge in told
    assert desk.hedge is not None
    assert (desk.hedge.scope, desk.hedge.symbol) == (leg_account, PERP)
    assert (desk.hedge.minimum, desk.hedge.maximum, desk.hedge.may_open) == (-75, -75, True)
    assert desk.hedge.style == "maker" and "active hedge of SOL_USDC" in desk.hedge.reason
    assert desk.leg_permit.max_short >= 75, "its permit has room for it"


def test_R25_too_little_inventory_is_hedged_the_other_way() -> None:
    desk = Pair()
    desk.base(100)
    assert desk.hedge is not None and desk.hedge.minimum == 75


def test_R26_the_hedge_follows_and_is_closed_when_the_move_returns_inside() -> None:
    desk = Pair()
    desk.base(900)
    desk.leg(-75)
    assert desk.hedge is None, "after the hedge nothing more is wanted"
    desk.run(1_000)
    assert desk.hedge is None
    desk.base(850)
    assert desk.hedge is not None
    assert (desk.hedge.maximum, desk.hedge.may_open) == (-25, False)
    desk.leg(-25)
    desk.base(800)
    assert desk.hedge is not None
    assert (desk.hedge.minimum, desk.hedge.maximum, desk.hedge.may_open) == (0, 0, False)
    desk.leg(0)
    desk.run(500)
    assert desk.hedge is None


def test_R26_a_target_names_the_position_of_the_leg_that_it_is_based_on() -> None:
    desk = Pair()
    desk.base(900)
    desk.leg(-40)
    position: Any = desk.inputs["Position", OTHER, PERP]
    assert desk.hedge is not None and desk.hedge.position_seq == position.position_seq


def test_R26_the_exposure_of_both_is_what_counts() -> None:
    desk = Pair(max_position_share=0.9)
    desk.base(940)
    assert not desk.permit.may_buy, "940 of 900"
    desk.leg(-115)
    desk.run(250)
    assert desk.permit.may_sell and not desk.permit.reduce_only, "825 together"
    assert desk.permit.max_long == 900, "the permit for the symbol itself is as it was"


def test_R26_a_leg_that_is_larger_than_what_it_hedges_is_judged_by_the_difference() -> None:
    desk = Pair(max_position_share=0.6)
    desk.base(100)
    desk.leg(-650)
    permit = desk.leg_permit
    assert not permit.reduce_only, "550 of 600 together"
    desk.leg(-750)
    assert desk.hedge is not None
    assert not desk.hedge.may_open and -750 < desk.hedge.minimum <= desk.hedge.maximum <= 0


def test_L05_both_count_in_full_in_the_gross_of_one_account() -> None:
    desk = Pair(ACCOUNT, max_gross_equity_multiple=0.95)
    desk.base(900)
    desk.leg(-75)
    desk.run(250)
    assert "gross exposure 975.00 is over its limit 950.00" in desk.permit.reason


def test_L05_a_hedge_grows_to_the_legs_own_limit_only() -> None:
    desk = Pair(symbols={PERP: {"max_position_usd": 40}})
    desk.base(900)
    assert desk.hedge is not None and desk.hedge.minimum == -40
    desk.leg(-40)
    desk.run(500)
    assert desk.hedge is None


def test_L05_a_hedge_grows_to_what_the_gross_limit_has_left_for_it() -> None:
    desk = Pair(max_gross_equity_multiple=0.95)
    desk.core.set_quoted(OTHER, SPOT, False)
    desk.trade(OTHER, SPOT, 900)
    desk.run(2_000)
    desk.base(900)
    assert desk.hedge is not None and desk.hedge.minimum == -50
    assert desk.hedge.reason.endswith("from 0 to -50 lots")


def test_L05_a_long_leg_beside_a_long_inventory_adds_up_to_the_limit_only() -> None:
    loose = {"max_move_pct": 50, "max_spread_pct": 50, "max_mark_gap_pct": 50}
    desk = Pair(hedge={"active": None, "passive": {}}, max_position_share=0.6, **loose)
    desk.hear(desk.mark_at(102.3, PERP))
    assert desk.hedge is not None and desk.hedge.minimum == 97, "100 quote units of 600, 500 are held"


def test_L05_a_hedge_that_would_grow_does_not_hide_a_reduction() -> None:
    grow = Decision(reason="hedge", target=Range(-900, -900, True))
    shrink = Decision(Action.STOP, "too large", target=Range(-5, 0))
    assert strictest([shrink, grow], -9).target == strictest([grow, shrink], -9).target == Range(-5, 0)
    assert strictest([Decision(Action.REDUCE_ONLY, "doubt"), grow], -9).target is None
    assert strictest([grow, Decision()], -9).target == Range(-900, -900, True)


def silence(kind: str, scope: str, symbol: str) -> Any:
    def act(desk: Pair) -> None:
        del desk.inputs[kind, scope, symbol]
        desk.run(1_500)

    return act


def _doubted(desk: Pair) -> None:
    desk.hear(Position(OTHER, PERP, 7, 100.0, True, 99, 0))  # a jump that no fill explains


UNKNOWN = {
    "position silent": silence("Position", OTHER, PERP),
    "orders silent": silence("Working", OTHER, PERP),
    "equity silent": silence("Equity", OTHER, "-"),
    "feed silent": silence("FeedState", VENUE, PERP),
    "book silent": silence("Top", VENUE, PERP),
    "feed stale": lambda desk: desk.hear(FeedState(VENUE, PERP, FeedStatus.STALE, "late", 0, 0)),
    "unconfirmed": lambda desk: desk.hear(Position(OTHER, PERP, 0, None, False, 9, 0)),
    "in doubt": _doubted,
    "cool-down": lambda desk: desk.hear(desk.top_at(9_800, 10_300, PERP)),
    "halted": lambda desk: desk.take(desk.core.on_halts({PERP: "drill"}, desk.now_ns)),
}


@pytest.mark.parametrize("act", UNKNOWN.values(), ids=UNKNOWN)
def test_L02_while_the_leg_is_unknown_what_it_hedges_may_only_shrink(act: Any) -> None:
    desk = Pair()
    desk.base(600)
    assert desk.may_quote()
    act(desk)
    desk.run(250)
    assert not desk.permit.may_buy and desk.permit.may_sell and desk.permit.reduce_only
    assert f"hedge leg {PERP} of {OTHER}" in desk.permit.reason
    assert desk.hedge is None


def test_L02_it_is_told_at_once_when_the_leg_becomes_unknown() -> None:
    desk = Pair()
    told = desk.hear(FeedState(VENUE, PERP, FeedStatus.STALE, "late", 0, 0))
    assert desk.permit in told and desk.permit.reduce_only


@pytest.mark.parametrize(
    "act",
    [
        silence("Position", ACCOUNT, SPOT), silence("Equity", ACCOUNT, "-"), silence("Top", VENUE, SPOT),
        lambda desk: desk.hear(Position(ACCOUNT, SPOT, 50, 100.0, True, 99, 0)),
        lambda desk: desk.take(desk.core.on_halts({SPOT: "drill"}, desk.now_ns)),
    ],
)  # fmt: skip
def test_L02_while_what_it_hedges_is_unknown_the_leg_stays_what_it_is(act: Any) -> None:
    desk = Pair()
    desk.base(900)
    desk.leg(-75)
    act(desk)
    desk.run(500)
    assert desk.hedge is None, "neither closed nor grown"
    assert desk.leg_permit.reduce_only and "hedged SOL_USDC of main" in desk.leg_permit.reason


def test_L02_the_equity_of_both_accounts_must_be_confirmed() -> None:
    desk = Pair()
    desk.core = Risk(desk.core._config, {ACCOUNT: VENUE, OTHER: VENUE})
    desk.core.set_quoted(ACCOUNT, SPOT, True)
    desk.targets.clear()
    desk.take(desk.core.on_halts({}, desk.now_ns))
    desk.base(900)
    desk.run(2_500)
    assert desk.hedge is None and "equity is not confirmed yet" in desk.permit.reason
    desk.confirm_equity()
    desk.run(500)
    assert desk.hedge is not None


def test_a_quoter_on_the_leg_stops_the_hedge() -> None:
    desk = Pair()
    desk.core.set_quoted(OTHER, PERP, True)
    desk.base(900)
    assert desk.hedge is None
    desk.run(250)
    assert "a quoter works on its leg" in desk.leg_permit.reason


def test_R28_R29_a_passive_hedge_by_every_mark_of_the_leg() -> None:
    desk = Pair(
        hedge={"active": None, "passive": {}}, max_move_pct=50, max_spread_pct=50, max_mark_gap_pct=50
    )
    told = desk.hear(desk.mark_at(97.8, PERP))
    assert desk.hedge is None
    told = desk.hear(desk.mark_at(97.7, PERP))
    assert desk.hedge in told and desk.hedge is not None
    assert (desk.hedge.minimum, desk.hedge.style, desk.hedge.may_open) == (-250, "ioc", True)
    desk.leg(-250, entry=97.6)
    assert desk.hedge is None
    desk.hear(desk.mark_at(97.89, PERP))
    assert desk.hedge is None
    told = desk.hear(desk.mark_at(97.9, PERP))
    assert desk.hedge in told and desk.hedge is not None
    assert (desk.hedge.minimum, desk.hedge.maximum, desk.hedge.may_open) == (0, 0, False)


def test_R28_a_restart_finds_the_hedge_again_by_the_legs_position_and_entry() -> None:
    loose = {"max_move_pct": 50, "max_spread_pct": 50, "max_mark_gap_pct": 50}
    desk = Pair(hedge={"active": None, "passive": {}}, **loose)
    desk.leg(-250, entry=97.6)
    desk.keep(desk.mark_at(97.7, PERP))
    desk.core = Risk(desk.core._config, {ACCOUNT: VENUE, OTHER: VENUE})
    desk.core.set_quoted(ACCOUNT, SPOT, True)
    desk.targets.clear()
    desk.take(desk.core.on_halts({}, desk.now_ns))
    desk.run(1_500)
    desk.confirm_equity()
    desk.run(500)
    assert desk.hedge is None, "it is held, not closed"
    desk.hear(desk.mark_at(97.9, PERP))
    assert desk.hedge is not None and desk.hedge.minimum == 0


def test_R26_nothing_but_the_hedge_says_where_a_leg_should_be() -> None:
    """Limits of positions are for what is quoted: they would trade the hedge away, again and again."""
    desk = Pair(
        position_table={"threshold": 0.1, "max": 0.2}, stops={"stop_loss_usd": 5.0},
        ak47_hedge={"threshold": 0.1}, symbols={SPOT: {"position_table": {"max": 1e6, "threshold": 1e6 - 1}}},
    )  # fmt: skip
    desk.leg(-75, entry=90.0)
    desk.base(900)
    desk.run(1_000)
    assert desk.hedge is None


def test_R31_the_leg_on_the_same_account_is_no_part_of_the_quote_units() -> None:
    desk = Pair(ACCOUNT)
    desk.base(900)
    desk.leg(-75)
    desk.run(500)
    assert desk.hedge is None, "the total is 1000 still"


def test_a_target_that_has_not_changed_is_repeated_by_the_timer_alone() -> None:
    desk = Pair()
    first = desk.base(900)
    assert len([message for message in first if isinstance(message, Target)]) == 1
    again = desk.hear(desk.mark_at(100.0, PERP))
    assert not [message for message in again if isinstance(message, Target)]


class _Seen:
    """Notes what a leg's policy is shown."""

    def __init__(self) -> None:
        self.views: list[HedgeView] = []

    def decide(self, view: HedgeView) -> Decision:
        self.views.append(view)
        return Decision()


@pytest.mark.parametrize(
    ("base", "long", "short"), [(300, 700, 1_000), (-300, 1_000, 700), (0, 1_000, 1_000)]
)
def test_L05_a_hedge_may_not_add_to_what_it_hedges_beyond_the_limit(base: int, long: int, short: int) -> None:
    desk = Pair()
    pair = desk.core.hedges._pairs[OTHER, PERP]
    seen = _Seen()
    desk.core.hedges._pairs[OTHER, PERP] = replace(pair, policy=cast("HedgeLeg", seen))
    desk.base(base)
    desk.run(250)
    assert (seen.views[-1].room_long_usd, seen.views[-1].room_short_usd) == (long, short)


def test_L05_a_leg_is_not_larger_than_its_limit_is_now_whatever_was_allotted_before() -> None:
    desk = Pair(symbols={PERP: {"max_position_share": 0.05}})
    last: Any = desk.inputs["Equity", OTHER, "-"]
    for number in (1, 2):
        desk.hear(msgspec.structs.replace(last, equity_usd=920.0, as_of_ns=last.as_of_ns + number))
    desk.base(900)  # before the timer that allots anew
    assert desk.hedge is not None and desk.hedge.minimum == -46


def test_R26_a_leg_is_not_traded_back_by_the_policies_of_what_a_quoter_fills() -> None:
    desk = Pair(symbols={PERP: {"fill_hedge": {}}})
    desk.base(900)
    desk.leg(-75)
    desk.run(500)
    assert desk.hedge is None
