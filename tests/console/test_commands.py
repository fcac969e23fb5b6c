"""The `makerd` command where nothing runs: one clear line, the right exit code, no secret shown."""

from __future__ import annotations

import base64
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

PLANTED = base64.b64encode(bytes(range(32))).decode()
ROOT = Path(__file__).resolve().parents[2]
GOOD = (ROOT / "deploy/config/paper.toml").read_text()


def makerd(tmp_path: Path, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"MAKERD_RUN_DIR": str(tmp_path / "run"), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", "services.console", *arguments],
        input=given, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=60,
    )  # fmt: skip


def test_X05_keys_add_writes_a_private_file_and_shows_nothing(tmp_path: Path) -> None:
    path = tmp_path / "backpack.json"
    done = makerd(tmp_path, "keys", "add", "backpack", "--file", str(path), given=f"{PLANTED}\n{PLANTED}\n")
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert PLANTED not in done.stdout + done.stderr
    again = makerd(tmp_path, "keys", "add", "backpack", "--file", str(path), given="x\ny\n")
    assert again.returncode == 78 and "exists" in again.stderr


@pytest.mark.parametrize(
    ("given", "words"),
    [("no key\nx\n", "API key is not base64"), (f"{PLANTED}\nAAAA\n", "API secret must be 32 bytes")],
)
def test_X06_keys_of_the_wrong_form_are_refused_without_showing_them(
    tmp_path: Path, given: str, words: str
) -> None:
    done = makerd(tmp_path, "keys", "add", "backpack", "--file", str(tmp_path / "k"), given=given)
    assert done.returncode == 78
    assert words in done.stderr
    assert "no key" not in done.stderr and not (tmp_path / "k").exists()


def test_X15_an_unsupported_venue_is_answered_with_the_choices(tmp_path: Path) -> None:
    done = makerd(tmp_path, "keys", "add", "kraken")
    assert done.returncode == 78
    assert done.stderr.strip() == "makerd: venue 'kraken' is not supported; choose one of: backpack"


def test_X02_check_prints_the_quotes_of_a_good_file(tmp_path: Path) -> None:
    config = tmp_path / "good.toml"
    config.write_text(GOOD)
    done = makerd(tmp_path, "check", str(config), "--mid", "150")
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if line.strip().startswith("flat")]
    assert [row[:3] for row in rows] == [["flat", "bid", "149.99"], ["flat", "ask", "150.01"]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("join_best", "join_bset"), ["join_bset", "join_best"]),
        (("skew = 0.5", "skew = 1.5"), ["skew", "1.5", "<= 1"]),
        (('strategy = "two_sided"', 'strategy = "moon"'), ["moon", "one_sided", "two_sided"]),
        (('protocol = "backpack"', 'protocol = "kraken"'), ["kraken", "backpack"]),
        (("max_position_share = 0.2", "max_position_share = 0"), ["max_position_share", "was 0"]),
        (("[risk]", "[execution]\nconnections = 0\n[risk]"), ["connections", "was 0"]),
    ],
)
def test_X02_check_names_the_key_the_value_and_the_rule(
    tmp_path: Path, change: tuple[str, str], words: list[str]
) -> None:
    config = tmp_path / "bad.toml"
    assert change[0] in GOOD
    config.write_text(GOOD.replace(*change, 1))
    done = makerd(tmp_path, "check", str(config), "--mid", "150")
    assert done.returncode == 78
    assert len(done.stderr.strip().splitlines()) == 1
    for word in words:
        assert word in done.stderr


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a command left, with exit code 78."""
    assert done.returncode == 78, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--duration", "abc"], ["--duration", "abc"]),
        (["run", "--duration", "nan"], ["--duration", "nan", "above 0"]),
        (["run", "--duration", "-1"], ["--duration", "-1"]),
        (["run", "--seed", "x"], ["--seed", "'x'"]),
        (["ruin"], ["ruin"]),
        (["--config", "/tmp", "run"], ["config /tmp cannot be read"]),
        (["--config", "/tmp", "status"], ["config /tmp cannot be read"]),
        (["check", "/tmp"], ["config /tmp cannot be read"]),
        (["quoter", "add", "SOL_USDC_PERP"], ["quoted already"]),
        (["quoter", "add", "ETH_USDC_PERP", "--account", "none"], ["--account", "none", "main"]),
        (["quoter", "remove", "ETH_USDC_PERP"], ["ETH_USDC_PERP", "not quoted"]),
    ],
)
def test_X02_what_is_wrong_on_the_command_line_is_one_line(
    tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    line = refused(makerd(tmp_path, *arguments))
    for word in words:
        assert word in line


def test_X02_a_run_directory_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    assert f"run_dir {tmp_path / 'run'} cannot be used" in refused(makerd(tmp_path, "run"))


def test_X02_a_run_directory_that_supervisord_cannot_read_is_named(tmp_path: Path) -> None:
    directory = tmp_path / "50 %"
    directory.mkdir()
    assert "must not contain %" in refused(makerd(directory, "run"))


@pytest.mark.parametrize(
    ("given", "file", "words"),
    [
        ("schlüssel\nx\n", "k", "API key is not base64"),
        (f"{PLANTED}\n{PLANTED}\n", "taken/k", "cannot be written"),
    ],
)
def test_X05_keys_add_refuses_what_it_cannot_use_or_write(
    tmp_path: Path, given: str, file: str, words: str
) -> None:
    (tmp_path / "taken").write_text("a file, not a directory")
    assert words in refused(
        makerd(tmp_path, "keys", "add", "backpack", "--file", str(tmp_path / file), given=given)
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "is not a file"), ("{", "is not JSON"), ('{"api_key": "x", "api_secret": "y"}', "base64")],
)
@pytest.mark.parametrize("command", ["run", "check"])
def test_X06_every_key_file_is_looked_at_before_anything_starts(
    tmp_path: Path, command: str, content: str | None, words: str
) -> None:
    key = tmp_path / "key.json"
    if content is None:
        key.mkdir(mode=0o700)
    else:
        key.write_text(content)
        key.chmod(0o600)
    config = tmp_path / "config.toml"
    config.write_text(GOOD.replace('venue = "backpack" ', f'venue = "backpack"\nkey_file = "{key}" ', 1))
    assert str(key) in config.read_text()
    arguments = (
        ["check", str(config), "--mid", "150"] if command == "check" else ["--config", str(config), "run"]
    )
    line = refused(makerd(tmp_path, *arguments))
    assert str(key) in line and words in line
    assert not (tmp_path / "run").exists(), "something was started"


@pytest.mark.parametrize(
    ("addresses", "words"),
    [
        ('"quoter.SOL" = "tcp://127.0.0.1:7001"', ["quoter.SOL", "no such service"]),
        ('risk = "tcp://127.0.0.1:70010"', ["addresses.risk", "70010"]),
        ('risk = "127.0.0.1:7001"', ["addresses.risk", "127.0.0.1:7001"]),
        ('risk = "tcp://127.0.0.1:7001"\nsignals = "tcp://127.0.0.1:7001"', ["addresses.signals", "risk"]),
    ],
)
def test_X02_check_names_a_bus_address_that_cannot_be(
    tmp_path: Path, addresses: str, words: list[str]
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f"{GOOD}\n[addresses]\n{addresses}\n")
    line = refused(makerd(tmp_path, "check", str(config), "--mid", "150"))
    for word in words:
        assert word in line


def test_X02_a_bus_port_in_use_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        config = tmp_path / "config.toml"
        config.write_text(f'{GOOD}\n[addresses]\nrisk = "{address}"\n')
        line = refused(makerd(tmp_path, "--config", str(config), "run"))
    assert "addresses.risk" in line and address in line
    assert not (tmp_path / "run").exists()


DEAD = '{"venue": "backpack", "rest": "http://127.0.0.1:9", "ws": "ws://127.0.0.1:9", "accounts": [%s]}'
ACCOUNT = '{"name": "maker", "api_key": "k", "api_secret": "s"}'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{}", ["'rest' is missing"]),
        ("no json", ["is not JSON"]),
        (DEAD % "", ["accounts is empty"]),
        (DEAD % ACCOUNT, ["http://127.0.0.1:9", "does not answer"]),
    ],
)
@pytest.mark.parametrize("is_told_by_environment", [False, True])
def test_X02_a_venue_file_that_leads_nowhere_is_named_and_left_as_it_is(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str,
    words: list[str],
    is_told_by_environment: bool,
) -> None:
    path = tmp_path / "venue.json"
    path.write_text(content)
    path.chmod(0o600)
    if is_told_by_environment:
        monkeypatch.setenv("MAKERD_VENUE_FILE", str(path))
        line = refused(makerd(tmp_path, "run"))
    else:
        line = refused(makerd(tmp_path, "run", "--venue-file", str(path)))
    assert f"ready file {path}" in line or f"{path}:" in line
    for word in words:
        assert word in line
    assert "key file" not in line
    assert path.read_text() == content


def test_status_of_nothing_says_unknown_and_guesses_nothing(tmp_path: Path) -> None:
    done = makerd(tmp_path, "status", "--json")
    assert done.returncode == 0, done.stderr
    assert '"position": null' in done.stdout and '"working_orders": null' in done.stdout
    assert '"equity": null' in done.stdout


def test_a_halt_that_nobody_confirms_is_set_and_reported_as_unconfirmed(tmp_path: Path) -> None:
    done = makerd(tmp_path, "halt", "--reason", "test", "--timeout", "0.5")
    assert done.returncode == 1
    assert "not confirmed by the venue" in done.stderr
    assert (tmp_path / "run" / "halt" / "ALL").read_text() == "test"


@pytest.mark.parametrize(
    ("change", "where"),
    [("[risk]", "[risk]\nown_order_settle_s = 1.0"), ("[risk]", "[marketdata]\nmax_lag_s = 2.0\n[risk]")],
)
def test_X02_check_refuses_own_orders_forgotten_before_a_late_book_shows_them(
    tmp_path: Path, change: str, where: str
) -> None:
    config = tmp_path / "bad.toml"
    assert change in GOOD
    config.write_text(GOOD.replace(change, where, 1))
    done = makerd(tmp_path, "check", str(config), "--mid", "150")
    assert done.returncode == 78
    assert "own_order_settle_s" in done.stderr and "must be above marketdata.max_lag_s" in done.stderr


def test_C13_check_tells_the_policies_as_they_are_understood(tmp_path: Path) -> None:
    config = tmp_path / "good.toml"
    config.write_text(GOOD.replace("[risk]", "[risk.stops]\nstop_loss_usd = 25\n[risk]", 1))
    done = makerd(tmp_path, "check", str(config), "--mid", "150")
    assert done.returncode == 0, done.stderr
    assert "risk.stops: stop_loss_usd -25, slippage_pct 1, alert_s 5" in done.stdout


def test_C10_check_shows_ticks_and_percent_and_only_what_risk_permits(tmp_path: Path) -> None:
    config = tmp_path / "good.toml"
    config.write_text(GOOD.replace("[risk]", "[risk]\nmax_order_usd = 30", 1))
    done = makerd(tmp_path, "check", str(config), "--mid", "150", "--equity", "500")
    assert done.returncode == 0, done.stderr
    assert "around 150, with an equity of 500" in done.stdout
    assert "ticks from mid" in done.stdout and "percent from mid" in done.stdout
    rows = [line.split() for line in done.stdout.splitlines() if line.strip().startswith("flat")]
    assert rows and all(float(row[4]) <= 30 for row in rows)
    assert makerd(tmp_path, "check", str(config), "--equity", "0").returncode == 78
