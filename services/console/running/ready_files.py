"""The ready files of the venues that this deployment starts itself.

Only what a venue of ours has left is removed: a file whose venue still serves is somebody else's.
"""

from __future__ import annotations

import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from shared.config import Config
from shared.errors import BadInput

#: a venue of ours whose supervisord is gone serves on for some seconds, so that execution can cancel
LEAVES_WITHIN_S = 8.0
_LOOK_S = 0.1
_CONNECT_S = 0.5


def clear_ready_files(config: Config) -> None:
    """Remove what earlier runs left. Raises: BadInput naming a file whose venue serves on."""
    for venue in config.venues.values():
        if venue.ready_file is not None:
            _clear(Path(venue.ready_file))


def _clear(path: Path) -> None:
    deadline = time.monotonic() + LEAVES_WITHIN_S
    while (address := _address(path)) is not None and _serves(*address):
        if time.monotonic() > deadline:
            raise BadInput(
                f"ready file {path} is that of a venue that runs; to use it: --venue-file {path} "
                "(make: VENUE_FILE=...)"
            )
        time.sleep(_LOOK_S)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise BadInput(f"ready file {path} cannot be replaced: {error.strerror}") from None


def _address(path: Path) -> tuple[str, int] | None:
    """Return host and port of the venue that wrote a file, None where it tells none."""
    try:
        url = urlsplit(orjson.loads(path.read_bytes())["rest"])
        return (url.hostname, url.port) if url.hostname and url.port else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):  # not there, or not a ready file
        return None


def _serves(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), _CONNECT_S).close()
    except OSError:
        return False
    return True
