"""Whether recording is on, where recordings are, and how large they may become.

`makerd record on` leaves a file in the run directory: it counts for every process that starts
there from then on, until `makerd record off`, which also ends what is being recorded.
"""

from __future__ import annotations

import fcntl
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from shared.secret import write_private_file

FLAG = "recording.on"
DIRECTORY = "records"
SUFFIX = ".rec"

_Megabytes = Annotated[int, Meta(ge=1, le=1_000_000)]


class RecordingConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What recordings may take of the disk, megabytes.

    max_file_mb   one process, from its start on: there its recording ends, with an error in the log
    max_total_mb  all of the run directory, old ones too: beyond it nothing more is recorded
    """

    max_file_mb: _Megabytes = 2_000
    max_total_mb: _Megabytes = 10_000


def is_on(run_dir: Path) -> bool:
    return (run_dir / FLAG).exists()


def switch(run_dir: Path, is_wanted: bool) -> None:
    """Switch recording on or off for the processes of a run directory. Raises: BadInput."""
    if is_wanted:
        write_private_file(run_dir / FLAG, b"")
    else:
        (run_dir / FLAG).unlink(missing_ok=True)


def directory_of(run_dir: Path) -> Path:
    return run_dir / DIRECTORY


def recordings_in(run_dir: Path) -> list[Path]:
    """Return every recording of a run directory: by service, the oldest first."""
    return sorted(directory_of(run_dir).glob(f"*/*{SUFFIX}"))


def total_size(run_dir: Path) -> int:
    """Return how many bytes all recordings of a run directory have."""
    size = 0
    for path in recordings_in(run_dir):
        with suppress(FileNotFoundError):  # somebody deletes old ones just now
            size += path.stat().st_size
    return size


def is_being_written(path: Path) -> bool:
    """True while the process that records into this file lives."""
    try:
        with path.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
