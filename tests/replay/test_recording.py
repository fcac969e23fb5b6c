"""What a recording is as a file: whole to the last byte, private, bounded, and never in the way."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from services.quoter.core import Quoter
from services.quoter.recorded import QUOTER
from services.replay.verify import verify
from shared.bus import Addresses
from shared.config import Config
from shared.config import Quoter as QuoterTable
from shared.errors import BadInput
from shared.messages import Mark
from shared.recording.core import live_core
from shared.recording.file import MB
from shared.recording.framing import MAGIC, Damaged, Empty, Records
from shared.recording.reader import Recording, opened
from shared.recording.settings import (
    RecordingConfig,
    is_being_written,
    recordings_in,
    switch,
    total_size,
)
from shared.service import Service, handlers_of
from tests.fixtures.redis_server import wait_until
from tests.quoter.builders import START_NS, SYMBOL, VENUE, top
from tests.replay.recorded_cores import new_file, parts_of, quoter, write

TABLE = QuoterTable("main", "two_sided", {"half_spread_ticks": 2.0, "quantity": 1.0})


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A short recording that ended with a stop."""
    file = new_file(tmp_path)
    desk = quoter(file)
    desk.quoter.on_stop(START_NS + 1)
    file.close()
    return file.path


# --- every byte ---------------------------------------------------------------------------------------


def test_any_flipped_byte_is_found(recording: Path) -> None:
    whole = recording.read_bytes()
    assert len(parts_of(recording)) > 9
    for at in range(len(whole)):
        recording.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :])
        with pytest.raises((Damaged, BadInput)):
            parts_of(recording)


def test_a_flipped_byte_fails_the_verification_and_is_named(recording: Path) -> None:
    whole = recording.read_bytes()
    for at in range(0, len(whole), len(whole) // 12):
        recording.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
        assert str(recording) in verify(recording).problem
    recording.write_bytes(whole)
    assert not verify(recording).problem


def test_a_file_that_was_cut_off_anywhere_is_what_a_killed_process_leaves(recording: Path) -> None:
    whole, count = recording.read_bytes(), len(parts_of(recording))
    header = len(MAGIC) + 16 + sum(map(len, parts_of(recording)[0]))
    for size in range(header, len(whole)):
        recording.write_bytes(whole[:size])
        records = Records(recording)
        assert len(list(records)) < count
        assert records.bytes_read + records.unfinished == size


def test_a_last_record_that_was_cut_off_is_legal_and_said(recording: Path) -> None:
    recording.write_bytes(recording.read_bytes()[:-3])
    verdict = verify(recording)
    assert not verdict.problem
    assert verdict.note.startswith("killed: ") and "cut off are left out" in verdict.note


@pytest.mark.parametrize("size", [0, 5, len(MAGIC), len(MAGIC) + 20])
def test_a_process_killed_before_a_whole_header_is_legal_and_said(recording: Path, size: int) -> None:
    recording.write_bytes(recording.read_bytes()[:size])
    verdict = verify(recording)
    assert (verdict.service, verdict.calls, verdict.problem) == ("quoter.SOL", 0, "")
    assert verdict.note == "killed before anything was recorded"
    assert list(opened([recording])) == []
    with pytest.raises(Empty, match="is empty: its process was killed before it recorded anything"):
        Recording(recording)


def test_what_is_no_recording_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "other.rec"
    path.write_bytes(b"something else")
    assert "is no recording" in verify(path).problem


def test_records_that_are_missing_or_moved_are_found(recording: Path) -> None:
    whole = recording.read_bytes()
    sizes = [16 + len(first) + len(second) for first, second in parts_of(recording)]
    starts = [len(MAGIC) + sum(sizes[:number]) for number in range(len(sizes) + 1)]
    frames = [whole[start:end] for start, end in pairwise(starts)]
    assert MAGIC + b"".join(frames) == whole
    for changed in (
        frames[:3] + frames[4:],
        [*frames[:2], frames[3], frames[2], *frames[4:]],
        [*frames, frames[-1]],
    ):
        recording.write_bytes(MAGIC + b"".join(changed))
        with pytest.raises(Damaged):
            parts_of(recording)


def test_nothing_may_follow_the_end(recording: Path) -> None:
    parts = parts_of(recording)
    write(recording, [*parts, parts[-1]])
    assert "goes on after its end" in verify(recording).problem


# --- a file for its owner, bounded, never in the way ------------------------------------------------


def test_a_recording_is_for_its_owner_alone(recording: Path) -> None:
    assert stat.S_IMODE(recording.stat().st_mode) == 0o600
    assert {stat.S_IMODE(one.stat().st_mode) for one in recording.parents[:2]} == {0o700}


def test_what_was_recorded_is_in_the_file_soon_and_without_a_stop(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    quoter(file)
    file.flush()
    wait_until(lambda: file.path.stat().st_size > 500, 5)
    verdict = verify(file.path)
    assert (verdict.problem, verdict.note) == ("", "still being recorded")
    assert is_being_written(file.path)
    file.close()
    wait_until(lambda: not is_being_written(file.path), 5)


def test_a_recording_ends_at_its_largest_size_with_an_error_and_its_process_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = new_file(tmp_path, config=RecordingConfig(max_file_mb=1))
    desk = quoter(file)
    message = top()
    while file.is_open:
        desk.quoter.on_top(message, START_NS)
    assert desk.quoter.on_stop(START_NS + 1), "the core must go on"
    file.close()
    assert MB < file.path.stat().st_size < 2 * MB
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    verdict = verify(file.path)
    assert (verdict.problem, verdict.note) == (
        "",
        "recorded until: it has reached [recording] max_file_mb = 1",
    )


def test_a_full_disk_ends_the_recording_with_whole_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = new_file(tmp_path)
    desk = quoter(file)
    file.flush()
    wait_until(lambda: file.path.stat().st_size > 500, 5)
    write_really = os.write

    def half(descriptor: int, data: bytes) -> int:
        if len(data) < 2:
            raise OSError(28, "No space left on device")
        return write_really(descriptor, data[: len(data) // 2])

    monkeypatch.setattr(os, "write", half)
    desk.quoter.on_top(top(), START_NS + 1)
    file.flush()
    wait_until(lambda: file.flush() or not file.is_open, 5)
    assert desk.quoter.on_stop(START_NS + 2)
    monkeypatch.undo()
    file.close()
    verdict = verify(file.path)
    assert (verdict.problem, verdict.note) == ("", "killed")


def test_what_cannot_be_recorded_ends_the_recording_and_not_the_process(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    desk = quoter(file)
    other: Any = type(
        "Stranger", (), {"scope": VENUE, "bid": None, "ask": None, "cause_ns": 1, "as_of_ns": 0}
    )()
    desk.quoter.on_top(other, START_NS)
    assert not file.is_open
    assert desk.quoter.on_stop(START_NS + 1)
    file.close()
    assert "Stranger is not registered" in verify(file.path).note


def test_switching_off_ends_what_is_being_recorded(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    desk = quoter(file)
    switch(tmp_path, False)

    def has_ended() -> bool:
        desk.quoter.on_timer(START_NS)
        file.flush()
        return not file.is_open

    wait_until(has_ended, 10)
    file.close()
    assert verify(file.path).note == "recorded until: switched off"


# --- at a service ---------------------------------------------------------------------------------------


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A quoter's service without a core yet, and `tmp_path` as the run directory."""
    monkeypatch.setenv("MAKERD_RUN_DIR", str(tmp_path))
    serving = Service(f"quoter.{SYMBOL}", tmp_path, Addresses(tmp_path, {}), workers=1)
    yield serving
    serving.close()


def start_core(service: Service, **sizes: int) -> Quoter:
    config = Config(recording=RecordingConfig(**sizes))
    return live_core(QUOTER, service, config, SYMBOL, VENUE, TABLE)


def test_while_recording_is_off_a_shell_has_the_bare_core(service: Service, tmp_path: Path) -> None:
    assert type(start_core(service)) is Quoter
    assert not recordings_in(tmp_path) and not service.on_close


def test_a_recorded_core_is_like_the_bare_one_to_its_service(service: Service, tmp_path: Path) -> None:
    bare = start_core(service)
    switch(tmp_path, True)
    core = start_core(service)
    assert core.timer_ns == bare.timer_ns
    kinds = set(handlers_of(bare))
    assert set(handlers_of(core)) == kinds and Mark not in kinds
    service.attach(core)
    service.finish()
    for close in service.on_close:
        close()
    (path,) = recordings_in(tmp_path)
    assert path.parent.name == f"quoter.{SYMBOL}"
    verdict = verify(path)
    assert (verdict.problem, verdict.note, verdict.calls) == ("", "", 1)
    assert [call.method for call in Recording(path).calls()] == ["on_stop"]


def test_a_recorded_core_cannot_be_changed_past_its_recording(service: Service, tmp_path: Path) -> None:
    switch(tmp_path, True)
    core: Any = start_core(service)
    with pytest.raises(AttributeError, match="by its methods alone"):
        core.anything = 1


def test_arguments_by_name_are_recorded_like_others(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    desk = quoter(file)
    desk.quoter.on_top(now_ns=START_NS, top=top())
    file.close()
    assert not verify(file.path).problem


def test_all_recordings_together_are_bounded(
    service: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old = new_file(tmp_path, "old")
    old.close()
    os.truncate(old.path, 2 * MB)
    assert total_size(tmp_path) == 2 * MB
    assert type(start_core(service, max_total_mb=1)) is Quoter
    assert recordings_in(tmp_path) == [old.path]
    assert "max_total_mb = 1" in caplog.records[-1].__dict__["reason"]
