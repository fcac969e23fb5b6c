"""Services that an earlier deployment of this run directory left: who they are, and waiting for them."""

from __future__ import annotations

import time
from pathlib import Path

from shared.clock import NS_PER_S
from shared.errors import AlreadyRunning
from shared.lifetime import lock_holder

#: orphans of a killed deployment cancel, confirm and leave within this
ORPHANS_S = 45.0
#: the deployment itself, and Redis, whose program takes over from an orphan by itself
NOT_ORPHANS = ("deployment", "redis")


def held_locks(run_dir: Path) -> dict[str, int]:
    """Return service -> process id of every lock that is held, the deployment's own apart."""
    names = (path.stem for path in (run_dir / "locks").glob("*.lock"))
    holders = {name: lock_holder(run_dir, name) for name in names if name not in NOT_ORPHANS}
    return {name: pid for name, pid in sorted(holders.items()) if pid is not None}


def wait_for_orphans(run_dir: Path) -> None:
    """Wait until no service of an earlier deployment holds a lock. Raises: AlreadyRunning."""
    deadline_ns = time.monotonic_ns() + round(ORPHANS_S * NS_PER_S)
    while holders := held_locks(run_dir):
        if time.monotonic_ns() > deadline_ns:
            names = ", ".join(f"{name} (process {pid})" for name, pid in holders.items())
            raise AlreadyRunning(f"another deployment still runs in {run_dir}: {names}")
        time.sleep(0.1)
