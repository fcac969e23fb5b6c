"""A process's place in the world: its lock, its parent, its stop signals.

A second bind of one `ipc://` path silently succeeds, so every service holds a `flock`
on its name and refuses to start twice. A service whose parent is gone stops by itself:
nobody is left to supervise it.
"""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from shared.errors import AlreadyRunning

#: of the run directory; `supervisord.conf` says the same
PID_FILE = "supervisord.pid"


def acquire_lock(run_dir: Path, name: str) -> IO[str]:
    """Hold the lock of `name` for as long as the returned file stays open.

    Raises: AlreadyRunning with the holder's process id.
    """
    directory = run_dir / "locks"
    directory.mkdir(parents=True, exist_ok=True)
    handle = (directory / f"{name}.lock").open("a+")
    os.set_inheritable(handle.fileno(), False)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.seek(0)
        holder = handle.read().strip() or "unknown"
        handle.close()
        raise AlreadyRunning(f"{name} already runs in {run_dir} (process {holder})") from None
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle


def lock_holder(run_dir: Path, name: str) -> int | None:
    """Return the process id that holds the lock of `name`, or None when it is free."""
    path = run_dir / "locks" / f"{name}.lock"
    if not path.exists():
        return None
    with path.open("r") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = handle.read().strip()
            return int(text) if text.isdigit() else 0
        return None


class ParentWatch:
    """Tells when the process that started us is gone.

    Under supervisord the parent is the one of its pid file, which it writes before it starts
    anything: a process whose supervisord was killed while it was still importing is an orphan
    from the first look on. Started by hand, the parent is whoever it is now.
    """

    def __init__(self) -> None:
        self._parent = _supervisor(os.environ) or os.getppid()

    def is_orphan(self) -> bool:
        return os.getppid() != self._parent


def _supervisor(environment: Mapping[str, str]) -> int | None:
    """Return the process id of the supervisord that started us, None = none did."""
    run_dir = environment.get("MAKERD_RUN_DIR")
    if not run_dir or "SUPERVISOR_ENABLED" not in environment:  # set for each of its programs
        return None
    try:
        return int((Path(run_dir) / PID_FILE).read_text())
    except (OSError, ValueError):  # it ended cleanly and took its file along, or another one started us
        return None


def on_stop_signal(callback: Callable[[str], None]) -> None:
    """Call back with the signal's name on SIGTERM or SIGINT (from the main thread)."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: callback(signal.Signals(received).name))
