"""Results as they come: one line each, so that a killed sweep loses none that was finished."""

from __future__ import annotations

import fcntl
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from services.replay.sweep.job import Done
from shared.errors import BadInput

FILE = "results.jsonl"


class Entry(msgspec.Struct, frozen=True):
    """One finished job: its key, what it was for people, and what came of it."""

    key: str
    values: dict[str, Any]
    data: str
    done: Done


class Journal:
    """The file `results.jsonl` of a directory; one sweep at a time writes it."""

    def __init__(self, directory: Path) -> None:
        """Raises: BadInput when it cannot be used, or another sweep runs there."""
        self._path = directory / FILE
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a+b")
        except OSError as error:
            raise BadInput(f"sweep: {directory} cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise BadInput(f"sweep: another one runs in {directory}; give another --out") from None
        try:
            self._known = self._read()
        except BadInput:
            self._file.close()
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def get(self, key: str) -> Done | None:
        return self._known.get(key)

    def put(self, key: str, values: Mapping[str, Any], data: str, done: Done) -> None:
        """Keep a result. Raises: BadInput when the disk does not take it."""
        self._known[key] = done
        line = msgspec.json.encode(Entry(key, dict(values), data, done))
        try:
            self._file.write(line + b"\n")
            self._file.flush()
        except OSError as error:
            raise BadInput(f"sweep: {self._path} cannot be written: {error.strerror}") from None

    def _read(self) -> dict[str, Done]:
        """Return what is known. A last line without an end was being written when the sweep was killed."""
        self._file.seek(0)
        known, good = {}, 0
        for number, line in enumerate(self._file, start=1):
            if not line.endswith(b"\n"):
                break
            try:
                entry = msgspec.json.decode(line, type=Entry)
            except msgspec.DecodeError as error:
                raise BadInput(f"sweep: {self._path}: line {number} is damaged: {error}") from None
            known[entry.key] = entry.done
            good += len(line)
        self._file.truncate(good)
        return known
