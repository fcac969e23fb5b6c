"""The command line of `makerd`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from shared.errors import BadInput

MOST_WORKERS = 1_024
DEFAULT_CONFIG = Path(__file__).resolve().parents[2] / "deploy" / "config" / "paper.toml"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message}; see {self.prog} --help")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; `command` names the command. Raises: BadInput."""
    parser = _Parser(prog="makerd", description="market making for crypto exchanges")
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help="the deployment's TOML file")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_run(commands.add_parser("run", help="start the deployment in the foreground and show it"))
    status = commands.add_parser("status", help="what runs, rests and is held")
    status.add_argument("--json", action="store_true")
    stats = commands.add_parser("stats", help="what the running deployment, or the last run, has made")
    stats.add_argument("--json", action="store_true")
    commands.add_parser("orders", help="our live orders")
    commands.add_parser("positions", help="positions and equity")
    fills = commands.add_parser("fills", help="the newest fills of the journal")
    fills.add_argument("--count", type=int, default=20)
    halt = commands.add_parser("halt", help="cancel and stop until `resume`; exits 0 once the venue agrees")
    halt.add_argument("symbol", nargs="?", help="only this symbol")
    halt.add_argument("--reason", default="halted by hand")
    halt.add_argument("--timeout", type=float, default=15.0, metavar="S", help="longest wait for the venue")
    resume = commands.add_parser("resume", help="remove a halt")
    resume.add_argument("symbol", nargs="?")
    _add_quoter(commands.add_parser("quoter", help="add or remove a quoter while running"))
    _add_record(commands.add_parser("record", help="record what every process is told and says"))
    _add_replay(commands.add_parser("replay", help="what a configuration would have cost on recorded data"))
    _add_sweep(commands.add_parser("sweep", help="search the best parameters on recorded data"))
    tap = commands.add_parser("tap", help="print bus traffic")
    tap.add_argument("topic", nargs="?", default="", help="prefix, such as Top.backpack.SOL_USDC_PERP.")
    check = commands.add_parser("check", help="validate a configuration and show its quotes")
    check.add_argument("checked", type=Path, metavar="CONFIG")
    check.add_argument("--mid", help="quote around this price (default: the venue's current one)")
    check.add_argument("--equity", help="equity of the account, quote units (default: 10000)")
    check.add_argument("--symbol", help="only this symbol")
    strategies = commands.add_parser("strategies", help="the strategies there are, with every param")
    strategies.add_argument("strategy", nargs="?", metavar="NAME", help="only this one")
    strategies.add_argument("--json", action="store_true")
    keys = commands.add_parser("keys", help="store API keys")
    keys_commands = keys.add_subparsers(dest="keys_command", required=True)
    add = keys_commands.add_parser("add")
    add.add_argument("venue")
    add.add_argument("--file", type=Path)
    return parser.parse_args(arguments)


def _add_run(run: argparse.ArgumentParser) -> None:
    run.add_argument("--duration", type=float, metavar="S", help="end by itself and write summary.json")
    run.add_argument("--market", default="synthetic", help="of the local venue: synthetic or replay:PATH")
    run.add_argument("--seed", type=int, default=7, help="of the synthetic market")
    run.add_argument("--venue-file", type=Path, help="use a venue that already runs: its ready file")


def _add_replay(replay: argparse.ArgumentParser) -> None:
    replay.add_argument("replayed", type=Path, nargs="?", metavar="CONFIG", help="a deployment, as for `run`")
    replay.add_argument(
        "data", nargs="*", metavar="[SYMBOL=]DATA",
        help="raw Binance frames, CSV of best prices, a recorded run directory, or synthetic[:SEED]",
    )  # fmt: skip
    replay.add_argument("--out", type=Path, default=Path("run/replay"), help="directory of the report")
    replay.add_argument("--model", choices=("all", "pessimistic", "queue", "optimistic"), default="all")
    replay.add_argument("--duration", type=float, default=600.0, metavar="S", help="of synthetic data")
    replay.add_argument(
        "--verify", type=Path, metavar="RUN",
        help="make the recorded calls of a run directory again: every output must be the same, byte for byte",
    )  # fmt: skip


def _add_sweep(sweep: argparse.ArgumentParser) -> None:
    sweep.add_argument("sweep", type=Path, metavar="SWEEP", help="TOML: base, data, space, objective, ...")
    sweep.add_argument(
        "--out", type=Path, help="directory of the results (default: run/sweep/<name of SWEEP>)"
    )
    sweep.add_argument(
        "--workers", type=_count, metavar="N", help="processes; 0 = in this one (default: a core each)"
    )
    sweep.add_argument(
        "--scheduler", metavar="tcp://HOST:PORT", help="use the workers of this dask scheduler"
    )


def _count(text: str) -> int:
    if not text.isdigit() or int(text) > MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to {MOST_WORKERS}, was {text!r}")
    return int(text)


def _add_record(record: argparse.ArgumentParser) -> None:
    commands = record.add_subparsers(dest="record_command", required=True)
    on = commands.add_parser("on", help="record every process that starts from now on")
    on.add_argument("--restart", action="store_true", help="restart what runs now, so that it is recorded")
    commands.add_parser("off", help="end it")
    commands.add_parser("status", help="whether it is on, what is recorded now, and how much there is")


def _add_quoter(quoter: argparse.ArgumentParser) -> None:
    commands = quoter.add_subparsers(dest="quoter_command", required=True)
    add = commands.add_parser("add")
    add.add_argument("symbol")
    add.add_argument("--like", metavar="SYMBOL", help="copy the settings of this quoter")
    add.add_argument("--account", help="copy the settings of the first quoter of this account")
    commands.add_parser("remove").add_argument("symbol")
