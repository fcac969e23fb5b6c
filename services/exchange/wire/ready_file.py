"""The ready file: where the venue listens and the keys of its accounts.

It appears in one step, readable by its owner alone, once the venue really serves, and
goes with it. A lock beside it, held as long as the process lives, makes it one venue's.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path
from typing import Any

import orjson

from shared.errors import AlreadyRunning, BadInput


class ReadyFile:
    """One path, claimed before it is touched."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: int | None = None

    def claim(self) -> None:
        """Take the path and remove what a venue left there that is gone.

        Raises: AlreadyRunning while another venue holds it; BadInput if it cannot be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._path.with_name(f".{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise AlreadyRunning(f"ready file {self._path}: belongs to a venue that is running") from error
        self._lock = lock
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    def write(self, content: dict[str, Any]) -> None:
        """Write atomically with mode 600.

        Raises: BadInput if the path cannot be written.
        """
        draft = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise self._unusable(error) from error

    def release(self) -> None:
        """Remove the file and let go of the path, if it was claimed; the lock's own file stays."""
        if self._lock is None:
            return
        if self._path.is_file():
            self._path.unlink(missing_ok=True)
        os.close(self._lock)
        self._lock = None

    def _unusable(self, error: OSError) -> BadInput:
        return BadInput(f"ready file {self._path}: cannot be written: {error.strerror}")
