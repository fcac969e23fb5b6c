"""reliability.md, row 9: losses from a peak and within a minute stop, freeze or halt; a person un-halts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.risk.account.equity import TrustedEquity
from services.risk.account.equity_history import EquityHistory
from services.risk.account.memory import Memory
from services.risk.account.state import AccountState
from services.risk.config import parse_risk
from services.risk.policies.policy import Action
from services.risk.policies.protection.drawdown import DrawdownTable, EquityLoss, LossRateTable
from shared.clock import NS_PER_S
from shared.errors import BadInput
from shared.messages import Equity, Permit
from tests.risk.desk import ACCOUNT, Desk, is_nothing
from tests.risk.protection.views import view


def judged(
    table: DrawdownTable | LossRateTable, *equities: tuple[float, float], is_strict: bool = True
) -> Action:
    """Return the action after (seconds, equity) one after another."""
    history, now_ns, usd = EquityHistory(), 0, 0.0
    for seconds, usd in equities:
        now_ns = round(seconds * NS_PER_S)
        history.add(usd, now_ns)
    seen = view(10, now_ns=now_ns, equity=usd, history=history)
    return EquityLoss("drawdown", table, is_strict).decide(seen).action


@pytest.mark.parametrize(
    ("table", "equity", "action"),
    [
        (DrawdownTable(max_pct=5), 949.99, Action.HALT),
        (DrawdownTable(max_pct=5), 950.0, Action.ALLOW),
        (DrawdownTable(max_usd=20), 979.99, Action.HALT),
        (DrawdownTable(max_usd=20), 980.0, Action.ALLOW),
        (DrawdownTable(max_pct=5, max_usd=20), 970.0, Action.HALT),
        (DrawdownTable(max_pct=5, max_usd=200), 940.0, Action.HALT),
        (LossRateTable(max_usd=20), 979.99, Action.STOP),
        (LossRateTable(max_usd=20, action="freeze"), 979.99, Action.FREEZE),
        (LossRateTable(max_usd=20), 980.0, Action.ALLOW),
        (LossRateTable(max_pct=2, action="halt"), 979.0, Action.HALT),
        (LossRateTable(max_pct=2), 980.0, Action.ALLOW),
    ],
)
def test_C1_a_loss_beyond_its_limit_acts_and_one_equal_to_it_does_not(
    table: DrawdownTable | LossRateTable, equity: float, action: Action
) -> None:
    assert judged(table, (0, 1_000.0), (5, equity)) is action


def test_C1_the_inclusive_comparator_acts_at_the_limit() -> None:
    assert judged(DrawdownTable(max_pct=5), (0, 1_000.0), (5, 950.0), is_strict=False) is Action.HALT
    assert judged(DrawdownTable(max_pct=5), (0, 1_000.0), (5, 950.01), is_strict=False) is Action.ALLOW


def test_a_drawdown_is_measured_from_the_highest_equity_not_from_the_first() -> None:
    table = DrawdownTable(max_pct=5)
    assert judged(table, (0, 1_000.0), (5, 1_100.0), (10, 1_044.0)) is Action.HALT, "profit given back"
    assert judged(table, (0, 1_000.0), (5, 1_100.0), (10, 1_046.0)) is Action.ALLOW


def test_a_trailing_peak_is_forgotten_after_its_window_and_the_sessions_never_is() -> None:
    falls = ((0.0, 1_000.0), (5.0, 960.0), (3_601.0, 940.0))
    assert judged(DrawdownTable(max_pct=5, window_s=3_600), *falls) is Action.ALLOW
    assert judged(DrawdownTable(max_pct=5, window_s=3_602), *falls) is Action.HALT
    assert judged(DrawdownTable(max_pct=5), *falls) is Action.HALT


def test_a_loss_within_a_minute_is_one_and_the_same_loss_over_an_hour_is_not() -> None:
    table = LossRateTable(max_usd=20)
    assert judged(table, (0, 1_000.0), (60, 979.0)) is Action.STOP
    assert judged(table, *((60.0 * minute, 1_000.0 - 15 * minute) for minute in range(5))) is Action.ALLOW


def test_a_drawdown_halts_every_symbol_of_the_account_at_once_and_only_a_person_ends_it() -> None:
    desk = Desk("A_PERP", "B_PERP", drawdown={"max_pct": 5})
    desk.set_equity(940.0)
    for symbol in desk.symbols:
        permit = desk.permits[ACCOUNT, symbol]
        assert permit.halted and is_nothing(permit), "with the message that told the equity"
        assert "drawdown: equity fell by 60.00 from 1000.00 this session, limit 50.00" in permit.reason
        assert permit.decisions[0].startswith("halt: drawdown")
    desk.set_equity(1_000.0)
    desk.run(2_000)
    assert all(desk.permits[ACCOUNT, symbol].halted for symbol in desk.symbols), "recovery un-halts nothing"


def test_a_person_who_resumes_accepts_the_loss_and_the_next_one_counts_from_there() -> None:
    desk = Desk(drawdown={"max_pct": 5})
    desk.set_equity(940.0)
    desk.take(desk.core.on_halts(dict(desk.core.halt.wanted), desk.now_ns))  # the process wrote the flag
    desk.run(250)
    assert desk.permit.halted
    desk.take(desk.core.on_halts({}, desk.now_ns))
    desk.set_equity(935.0)
    desk.run(1_000)
    assert desk.may_quote()
    desk.set_equity(880.0)
    assert desk.permit.halted


def test_resuming_counts_also_when_a_part_of_the_loss_is_won_back() -> None:
    desk = Desk(drawdown={"max_pct": 5})
    desk.set_equity(940.0)
    flags = dict(desk.core.wanted_halts())
    desk.set_equity(960.0)
    desk.take(desk.core.on_halts(flags, desk.now_ns))
    desk.run(250)
    desk.take(desk.core.on_halts({}, desk.now_ns))
    desk.set_equity(930.0)
    desk.run(500)
    assert desk.may_quote(), "7 % below the first peak, 3 % below what was accepted"


def test_resuming_what_a_person_had_halted_forgives_no_loss() -> None:
    desk = Desk(drawdown={"max_pct": 5})
    desk.set_equity(960.0)
    desk.take(desk.core.on_halts({"ALL": "drill"}, desk.now_ns))
    desk.take(desk.core.on_halts({}, desk.now_ns))
    desk.run(250)
    assert desk.may_quote()
    desk.set_equity(948.0)
    assert desk.permit.halted and "drawdown" in desk.permit.reason


def test_one_wrong_equity_causes_no_halt() -> None:
    desk = Desk(drawdown={"max_pct": 5}, loss_rate={"max_pct": 5, "action": "halt"})
    last: Any = desk.inputs["Equity", ACCOUNT, "-"]
    desk.hear(type(last)(ACCOUNT, 100.0, 100.0, last.as_of_ns + 1))
    desk.hear(type(last)(ACCOUNT, 1_000.0, 1_000.0, last.as_of_ns + 2))
    desk.run(1_000)
    assert desk.may_quote() and desk.core.halt.wanted == {}


def test_the_first_equity_of_all_is_no_peak_before_a_second_read_agrees() -> None:
    account = AccountState(TrustedEquity(10**12, 0.1), NS_PER_S)
    for number, usd in enumerate((5_000.0, 1_000.0, 1_000.0, 1_001.0)):
        account.on_equity(Equity(ACCOUNT, usd, usd, number + 1), number * NS_PER_S)
    assert account.history.session_peak_usd == 1_001.0


def test_resuming_counts_also_when_risk_was_restarted_while_it_was_halted() -> None:
    desk = Desk(drawdown={"max_pct": 5})
    desk.core.restore(Memory({ACCOUNT: 1_100.0}).to_bytes())
    flag = "drawdown: equity fell by 99.50 from 1100.00 this session, limit 55.00"
    desk.take(desk.core.on_halts({desk.symbols[0]: flag}, desk.now_ns))
    desk.run(500)
    assert desk.permit.halted and desk.core.wanted_halts() == {}
    desk.take(desk.core.on_halts({}, desk.now_ns))
    desk.run(500)
    assert desk.may_quote()


def test_a_restored_peak_counts_and_a_resumed_halt_forgets_it() -> None:
    desk = Desk(drawdown={"max_pct": 5})
    desk.core.restore(Memory({ACCOUNT: 1_100.0, "unknown": 5.0}).to_bytes())
    desk.run(250)
    assert desk.permit.halted and desk.core.memory(desk.now_ns).peaks == {ACCOUNT: 1_100.0}
    desk.take(desk.core.on_halts(dict(desk.core.wanted_halts()), desk.now_ns))
    desk.take(desk.core.on_halts({}, desk.now_ns))
    assert desk.core.memory(desk.now_ns).peaks == {ACCOUNT: 1_000.0}, "what the equity was then"


def test_a_loss_rate_stops_for_as_long_as_it_lasts_and_its_cool_down() -> None:
    desk = Desk(loss_rate={"max_usd": 20, "window_s": 2, "cool_down_s": 3})
    desk.set_equity(975.0)
    assert is_nothing(desk.permit) and not desk.permit.halted
    assert desk.permit.decisions[0].startswith(
        "stop quoting: loss rate: equity fell by 25.00 from 1000.00 within 2 s"
    )
    frozen_ms = 0
    while not desk.may_quote():
        desk.set_equity(975.0)
        desk.run(250)
        frozen_ms += 250
        assert frozen_ms < 10_000
    assert 4_500 <= frozen_ms <= 5_500


@pytest.mark.parametrize(
    "limit",
    [
        {"loss_rate": {"max_usd": 20}}, {"loss_rate": {"max_usd": 20, "action": "stop"}},
        {"drawdown": {"max_usd": 20, "window_s": 60, "action": "stop"}},
    ],
)  # fmt: skip
def test_R09_a_limit_of_losses_does_not_suspend_the_stop_loss(limit: dict[str, Any]) -> None:
    """It froze for five minutes, again and again while the position went on losing."""
    desk = Desk(stops={"stop_loss_usd": 10}, max_move_pct=50, **limit)
    desk.set_position(100)
    desk.set_equity(975.0)
    desk.run(250)
    assert is_nothing(desk.permit) and desk.target is None
    desk.set_price(85.0)
    desk.run(250)
    assert desk.target is not None and (desk.target.minimum, desk.target.maximum) == (0, 0)
    assert not desk.target.may_open and is_nothing(desk.permit)


def test_a_limit_that_freezes_sends_no_order_at_all() -> None:
    desk = Desk(stops={"stop_loss_usd": 10}, max_move_pct=50, loss_rate={"max_usd": 20, "action": "freeze"})
    desk.set_position(100)
    desk.set_equity(975.0)
    desk.set_price(85.0)
    desk.run(250)
    assert is_nothing(desk.permit) and desk.target is None


def test_a_fall_of_thirty_percent_in_a_minute_halts_with_the_first_equity_beyond_the_limit() -> None:
    desk = Desk(drawdown={"max_pct": 5}, max_move_pct=50, max_mark_gap_pct=50, max_position_share=10)
    desk.set_position(1_000)
    halted_at = None
    for second in range(1, 61):
        price = 100 * (1 - 0.3 * second / 60)
        desk.set_price(price)
        desk.set_equity(1_000 + 10 * (price - 100))
        told = [message for message in desk.told if isinstance(message, Permit)]
        if told[-1].halted and halted_at is None:
            halted_at = price
        desk.run(1_000)
        assert halted_at is None or is_nothing(desk.permit)
    assert halted_at == pytest.approx(94.5), "the second before it had lost 5 %, not more"


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.integers(0, 100), st.floats(1, 1e6)), min_size=1, max_size=20),
    st.floats(0.01, 100),
    st.floats(0, 1e5),
)
def test_a_loss_limit_is_total_idempotent_and_a_larger_loss_never_does_less(
    steps: list[tuple[int, float]], max_pct: float, further: float
) -> None:
    history, now_ns = EquityHistory(), 0
    for seconds, usd in steps:
        now_ns += seconds * NS_PER_S
        history.add(usd, now_ns)
    for table in (DrawdownTable(max_pct=max_pct), LossRateTable(max_pct=max_pct)):
        policy = EquityLoss("loss", table, True)
        equities = (steps[-1][1], max(0.0, steps[-1][1] - further))
        first, worse = (
            policy.decide(view(1, now_ns=now_ns, equity=usd, history=history)) for usd in equities
        )
        assert worse.action >= first.action
        again = policy.decide(view(1, now_ns=now_ns, equity=equities[0], history=history))
        assert again == first and first.target is None


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ({"drawdown": {}}, "risk.drawdown: max_pct or max_usd must be given"),
        ({"drawdown": {"max_pct": 5, "action": "freeze"}}, 'risk.drawdown: action "freeze" needs a window_s'),
        ({"drawdown": {"max_pct": 5, "action": "stop"}}, 'risk.drawdown: action "stop" needs a window_s'),
        ({"drawdown": {"max_pct": 0}}, "drawdown.max_pct"),
        ({"loss_rate": {}}, "risk.loss_rate: max_usd or max_pct must be given"),
        ({"loss_rate": {"max_usd": 1, "action": "widen"}}, "loss_rate.action"),
        ({"loss_rate": {"max_usd": 1, "window_s": 10**6}}, "loss_rate.window_s"),
    ],
)
def test_X02_contradictions_and_bad_values_are_named(table: dict[str, Any], line: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_risk(table)
    assert line in str(refused.value)
