"""What a person does while it runs: halt, resume, one quoter more or less; and what must never show."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.redis_server import wait_until
from tests.fixtures.stage import Stage
from tests.fixtures.venue import PERP

OTHER = "ETH_USDC_PERP"


@pytest.fixture
def halted(stage: Stage) -> Iterator[Stage]:
    answer = stage.makerd.command("halt", "--reason", "a test")
    assert stage.venue.ours() == frozenset(), "halt came back while our orders rest"
    assert answer.returncode == 0, answer.stderr + stage.makerd.why()
    yield stage
    assert stage.makerd.command("resume").returncode == 0


def test_halt_is_done_when_it_returns_and_resume_quotes_again(halted: Stage) -> None:
    sent = len(halted.venue.placements())
    assert halted.makerd.status().state["halted"] == {"ALL": "a test"}
    assert len(halted.venue.placements()) == sent
    assert halted.makerd.command("resume").returncode == 0
    halted.makerd.await_quoting(halted.venue)


def test_halt_outlives_the_death_of_risk_and_execution(halted: Stage) -> None:
    before, sent = halted.makerd.pids(), len(halted.venue.placements())
    halted.makerd.strike("risk", "execution.main", f"quoter.{PERP}")(signal.SIGKILL)
    wait_until(lambda: halted.makerd.is_whole() and halted.makerd.pids() != before, 20)

    def is_halted_again() -> bool:
        row = halted.makerd.status().state["symbols"].get(PERP)
        return row is not None and row["working_state"] == "halted" and row["working_orders"] == []

    wait_until(is_halted_again, 20)
    assert len(halted.venue.placements()) == sent


def test_halt_outlives_a_restart_of_the_whole_deployment(halted: Stage) -> None:
    assert halted.makerd.interrupt() == 0, halted.makerd.output
    sent = len(halted.venue.placements())
    halted.makerd.run("--venue-file", str(halted.proxy.ready_file))
    wait_until(halted.makerd.is_whole, 40)
    wait_until(
        lambda: halted.makerd.status().state["symbols"].get(PERP, {}).get("working_state") == "halted", 20
    )
    assert len(halted.venue.placements()) == sent


def test_halt_of_one_symbol_needs_no_redis(stage: Stage) -> None:
    stage.makerd.supervisor.stop("redis")
    try:
        answer = stage.makerd.command("halt", PERP)
        assert stage.venue.ours(PERP) == frozenset()
        assert answer.returncode == 0, answer.stderr
    finally:
        stage.makerd.supervisor.start("redis")
    wait_until(lambda: stage.makerd.command("resume", PERP).returncode == 0, 20)


def test_X17_a_quoter_comes_and_goes_without_touching_the_others(stage: Stage) -> None:
    before = stage.makerd.pids()
    added = stage.makerd.command("quoter", "add", OTHER)
    assert added.returncode == 0, added.stderr
    wait_until(lambda: bool(stage.venue.ours(OTHER)), 20)
    removed = stage.makerd.command("quoter", "remove", OTHER)
    assert removed.returncode == 0, removed.stderr
    wait_until(lambda: not stage.venue.ours(OTHER), 5)
    assert stage.makerd.pids() == before


def test_X05_the_api_secret_is_in_no_log_no_dump_no_command_line_and_not_on_the_bus(stage: Stage) -> None:
    secret = stage.venue.ready["accounts"][0]["api_secret"]
    traffic = stage.makerd.command("fills").stdout + stage.makerd.command("orders").stdout
    traces = {"stdout": traffic.encode(), "output": stage.makerd.output.encode()}
    traces |= {
        str(path): path.read_bytes() for path in sorted(stage.makerd.run_dir.rglob("*")) if path.is_file()
    }
    for name, pid in stage.makerd.pids().items():
        traces |= {
            f"{name} {file}": Path(f"/proc/{pid}/{file}").read_bytes() for file in ("cmdline", "environ")
        }
    assert any(name.endswith(".aof") for name in traces), "Redis has no file: nothing was searched there"
    assert [name for name, content in traces.items() if secret.encode() in content] == []


def test_X08_a_sigterm_to_execution_alone_leaves_no_order_unlisted(stage: Stage) -> None:
    before = stage.makerd.pids()
    os.kill(before["execution.main"], signal.SIGTERM)
    wait_until(
        lambda: (
            stage.makerd.pids().get("execution.main", before["execution.main"]) != before["execution.main"]
        ),
        20,
    )
    stage.makerd.await_quoting(stage.venue)
