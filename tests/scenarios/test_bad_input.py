"""Whatever a person wrote wrongly: one clear line that names it, exit code 78, nothing left running."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.console.running.orphans import held_locks
from shared.errors import EXIT_BAD_INPUT
from tests.fixtures.deployment import HOME, Makerd, makerd
from tests.fixtures.redis_server import wait_until
from tests.fixtures.venue import PERP

CONFIG = """
[venues.backpack]
protocol = "backpack"
ready_file = "venue.json"
[accounts.main]
venue = "backpack"
[quoters.SOL_USDC_PERP]
account = "main"
strategy = "two_sided"
[quoters.SOL_USDC_PERP.params]
size_usd = 500
skew = 0.5
[risk]
max_move_pct = 0.6
"""
KEYS = {"api_key": "A" * 43 + "=", "api_secret": "B" * 43 + "="}


@pytest.fixture
def deployment() -> Iterator[Makerd]:
    with makerd() as empty:
        yield empty


def refused(deployment: Makerd, *options: str) -> str:
    """Run with something wrong; return the one line that says so."""
    answer = deployment.command("run", "--duration", "20", *options)
    assert answer.returncode == EXIT_BAD_INPUT, f"{answer.returncode}: {answer.stdout}{answer.stderr}"
    lines = answer.stderr.splitlines()
    assert len(lines) == 1, answer.stderr
    assert held_locks(deployment.run_dir) == {}
    assert deployment.pids() == {}
    return lines[0]


def config_with(deployment: Makerd, old: str, new: str) -> None:
    assert old in CONFIG
    deployment.config = deployment.run_dir / "changed.toml"
    deployment.run_dir.mkdir(exist_ok=True)
    deployment.config.write_text(CONFIG.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("[risk]", "[deployment]\nnaem = 1\n[risk]", ["naem", "name"]),
        ("size_usd = 500", "size_usdd = 500", ["size_usdd", "size_usd"]),
        ("[risk]", "[deployment]\ntag = 300\n[risk]", ["tag", "300", "255"]),
        ("skew = 0.5", "skew = 5", ["skew", "5"]),
        ("max_move_pct = 0.6", "max_move_pct = -1", ["max_move_pct", "-1"]),
        ("[risk]", "[risk]\nmax_mov_pct = 1", ["max_mov_pct", "max_move_pct"]),
        ("[risk]", "[execution]\nconnections = 0\n[risk]", ["connections", "0"]),
        ('strategy = "two_sided"', 'strategy = "three_sided"', ["three_sided", "two_sided"]),
        ("quoters.SOL_USDC_PERP", "quoters.DOGE_USDC_PERP", ["DOGE_USDC_PERP", "SOL_USDC_PERP"]),
        ('protocol = "backpack"', 'protocol = "backpak"', ["backpak", "backpack"]),
    ],
)
def test_X02_a_wrong_value_is_named_with_its_rule(
    deployment: Makerd, old: str, new: str, named: list[str]
) -> None:
    config_with(deployment, old, new)
    line = refused(deployment)
    assert all(word in line for word in named), line


def test_X06_a_missing_key_file_is_named(deployment: Makerd) -> None:
    config_with(deployment, 'venue = "backpack"', 'venue = "backpack"\nkey_file = "/nowhere/key.json"')
    assert "/nowhere/key.json" in refused(deployment)


def test_X06_a_key_file_that_others_may_read_is_refused(deployment: Makerd, tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(KEYS))
    path.chmod(0o644)
    config_with(deployment, 'venue = "backpack"', f'venue = "backpack"\nkey_file = "{path}"')
    line = refused(deployment)
    assert str(path) in line
    assert "644" in line
    assert KEYS["api_secret"] not in line


def test_X06_a_key_that_the_venue_does_not_know_is_named(deployment: Makerd, tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(KEYS))
    path.chmod(0o600)
    config_with(deployment, 'venue = "backpack"', f'venue = "backpack"\nkey_file = "{path}"')
    line = refused(deployment)
    assert "refuses the key" in line
    assert str(path) in line
    assert KEYS["api_secret"] not in line


def test_X02_a_redis_that_is_not_there_is_named(tmp_path: Path) -> None:
    address = f"unix://{tmp_path}/nobody.sock"
    with makerd(environment={"REDIS_URL": address}) as deployment:
        assert "REDIS_URL" in refused(deployment)


def test_X02_a_truncated_recording_is_named(deployment: Makerd, tmp_path: Path) -> None:
    recording = tmp_path / "cut.gz"
    frame = b'1 {"stream":"ethusdt@trade","data":{}}\n' * 2_000
    recording.write_bytes(gzip.compress(frame)[:-20])
    assert "cut.gz" in refused(deployment, "--market", f"replay:{recording}")


def test_X02_a_recording_that_does_not_exist_is_named(deployment: Makerd, tmp_path: Path) -> None:
    assert "none.gz" in refused(deployment, "--market", f"replay:{tmp_path}/none.gz")


def test_X02_a_venue_file_that_does_not_exist_is_named(deployment: Makerd, tmp_path: Path) -> None:
    assert "nowhere.json" in refused(deployment, "--venue-file", str(tmp_path / "nowhere.json"))


def test_X02_a_second_deployment_in_one_run_directory_is_refused(deployment: Makerd) -> None:
    deployment.run()
    wait_until(lambda: bool(deployment.pids()), 30)
    answer = deployment.command("run", "--duration", "5")
    assert answer.returncode == EXIT_BAD_INPUT
    assert "already runs" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1

    def is_up() -> bool:
        row = deployment.status().state["symbols"].get(PERP)
        return row is not None and row["working_state"] == "ready"

    wait_until(is_up, 40)  # before, what rests cannot be confirmed, and the exit code says so
    assert deployment.interrupt() == 0, deployment.output


@pytest.mark.parametrize("option", ["--port", "--control-port"])
def test_X02_a_port_in_use_is_named(option: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = subprocess.run(
            [
                sys.executable, "-m", "services.exchange", "--venue", "backpack", option, str(port),
                "--ready-file", str(tmp_path / "venue.json"),
            ],
            cwd=HOME, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
    assert answer.returncode == EXIT_BAD_INPUT
    assert len(answer.stderr.splitlines()) == 1
    assert str(port) in answer.stderr
    assert not (tmp_path / "venue.json").exists()
