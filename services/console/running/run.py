"""`makerd run`: the whole deployment in the foreground, shown live, stopped cleanly."""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from services.console.commands.checking import check_sections
from services.console.commands.preflight import check_external_venues, check_ports, check_written
from services.console.commands.venue_reads import instruments_of
from services.console.running.deployment import Deployment
from services.console.running.recording import has_ended
from services.console.running.session import Session
from services.console.running.session_id import end_session
from services.console.running.stop_signals import Interrupted, StopSignals
from services.console.running.view import View, open_view, say
from shared.config import Config, load
from shared.errors import EXIT_FAILURE, BadInput, MakerdError
from shared.secret import read_private_file
from shared.venues.access import READY_FILE

LOOK_S = 0.25
#: the local venue outlives a killed supervisord by this, so that execution can cancel
VENUE_GRACE_S = 3
RECORDING_LOOK_S = 1.0
VENUE_FILE = "MAKERD_VENUE_FILE"
REPLAY = "replay:"


def run(options: argparse.Namespace) -> int:
    """Start, show, stop. Returns 0 when everything is cancelled, confirmed and stopped."""
    config = _checked(options)
    exchange_options = _exchange_options(options, config)
    with StopSignals() as signals, open_view() as view:
        try:
            with Deployment(config, exchange_options) as deployment:
                return _Run(options, config, deployment, view, signals).to_its_end()
        except Interrupted:
            say("stopped before anything was started")
            return 0


class _Run:
    """One run from the first program to the summary."""

    def __init__(
        self, options: argparse.Namespace, config: Config, deployment: Deployment, view: View,
        signals: StopSignals,
    ) -> None:  # fmt: skip
        self._options, self._config, self._deployment = options, config, deployment
        self._view, self._signals = view, signals
        self._is_replay = options.market.startswith(REPLAY) and not _external_venue(options)
        self._recording_look_s = 0.0
        self._notes: list[str] = []

    def to_its_end(self) -> int:
        """Start, watch, stop; whatever ends it, orders are cancelled and a summary is written.

        Raises: what went wrong, after everything is stopped.
        """
        session, failure = None, None
        try:
            self._start()
            session = Session(self._config, self._deployment)
            self._watch(session)
        except Interrupted:
            self._view.say("stopping: cancelling and confirming")
        except MakerdError as error:
            failure = error
        finally:
            self._signals.ignore()
        confirmed = self._deployment.stop_quoting()
        summary = None if session is None else session.finish(confirmed)
        self._deployment.stop()
        if failure is not None:
            raise failure
        return _report(self._config, summary, confirmed)

    def _start(self) -> None:
        deployment, config = self._deployment, self._config
        self._view.say(f"starting {config.deployment.name} in {config.run_dir}")
        deployment.prepare()
        if self._is_replay:
            _quote_what_is_recorded(self._options.market, config)
        deployment.start()

    def _watch(self, session: Session) -> None:
        started = next_draw = time.monotonic()
        duration_s = self._options.duration
        while duration_s is None or time.monotonic() - started < duration_s:
            session.listen(LOOK_S)
            self._deployment.check()
            if time.monotonic() >= next_draw:
                next_draw = time.monotonic() + self._view.period_s
                self._look_at_recording()
                problems = [f"{name}: {text}" for name, text in self._deployment.problems.items()]
                session.draw(self._view, [*self._notes, *problems])

    def _look_at_recording(self) -> None:
        now_s = time.monotonic()
        if not self._is_replay or self._notes or now_s < self._recording_look_s:
            return
        self._recording_look_s = now_s + RECORDING_LOOK_S
        files = [venue.ready_file for venue in self._config.venues.values() if venue.ready_file]
        if files and all(has_ended(Path(path)) for path in files):
            self._notes.append(
                f"the recording has ended ({self._options.market}): nothing is quoted any more"
            )


def _checked(options: argparse.Namespace) -> Config:
    """Return the configuration, with everything checked that can be before something starts."""
    if options.duration is not None and not (math.isfinite(options.duration) and options.duration > 0):
        raise BadInput(f"--duration {options.duration}: must be a number of seconds above 0")
    if options.venue_file is not None:  # the supervised processes are told so too: see shared/config.py
        os.environ[VENUE_FILE] = str(options.venue_file.resolve())
    external = _external_venue(options)
    if external is not None:
        read_private_file(external, READY_FILE)
    config = load(options.config, with_changes=False)
    check_sections(config)
    check_written(config)
    check_ports(config)
    if external is not None:
        check_external_venues(config)
    return config


def _external_venue(options: argparse.Namespace) -> Path | None:
    """Return the ready file of a venue that runs already: the option, else MAKERD_VENUE_FILE."""
    text = os.environ.get(VENUE_FILE)
    return options.venue_file or (Path(text) if text else None)


def _exchange_options(options: argparse.Namespace, config: Config) -> list[str] | None:
    """Return the arguments of the local venue, None where the venue runs elsewhere."""
    ready_files = [venue.ready_file for venue in config.venues.values() if venue.ready_file]
    if _external_venue(options) is not None or not ready_files:
        return None
    market = options.market
    if market.startswith(REPLAY):
        market = f"{REPLAY}{Path(market.removeprefix(REPLAY)).resolve()}"
    return [
        "--port", "0", "--market", market, "--seed", str(options.seed), "--ready-file", ready_files[0],
        "--follow-parent", "--parent-grace-s", str(VENUE_GRACE_S),
    ]  # fmt: skip


def _quote_what_is_recorded(market: str, config: Config) -> None:
    """In a replay, quote the recorded perpetuals with the settings of the configured quoters."""
    template = next(iter(config.quoters.values()), None)
    if template is None:
        raise BadInput(f"--market {market}: the configuration has no quoter whose settings could be used")
    listed = instruments_of(config, config.accounts[template.account].venue)
    recorded = [symbol for symbol, info in listed.items() if info.is_perp]
    if not recorded:
        raise BadInput(f"--market {market}: holds no perpetual; listed: {', '.join(listed)}")
    quoters = {symbol: config.quoters.get(symbol, template) for symbol in recorded}
    config.quoters.clear()
    config.quoters.update(quoters)


def _report(config: Config, summary: dict[str, Any] | None, confirmed: Mapping[str, bool]) -> int:
    """Tell how it ended. Returns 0 only where every account's execution has had its end confirmed."""
    is_confirmed = all(confirmed.values())
    if summary is None and not confirmed:
        say("stopped before anything that trades was started; what an earlier run left is not known")
    elif summary is None:
        left = "none" if is_confirmed else "unknown"
        say(f"stopped before it was up; open orders left: {left}")
    else:
        path = config.run_dir / "summary.json"
        path.write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=2))
        orders = summary["open_orders_at_end"]
        say(f"stopped; open orders left: {'unknown' if orders is None else orders}; see {path}")
    if not is_confirmed:
        doubted = ", ".join(account for account, is_sure in confirmed.items() if not is_sure)
        say(f"not confirmed by the venue for: {doubted}; a next start cancels what carries our tag")
    if is_confirmed:
        end_session(config.run_dir)
    return 0 if is_confirmed else EXIT_FAILURE
