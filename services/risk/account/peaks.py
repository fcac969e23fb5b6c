"""The session's equity peaks, kept over a restart of this process: a crash forgives no loss.

A session is one `makerd run`, over all restarts of its services. `run_dir/risk_peaks.json` is
written when a peak changes; one of another session, or one that cannot be read, counts as none.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

import msgspec

#: set by `makerd run`, another one for every run; unset = started by hand: the last one goes on
RUN_ID = "MAKERD_RUN_ID"
log = logging.getLogger("risk")


class Peaks(msgspec.Struct, frozen=True):
    """peaks: account -> highest confirmed equity of the session, quote units."""

    run: str
    peaks: dict[str, float]


class PeaksFile:
    """The file of a run directory."""

    def __init__(self, run_dir: Path, run: str | None = None) -> None:
        self._path = run_dir / "risk_peaks.json"
        self._run = run if run is not None else os.environ.get(RUN_ID, "")
        self._last: dict[str, float] | None = None

    def read(self) -> dict[str, float]:
        """Return the peaks of this session so far."""
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=Peaks)
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            log.error("equity peaks cannot be read: the session begins anew", extra={"reason": str(error)})
            return {}
        return kept.peaks if self._run in ("", kept.run) else {}

    def write(self, peaks: dict[str, float]) -> None:
        """Keep the peaks where they have changed; a full disk stops nothing."""
        if peaks == self._last:
            return
        temporary = self._path.with_suffix(".new")
        try:
            temporary.write_bytes(msgspec.json.encode(Peaks(self._run, peaks)))
            os.replace(temporary, self._path)
            self._last = dict(peaks)
        except OSError as error:
            log.error("equity peaks cannot be kept", extra={"reason": str(error)})
