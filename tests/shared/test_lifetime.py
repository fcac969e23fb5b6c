"""Locks and lost parents."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.errors import AlreadyRunning
from shared.lifetime import acquire_lock, lock_holder
from tests.fixtures.redis_server import wait_until


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
