"""The memory of risk in a file, for the next process of the session.

A session is one `makerd run`, over all restarts of its services and over a restart of itself
after a crash. `run_dir/risk_memory.json` is written when what is remembered changes; one of
another session, or one that cannot be read, counts as none. Between two processes time goes on
by the wall clock: the monotonic one begins anew with the machine.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

import msgspec

from services.risk.account.memory import Memory
from shared.clock import Clock

#: set by `makerd run`, another one for every session; unset = started by hand: the last one goes on
SESSION_ID = "MAKERD_SESSION_ID"
log = logging.getLogger("risk")


class Kept(msgspec.Struct, frozen=True):
    """offset_ns: of the wall clock before the monotonic one that the memory's times are of."""

    session: str
    offset_ns: int
    memory: Memory


class MemoryFile:
    """The file of a run directory."""

    def __init__(self, run_dir: Path, clock: Clock, session: str | None = None) -> None:
        self._path = run_dir / "risk_memory.json"
        self._clock = clock
        self._session = session if session is not None else os.environ.get(SESSION_ID, "")
        self._last: Memory | None = None

    def read(self) -> Memory:
        """Return the memory of this session so far, its times those of this process."""
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=Kept)
        except FileNotFoundError:
            return Memory()
        except (OSError, msgspec.DecodeError) as error:
            log.error("what risk remembers cannot be read: it begins anew", extra={"reason": str(error)})
            return Memory()
        return (
            kept.memory.shifted(kept.offset_ns - self._offset_ns())
            if self._session in ("", kept.session)
            else Memory()
        )

    def write(self, memory: Memory) -> None:
        """Keep the memory where it has changed; a full disk stops nothing."""
        if memory == self._last:
            return
        temporary = self._path.with_suffix(".new")
        try:
            temporary.write_bytes(msgspec.json.encode(Kept(self._session, self._offset_ns(), memory)))
            os.replace(temporary, self._path)
            self._last = memory
        except OSError as error:
            log.error("what risk remembers cannot be kept", extra={"reason": str(error)})

    def _offset_ns(self) -> int:
        return self._clock.wall_ns() - self._clock.monotonic_ns()
