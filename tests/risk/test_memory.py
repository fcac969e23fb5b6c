"""reliability.md, row 9: a restart of risk forgives no loss, ends no cool-down and no close."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.risk.account.equity_history import KEPT, EquityHistory
from services.risk.account.memory import Memory, Note, Pause
from services.risk.account.memory_file import MemoryFile
from services.risk.policies.policy import Action
from shared.clock import NS_PER_S, ManualClock
from tests.risk.desk import ACCOUNT, SYMBOL, Desk, is_nothing


def restarted(desk: Desk, seconds: float = 0, **config: Any) -> Desk:
    """Return a desk whose risk was started anew so many seconds later and has heard everything again."""
    memory = desk.core.memory(desk.now_ns)
    fresh = Desk(**config)
    by_ns = fresh.now_ns - desk.now_ns - round(seconds * NS_PER_S)
    fresh.core.restore(memory.shifted(by_ns).to_bytes())
    last: Any = desk.inputs["Equity", ACCOUNT, "-"]
    fresh.set_equity(last.equity_usd)
    fresh.run(500)
    return fresh


LOSS_RATE = {"loss_rate": {"max_usd": 20, "window_s": 60, "cool_down_s": 300}}


@pytest.mark.parametrize(("seconds", "is_frozen"), [(5, True), (200, True), (299, True), (302, False)])
def test_row_9_the_cool_down_of_a_loss_goes_on_after_a_restart(seconds: float, is_frozen: bool) -> None:
    desk = Desk(**LOSS_RATE)
    desk.set_equity(975.0)
    desk.run(250)
    assert is_nothing(desk.permit)
    assert restarted(desk, seconds, **LOSS_RATE).may_quote() is not is_frozen


def test_row_9_a_loss_that_began_before_a_restart_is_counted_with_what_follows() -> None:
    desk = Desk(**LOSS_RATE)
    desk.set_equity(985.0)
    fresh = restarted(desk, 30, **LOSS_RATE)
    assert fresh.may_quote()
    fresh.set_equity(979.0)
    assert "equity fell by 21.00 from 1000.00" in fresh.permit.reason
    late = restarted(desk, 61, **LOSS_RATE)
    late.set_equity(979.0)
    assert late.may_quote()


def test_R12_a_close_goes_on_after_a_restart_though_the_loss_is_gone() -> None:
    config: dict[str, Any] = {"max_move_pct": 50, "max_mark_gap_pct": 50, "stops": {"stop_loss_usd": 25}}
    desk = Desk(**config)
    desk.set_position(120)
    desk.set_price(77.5)
    assert desk.has_target()
    fresh = Desk(**config)
    fresh.core.restore(desk.core.memory(desk.now_ns).to_bytes())
    fresh.set_position(120)
    fresh.run(1_500)
    assert fresh.target is not None and (fresh.target.minimum, fresh.target.maximum) == (0, 0)
    assert is_nothing(fresh.permit)
    fresh.set_position(0)
    fresh.run(250)
    assert fresh.may_quote()


def test_a_side_that_was_paused_for_its_fills_stays_so() -> None:
    config: dict[str, Any] = {"fill_rate": {"max_fills": 1, "window_s": 1, "cool_down_s": 60}}
    desk = Desk(**config)
    for lots in (1, 2):
        desk.set_position(lots)
    assert not desk.permit.may_buy
    fresh = restarted(desk, 30, **config)
    assert not fresh.permit.may_buy and fresh.permit.may_sell
    assert restarted(desk, 61, **config).may_quote()


def test_what_is_remembered_of_accounts_and_policies_that_are_no_more_is_passed_over() -> None:
    desk = Desk()
    desk.core.restore(
        Memory(
            {"gone": 1.0}, {"gone": [(0, 1.0)]}, [Pause("gone", "X", 3, "", True, True, 10**18)],
            [Note(name, SYMBOL, "stops", "t", {"since": 0}) for name in ("gone", ACCOUNT)],
        ).to_bytes()
    )  # fmt: skip
    desk.run(500)
    assert desk.may_quote()


def test_the_falls_that_are_kept_are_few_and_no_peak_of_them_is_too_low() -> None:
    history, kept = EquityHistory(), EquityHistory()
    for second in range(1_000):
        history.add(2_000.0 - second, second * NS_PER_S)
    falls = history.falls()
    assert len(falls) <= KEPT
    kept.restore(2_000.0, falls)
    now_ns = 999 * NS_PER_S
    for window_s in (1, 7, 60, 500, 2_000):
        before, after = (one.peak_usd(window_s * NS_PER_S, now_ns) for one in (history, kept))
        assert before is not None and after is not None and before <= after <= before + 1_000 // KEPT + 1


def test_it_is_kept_for_one_session_and_what_cannot_be_read_is_none(tmp_path: Path) -> None:
    clock = ManualClock(5 * NS_PER_S, 100 * NS_PER_S)
    memory = Memory(
        {ACCOUNT: 1_100.0},
        {ACCOUNT: [(3 * NS_PER_S, 1_100.0)]},
        [Pause(ACCOUNT, SYMBOL, int(Action.FREEZE), "why", True, True, 9 * NS_PER_S)],
    )
    MemoryFile(tmp_path, clock, "7").write(memory)
    assert MemoryFile(tmp_path, clock, "7").read() == memory
    assert MemoryFile(tmp_path, clock, "").read() == memory, "started by hand: the last one goes on"
    assert MemoryFile(tmp_path, clock, "8").read() == Memory()
    rebooted = ManualClock(1 * NS_PER_S, 107 * NS_PER_S)  # 3 s later by the wall clock
    (pause,) = MemoryFile(tmp_path, rebooted, "7").read().pauses
    assert pause.until_ns == 2 * NS_PER_S, "1 s is left of it"
    for text in (
        "",
        '{"session": "7"',
        '{"session": "7", "offset_ns": 0, "memory": {"peaks": {"main": "much"}}}',
    ):
        (tmp_path / "risk_memory.json").write_text(text)
        assert MemoryFile(tmp_path, clock, "7").read() == Memory()
    MemoryFile(tmp_path / "nowhere", clock, "7").write(Memory({ACCOUNT: 1.0}))  # told in the log
