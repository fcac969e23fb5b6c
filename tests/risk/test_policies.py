"""What policies are given: instances of their own, fills, entry price, equity peaks, quote balance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.risk.account.equity_history import LONGEST_NS, MOST, EquityHistory
from services.risk.policies.policy import Action, Decision, Range, View, strictest
from shared.clock import NS_PER_S
from shared.messages import Fill, Target
from tests.risk.desk import ACCOUNT, SYMBOL, Desk, info


@dataclass
class Listener:
    """Keeps what it is shown."""

    views: list[View] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)

    def decide(self, view: View) -> Decision:
        self.views.append(view)
        return Decision()

    def on_fill(self, fill: Fill, _now_ns: int) -> None:
        self.fills.append(fill)


def listening(desk: Desk, symbol: str = "") -> Listener:
    listener = Listener()
    desk.core.watch(ACCOUNT, symbol or desk.symbols[0]).policies = (listener,)
    desk.run(250)
    return listener


def test_every_symbol_of_every_account_has_policies_of_its_own() -> None:
    desk = Desk("A_PERP", "B_PERP", accounts=("main", "hedge"))
    holdings = [desk.core.watch(account, symbol) for account in desk.accounts for symbol in desk.symbols]
    instances = [id(policy) for holding in holdings for policy in holding.policies]
    assert len(set(instances)) == len(instances) >= 8


def test_a_policy_that_wants_them_sees_the_fills_of_its_symbol() -> None:
    desk = Desk("A_PERP", "B_PERP")
    first, other = listening(desk), listening(desk, "B_PERP")
    desk.set_position(5)
    assert [fill.position_after for fill in first.fills] == [5]
    assert other.fills == []


def test_no_policy_is_asked_at_a_book() -> None:
    desk = Desk()
    listener = listening(desk)
    seen = len(listener.views)
    for step in range(20):
        desk.hear(desk.top_at(9_999 + step % 2, 10_001 + step % 2))
    assert len(listener.views) == seen
    desk.hear(desk.mark_at(100.01))
    assert len(listener.views) == seen + 1


@pytest.mark.parametrize(
    ("lots", "entry", "unrealised"),
    [
        (80, 100.0, 8.0),
        (-80, 100.0, -8.0),
        (0, None, 0.0),
        (80, None, None),
        (80, 0.0, None),
        (80, -3.0, None),
    ],
)
def test_R13_what_is_unrealised_is_computed_from_our_own_entry_price(
    lots: int, entry: float | None, unrealised: float | None
) -> None:
    desk = Desk()
    desk.set_position(lots)
    position: Any = desk.inputs["Position", ACCOUNT, SYMBOL]
    desk.hear(msgspec.structs.replace(position, entry_price=entry, position_seq=9), desk.mark_at(100.0))
    listener = listening(desk)
    desk.set_price(110.0)
    desk.run(6_000)  # the move's cool-down
    assert listener.views[-1].unrealised_usd == (None if unrealised is None else pytest.approx(unrealised))


def test_the_quote_balance_of_a_spot_account_is_what_is_not_held_in_coins() -> None:
    desk = Desk("SOL_USDC")
    desk.hear(info("SOL_USDC", is_perp=False))
    desk.set_position(300)
    assert listening(desk).views[-1].quote_usd == pytest.approx(700.0)
    perp = Desk()
    perp.set_position(30)
    assert listening(perp).views[-1].quote_usd is None


def test_every_decision_is_told_with_its_action_strictest_first() -> None:
    told = strictest(
        [
            Decision(reason="few", may_buy=False, target=Range(0, 7)),
            Decision(Action.STOP, "much", target=Range(0, 5)),
            strictest([Decision(Action.REDUCE_ONLY, "more"), Decision(Action.REDUCE_ONLY, "more")]),
            Decision(Action.HALT, "halted: drill"),
            Decision(),
        ],
        position=9,
    )
    assert told.told == (
        "halt: drill",
        "stop quoting, trade to 0..5 lots: much",
        "reduce only: more",
        "pause bids, trade to 0..7 lots: few",
    )
    assert told.reason == "halted: drill" and told.target_reason == "much"


def test_a_permit_carries_the_decisions_and_a_target_its_own_reason() -> None:
    desk = Desk(excess_share=0.5)
    desk.set_position(260)
    (over, comfortable) = desk.permit.decisions
    assert over.startswith("stop quoting, trade to 0..230 lots: position of 260.00 is over its limit 200.00")
    assert comfortable.startswith("pause bids, trade to 0..180 lots: position of 260.00 is over 100.00")
    assert desk.target is not None and "50% of its limit" in desk.target.reason


def test_a_target_that_differs_in_style_or_price_only_is_told() -> None:
    @dataclass
    class Wishes:
        wish: Range

        def decide(self, view: View) -> Decision:  # noqa: ARG002
            return Decision(Action.ALLOW, "hedge", target=self.wish)

    desk, wishes = Desk(), Wishes(Range(-5, -5, True, "maker", 101))
    desk.core.watch(ACCOUNT, SYMBOL).policies = (wishes,)
    desk.run(250)
    assert desk.target is not None
    assert (desk.target.style, desk.target.limit_price, desk.target.may_open) == ("maker", 101, True)
    wishes.wish = Range(-5, -5, True, "ioc", 102)
    told = desk.hear(desk.mark_at(100.01))
    assert [(m.style, m.limit_price) for m in told if isinstance(m, Target)] == [("ioc", 102)]


def test_equity_that_is_not_confirmed_is_no_peak_to_fall_from() -> None:
    desk = Desk()
    listener = listening(desk)
    last: Any = desk.inputs["Equity", ACCOUNT, "-"]
    desk.hear(msgspec.structs.replace(last, equity_usd=5_000.0, as_of_ns=last.as_of_ns + 1))
    desk.hear(msgspec.structs.replace(last, as_of_ns=last.as_of_ns + 2))
    desk.run(250)
    assert listener.views[-1].history.session_peak_usd == 1_000.0


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(1, 50)), min_size=1, max_size=60), st.integers(1, 120)
)
def test_the_peak_of_a_trailing_window_is_its_highest_equity(
    steps: list[tuple[int, int]], window_s: int
) -> None:
    history, now_ns, seen = EquityHistory(), 0, []
    for seconds, usd in steps:
        now_ns += seconds * NS_PER_S
        seen.append((now_ns, usd))
        history.add(float(usd), now_ns)
        expected = max(value for at_ns, value in seen if at_ns >= now_ns - window_s * NS_PER_S)
        assert history.peak_usd(window_s * NS_PER_S, now_ns) == expected
        assert history.session_peak_usd == max(value for _, value in seen)


def test_the_history_of_an_equity_that_only_falls_is_bounded_and_never_too_low() -> None:
    history = EquityHistory()
    for second in range(3 * MOST):
        history.add(1e6 - second, second * NS_PER_S)
    now_ns = (3 * MOST - 1) * NS_PER_S
    assert len(history._times) <= MOST + 1
    for window_s in (1, 60, 600, 10_000, LONGEST_NS // NS_PER_S):
        true_peak = 1e6 - max(0, 3 * MOST - 1 - window_s)
        peak = history.peak_usd(window_s * NS_PER_S, now_ns)
        assert peak is not None and peak >= true_peak


HEDGE = Decision(reason="hedge", target=Range(900, 900, True))


@pytest.mark.parametrize(
    "other",
    [
        Decision(reason="table", target=Range(0, 40), may_buy=False),
        Decision(reason="table", target=Range(0, 40)),
        Decision(Action.STOP, "exposure", target=Range(0, 40)),
    ],
)
def test_R04_a_target_that_opens_hides_no_reduction_however_mild_it_is(other: Decision) -> None:
    for decisions in ([HEDGE, other], [other, HEDGE]):
        assert strictest(decisions, 50).target == Range(0, 40)
    assert strictest([strictest([HEDGE]), other], 50).target == Range(0, 40), "nested, too"


def test_R03_a_target_that_opens_does_not_add_on_a_paused_side() -> None:
    paused = Decision(reason="table", may_buy=False)
    assert strictest([HEDGE, paused], 50).target is None
    assert strictest([HEDGE, Decision(reason="table", may_sell=False)], 50).target == HEDGE.target
    short = strictest([HEDGE, paused], -50)
    assert short.target == Range(0, 0), "what of it brings the position nearer to zero stays"


def test_R04_a_hedge_to_a_reference_does_not_hide_what_the_table_wants_back() -> None:
    """It was cut to nothing by the permit afterwards: neither of the two was traded."""
    desk = Desk(fill_hedge={"reference": 9.0}, position_table={"target": 0.1, "threshold": 0.1, "max": 9.0})
    desk.set_position(50)
    assert desk.target is not None and (desk.target.maximum, desk.target.may_open) == (20, False)


LOTS = st.integers(-50, 50)
RANGES = st.builds(
    lambda ends, may_open: Range(min(ends), max(ends), may_open), st.tuples(LOTS, LOTS), st.booleans()
)
DECISIONS = st.builds(
    Decision, st.sampled_from(Action), st.just("why"), target=st.none() | RANGES,
    may_buy=st.booleans(), may_sell=st.booleans(),
)  # fmt: skip


@settings(max_examples=100)
@given(st.lists(DECISIONS, max_size=4), LOTS)
def test_R04_the_largest_reduction_is_never_lost_and_nothing_opens_beside_one(
    decisions: list[Decision], position: int
) -> None:
    reductions = [
        wanted.distance(position)
        for decision in decisions
        if (wanted := decision.target) is not None and not wanted.may_open
    ]
    combined = strictest(decisions, position)
    least = max(reductions, default=0)
    if not least:
        return
    assert combined.target is not None and not combined.target.may_open
    assert combined.target.distance(position) >= least
