"""Locks and lost parents."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.config import Venue
from shared.errors import AlreadyRunning, Unknown
from shared.lifetime import ParentWatch, acquire_lock, lock_holder
from shared.venues.access import endpoints_of
from tests.fixtures.redis_server import wait_until

ROOT = Path(__file__).parents[2]


def test_L09_a_name_is_held_by_one_process_and_the_refusal_names_it(tmp_path: Path) -> None:
    with acquire_lock(tmp_path, "risk"):
        assert lock_holder(tmp_path, "risk") == os.getpid()
        with pytest.raises(AlreadyRunning, match=f"risk already runs .* {os.getpid()}"):
            acquire_lock(tmp_path, "risk")
    assert lock_holder(tmp_path, "risk") is None
    acquire_lock(tmp_path, "risk").close()


_CHILD = """
import os, sys, time
from shared.lifetime import ParentWatch
watch = ParentWatch()
print(os.getpid(), flush=True)
while not watch.is_orphan():
    time.sleep(0.01)
open(sys.argv[1], "w").write("orphan")
"""
_PARENT = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2]])
time.sleep(60)
"""


def test_L09_a_process_notices_that_its_parent_was_killed(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, _CHILD, str(mark)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    try:
        wait_until(lambda: mark.exists() and mark.read_text() == "orphan")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def test_L09_a_process_whose_supervisor_was_killed_before_it_looked_is_an_orphan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It starts, imports for a while, and finds another parent than the one that started it."""
    (tmp_path / "supervisord.pid").write_text(f"{os.getppid()}\n")
    monkeypatch.setenv("MAKERD_RUN_DIR", str(tmp_path))
    monkeypatch.setenv("SUPERVISOR_ENABLED", "1")
    assert not ParentWatch().is_orphan()
    (tmp_path / "supervisord.pid").write_text("999999999")
    assert ParentWatch().is_orphan()
    monkeypatch.delenv("SUPERVISOR_ENABLED")
    assert not ParentWatch().is_orphan(), "started by hand: whoever started it is its parent"


_SUPERVISOR = """
import os, pathlib, subprocess, sys
os.environ["SUPERVISOR_ENABLED"] = "1"
(pathlib.Path(os.environ["MAKERD_RUN_DIR"]) / "supervisord.pid").write_text(str(os.getpid()))
print(subprocess.Popen([sys.executable, "-m", "tests.shared.late_service"], stdout=2).pid, flush=True)
"""


def test_L09_a_service_orphaned_while_it_starts_stops_and_gives_its_lock_back(tmp_path: Path) -> None:
    """Its supervisor ends at once, long before the service has imported everything."""
    environment = os.environ | {"MAKERD_RUN_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    started = subprocess.run(
        [sys.executable, "-c", _SUPERVISOR], env=environment, capture_output=True, text=True, timeout=20
    )  # ends when the service, which holds the pipe of its standard error, has ended
    assert "parent is gone" in started.stderr
    assert lock_holder(tmp_path, "late") is None


def test_L09_an_orphan_does_not_wait_for_a_venue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "supervisord.pid").write_text("999999999")
    monkeypatch.setenv("MAKERD_RUN_DIR", str(tmp_path))
    monkeypatch.setenv("SUPERVISOR_ENABLED", "1")
    with pytest.raises(Unknown, match="the parent is gone"):
        endpoints_of(Venue("backpack", ready_file="venue.json"), tmp_path)
