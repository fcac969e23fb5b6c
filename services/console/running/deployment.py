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

from services.console.commands.venue_reads import check_listed
from services.console.running.supervisor import Program, Supervisor, programs_of, start, write_programs
from shared.clock import NS_PER_S
from shared.config import Config, save_effective
from shared.errors import EXIT_BAD_INPUT, AlreadyRunning, BadInput, Fatal, Unknown
from shared.lifetime import acquire_lock, lock_holder
from shared.state.redis_link import RedisLink
from shared.state.store import StateStore

START_S = 30.0
#: orphans of a killed deployment cancel, confirm and leave within this
ORPHANS_S = 25.0
STOP_S = 30.0
#: the deployment itself, and Redis, whose program takes over from an orphan by itself
NOT_ORPHANS = ("deployment", "redis")


class Deployment:
    """One `makerd run`. Use as a context manager: whatever was started is stopped."""

    def __init__(self, config: Config, exchange_options: list[str] | None) -> None:
        self.config = config
        self.run_dir = config.run_dir
        self.supervisor = Supervisor(self.run_dir)
        self._exchange_options = exchange_options
        self._daemon: subprocess.Popen[bytes] | None = None
        self._uses_own_redis = not (os.environ.get("REDIS_URL") or config.redis.url)
        self.restarts: dict[str, int] = {}
        self._pids: dict[str, int] = {}

    def __enter__(self) -> Deployment:
        self.run_dir.mkdir(parents=True, exist_ok=True)
        self._lock = acquire_lock(self.run_dir, "deployment")
        self._wait_for_orphans()
        for added in (self.run_dir / "quoters").glob("*.json"):
            added.unlink()  # `makerd quoter add` lasts as long as the deployment
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._lock.close()

    def prepare(self) -> None:
        """Start Redis and the local venue, and wait until both serve."""
        exchanges = [program for program in self._programs() if is_exchange(program)]
        if exchanges:
            for venue in self.config.venues.values():
                if venue.ready_file:
                    Path(venue.ready_file).unlink(missing_ok=True)
        write_programs(self.run_dir, exchanges)
        effective = save_effective(self.config)
        self._daemon = start(effective, self.run_dir, embedded_redis=self._uses_own_redis)
        self._wait(self._is_redis_up, "Redis")
        self._wait(self._is_venue_ready, "the venue's ready file")

    def start(self) -> None:
        """Start the rest. Raises: BadInput when the venue does not list a symbol."""
        for symbol, quoter in self.config.quoters.items():
            check_listed(self.config, symbol, quoter.account)
        save_effective(self.config)
        for program in sorted(self._programs(), key=lambda program: program.priority):
            if not is_exchange(program):
                self._add(program)

    def check(self) -> None:
        """Count restarts; bring a dead supervisord back. Raises: Fatal when a program gave up for good."""
        if self._daemon is not None and self._daemon.poll() is not None:
            self._restart_supervisord()
            return
        try:
            processes = self.supervisor.processes()
        except Unknown:
            return  # it is busy or dying: the next look tells
        for name, info in processes.items():
            if info.pid is not None:
                known = self._pids.setdefault(name, info.pid)
                self.restarts.setdefault(name, 0)
                if known != info.pid:
                    self._pids[name] = info.pid
                    self.restarts[name] += 1
            if info.exit_code == EXIT_BAD_INPUT and info.state in ("EXITED", "FATAL"):
                raise BadInput(last_words(self.run_dir, name))

    def stop_quoting(self) -> None:
        """Stop quoters, then execution, which cancels and asks the venue to confirm before it exits."""
        with contextlib.suppress(Unknown):
            names = self.supervisor.processes()
            for name in [n for n in names if n.startswith("quoter.")]:
                self.supervisor.stop(name)
            for name in [n for n in names if n.startswith("execution.")]:
                self.supervisor.stop(name)

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
        self._wait_for_orphans()

    def _programs(self) -> list[Program]:
        return programs_of(self.config, self._exchange_options)

    def _add(self, program: Program) -> None:
        (self.run_dir / "programs" / f"{program.name}.conf").write_text(program.text())
        self.supervisor.add(program.name)

    def _restart_supervisord(self) -> None:
        """Start again after supervisord was killed: its orphans cancel and leave first."""
        self._wait_for_orphans()
        self._pids.clear()
        self.prepare()
        self.start()
        self.restarts["supervisord"] = self.restarts.get("supervisord", 0) + 1

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

    def _wait_for_orphans(self) -> None:
        """Wait until no service of an earlier deployment holds a lock. Raises: AlreadyRunning."""
        deadline_ns = time.monotonic_ns() + round(ORPHANS_S * NS_PER_S)
        while holders := held_locks(self.run_dir):
            if time.monotonic_ns() > deadline_ns:
                names = ", ".join(f"{name} (process {pid})" for name, pid in holders.items())
                raise AlreadyRunning(f"another deployment still runs in {self.run_dir}: {names}")
            time.sleep(0.1)


def is_exchange(program: Program) -> bool:
    return program.name.startswith("exchange.")


def held_locks(run_dir: Path) -> dict[str, int]:
    """Return service -> process id of every lock that is held, the deployment's own apart."""
    names = (path.stem for path in (run_dir / "locks").glob("*.lock"))
    holders = {name: lock_holder(run_dir, name) for name in names if name not in NOT_ORPHANS}
    return {name: pid for name, pid in sorted(holders.items()) if pid is not None}


def last_words(run_dir: Path, name: str) -> str:
    """Return the last plain line a program wrote: what is wrong, in one line."""
    try:
        lines = (run_dir / "logs" / f"{name}.log").read_text(errors="replace").splitlines()
    except OSError:
        return f"{name} refused to start"
    words = [line for line in lines if line and not line.startswith("{")]
    return words[-1] if words else f"{name} refused to start"
