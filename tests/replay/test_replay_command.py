"""`makerd replay`: the table, the report, the exit code; what is wrong is one clear line and code 78."""

from __future__ import annotations

import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.console.__main__ import main
from services.console.commands import replaying
from services.replay.report.writing import read_report
from services.replay.running import Replayed
from tests.replay.market import SYMBOL, config_text, write_lines
from tests.replay.sources.frames import a_market

BTC = "BTC_USDC_PERP"


def makerd(
    monkeypatch: pytest.MonkeyPatch,
    directory: Path,
    *arguments: str,
    config: str = "",
    command: str = "replay",
) -> int:
    path = directory / "makerd.toml"
    path.write_text(config or config_text(replay="maker_fee_bps = 1.3\n"))
    monkeypatch.chdir(directory)
    monkeypatch.setattr(sys, "argv", ["makerd", command, str(path), *arguments])
    try:
        return main()
    except SystemExit as stopped:
        return int(str(stopped.code))


def test_a_replay_shows_three_bounds_side_by_side_and_writes_its_report(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert makerd(monkeypatch, tmp_path, "synthetic", "--duration", "8", "--out", str(out)) == 0
    shown = capsys.readouterr()
    for words in (
        "pessimistic: trade-through",
        "model: queue position",
        "optimistic: touch",
        "cost per 10,000",
    ):
        assert words in shown.out
    assert str(out / "report.html") in shown.out
    assert "3 fill models" in shown.err and "a second, reading included" in shown.err
    report = read_report(out / "report.json")
    assert set(report.runs) == {"pessimistic", "queue", "optimistic"}
    assert report.settings["fees"] == "maker 1.3 bps, taker 0 bps"
    assert report.settings["latency"] == "feed 1 ms, hop 0.25 ms, order 5 ms, reply 5 ms"
    assert all(run.money.net == run.money.parts.total for run in report.runs.values())
    assert "<html" in (out / "report.html").read_text()


def test_one_model_can_be_asked_for_and_each_symbol_has_its_report(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = (f"{SYMBOL}=synthetic", f"{BTC}=synthetic:3")
    code = makerd(
        monkeypatch, tmp_path, *data, "--duration", "6", "--model", "queue", config=config_text((SYMBOL, BTC))
    )
    assert code == 0
    for symbol in (SYMBOL, BTC):
        assert set(read_report(tmp_path / "run/replay" / symbol / "report.json").runs) == {"queue"}


def test_a_gap_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = a_market(200).depth(lost=5).calm(100).snapshot().calm(100)
    path = write_lines(tmp_path / "frames.gz", frames.lines)
    assert makerd(monkeypatch, tmp_path, str(path)) == 0
    assert "gap in the recording from 4.040 s to " in capsys.readouterr().out
    report = read_report(tmp_path / "run/replay/report.json")
    assert any("gap in the recording" in note for note in report.notes)


def test_what_does_not_add_up_is_said_and_is_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    honest = replaying.replay

    def wrong(*arguments: Any) -> Replayed:
        done = honest(*arguments)
        outcomes = tuple(
            changed(outcome, difference={"main": Decimal("0.01")}, is_clean=False)
            for outcome in done.outcomes
        )
        return changed(done, outcomes=outcomes)

    monkeypatch.setattr(replaying, "replay", wrong)
    assert makerd(monkeypatch, tmp_path, "synthetic", "--duration", "2", "--model", "queue") == 1
    shown = capsys.readouterr().out
    assert "queue: the account main differs from the ledger by 0.01" in shown
    assert "queue: not every order was confirmed cancelled at the end" in shown


def changed(value: Any, **changes: Any) -> Any:

    return replace(value, **changes)


@pytest.mark.parametrize(
    ("arguments", "config", "words"),
    [
        ((), "", "replay: no data given; known: raw Binance frames"),
        (("x.unknown",), "", "x.unknown cannot be read"),
        (("makerd.toml",), "", "is of no known format"),
        (("MOON=synthetic",), "", "synthetic market 'MOON' is not known"),
        (("synthetic", "--duration", "0"), "", "--duration 0 must be above 0"),
        (("synthetic", "--duration", "nan"), "", "--duration nan must be above 0"),
        (("synthetic",), config_text(strategy='strategy = "moon"'), "moon"),
        (
            ("synthetic",),
            config_text(strategy='strategy = "two_sided"\nparams = {join_bset = true}'),
            "'join_best'",
        ),
        (("synthetic",), config_text(replay="equity = -1\n"), "replay: equity: "),
        (
            ("synthetic",),
            config_text(replay='latency = {bench = "no.json"}\n'),
            "replay.latency.bench 'no.json'",
        ),
        (("synthetic",), config_text(more="[risk]\nmax_position_share = 0\n"), "max_position_share"),
    ],
)
def test_X02_what_a_person_wrote_wrong_is_one_clear_line_and_exit_code_78(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...], config: str, words: str,
) -> None:  # fmt: skip
    assert makerd(monkeypatch, tmp_path, *arguments, config=config) == 78
    shown = capsys.readouterr().err.strip()
    assert words in shown and "\n" not in shown and shown.startswith("makerd: ")


def test_a_report_that_cannot_be_written_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    out = str(tmp_path / "file" / "out")
    monkeypatch.setattr(replaying, "replay", None)  # before anything is replayed
    assert makerd(monkeypatch, tmp_path, "synthetic", "--duration", "1", "--out", out) == 78
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("replay", "words"),
    [
        ("maker_fee_bps = 5000\n", "replay: maker_fee_bps: "),
        ("latency = {hop_sm = 1}\n", "did you mean 'hop_ms'"),
        ('latency = {bench = "no.json"}\n', "replay.latency.bench 'no.json' cannot be read"),
    ],
)
def test_X02_makerd_check_reads_the_table_too(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    replay: str,
    words: str,
) -> None:
    config = config_text(("SOL_USDC_PERP",), replay)
    assert makerd(monkeypatch, tmp_path, "--mid", "150", config=config, command="check") == 78
    assert words in capsys.readouterr().err
    good = config_text(("SOL_USDC_PERP",), "maker_fee_bps = 1.3\n")
    assert makerd(monkeypatch, tmp_path, "--mid", "150", config=good, command="check") == 0
