"""`run/stats.json`: the statistics of the running deployment, or of the last run.

Written by `makerd run` about once a second and at its end; read by `makerd stats`.
"""

from __future__ import annotations

import contextlib
from decimal import Decimal
from pathlib import Path

import msgspec

from shared.accounting.report import Costs, Report
from shared.errors import BadInput
from shared.secret import write_private_file

STATS_FILE = "stats.json"


class AccountStats(msgspec.Struct, frozen=True, kw_only=True):
    """One account; its symbols' reports have no paths. None = not known."""

    equity: Decimal | None
    net: Decimal | None
    costs: Costs
    symbols: dict[str, Report]


class DeploymentStats(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment at a wall-clock time; `is_running` False = as it was at the end."""

    at_ms: int
    is_running: bool
    accounts: dict[str, AccountStats]


def write_stats(run_dir: Path, stats: DeploymentStats) -> None:
    """Write the file; a disk that is full keeps nobody from trading: the file gets old, and says so."""
    with contextlib.suppress(BadInput):
        write_private_file(run_dir / STATS_FILE, msgspec.json.encode(stats))


def read_stats(run_dir: Path) -> DeploymentStats | None:
    """Return what the last run has written, None when there was none. Raises: BadInput when unreadable."""
    path = run_dir / STATS_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=DeploymentStats)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise BadInput(f"{path} was written by another version: {error}") from None
