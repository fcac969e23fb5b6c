"""`makerd record` and `makerd replay --verify`: what a person sees and what the exit code says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.console import progress
from services.console.__main__ import main
from services.console.commands import records, replaying, verifying
from services.console.options import parse
from services.console.running.supervisor import ProcessInfo
from shared.config import Config
from shared.errors import BadInput
from shared.lifetime import acquire_lock
from shared.recording.file import RecordingFile
from shared.recording.settings import FLAG, is_on
from tests.quoter.builders import START_NS
from tests.replay.recorded_cores import new_file, quoter


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("MAKERD_RUN_DIR", str(tmp_path))
    return Config()


class FakeSupervisor:
    """Programs that are recorded once they were started again, or never."""

    programs = ("redis", "quoter.B", "execution.main", "risk", "quoter.A", "signals", "marketdata.x")
    records_again = True

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir

    def processes(self) -> dict[str, ProcessInfo]:
        return {name: ProcessInfo("RUNNING", 1, 1, 0, True) for name in self.programs}

    def stop(self, name: str) -> None:
        CALLS.append(f"stop {name}")

    def start(self, name: str) -> None:
        CALLS.append(f"start {name}")
        if self.records_again:
            FILES.append(new_file(self._run_dir, name))


CALLS: list[str] = []
FILES: list[RecordingFile] = []


@pytest.fixture
def running(config: Config, monkeypatch: pytest.MonkeyPatch) -> Iterator[Config]:
    """A deployment that runs without being recorded."""
    lock = acquire_lock(config.run_dir, "deployment")
    monkeypatch.setattr(records, "Supervisor", FakeSupervisor)
    monkeypatch.setattr(records, "RECORDED_S", 0.1)
    CALLS.clear()
    yield config
    for file in FILES:
        file.close()
    FILES.clear()
    lock.close()


def run(config: Config, *words: str) -> int:
    return records.change(config, parse(["record", *words]))


def test_what_is_switched_on_stays_so_for_the_next_run(
    config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not is_on(config.run_dir)
    assert run(config, "on") == 0
    assert "the next run is recorded" in capsys.readouterr().out
    assert is_on(config.run_dir) and (config.run_dir / FLAG).stat().st_mode & 0o777 == 0o600
    assert run(config, "off") == 0
    assert run(config, "off") == 0
    assert not is_on(config.run_dir)


def test_a_running_deployment_is_told_that_it_is_not_recorded_yet(
    running: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(running, "on") == 0
    out = capsys.readouterr().out
    assert "not recorded until they start again: marketdata.x, signals, risk, execution.main, quoter.A" in out
    assert "record on --restart" in out
    assert not CALLS
    assert run(running, "status") == 0
    assert capsys.readouterr().out.count("not recorded") == 6


def test_a_restart_takes_one_program_at_a_time_and_quoters_last(
    running: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(running, "on", "--restart") == 0
    order = ["marketdata.x", "signals", "risk", "execution.main", "quoter.A", "quoter.B"]
    assert [f"{verb} {name}" for name in order for verb in ("stop", "start")] == CALLS
    CALLS.clear()
    assert run(running, "on", "--restart") == 0
    assert not CALLS, "what is recorded already needs no restart"
    run(running, "status")
    assert capsys.readouterr().out.count(": recorded") == 6


def test_a_program_that_is_not_recorded_after_its_restart_is_a_failure(
    running: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(FakeSupervisor, "records_again", False)
    monkeypatch.setattr(FakeSupervisor, "programs", ("risk",))
    assert run(running, "on", "--restart") == 1
    assert "restarted, but not recorded: risk" in capsys.readouterr().out


def recorded(run_dir: Path) -> Path:
    file = new_file(run_dir)
    quoter(file).quoter.on_stop(START_NS + 1)
    file.close()
    return file.path


def test_verify_exits_with_0_only_where_all_is_the_same(
    config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recorded(config.run_dir)
    recorded(config.run_dir)
    options = parse(["replay", "--verify", str(config.run_dir)])
    assert replaying.command(options) == 0
    assert "the same decisions: 2 recordings, 18 calls" in capsys.readouterr().out
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)
    assert replaying.command(options) == 1
    shown = capsys.readouterr()
    assert f"quoter.SOL: NOT THE SAME: {path}: record 10 at byte" in shown.out
    assert "1 of 2 recordings are not the same" in shown.err


def test_what_takes_longer_shows_how_far_it_is(
    config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded(config.run_dir)
    monkeypatch.setattr(progress, "PATIENCE_S", 0.0)
    assert verifying.verify_run(config.run_dir) == 0
    assert not capsys.readouterr().err, "not where nobody looks"
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert verifying.verify_run(config.run_dir) == 0
    assert "verifying" in capsys.readouterr().err


def test_replay_without_anything_to_do_is_bad_input(
    config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BadInput, match="CONFIG is missing"):
        replaying.command(parse(["replay"]))
    monkeypatch.setattr("sys.argv", ["makerd", "replay", "--verify", str(config.run_dir / "gone")])
    assert main() == 78
    assert "neither a run directory nor a recording" in capsys.readouterr().err
