"""The `makerd` command where nothing runs: one clear line, the right exit code, no secret shown."""

from __future__ import annotations

import base64
import os
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
