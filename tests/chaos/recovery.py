"""What must hold after a kill, whoever died."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson
import pytest

from shared.state.records import FillEntry
from shared.state.redis_link import RedisLink, socket_path
from shared.state.store import StateStore
from tests.chaos.kills import SUPERVISORD, Kill, MidJournal
from tests.fixtures.deployment import Makerd
from tests.fixtures.redis_server import wait_until
from tests.fixtures.stage import RIGHT_WITHIN_S, Recovery, Stage

ACCOUNT, DEPLOYMENT = "main", "paper"
JOURNALLED_WITHIN_S = 10.0


def survive(stage: Stage, kill: Kill | MidJournal) -> Recovery:
    """Let a kill happen and check all that must hold after it; ends when it quotes again."""
    stage.makerd.await_quoting(stage.venue)
    before = stage.makerd.pids()
    recovery = stage.recover(lambda: kill.happen(stage))
    assert recovery.right_again_s is not None, (
        f"{kill}: {RIGHT_WITHIN_S} s later makerd lists {sorted(recovery.status.listed())} and "
        f"{recovery.status.positions()}, the venue shows {sorted(recovery.samples[-1].ours)} and "
        f"{recovery.samples[-1].positions}; {stage.makerd.why()}"
    )
    stage.makerd.await_quoting(stage.venue)
    assert stage.venue.sent_twice() == []
    if SUPERVISORD not in kill.victims:
        after = stage.makerd.pids()
        assert {name for name in before if before[name] != after.get(name)} == set(kill.victims)
    return recovery


def check_journal(stage: Stage) -> None:
    """Every fill that the venue tells is journalled once, and nothing else.

    Fills go on meanwhile: what is told first is journalled soon, what is journalled is told afterwards.
    """
    told_first = told(stage)
    assert told_first, "the venue tells of no fill: nothing was tested"
    try:
        wait_until(lambda: journalled(stage.makerd) >= told_first, JOURNALLED_WITHIN_S)
    except AssertionError:
        missing = told_first - journalled(stage.makerd)
        pytest.fail(f"not journalled {JOURNALLED_WITHIN_S} s later: {missing}; {stage.makerd.why()}")
    surplus = journalled(stage.makerd) - told(stage)
    assert not surplus, f"journalled twice or never told: {surplus}"


def broken_down(logs: str) -> list[str]:
    """Return the log lines by which a process says that it broke down: `run_service` ends like that."""
    lines = [line for line in logs.splitlines() if line.startswith("{")]
    return [line for line in lines if is_end(orjson.loads(line))]


def is_end(event: dict[str, Any]) -> bool:
    """True for `failed` with a trace, and for an error that names nothing but its service."""
    is_fatal = event["level"] == "error" and event.keys() == {"at", "level", "service", "event"}
    return "trace" in event or is_fatal


def journalled(makerd: Makerd) -> Counter[tuple[int, str]]:
    store = StateStore(RedisLink.to_socket(socket_path(makerd.run_dir)), DEPLOYMENT)
    try:
        _, entries = store.journal(ACCOUNT).after("0-0")
    finally:
        store.close()
    return Counter((fill.trade_id, fill.venue_order_id) for fill in entries if isinstance(fill, FillEntry))


def told(stage: Stage) -> Counter[tuple[int, str]]:
    """Return trade and order of every fill in the venue's history, all pages."""
    rows: list[dict[str, Any]] = []
    page = 1_000
    while True:
        answer = stage.venue.maker.get(
            "/wapi/v1/history/fills", "fillHistoryQueryAll", limit=page, offset=len(rows)
        ).json()
        rows += answer
        if len(answer) < page:
            return Counter((int(row["tradeId"]), str(row["orderId"])) for row in rows)
