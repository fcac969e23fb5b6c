"""Which session of risk this is: `makerd run` after a crash goes on with the one that crashed.

A supervisor of the machine starts `makerd run` again whenever it has failed. That is no new
session: what was lost before the crash counts, as far as risk is concerned. The number stands in
`run_dir/session_id` until a run has ended as it should. A local venue starts flat each time: with one
there is nothing to go on with.
"""

from __future__ import annotations

from pathlib import Path

_FILE = "session_id"


def begin_session(run_dir: Path, new: int, goes_on: bool) -> int:
    """Return the session that is to go on, or `new`; it is remembered until `end_session`."""
    path = run_dir / _FILE
    session = _read(path) if goes_on else None
    if session is None:
        session = new
        path.write_text(f"{session}\n")
    return session


def end_session(run_dir: Path) -> None:
    """Note that a run has ended as it should: the next one is another."""
    (run_dir / _FILE).unlink(missing_ok=True)


def _read(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None
    return int(text) if text.isascii() and text.isdigit() else None
