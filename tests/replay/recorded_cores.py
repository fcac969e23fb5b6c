"""Cores that are recorded into a file of a test's own, and what is done to such files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from shared.clock import SystemClock
from shared.recording.core import CoreKind, recorded
from shared.recording.file import RecordingFile
from shared.recording.framing import MAGIC, Framer, Records
from shared.recording.settings import RecordingConfig, switch

C = TypeVar("C")
Parts = list[tuple[bytes, bytes]]


def new_file(run_dir: Path, name: str = "quoter.SOL", config: RecordingConfig | None = None) -> RecordingFile:
    switch(run_dir, True)
    return RecordingFile(run_dir, name, config or RecordingConfig(), SystemClock())


def record(kind: CoreKind[C], file: RecordingFile, *values: Any) -> C:
    return recorded(kind, file, file.path.parent.name, 0, 0, *values)


def parts_of(path: Path) -> Parts:
    return list(Records(path))


def write(path: Path, parts: Parts) -> Path:
    """Write records whose checks are all right."""
    framer = Framer()
    path.write_bytes(MAGIC + b"".join(framer.frame(first, second) for first, second in parts))
    return path
