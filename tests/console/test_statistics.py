"""`makerd stats`: the figures of the running deployment or of the last run, and when they are of."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import orjson
import pytest

from services.console.commands.statistics import headline, stats
from services.console.running.stats_file import STATS_FILE, read_stats, write_stats
from shared.config import Config, Deployment
from shared.errors import BadInput
from shared.lifetime import acquire_lock
from shared.messages import Side
from shared.state.records import FundingEntry
from tests.console.board_scene import ACCOUNT, CONFIG, NOW_NS, SYMBOL
from tests.console.test_books import books, entry, see

AT_MS = 1_700_000_000_000


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return msgspec.structs.replace(CONFIG, deployment=Deployment(run_dir=str(tmp_path)))


def leave(config: Config, *, is_running: bool) -> None:
    """Write what a run with two fills and a funding payment leaves."""
    opened = books()
    see(opened, 100)
    opened.book(
        ACCOUNT,
        [
            entry(Side.BUY, "2", "99", "0.04", "2"),
            entry(Side.SELL, "2", "99.5", "-0.03", "0"),
            FundingEntry(SYMBOL, Decimal("-0.25"), "USDC", 0, 0),
        ],
    )
    write_stats(config.run_dir, opened.stats(NOW_NS + 10**9, AT_MS, is_running=is_running))


def test_X12_stats_shows_the_last_run_to_the_last_digit(
    config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    leave(config, is_running=False)
    assert stats(config, as_json=False) == 0
    shown = capsys.readouterr().out
    for words in (
        "the last run, as of 2023-11-14 22:13:20 UTC", "net 0.74", SYMBOL, "spread captured", "wear rate",
    ):  # fmt: skip
        assert words in shown, f"{words!r} is not in:\n{shown}"


def test_stats_as_json_has_exact_money_and_every_account(
    config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    leave(config, is_running=False)
    assert stats(config, as_json=True) == 0
    found = orjson.loads(capsys.readouterr().out)
    report = found["accounts"][ACCOUNT]["symbols"][SYMBOL]
    assert sum(Decimal(part) for part in report["money"]["parts"].values()) == Decimal("0.74")
    assert (found["is_running"], report["path"]) == (False, [])


def test_a_run_that_was_killed_is_not_called_running(
    config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    leave(config, is_running=True)
    stats(config, as_json=False)
    assert "the last run" in capsys.readouterr().out
    lock = acquire_lock(config.run_dir, "deployment")
    try:
        stats(config, as_json=False)
    finally:
        lock.close()
    assert "running, as of" in capsys.readouterr().out


def test_figures_that_have_become_old_while_it_runs_say_so(config: Config) -> None:
    leave(config, is_running=True)
    found = read_stats(config.run_dir)
    assert found is not None
    assert "nothing was written" not in headline(found, AT_MS / 1_000 + 2)
    assert headline(found, AT_MS / 1_000 + 90).endswith("nothing was written for 90 s")


def test_where_nothing_ran_is_one_clear_line(config: Config) -> None:
    with pytest.raises(BadInput, match="no run has left statistics"):
        stats(config, as_json=False)
    (config.run_dir / STATS_FILE).write_text('{"at_ms": 1}')
    with pytest.raises(BadInput, match="written by another version"):
        stats(config, as_json=False)
