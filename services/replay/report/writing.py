"""Write the report of a replay: JSON and one self-contained page."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryFile

import msgspec

from shared.accounting.report import Report
from shared.errors import BadInput

#: names of the fill models in the order in which they are shown; another name is shown as it is
MODELS = {
    "pessimistic": "pessimistic: trade-through",
    "queue": "model: queue position",
    "optimistic": "optimistic: touch",
}


class ReplayReport(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol replayed, once per fill model.

    title      what was replayed
    runs       fill model -> what its session came to; at most a few
    epoch_ns   the wall clock at `start_ns` of the runs, for the axes; None = seconds since the start
    settings   what it was run with, for people: name -> value
    notes      what is unusual, such as gaps of the recording
    """

    title: str
    runs: dict[str, Report]
    epoch_ns: int | None = None
    settings: dict[str, str] = {}
    notes: tuple[str, ...] = ()


def prepare(directory: Path) -> None:
    """Create the directory of a report, before hours are spent on it.

    Raises: BadInput when nothing can be written into it.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise BadInput(f"report {directory}: cannot be written: {error.strerror}") from None


def write_report(directory: Path, report: ReplayReport) -> tuple[Path, Path]:
    """Write `report.json` and `report.html`; return their paths.

    Raises: BadInput when they cannot be written.
    """
    from services.replay.report.page import page_of  # plotly takes long to import

    json_path, html_path = directory / "report.json", directory / "report.html"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        json_path.write_bytes(msgspec.json.encode(report))
        html_path.write_text(page_of(report), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"report {directory}: cannot be written: {error.strerror}") from None
    return json_path, html_path


def read_report(path: Path) -> ReplayReport:
    """Read a `report.json`. Raises: BadInput."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=ReplayReport)
    except OSError as error:
        raise BadInput(f"report {path}: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise BadInput(f"report {path}: is not a replay report: {error}") from None
