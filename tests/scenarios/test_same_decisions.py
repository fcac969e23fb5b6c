"""What every process was told and said, recorded while one of them is killed, is the same when made again."""

from __future__ import annotations

import base64
import shutil
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.replay.verify import Verdict, verify
from shared.messages import FeedStatus, Message, Top
from shared.recording.reader import market_messages
from shared.recording.settings import directory_of, is_being_written, recordings_in
from tests.fixtures.redis_server import wait_until
from tests.fixtures.stage import Stage
from tests.fixtures.venue import PERP

QUOTER = f"quoter.{PERP}"
#: in the order in which they are restarted
PROGRAMS = ["marketdata.backpack", "signals", "risk", "execution.main", QUOTER]


@pytest.fixture
def run(stage: Stage) -> Iterator[Path]:
    """The run directory of a deployment that is recorded from a restart on; nothing is left there."""
    before = stage.makerd.pids()
    answer = stage.makerd.command("record", "on", "--restart", timeout_s=90)
    assert answer.returncode == 0, answer.stderr
    restarted = [
        line.removeprefix("restarted ") for line in answer.stdout.splitlines() if "restarted" in line
    ]
    assert restarted == PROGRAMS
    after = stage.makerd.pids()
    assert {name for name in before if before[name] != after.get(name)} == set(PROGRAMS)
    yield stage.makerd.run_dir
    stage.makerd.command("record", "off")
    shutil.rmtree(directory_of(stage.makerd.run_dir))


def kill_a_quoter(stage: Stage) -> None:
    stage.makerd.await_quoting(stage.venue)
    sent = len(stage.venue.placements())
    wait_until(lambda: len(stage.venue.placements()) > sent + 2, 20)
    recorded = len(recordings_in(stage.makerd.run_dir))
    stage.makerd.strike(QUOTER)(signal.SIGKILL)
    wait_until(lambda: len(recordings_in(stage.makerd.run_dir)) > recorded, 20)
    stage.makerd.await_quoting(stage.venue)
    sent = len(stage.venue.placements())
    wait_until(lambda: len(stage.venue.placements()) > sent, 20)


def end_the_recording(stage: Stage) -> dict[Path, Verdict]:
    assert stage.makerd.command("record", "off").returncode == 0
    paths = recordings_in(stage.makerd.run_dir)
    wait_until(lambda: not any(is_being_written(path) for path in paths), 10)
    return {path: verify(path) for path in paths}


def test_every_process_decides_the_same_again_and_a_flipped_byte_fails(stage: Stage, run: Path) -> None:
    assert stage.makerd.command("record", "status").stdout.count(": recorded") == len(PROGRAMS)
    kill_a_quoter(stage)
    stage.makerd.supervisor.stop("signals")  # one that is stopped, too
    stage.makerd.supervisor.start("signals")
    verdicts = end_the_recording(stage)

    assert not [verdict.problem for verdict in verdicts.values() if verdict.problem]
    endings = sorted((one.service, one.note.partition(":")[0]) for one in verdicts.values())
    assert [ending for ending in endings if ending[1] != "recorded until"] == [
        (QUOTER, "killed"),
        ("signals", ""),
    ]
    decided = [(one.service, one.outputs) for one in verdicts.values() if one.service != "signals"]
    assert len(decided) == len(PROGRAMS) and all(outputs > 5 for _, outputs in decided), decided

    answer = stage.makerd.command("replay", "--verify", str(run))
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert f"the same decisions: {len(verdicts)} recordings" in answer.stdout

    holds_no_secret(stage, verdicts)
    tells_the_market(run)
    fails_for_any_flipped_byte(verdicts)
    flip(killed := next(path for path, one in verdicts.items() if one.note.startswith("killed")), 1_000)
    answer = stage.makerd.command("replay", "--verify", str(run))
    assert answer.returncode == 1
    assert f"NOT THE SAME: {killed}: record " in answer.stdout


def holds_no_secret(stage: Stage, verdicts: dict[Path, Verdict]) -> None:
    secrets = [account["api_secret"] for account in stage.venue.ready["accounts"]]
    assert secrets
    for path in verdicts:
        content = path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        for secret in secrets:
            assert secret.encode() not in content and base64.b64decode(secret) not in content


def tells_the_market(run: Path) -> None:
    """What market data told can be replayed: it begins with the rules and comes to prices that live."""
    told: list[tuple[int, Message]] = list(market_messages(run, "backpack"))
    assert {"InstrumentInfo", "FeedState", "Top"} <= {type(message).__name__ for _, message in told}
    assert [now_ns for now_ns, _ in told] == sorted(now_ns for now_ns, _ in told)
    assert any(isinstance(message, Top) and message.bid is not None for _, message in told)
    assert any(getattr(message, "status", None) is FeedStatus.LIVE for _, message in told)


def fails_for_any_flipped_byte(verdicts: dict[Path, Verdict]) -> None:
    """Flip one byte of every recording, each time another part of it."""
    for number, path in enumerate(verdicts):
        at = number * path.stat().st_size // len(verdicts)
        flip(path, at)
        assert str(path) in verify(path).problem, f"byte {at} of {path}"
        flip(path, at)
        assert not verify(path).problem


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
