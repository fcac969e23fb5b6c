"""`makerd stats`: what the running deployment, or the last run, has made and from what."""

from __future__ import annotations

import sys
import time
from itertools import groupby

import msgspec
from rich.console import Console
from rich.table import Table

from services.console.running.stats_file import STATS_FILE, AccountStats, DeploymentStats, read_stats
from shared.accounting.rows import amount, number, side_by_side, yes_no
from shared.config import Config
from shared.errors import BadInput
from shared.lifetime import lock_holder

PIPE_WIDTH = 160
#: written once a second while it runs; older is worth telling
FRESH_S = 5.0


def stats(config: Config, *, as_json: bool) -> int:
    """Print the statistics. Raises: BadInput when there was no run, or nobody can read what it left."""
    found = read_stats(config.run_dir)
    if found is None:
        raise BadInput(f"{config.run_dir / STATS_FILE}: no run has left statistics here")
    is_running = found.is_running and lock_holder(config.run_dir, "deployment") is not None
    found = msgspec.structs.replace(found, is_running=is_running)
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n")
        return 0
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
    console.print(headline(found, time.time()))
    for name, account in found.accounts.items():
        console.print(account_line(name, account))
        if account.symbols:
            console.print(table_of(account))
    return 0


def headline(found: DeploymentStats, wall_s: float) -> str:
    """Return of when it is."""
    at = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(found.at_ms / 1_000))
    if not found.is_running:
        return f"the last run, as of {at}"
    age_s = wall_s - found.at_ms / 1_000
    old = f"; nothing was written for {age_s:.0f} s" if age_s > FRESH_S else ""
    return f"running, as of {at}{old}"


def account_line(name: str, account: AccountStats) -> str:
    costs = account.costs
    goal = yes_no(costs.meets_goal, "met", "missed")
    return (
        f"account {name}: net {amount(account.net)}, volume {amount(costs.volume)}, "
        f"cost per 10,000 {number(costs.cost_per_10k, 4)} (goal {costs.goal_per_10k:g}: {goal}), "
        f"wear rate {number(costs.wear_rate_pct, 5)} %, equity {amount(account.equity)}"
    )


def table_of(account: AccountStats) -> Table:
    """Return every figure of every symbol, a column a symbol."""
    table = Table("", *account.symbols)
    for group, rows in groupby(side_by_side(account.symbols), key=lambda row: row.group):
        table.add_section()
        table.add_row(f"[bold]{group}[/]")
        for row in rows:
            table.add_row(row.name, *row.values)
    return table
