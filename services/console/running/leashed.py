"""supervisord on a leash: when the `makerd run` that started it is gone, it stops everything and ends.

    python -m services.console.running.leashed PARENT_PID RUN_DIR [ARGUMENTS of supervisord]

Nobody is left to look after a deployment whose head was killed. SIGTERM makes supervisord stop
quoters, then execution, which cancels and has that confirmed, then the rest. The parent is looked
for by a timer signal: no thread beside supervisord's forks, and it works on macOS too.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from supervisor import supervisord

from shared.lifetime import acquire_lock

NAME = "supervisord"
LOOK_S = 0.25
#: supervisord closes what it does not know from descriptor 5 on
_KEPT = 4


def hold_lock(run_dir: Path) -> None:
    """Hold the lock of supervisord for as long as this process lives. Raises: AlreadyRunning."""
    with acquire_lock(run_dir, NAME) as lock:
        os.dup2(lock.fileno(), _KEPT, inheritable=False)


def end_with(parent: int) -> None:
    """Send this process SIGTERM, once, when its parent is no longer `parent`."""

    def look(_number: int, _frame: object) -> None:
        if os.getppid() != parent:
            signal.setitimer(signal.ITIMER_REAL, 0)
            os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, LOOK_S, LOOK_S)


if __name__ == "__main__":
    end_with(int(sys.argv[1]))
    hold_lock(Path(sys.argv[2]))
    supervisord.main(sys.argv[3:])
