"""The file that grows: records are buffered, handed over four times a second, written by a thread.

The loop of a process never waits for the disk. A recording that cannot go on (a full disk, its
largest size, a value nobody registered, `makerd record off`) ends with a last record that says
why, and an error in the log; what the process is for goes on. It does not begin again: what
follows could not be verified without the state that it began in.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

import msgspec

from shared.clock import NS_PER_MS, NS_PER_S, Clock
from shared.recording.framing import MAGIC, Framer
from shared.recording.settings import SUFFIX, RecordingConfig, directory_of, is_on, total_size

FLUSH_NS = 250 * NS_PER_MS
#: a buffer of this size is handed over at once
LARGE = 1 << 18
#: the disk is too slow when so much waits for it
MOST_WAITING = 64 << 20
LOOK_NS = NS_PER_S
#: at the end the disk is waited for so long: what follows may be more urgent
CLOSE_S = 1.0
MB = 1 << 20
#: index of the record that ends a recording, and its reasons
END = -1
STOPPED, SWITCHED_OFF = "stopped", "switched off"
log = logging.getLogger("recording")


class RecordingFile:
    """One recording. `append`, `flush` and `close` belong to the thread of the loop.

    is_open  False once it has ended: nothing more is taken
    """

    def __init__(self, run_dir: Path, service: str, config: RecordingConfig, clock: Clock) -> None:
        """Raises: OSError."""
        self._run_dir, self._config, self._clock = run_dir, config, clock
        self._framer = Framer()
        self._buffer = bytearray(MAGIC)
        self._taken = 0  # bytes of all buffers that were handed over
        self._written = 0
        self._count = 0
        self._trouble = ""  # why it must end; set by the thread
        self._batches: SimpleQueue[bytes | None] = SimpleQueue()
        self.is_open = True
        self.path, self._descriptor = _create(run_dir, service, clock.wall_ns())
        self._thread = Thread(target=self._write_all, name="recording", daemon=True)
        self._thread.start()

    def append(self, first: bytes, second: bytes) -> None:
        self._buffer += self._framer.frame(first, second)
        self._count += 1
        if len(self._buffer) >= LARGE:
            self.flush()

    def flush(self) -> None:
        """Hand over what has gathered; end the recording where it cannot go on."""
        if not self.is_open:
            return
        if self._buffer:
            self._hand_over()
        trouble = self._trouble
        if not trouble and self._taken > self._config.max_file_mb * MB:
            trouble = f"it has reached [recording] max_file_mb = {self._config.max_file_mb}"
        if not trouble and self._taken - self._written > MOST_WAITING:
            trouble = "the disk is too slow"
        if trouble:
            self.end(trouble)

    def end(self, reason: str) -> None:
        """Write the last record; nothing more is taken. A second call changes nothing."""
        if not self.is_open:
            return
        if reason not in (STOPPED, SWITCHED_OFF):
            log.error("recording has ended", extra={"reason": reason, "file": str(self.path)})
        self.append(msgspec.msgpack.encode((END, 0, (reason, self._count))), b"")
        self._hand_over()
        self._batches.put(None)
        self.is_open = False

    def close(self) -> None:
        """End it where it has not ended, and wait until it is on its way to the disk."""
        self.end(STOPPED)
        self._thread.join(CLOSE_S)

    def _hand_over(self) -> None:
        batch, self._buffer = bytes(self._buffer), bytearray()
        self._taken += len(batch)
        self._batches.put(batch)

    # --- the thread ---

    def _write_all(self) -> None:
        looked_ns = self._clock.monotonic_ns()
        while (batch := self._batches.get()) is not None:
            self._write(batch)
            if self._clock.monotonic_ns() - looked_ns >= LOOK_NS:
                looked_ns = self._clock.monotonic_ns()
                self._trouble = self._trouble or self._look()
        os.close(self._descriptor)

    def _write(self, batch: bytes) -> None:
        """Write a batch whole, or not at all: the disk may be full."""
        if self._written < 0:
            return
        done = 0
        try:
            while done < len(batch):
                done += os.write(self._descriptor, batch[done:])
        except OSError as error:
            self._trouble = f"it cannot be written: {error.strerror}"
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._written)
            self._written = -MOST_WAITING  # nothing follows a hole
        else:
            self._written += done

    def _look(self) -> str:
        if not is_on(self._run_dir):
            return SWITCHED_OFF
        return _over_total(self._run_dir, self._config)


def _over_total(run_dir: Path, config: RecordingConfig) -> str:
    """Return why no more may be recorded in a run directory, "" = it may."""
    size = total_size(run_dir)
    return (
        f"all have reached [recording] max_total_mb = {config.max_total_mb}"
        if size > config.max_total_mb * MB
        else ""
    )


def _create(run_dir: Path, service: str, wall_ns: int) -> tuple[Path, int]:
    """Create the file of a start, for its owner alone; hold its lock for as long as it is open."""
    directory = directory_of(run_dir) / service
    directory.parent.mkdir(mode=0o700, exist_ok=True)
    directory.mkdir(mode=0o700, exist_ok=True)
    moment = datetime.fromtimestamp(wall_ns / NS_PER_S, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    path = directory / f"{moment}-{os.getpid()}{SUFFIX}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)  # at most a look of `is_being_written` is in the way
    return path, descriptor


def begin(
    run_dir: Path, service: str, config: RecordingConfig, clock: Clock,
    every: Callable[[int, Callable[[], None]], object],
) -> RecordingFile | None:  # fmt: skip
    """Return the file to record into where recording is on and possible, None elsewhere.

    every  calls back each so many nanoseconds
    """
    if not is_on(run_dir):
        return None
    trouble = _over_total(run_dir, config)
    if trouble:
        log.error("nothing is recorded", extra={"reason": trouble})
        return None
    try:
        file = RecordingFile(run_dir, service, config, clock)
    except OSError as error:
        log.error("nothing is recorded", extra={"reason": error.strerror})
        return None
    every(FLUSH_NS, file.flush)
    log.info("recording", extra={"file": str(file.path)})
    return file
