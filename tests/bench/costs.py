"""What each strategy costs per 10,000 traded on a recording, with defaults: the table of the README.

`python -m tests.bench.costs [RECORDING]`; without one the recorded ETHUSDT perpetual beside the
checkout. Fees are zero, fills by queue position; the defaults of `[replay]` otherwise, and of `[risk]`
with the policy that a strategy is made for.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from services.quoter.strategies import STRATEGIES
from services.replay.running import replay
from services.replay.settings import parse_replay
from services.replay.sources.opening import open_data
from services.replay.venue.queue import FillModel
from shared.accounting.report import Report
from shared.config import Config, parse

RECORDING = Path(__file__).resolve().parents[3] / "shared/data/binance_usdm_2024-08-08/ethusdt_20240808.gz"
SYMBOL = "ETH_USDC_PERP"
#: the one thing that has no default: how much
SIZES: dict[str, dict[str, object]] = {
    name: {"size_usd": 500} for name in ("two_sided", "avellaneda_stoikov", "glft", "grid", "perp_grid")
}
#: for a market whose spread is one tick of 0.0004 %: the defaults hardly trade there
NARROW: dict[str, dict[str, object]] = {
    "auto": {"bin_step_bps": 1, "up_pct": 0.1, "down_pct": 0.1, "max_order": 0.2, "recentre_pct": 0.005},
    "avellaneda_stoikov": {"size_usd": 500, "gamma": 10},
    "bid_ask": {"bin_step_bps": 1, "up_pct": 0.1, "down_pct": 0.1, "max_order": 0.2, "recentre_pct": 0.005},
    "curve": {"bin_step_bps": 1, "up_pct": 0.1, "down_pct": 0.1, "max_order": 0.2, "recentre_pct": 0.005},
    "glft": {"size_usd": 500, "gamma": 10},
    "grid": {"size_usd": 500, "range_pct": 0.3},
    "ladder": {"size_usd": 500, "spread_pct": 0.02, "skew": 0.5, "refresh_interval_s": 0.1},
    "maker_hedge": {"size_usd": 500},
    "one_sided": {},
    "perp_grid": {"size_usd": 500, "range_pct": 0.3},
    "regime": {"base_order_usd": 500, "min_spread_pct": 0.0},
    "spot": {"bin_step_bps": 1, "up_pct": 0.1, "down_pct": 0.1, "max_order": 0.2, "recentre_pct": 0.005},
    "two_sided": {"size_usd": 500, "join_best": True, "skew": 0.5, "refresh_interval_s": 0.1},
}
#: the half of a strategy that is a risk policy
RISKS: dict[str, dict[str, Any]] = {
    "regime": {"ak47_hedge": {}},
    "maker_hedge": {"fill_hedge": {}},
}


def config_of(name: str, params: dict[str, object] | None = None) -> Config:
    """Return a deployment of one strategy, everything else by default."""
    quoter = {
        "account": "main",
        "strategy": name,
        "params": SIZES.get(name, {}) if params is None else params,
    }
    raw = {
        "venues": {"backpack": {"protocol": "backpack", "ready_file": "venue.json"}},
        "accounts": {"main": {"venue": "backpack"}},
        "quoters": {SYMBOL: quoter},
        "risk": RISKS.get(name, {}),
    }
    return parse(raw, Config, "costs")


def report_of(config: Config, recording: Path) -> Report:
    """Replay a recording once. Raises: BadInput."""
    sources = open_data([str(recording)], config, parse_replay(config.replay), 600.0)
    outcome = replay(config, sources, (FillModel.QUEUE,)).outcomes[0]
    if not outcome.is_clean or any(outcome.difference.values()):
        raise AssertionError(f"{config.quoters[SYMBOL].strategy}: the replay does not add up")
    return outcome.reports[SYMBOL]


def cells_of(report: Report) -> tuple[str, str, str]:
    """Return cost, volume and fills."""
    cost = report.costs.cost_per_10k
    return "-" if cost is None else f"{cost:.2f}", f"{report.costs.volume:,.0f}", f"{report.activity.fills:,}"


def more_of(report: Report) -> tuple[str, str, str]:
    """Return maker share, time two-sided and markout."""
    maker, markout = report.activity.maker_share, report.markouts[1].mean_bps
    return (
        "-" if maker is None else f"{maker:.0%}",
        f"{report.presence.two_sided:.0%}",
        "-" if markout is None else f"{markout:+.2f}",
    )


def main(arguments: list[str]) -> int:
    """Print the rows of the table, as the README shows them."""
    recording = Path(arguments[0]) if arguments else RECORDING
    for name in sorted(STRATEGIES):
        default = report_of(config_of(name, SIZES.get(name, {})), recording)
        narrow = report_of(config_of(name, NARROW[name]), recording)
        cells = (*cells_of(default), *cells_of(narrow), *more_of(narrow))
        print(f"| `{name}` | {' | '.join(cells)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
