"""Cores that are recorded into a file of a test's own, and what is done to such files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from services.execution.core import Execution
from services.execution.recorded import EXECUTION
from services.quoter.recorded import QUOTER
from shared.clock import SystemClock
from shared.config import Quoter as QuoterTable
from shared.recording.core import CoreKind, recorded
from shared.recording.file import RecordingFile
from shared.recording.framing import MAGIC, Framer, Records
from shared.recording.settings import RecordingConfig, switch
from tests.execution.small_venue import ACCOUNT, CAPABILITIES, TAG
from tests.execution.world import World
from tests.quoter.builders import (
    INFO,
    SYMBOL,
    VENUE,
    Desk,
    equity,
    feed,
    flow,
    permit,
    position,
    top,
    working,
)

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


class RecordedWorld(World):
    """Execution, its core recorded."""

    def __init__(self, file: RecordingFile) -> None:
        self._file = file
        super().__init__()

    def bare_core(self) -> Execution:
        return record(
            EXECUTION, self._file, ACCOUNT, self.config, CAPABILITIES, TAG, self.now_ns, self.venue_ms
        )


def quoter(file: RecordingFile, strategy: str = "two_sided", **params: Any) -> Desk:
    """A quoter that has heard everything, recorded."""
    table = QuoterTable(ACCOUNT, strategy, params or {"half_spread_ticks": 2.0, "quantity": 1.0})
    desk = Desk(record(QUOTER, file, SYMBOL, VENUE, table))
    desk.quoter.on_instrument_info(INFO, desk.now_ns)
    for handler, message in (
        ("on_feed_state", feed()), ("on_position", position()), ("on_working", working()),
        ("on_equity", equity()), ("on_permit", permit()), ("on_flow", flow()), ("on_top", top()),
    ):  # fmt: skip
        getattr(desk.quoter, handler)(message, desk.now_ns)
    return desk
