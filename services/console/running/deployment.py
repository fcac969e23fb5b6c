"""A deployment's life: start it in order, notice when a part fails for good, stop it in order.

Order of start: locks, program files, supervisord with Redis and the local venue; then, once the
venue lists every symbol, the rest. Nothing else starts before the input is known to be good.
Order of stop: quoters, then execution (which cancels and confirms), then everything.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from services.console.commands.preflight import check_quoters
from services.console.running.orphans import wait_for_orphans
from services.console.running.ready_files import clear_ready_files
from services.console.running.session_id import begin_session
from services.console.running.stats_file import STATS_FILE
from services.console.running.supervisor import HOME, Program, Supervisor, programs_of, start, write_programs
from shared.clock import NS_PER_MS, NS_PER_S
from shared.config import Config, apply_changes, save_effective
from shared.errors import EXIT_BAD_INPUT, BadInput, Fatal, Unknown
from shared.lifetime import acquire_lock
from shared.state.redis_link import RedisLink
from shared.state.store import StateStore

START_S = 30.0
STOP_S = 30.0
#: a quoter that was configured and refuses to run within this ends the start; later it is only shown
SETTLED_NS = 10 * NS_PER_S
#: programs of supervisord.conf that wait until the input is known to be good, and their priorities
_COMMON = {"signals": 40, "risk": 50}
#: what a run leaves for people and programs; that of the run before must not be taken for it
_LEFT = ("summary.json", "fills.jsonl", STATS_FILE)


class Deployment:
    """One `makerd run`. Use as a context manager: whatever was started is stopped.

    restarts   program -> how often it came back
    problems   program -> why it does not run any more, where the rest goes on without it
    """

    def __init__(self, config: Config, exchange_options: list[str] | None) -> None:
        self.config = config
        self.run_dir = config.run_dir
        self.supervisor = Supervisor(self.run_dir)
        self._exchange_options = exchange_options
        self._daemon: subprocess.Popen[bytes] | None = None
        self._uses_own_redis = not (os.environ.get("REDIS_URL") or config.redis.url)
        self._run_id = self._session_id = time.time_ns() // NS_PER_MS
        self._pids: dict[str, int] = {}
        self._first_quoters: frozenset[str] = frozenset()
        self._settled_ns: int | None = None
        self._is_started = False
        self.restarts: dict[str, int] = {}
        self.problems: dict[str, str] = {}
        #: called when the venue has been started anew, before anything trades on it
        self.on_new_venue: Callable[[], None] = lambda: None

    def __enter__(self) -> Deployment:
        _check_paths(self.run_dir.resolve(), HOME)
        try:
            self.run_dir.mkdir(parents=True, exist_ok=True)
            self._lock = acquire_lock(self.run_dir, "deployment")
            is_kept = self._exchange_options is None  # a local venue starts flat
            self._session_id = begin_session(self.run_dir, self._run_id, goes_on=is_kept)
        except OSError as error:
            raise BadInput(f"run_dir {self.run_dir} cannot be used: {error.strerror}") from None
        try:
            wait_for_orphans(self.run_dir)
            for name in _LEFT:
                (self.run_dir / name).unlink(missing_ok=True)
            for changed in (self.run_dir / "quoters").glob("*.*"):
                changed.unlink()  # `makerd quoter add|remove` lasts as long as the deployment
        except BaseException:
            self._lock.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._lock.close()

    def prepare(self) -> None:
        """Start Redis and the local venue, and wait until both serve."""
        exchanges = [program for program in self._programs() if is_exchange(program)]
        if exchanges:
            clear_ready_files(self.config)
        write_programs(self.run_dir, exchanges)
        effective = save_effective(self.config)
        self._daemon = start(
            effective,
            self.run_dir,
            embedded_redis=self._uses_own_redis,
            run_id=self._run_id,
            session_id=self._session_id,
        )
        self._wait(self._is_redis_up, "Redis")
        self._wait(self._is_venue_ready, "the venue's ready file")

    def start(self) -> None:
        """Start the rest. Raises: BadInput for a symbol that is not listed, Unknown for a silent venue."""
        check_quoters(self.config)
        self._first_quoters = frozenset(f"quoter.{symbol}" for symbol in self.config.quoters)
        self._start_programs()
        self._settled_ns = time.monotonic_ns() + SETTLED_NS

    def check(self) -> None:
        """Count restarts; bring a dead supervisord back. Raises: BadInput when a program gave up for good.

        A quoter that gives up after the start takes nothing with it.
        """
        if self._daemon is not None and self._daemon.poll() is not None:
            self._restart_supervisord()
            return
        apply_changes(self.config)
        try:
            processes = self.supervisor.processes()
        except Unknown:
            return  # it is busy or dying: the next look tells
        self.problems = {name: text for name, text in self.problems.items() if name in processes}
        for name, info in processes.items():
            if info.pid is not None:
                self.problems.pop(name, None)
                self._count(name, info.pid)
            elif info.exit_code == EXIT_BAD_INPUT and info.has_ended:
                words = last_words(self.run_dir, name)
                if self._is_fatal(name):
                    raise BadInput(words)
                self.problems[name] = words

    def stop_quoting(self) -> dict[str, bool]:
        """Stop quoters, then execution, which cancels and asks the venue to confirm before it exits.

        Returns account -> whether its execution said so by its exit code, of all that ever ran.
        """
        names = self._names()
        for prefix in ("quoter.", "execution."):
            for name in [one for one in names if one.startswith(prefix)]:
                with contextlib.suppress(Unknown):
                    self.supervisor.stop(name)
        return self._confirmed(names)

    def stop(self) -> None:
        """Stop everything and wait until it is gone. May be called twice."""
        daemon, self._daemon = self._daemon, None
        if daemon is None:
            return
        if daemon.poll() is None:
            self.stop_quoting()
            try:
                self.supervisor.shutdown()
            except Unknown:  # it does not listen yet, or hangs
                daemon.send_signal(signal.SIGTERM)
        try:
            daemon.wait(STOP_S)
        except subprocess.TimeoutExpired:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(STOP_S)
        wait_for_orphans(self.run_dir)

    def _names(self) -> list[str]:
        try:
            return list(self.supervisor.processes())
        except Unknown:
            return []

    def _confirmed(self, asked: list[str]) -> dict[str, bool]:
        accounts = [name.removeprefix("execution.") for name in asked if name.startswith("execution.")]
        if not accounts:  # never started, or nobody tells
            accounts = list(self.config.accounts) if self._is_started else []
        try:
            infos = self.supervisor.processes()
        except Unknown:
            infos = {}
        found = {account: infos.get(f"execution.{account}") for account in accounts}
        return {
            account: info is not None and info.has_ended and info.exit_code == 0
            for account, info in found.items()
        }

    def _count(self, name: str, pid: int) -> None:
        known = self._pids.setdefault(name, pid)
        self.restarts.setdefault(name, 0)
        if known != pid:
            self._pids[name] = pid
            self.restarts[name] += 1

    def _is_fatal(self, name: str) -> bool:
        if not name.startswith("quoter."):
            return True
        is_settled = self._settled_ns is not None and time.monotonic_ns() > self._settled_ns
        return name in self._first_quoters and not is_settled

    def _programs(self) -> list[Program]:
        return programs_of(self.config, self._exchange_options)

    def _start_programs(self) -> None:
        self._is_started = True
        save_effective(self.config)
        own = {program.name: program for program in self._programs() if not is_exchange(program)}
        priorities = _COMMON | {name: program.priority for name, program in own.items()}
        for name in sorted(priorities, key=lambda name: priorities[name]):
            if name in own:
                (self.run_dir / "programs" / f"{name}.conf").write_text(own[name].text())
                self.supervisor.add(name)
            else:
                self.supervisor.start(name)

    def _restart_supervisord(self) -> None:
        """Start again after supervisord was killed: its orphans cancel and leave first.

        What is listed was checked at the start: a venue that is silent just now is waited for by
        the services themselves.
        """
        wait_for_orphans(self.run_dir)
        apply_changes(self.config)
        self._end_old_venue()
        self._pids.clear()
        is_new_venue = self._exchange_options is not None
        if is_new_venue:
            self._run_id = time.time_ns() // NS_PER_MS  # it starts flat: so must the ledger
            self._session_id = begin_session(self.run_dir, self._run_id, goes_on=False)
        self.prepare()
        if is_new_venue:
            self.on_new_venue()
        self._start_programs()
        self.restarts["supervisord"] = self.restarts.get("supervisord", 0) + 1

    def _end_old_venue(self) -> None:
        """End the local venue that the dead supervisord had started; it would leave by itself soon."""
        for name, pid in self._pids.items():
            if name.startswith("exchange."):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)

    def _wait(self, is_done: Callable[[], bool], what: str) -> None:
        deadline_ns = time.monotonic_ns() + round(START_S * NS_PER_S)
        while not is_done():
            self._check_startup()
            if time.monotonic_ns() > deadline_ns:
                raise Fatal(f"{what} did not come up within {START_S:.0f} s; see {self.run_dir / 'logs'}")
            time.sleep(0.05)

    def _check_startup(self) -> None:
        if self._daemon is not None and self._daemon.poll() is not None:
            raise Fatal(f"supervisord ended at start; see {self.run_dir / 'logs' / 'supervisord.log'}")
        self.check()

    def _is_redis_up(self) -> bool:
        store = StateStore(RedisLink.of(self.config), self.config.deployment.name)
        try:
            store.ping()
        except Unknown as error:
            if not self._uses_own_redis:
                raise BadInput(f"REDIS_URL (or redis.url): {error}") from None
            return False
        finally:
            store.close()
        return True

    def _is_venue_ready(self) -> bool:
        files = [venue.ready_file for venue in self.config.venues.values()]
        return all(Path(path).exists() for path in files if path)


def _check_paths(*paths: Path) -> None:
    """Raise BadInput for a path that supervisord would not read as it is written."""
    for path in paths:
        found = [sign for sign in '%"' if sign in str(path)]
        if found:
            raise BadInput(
                f"path {path} must not contain {found[0]}: supervisord takes it for a sign of its own"
            )


def is_exchange(program: Program) -> bool:
    return program.name.startswith("exchange.")


def last_words(run_dir: Path, name: str) -> str:
    """Return the last plain line a program wrote: what is wrong, in one line."""
    try:
        lines = (run_dir / "logs" / f"{name}.log").read_text(errors="replace").splitlines()
    except OSError:
        return f"{name} refused to start"
    words = [line for line in lines if line and not line.startswith("{")]
    return words[-1] if words else f"{name} refused to start"
