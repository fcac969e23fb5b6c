"""The configuration of a deployment under measurement, written as a person would write it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

VENUE, ACCOUNT = "backpack", "main"
#: limits out of the way: what is measured is how fast, not how much
RISK = {
    "max_position_share": 5.0,
    "max_gross_equity_multiple": 50.0,
    "max_order_usd": 10_000.0,
    "max_move_pct": 50.0,
    "max_spread_pct": 50.0,
}
EXECUTION = {"requests_per_min": 1_000_000, "connections": 32}


def write_config(directory: Path, ready_file: Path, quoters: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write a deployment of its own run directory; `quoters`: symbol -> strategy and params."""
    directory.mkdir(parents=True, exist_ok=True)
    config = {
        "deployment": {"name": "bench", "run_dir": str(directory)},
        "venues": {VENUE: {"protocol": "backpack", "ready_file": str(ready_file)}},
        "accounts": {ACCOUNT: {"venue": VENUE}},
        "quoters": {symbol: {"account": ACCOUNT, **quoter} for symbol, quoter in quoters.items()},
        "risk": RISK,
        "execution": EXECUTION,
    }
    path = directory / "config.json"
    path.write_bytes(orjson.dumps(config))
    return path


def two_sided(half_spread_ticks: float) -> dict[str, Any]:
    """Return a quoter that answers every move of the mid at once, far enough out to be filled rarely."""
    params = {
        "half_spread_ticks": half_spread_ticks,
        "quantity": 0.1,
        "refresh_interval_s": 0.01,
    }
    return {"strategy": "two_sided", "params": params}


def one_sided() -> dict[str, Any]:
    """Return a quoter that listens to order flow, so that signals has something to do."""
    return {"strategy": "one_sided", "params": {}}
