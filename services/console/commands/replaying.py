"""`makerd replay CONFIG DATA...`: what a configuration would have cost, before it trades."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from services.console.commands.verifying import verify_run
from services.console.progress import progress
from services.replay.assembly import legs_of
from services.replay.report.writing import MODELS, ReplayReport, prepare, write_report
from services.replay.running import Outcome, Replayed, replay
from services.replay.settings import parse_replay
from services.replay.sources.base import Gap
from services.replay.sources.opening import open_data
from services.replay.venue.queue import FillModel
from services.risk.config import parse_risk
from shared.accounting.report import Report
from shared.clock import NS_PER_S
from shared.config import Config, load
from shared.errors import EXIT_FAILURE, BadInput

#: as the report calls the models
NAMES = {FillModel.THROUGH: "pessimistic", FillModel.QUEUE: "queue", FillModel.TOUCH: "optimistic"}
CHOICES = {name: (model,) for model, name in NAMES.items()} | {"all": tuple(FillModel)}
_SHOWN_GAPS = 5
#: our own recordings count from the start of their host: their times are no dates
_LEAST_WALL_NS = 10**17


def command(options: argparse.Namespace) -> int:
    """Run `makerd replay`; 1 = it does not add up, or orders were left. Raises: BadInput."""
    if options.verify is not None:
        return verify_run(options.verify)
    if options.replayed is None:
        raise BadInput("replay: CONFIG is missing, or --verify RUN; see makerd replay --help")
    config = load(options.replayed, with_changes=False)
    settings = parse_replay(config.replay)
    sources = open_data(options.data, config, settings, options.duration)
    directories = _directories(options.out, tuple(sources))
    for directory in directories.values():
        prepare(directory)
    started_s = time.monotonic()
    with progress("replaying", sum(file.size for files in sources.values() for file in files)) as advance:
        done = replay(config, sources, CHOICES[options.model], advance)
    took_s = time.monotonic() - started_s
    written = [_write(config, options, symbol, done, directory) for symbol, directory in directories.items()]
    _show(done, took_s, written)
    return 0 if all(_adds_up(outcome) for outcome in done.outcomes) else EXIT_FAILURE


def _adds_up(outcome: Outcome) -> bool:
    return outcome.is_clean and not any(outcome.difference.values())


def _directories(out: Path, symbols: Sequence[str]) -> dict[str, Path]:
    """Return where the report of each symbol goes."""
    return {symbol: out / symbol if len(symbols) > 1 else out for symbol in symbols}


def _write(config: Config, options: argparse.Namespace, symbol: str, done: Replayed, directory: Path) -> Path:
    report = ReplayReport(
        title=f"{symbol}: {', '.join(options.data)}",
        runs={NAMES[outcome.model]: outcome.reports[symbol] for outcome in done.outcomes},
        epoch_ns=done.start_ns if done.start_ns >= _LEAST_WALL_NS else None,
        settings=_settings(config, symbol, tuple(done.gaps)),
        notes=tuple(notes_of(done, symbol)),
    )
    return write_report(directory, report)[1]


def _settings(config: Config, symbol: str, symbols: Sequence[str]) -> dict[str, str]:
    is_leg = symbol in legs_of(config, parse_risk(config.risk), symbols)
    quoter = config.quoters.get(symbol) or next(iter(config.quoters.values()))
    settings = parse_replay(config.replay)
    latency = settings.latency
    hop = f"drawn from {latency.bench}" if latency.bench else f"{latency.hop_ms:g} ms"
    shown = {
        "strategy": "none: it is the leg of a hedge" if is_leg else quoter.strategy,
        "params": "none" if is_leg else _params(quoter.params),
        "fees": f"maker {settings.maker_fee_bps:g} bps, taker {settings.taker_fee_bps:g} bps",
        "equity": f"{settings.equity:g}",
        "latency": (
            f"feed {latency.feed_ms:g} ms, hop {hop}, order {latency.order_ms:g} ms, "
            f"reply {latency.reply_ms:g} ms"
        ),
    }
    if config.risk:
        shown["risk"] = ", ".join(f"{name} = {value}" for name, value in config.risk.items())
    return shown


def _params(params: Mapping[str, object]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in params.items()) or "defaults"


def notes_of(done: Replayed, symbol: str) -> Iterable[str]:
    """Yield what is unusual about a replay, one line each."""
    gaps = done.gaps[symbol]
    for gap in gaps[:_SHOWN_GAPS]:
        yield f"gap in the recording {_of(gap, done.start_ns)}: nothing was quoted meanwhile"
    if len(gaps) > _SHOWN_GAPS:
        yield f"{len(gaps) - _SHOWN_GAPS} more gaps in the recording"
    for outcome in done.outcomes:
        name = NAMES[outcome.model]
        for account, difference in outcome.difference.items():
            if difference:
                yield f"{name}: the account {account} differs from the ledger by {difference}"
        if not outcome.is_clean:
            yield f"{name}: not every order was confirmed cancelled at the end"
    for reason, count in sorted(done.outcomes[0].pauses.items(), key=lambda item: -item[1]):
        yield f"nothing quoted, {count} times: {reason}"
    for alert in done.outcomes[0].alerts[:_SHOWN_GAPS]:
        yield f"alert at {alert}"


def _of(gap: Gap, start_ns: int) -> str:
    begin_s = (gap.begin_ns - start_ns) / NS_PER_S
    end = "its end" if gap.end_ns is None else f"{(gap.end_ns - start_ns) / NS_PER_S:.3f} s"
    return f"from {begin_s:.3f} s to {end} ({gap.reason})"


def _show(done: Replayed, took_s: float, written: list[Path]) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = 120
    for symbol in done.outcomes[0].reports:
        console.print(_table(symbol, done))
        for note in notes_of(done, symbol):
            console.print(note, highlight=False)
    for path in written:
        print(path)
    played_s = (done.end_ns - done.start_ns) / NS_PER_S
    rate = done.event_count * len(done.outcomes) / max(took_s, 1e-9)
    print(
        f"{done.event_count} events over {played_s:.0f} s, {len(done.outcomes)} fill models, "
        f"in {took_s:.1f} s: {rate:.0f} a second, reading included",
        file=sys.stderr,
    )


def _table(symbol: str, done: Replayed) -> Table:
    table = Table(title=symbol)
    table.add_column("")
    for outcome in done.outcomes:
        table.add_column(MODELS[NAMES[outcome.model]], justify="right")
    rows: dict[str, Callable[[Report], object]] = {
        "cost per 10,000": lambda report: report.costs.cost_per_10k,
        "volume": lambda report: float(report.costs.volume),
        "net": lambda report: report.money.net,
        "  spread": lambda report: report.money.parts.spread,
        "  inventory": lambda report: report.money.parts.inventory,
        "  fees": lambda report: report.money.parts.fees,
        "  rebates": lambda report: report.money.parts.rebates,
        "  funding": lambda report: report.money.parts.funding,
        "fills": lambda report: report.activity.fills,
        "maker share": lambda report: report.activity.maker_share,
        "hedges": lambda report: report.activity.hedges,
        "cancels per fill": lambda report: report.activity.cancels_per_fill,
        "two-sided uptime": lambda report: report.presence.two_sided,
    }
    for name, value in rows.items():
        table.add_row(name, *(_text(value(outcome.reports[symbol])) for outcome in done.outcomes))
    for number in range(4):
        marks = [outcome.reports[symbol].markouts[number] for outcome in done.outcomes]
        table.add_row(f"markout {marks[0].horizon_s:g} s, bps", *(_text(mark.mean_bps) for mark in marks))
    return table


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{float(str(value)):,.3f}"
