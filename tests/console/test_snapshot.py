"""One look at a deployment: whole where everything is heard, None where it is not."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from services.console.bus.snapshot import take_snapshot
from services.console.running.supervisor import ProcessInfo
from shared.bus import STATE_TTL_NS
from shared.halt import HaltFlags
from shared.messages import Permit
from tests.console.board_scene import ACCOUNT, CONFIG, NOW_NS, SYMBOL, board_of, everything, working

PROCESSES = {"risk": ProcessInfo("RUNNING", 7, 3, 0, True)}


def test_what_is_heard_is_told_in_the_units_of_the_venue() -> None:
    state = take_snapshot(CONFIG, board_of(*everything()), PROCESSES, {}, NOW_NS)
    row = state["symbols"][SYMBOL]
    assert state["services"] == {"risk": {"state": "RUNNING", "pid": 7, "uptime_s": 3}}
    assert (row["feed"], row["bid"], row["ask"], row["position"]) == ("live", "150", "150.02", "-3.97")
    assert row["quotes"] == [{"side": "buy", "price": "150", "quantity": "2.66"}]
    (order,) = row["working_orders"]
    assert (order["client_order_id"], order["venue_order_id"], order["status"]) == (7, "v7", "live")
    assert row["permit"] == "quoting" and row["decisions"] == []
    assert state["accounts"] == {ACCOUNT: {"equity": 10_000.0, "exposure": pytest.approx(595.54)}}


def test_each_policys_decision_is_told_with_its_action() -> None:
    decisions = ("freeze: mid moved +0.70 % in 1 s", "pause bids: position is over")
    permit = msgspec.structs.replace(
        next(message for message in everything() if isinstance(message, Permit)), decisions=decisions
    )
    state = take_snapshot(CONFIG, board_of(*everything(), permit), PROCESSES, {}, NOW_NS)
    assert state["symbols"][SYMBOL]["decisions"] == list(decisions)


def test_what_is_not_heard_any_more_is_none_and_never_zero() -> None:
    state = take_snapshot(CONFIG, board_of(*everything()), None, {}, NOW_NS + STATE_TTL_NS + 1)
    row = state["symbols"][SYMBOL]
    assert (row["bid"], row["position"], row["working_orders"], row["quotes"]) == (None, None, None, None)
    assert (row["feed"], row["permit"], row["decisions"]) == ("unknown", "none", None)
    assert state["accounts"] == {ACCOUNT: {"equity": None, "exposure": None}}
    assert state["services"] == {}


def test_a_halt_is_told_whether_a_file_or_redis_knows_it(tmp_path: Path) -> None:
    deployment = msgspec.structs.replace(CONFIG.deployment, run_dir=str(tmp_path))
    config = msgspec.structs.replace(CONFIG, deployment=deployment)
    HaltFlags(tmp_path).set("ETH_USDC_PERP", "a file")
    state = take_snapshot(config, board_of(), {}, {"ALL": "redis"}, NOW_NS)
    assert state["halted"] == {"ALL": "redis", "ETH_USDC_PERP": "a file"}


def test_a_symbol_of_two_accounts_is_a_row_of_each() -> None:
    other = working(account="other", orders=())
    config = msgspec.structs.replace(CONFIG, accounts=CONFIG.accounts | {"other": CONFIG.accounts[ACCOUNT]})
    state = take_snapshot(config, board_of(*everything(), other), PROCESSES, {}, NOW_NS)
    rows = {title: (row["account"], row["symbol"]) for title, row in state["symbols"].items()}
    assert rows == {f"{SYMBOL}@{name}": (name, SYMBOL) for name in (ACCOUNT, "other")}
    assert state["symbols"][f"{SYMBOL}@other"]["working_orders"] == []
    assert len(state["symbols"][f"{SYMBOL}@{ACCOUNT}"]["working_orders"]) == 1
