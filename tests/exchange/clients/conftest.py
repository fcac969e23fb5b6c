"""One venue with a moving synthetic market, and public clients pointed at it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).resolve().parents[3]
_ARGUMENTS = ("--venue", "backpack", "--market", "synthetic", "--seed", "7", "--updates-per-s", "60")


@pytest.fixture(scope="package")
def running_venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The ready file of a venue process started as a user would start it."""
    ready_file = tmp_path_factory.mktemp("venue") / "venue.json"
    command = [sys.executable, "-m", "services.exchange", *_ARGUMENTS, "--ready-file", str(ready_file)]
    process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 20
        while not ready_file.exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield json.loads(ready_file.read_text())
    finally:
        os.kill(process.pid, signal.SIGTERM)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, b"", b"")
