"""`makerd run`: the whole deployment in the foreground, shown live, stopped cleanly."""

from __future__ import annotations

import argparse
import os
import signal
import time
from pathlib import Path
from typing import Any

import msgspec

from services.console.commands.checking import check_sections
from services.console.commands.venue_reads import instruments_of
from services.console.running.deployment import Deployment
from services.console.running.session import Session
from services.console.running.view import View, open_view
from shared.config import Config, load
from shared.errors import BadInput
from shared.secret import read_private_file

LOOK_S = 0.25
#: the local venue outlives a killed supervisord by this, so that execution can cancel
VENUE_GRACE_S = 3


class _Interrupted(Exception):
    """Ctrl-C or SIGTERM: stop everything, cancelled and confirmed."""


def run(options: argparse.Namespace) -> int:
    """Start, show, stop. Returns 0 when everything is cancelled, confirmed and stopped."""
    _place_in_environment(options)
    config = load(options.config)
    check_sections(config)
    if options.duration is not None and options.duration <= 0:
        raise BadInput(f"--duration {options.duration}: must be above 0 seconds")
    _on_stop_signals()
    with (
        Deployment(config, _exchange_options(options, config)) as deployment,
        open_view() as view,
    ):
        session = None
        try:
            view.say(f"starting {config.deployment.name} in {config.run_dir}")
            deployment.prepare()
            _quote_what_is_recorded(options, config)
            deployment.start()
            session = Session(config, deployment)
            _watch(session, deployment, view, options.duration)
        except (_Interrupted, KeyboardInterrupt):
            view.say("stopping: cancelling and confirming")
        _ignore_stop_signals()
        deployment.stop_quoting()
        summary = session.finish() if session is not None else None
        deployment.stop()
    return _report(config, summary)


def _watch(session: Session, deployment: Deployment, view: View, duration_s: float | None) -> None:
    started = time.monotonic()
    next_draw = started
    while duration_s is None or time.monotonic() - started < duration_s:
        session.listen(LOOK_S)
        deployment.check()
        if time.monotonic() >= next_draw:
            next_draw = time.monotonic() + view.period_s
            session.draw(view)


def _place_in_environment(options: argparse.Namespace) -> None:
    """Tell the supervised processes of `--venue-file` (see shared/config.py)."""
    if options.venue_file is not None:
        read_private_file(options.venue_file)
        os.environ["MAKERD_VENUE_FILE"] = str(options.venue_file.resolve())


def _exchange_options(options: argparse.Namespace, config: Config) -> list[str] | None:
    """Return the arguments of the local venue, None where the venue runs elsewhere."""
    ready_files = [venue.ready_file for venue in config.venues.values() if venue.ready_file]
    if options.venue_file is not None or not ready_files:
        return None
    market = options.market
    if market.startswith("replay:"):
        market = f"replay:{Path(market.removeprefix('replay:')).resolve()}"
    return [
        "--port 0", f"--market {market}", f"--seed {options.seed}", f"--ready-file {ready_files[0]}",
        "--follow-parent", f"--parent-grace-s {VENUE_GRACE_S}",
    ]  # fmt: skip


def _quote_what_is_recorded(options: argparse.Namespace, config: Config) -> None:
    """In a replay, quote the recorded perpetuals with the settings of the configured quoters."""
    if not options.market.startswith("replay:") or options.venue_file is not None:
        return
    template = next(iter(config.quoters.values()))
    listed = instruments_of(config, config.accounts[template.account].venue)
    recorded = [symbol for symbol, info in listed.items() if info.is_perp]
    if not recorded:
        raise BadInput(f"--market {options.market}: holds no perpetual; listed: {', '.join(listed)}")
    quoters = {symbol: config.quoters.get(symbol, template) for symbol in recorded}
    config.quoters.clear()
    config.quoters.update(quoters)


def _on_stop_signals() -> None:
    def interrupt(_number: int, _frame: object) -> None:
        raise _Interrupted

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)


def _ignore_stop_signals() -> None:
    """A second Ctrl-C must not leave orders behind: stopping is bounded anyway."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _report(config: Config, summary: dict[str, Any] | None) -> int:
    if summary is None:
        return 0
    path = config.run_dir / "summary.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=2))
    print(f"stopped; {summary['open_orders_at_end']} open orders left; see {path}")
    return 0 if summary["open_orders_at_end"] == 0 else 1
