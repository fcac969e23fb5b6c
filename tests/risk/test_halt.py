"""Sticky halt: only a person resumes."""

from __future__ import annotations

from dataclasses import dataclass

from services.risk.judge import Judge
from services.risk.policies.halt import StickyHalt
from services.risk.policies.policy import Action, Decision, Range, View, strictest
from shared.clock import NS_PER_S
from shared.messages import Permit
from tests.risk.desk import ACCOUNT, SYMBOL, Desk, is_nothing


def halt(desk: Desk, **flags: str) -> None:
    desk.take(desk.core.on_halts(flags, desk.now_ns))


def test_a_halt_is_told_at_once_and_stays_until_its_flag_is_removed() -> None:
    desk = Desk()
    halt(desk, ALL="drill")
    assert desk.permit.halted and is_nothing(desk.permit) and desk.permit.reason == "halted: drill"
    desk.run(60_000)
    assert desk.permit.halted
    halt(desk)
    desk.run(250)
    assert desk.may_quote()


def test_a_symbols_halt_leaves_the_others_alone() -> None:
    desk = Desk("A_PERP", "B_PERP")
    halt(desk, A_PERP="drill")
    desk.run(250)
    assert desk.permits[ACCOUNT, "A_PERP"].halted
    assert desk.permits[ACCOUNT, "B_PERP"].may_buy


def test_a_halt_replaces_a_reduction_by_the_way_to_zero_that_only_flatten_when_halted_goes() -> None:
    desk = Desk()
    desk.set_position(260)
    assert desk.target is not None and desk.target.style == "ioc"
    halt(desk, ALL="drill")
    assert desk.target is not None
    assert (desk.target.style, desk.target.minimum, desk.target.maximum) == ("flatten", 0, 0)
    assert not desk.target.may_open and desk.target.reason == "halted: drill"
    desk.set_position(0)
    assert desk.target is None
    desk.set_position(5)
    halt(desk)
    desk.run(250)
    assert desk.target is None, "resumed: it stays what it is"


def test_a_halt_closes_nothing_that_no_quoter_trades() -> None:
    desk = Desk()
    desk.set_position(100)
    desk.core.set_quoted(ACCOUNT, SYMBOL, False)
    halt(desk, ALL="drill")
    assert desk.target is None


def test_R16_a_halt_closes_nothing_in_a_cool_down_or_on_unknown_input() -> None:
    desk = Desk()
    desk.set_position(100)
    desk.hear(desk.top_at(9_900, 10_200))
    halt(desk, ALL="drill")
    assert desk.permit.halted and desk.target is None
    desk.hear(desk.top_at(9_999, 10_001))
    desk.run(5_500)
    assert desk.target is not None and desk.target.style == "flatten"
    desk.silent.add("Equity")
    desk.run(31_000)
    assert desk.permit.halted and desk.target is None


def test_a_halt_shows_even_while_inputs_are_missing() -> None:
    desk = Desk()
    desk.silent.add("Equity")
    halt(desk, ALL="drill")
    desk.run(2_000)
    assert desk.permit.halted and desk.permit.reason == "halted: drill"


@dataclass(slots=True)
class LossLimit:
    """A policy as later ones will be: halts when the equity is below a floor."""

    floor_usd: float

    def decide(self, view: View) -> Decision:
        if view.equity_usd >= self.floor_usd:
            return Decision()
        return Decision(Action.HALT, f"equity {view.equity_usd:.2f} is below {self.floor_usd:.2f}")


def test_a_policys_halt_outlives_its_cause_and_becomes_a_flag() -> None:
    desk = Desk()
    policy = LossLimit(2_000.0)
    desk.core.watch(ACCOUNT, SYMBOL).policies = (policy,)
    desk.run(250)
    assert desk.permit.halted
    wanted = dict(desk.core.halt.wanted)
    assert wanted == {SYMBOL: "equity 1000.00 is below 2000.00"}
    policy.floor_usd = 0.0
    desk.run(250)
    assert desk.permit.halted, "the cause is gone, the halt is not"
    halt(desk, **wanted)  # the process wrote the flag and read it back
    desk.run(250)
    assert desk.core.halt.wanted == {} and desk.permit.halted
    halt(desk)  # a person resumed
    desk.run(250)
    assert not desk.permit.halted


def test_before_the_flags_were_read_nothing_is_permitted() -> None:
    decision = StickyHalt().decide("A")
    assert decision.action is Action.FREEZE and decision.reason == "halt flags not read"


def test_one_symbols_flag_permits_no_other_symbol_while_flags_elsewhere_are_unread() -> None:
    desk = Desk("A_PERP", "B_PERP")
    sticky = desk.core.halt = StickyHalt()
    desk.core._judge = Judge(desk.core._config, sticky, desk.core.hedges)
    desk.take(desk.core.on_halts({"A_PERP": "drill"}, desk.now_ns, False))
    desk.run(250)
    assert desk.permits[ACCOUNT, "A_PERP"].halted
    assert is_nothing(desk.permits[ACCOUNT, "B_PERP"])
    assert desk.permits[ACCOUNT, "B_PERP"].reason == "halt flags not read"
    desk.take(desk.core.on_halts({"A_PERP": "drill"}, desk.now_ns, True))
    desk.run(250)
    assert desk.permits[ACCOUNT, "A_PERP"].halted and desk.permits[ACCOUNT, "B_PERP"].may_buy


def test_a_wanted_halt_is_dropped_when_the_flag_was_seen() -> None:
    sticky = StickyHalt()
    sticky.on_flags({})
    sticky.want(ACCOUNT, "A", "why")
    assert sticky.decide("A").action is Action.HALT and sticky.decide("B").action is Action.ALLOW
    assert sticky.on_flags({"A": "why"})
    sticky.want(ACCOUNT, "A", "again")
    assert sticky.wanted == {}
    assert sticky.on_flags({}) and sticky.decide("A").action is Action.ALLOW


def test_stopping_permits_nothing_at_once() -> None:
    desk = Desk()
    desk.set_position(260)
    desk.take(desk.core.on_stop(desk.now_ns))
    assert is_nothing(desk.permit) and desk.permit.reason == "risk is stopped"
    assert not desk.has_target()


def test_the_strictest_of_all_decisions_counts() -> None:
    both = strictest(
        [
            Decision(Action.STOP, "b", 5, Range(0, 8)),
            Decision(Action.REDUCE_ONLY, "a", 9, Range(0, 5), may_buy=False),
            Decision(Action.STOP, "c"),
            Decision(),
        ],
        position=10,
    )
    assert both == Decision(Action.STOP, "b; c", 9, Range(0, 5), may_buy=False)
    assert strictest([]) == Decision()


@dataclass(slots=True)
class Nervous:
    """Stops for two seconds after it was last upset."""

    is_upset: bool = True

    def decide(self, view: View) -> Decision:  # noqa: ARG002
        return Decision(Action.STOP, "upset", hold_ns=2 * NS_PER_S) if self.is_upset else Decision()


def test_a_policys_decision_holds_for_as_long_as_it_says() -> None:
    desk, policy = Desk(), Nervous()
    desk.core.watch(ACCOUNT, SYMBOL).policies = (policy,)
    desk.run(250)
    policy.is_upset = False
    desk.run(1_750)
    assert is_nothing(desk.permit) and desk.permit.reason == "upset"
    desk.run(250)
    assert desk.may_quote()


def test_a_paused_side_is_told() -> None:
    @dataclass(frozen=True)
    class NoBuying:
        def decide(self, view: View) -> Decision:  # noqa: ARG002
            return Decision(may_buy=False)

    desk = Desk()
    desk.core.watch(ACCOUNT, SYMBOL).policies = (NoBuying(),)
    desk.run(250)
    permit: Permit = desk.permit
    assert not permit.may_buy and permit.may_sell and permit.max_long == 200


def resume(desk: Desk) -> None:
    """The process writes the flags that are wanted; a person removes them again."""
    halt(desk, **dict(desk.core.wanted_halts()))
    desk.run(250)
    assert desk.permit.halted
    halt(desk)
    desk.run(250)


def test_resuming_one_policys_halt_forgives_no_other_account_and_no_other_policy() -> None:
    desk = Desk(
        accounts=(ACCOUNT, "other"), drawdown={"max_pct": 5}, fill_rate={"max_fills": 1, "action": "halt"}
    )
    desk.set_equity(960.0)
    for lots in (1, 2):
        desk.set_position(lots)
    assert "fill rate" in desk.permit.reason
    resume(desk)
    assert desk.core.memory(desk.now_ns).peaks == {ACCOUNT: 1_000.0, "other": 1_000.0}
    desk.set_equity(948.0)
    assert desk.permit.halted and "drawdown" in desk.permit.reason
    resume(desk)
    assert desk.core.memory(desk.now_ns).peaks == {ACCOUNT: 948.0, "other": 1_000.0}, (
        "of the account that was resumed"
    )


def test_resuming_a_halt_by_the_fill_rate_counts_fills_anew_within_its_window() -> None:
    desk = Desk(fill_rate={"max_fills": 1, "window_s": 600, "action": "halt"})
    for lots in (1, 2):
        desk.set_position(lots)
    resume(desk)
    desk.run(1_000)
    assert desk.may_quote() and desk.core.wanted_halts() == {}
    desk.set_position(3)
    assert not desk.permit.halted
    desk.set_position(4)
    assert desk.permit.halted, "and the next rush halts again"


def test_a_loss_of_an_account_is_accepted_once_not_once_for_each_symbol() -> None:
    desk = Desk("A_PERP", "B_PERP", drawdown={"max_pct": 5})
    desk.set_equity(940.0)
    flags = dict(desk.core.wanted_halts())
    assert sorted(flags) == ["A_PERP", "B_PERP"]
    halt(desk, **flags)
    halt(desk, B_PERP=flags["B_PERP"])
    desk.set_equity(900.0)
    halt(desk)
    desk.set_equity(892.0)
    desk.run(500)
    assert desk.permit.halted, "5.1 % below what was accepted with the first symbol"
