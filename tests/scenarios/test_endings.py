"""How a run ends: told truly, and never with a deployment that trades on without a head."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from services.console.running.orphans import held_locks
from tests.fixtures.deployment import Makerd, makerd
from tests.fixtures.redis_server import wait_until
from tests.fixtures.venue import PERP, VenueProcess, running_venue

OTHER = "ETH_USDC_PERP"
GONE_WITHIN_S = 30.0


@pytest.fixture(scope="module")
def venue() -> Iterator[VenueProcess]:
    with running_venue() as running:
        yield running


@pytest.fixture
def deployment(venue: VenueProcess) -> Iterator[Makerd]:
    """A deployment that quotes on a venue which outlives it."""
    with makerd() as running:
        running.run("--venue-file", str(venue.ready_file))
        running.await_quoting(venue)
        yield running


def summary_of(deployment: Makerd) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((deployment.run_dir / "summary.json").read_text())
    return found


def end_by(deployment: Makerd, number: signal.Signals) -> int:
    assert deployment.process is not None
    deployment.process.send_signal(number)
    return deployment.process.wait(60)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_X08_a_closed_terminal_cancels_confirms_and_stops(
    deployment: Makerd, venue: VenueProcess, number: signal.Signals
) -> None:
    assert end_by(deployment, number) == 0, deployment.output
    assert venue.ours() == frozenset()
    assert held_locks(deployment.run_dir) == {}
    assert summary_of(deployment)["open_orders_at_end"] == 0


def test_X08_a_deployment_whose_head_is_killed_cancels_and_ends(
    deployment: Makerd, venue: VenueProcess
) -> None:
    pids = deployment.pids()
    assert deployment.process is not None
    deployment.process.kill()
    deployment.process.wait(10)
    wait_until(lambda: not any(map(is_alive, pids.values())), GONE_WITHIN_S)
    assert venue.ours() == frozenset()
    assert held_locks(deployment.run_dir) == {}


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_X08_a_stop_that_the_venue_does_not_confirm_is_told_as_unknown(
    deployment: Makerd, venue: VenueProcess
) -> None:
    assert deployment.interrupt() == 0, deployment.output
    assert summary_of(deployment)["ledger_matches_venue"] is True
    deployment.run("--venue-file", str(venue.ready_file))  # in the same directory: the last end was clean
    deployment.await_quoting(venue)
    venue.process.send_signal(signal.SIGSTOP)
    try:
        assert end_by(deployment, signal.SIGINT) == 1
    finally:
        venue.process.send_signal(signal.SIGCONT)
    summary = summary_of(deployment)
    assert (summary["open_orders_at_end"], summary["ledger_matches_venue"]) == (None, None)
    assert "open orders left: unknown" in deployment.output
    assert "not confirmed by the venue for: main" in deployment.output


def test_L09_without_redis_at_the_end_the_summary_tells_what_is_known(
    deployment: Makerd, venue: VenueProcess
) -> None:
    for side in ("buy", "sell"):
        venue.take(side, "1.5")
    wait_until(lambda: (deployment.run_dir / "fills.jsonl").stat().st_size > 0, 20)
    deployment.supervisor.stop("redis")
    assert deployment.interrupt() == 0, deployment.output
    summary = summary_of(deployment)
    assert summary["open_orders_at_end"] == 0, "execution has had it confirmed by the venue"
    assert summary["ledger_matches_venue"] is None
    assert summary["fills"] > 0
    assert venue.ours() == frozenset()


def test_X17_added_and_removed_quoters_outlive_the_death_of_supervisord(
    deployment: Makerd, venue: VenueProcess
) -> None:
    assert deployment.command("quoter", "add", OTHER).returncode == 0
    removed = deployment.command("quoter", "remove", PERP)
    assert removed.returncode == 0, removed.stderr
    assert deployment.command("quoter", "remove", PERP).returncode == 78
    deployment.strike("supervisord")(signal.SIGKILL)
    wait_until(lambda: bool(venue.ours(OTHER)) and deployment.is_whole(), 40)
    assert f"quoter.{PERP}" not in deployment.pids()
    assert PERP not in deployment.status().state["symbols"] or not venue.ours(PERP)
    again = deployment.command("quoter", "add", PERP, "--like", OTHER)
    assert again.returncode == 0, again.stderr
    wait_until(lambda: bool(venue.ours(PERP)), 20)
    assert deployment.interrupt() == 0, deployment.output


def test_L09_a_venue_that_is_silent_while_supervisord_comes_back_does_not_end_the_run(
    deployment: Makerd, venue: VenueProcess
) -> None:
    before = deployment.pids()["supervisord"]
    venue.process.send_signal(signal.SIGSTOP)
    try:
        deployment.strike("supervisord")(signal.SIGKILL)
        wait_until(lambda: deployment.is_whole() and deployment.pids()["supervisord"] != before, 60)
    finally:
        venue.process.send_signal(signal.SIGCONT)
    deployment.await_quoting(venue)
    assert deployment.interrupt() == 0, deployment.output


def test_X08_a_new_local_venue_after_the_death_of_supervisord_does_not_spoil_the_money() -> None:
    with makerd() as deployment:
        deployment.run()
        fills = deployment.run_dir / "fills.jsonl"
        wait_until(lambda: fills.exists() and fills.stat().st_size > 0, 60)
        deployment.strike("supervisord")(signal.SIGKILL)
        size = fills.stat().st_size
        wait_until(lambda: deployment.is_whole() and fills.stat().st_size > size, 60)
        assert deployment.interrupt() == 0, deployment.output
        summary = summary_of(deployment)
    assert summary["services"]["supervisord"]["restarts"] == 1
    assert summary["ledger_matches_venue"] is True
    assert abs(summary["cost_per_10k_usd"]) < 50, summary


#: how the interpreter itself dies of a signal before it runs anything of ours
PYTHON_NOT_UP = "Fatal Python error: init"


@pytest.mark.parametrize("delay_s", [0.05, 0.15, 0.3, 0.6, 1.2, 2.5])
def test_X15_ctrl_c_at_any_moment_of_the_start_leaves_no_traceback_and_nothing_running(
    delay_s: float,
) -> None:
    with makerd() as deployment:
        deployment.run()
        assert deployment.process is not None
        time.sleep(delay_s)  # the moment is what is tried
        code = deployment.interrupt()
        assert code in (0, 1, -signal.SIGINT), deployment.output
        if deployment.output.startswith(PYTHON_NOT_UP):
            return  # the machine was busy: not even the interpreter had begun
        assert "Traceback" not in deployment.output
        assert "None" not in deployment.output
        assert held_locks(deployment.run_dir) == {}
