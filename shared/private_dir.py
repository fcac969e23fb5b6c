"""Private directories for unix sockets: mode 700, and a path that fits into `sockaddr_un`."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from shared.errors import BadInput

#: unix socket paths longer than this fail (sockaddr_un, Linux 107; macOS allows 103)
MAX_SOCKET_PATH = 103
#: room for a slash and the longest file name: `marketdata.<32 letters>.ipc`
_NAME_ROOM = 48
#: not the temporary directory of the environment: a console that was started with another TMPDIR would
#: look elsewhere than the services, and that of macOS is long
_SHORT = Path("/tmp")


def private_directory(run_dir: Path, name: str) -> Path:
    """Return `run_dir/name`, created with mode 700, or a short stand-in where that path is too long.

    The stand-in is in /tmp, under a name computed from the full path, so that
    every process of the deployment finds the same one. Raises: BadInput when others may enter it.
    """
    directory = run_dir.resolve() / name
    if len(str(directory)) > MAX_SOCKET_PATH - _NAME_ROOM:
        digest = hashlib.sha256(str(directory).encode()).hexdigest()[:12]
        directory = _SHORT / f"makerd-{os.getuid()}-{digest}"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = directory.stat()
    if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise BadInput(f"{name}: {directory} must belong to this user with mode 700")
    return directory
