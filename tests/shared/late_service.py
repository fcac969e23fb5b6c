"""A service that takes its time to start: `python -m tests.shared.late_service`, MAKERD_RUN_DIR set."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from shared.bus import Addresses
from shared.service import Service, run_service


def serve() -> None:
    deadline = time.monotonic() + 5
    while os.getppid() == int(Path(os.environ["MAKERD_RUN_DIR"], "supervisord.pid").read_text()):
        assert time.monotonic() < deadline, "the supervisor did not end"
        time.sleep(0.01)
    run_dir = Path(os.environ["MAKERD_RUN_DIR"])
    Service("late", run_dir, Addresses(run_dir)).run()


if __name__ == "__main__":
    sys.exit(run_service("late", serve))
