"""The deployment's supervisord: which programs it runs, and how to talk to it.

Programs per venue, account and symbol are files in `run_dir/programs`. A quoter is added
or removed with `reloadConfig` and `addProcessGroup` / `removeProcessGroup`, never with
`update`, which restarts groups that merely changed.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import xmlrpc.client
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from supervisor.xmlrpc import SupervisorTransport

from shared.config import Config
from shared.errors import Unknown
from shared.private_dir import private_directory

HOME = Path(__file__).resolve().parents[3]

_PROGRAM = """\
[program:{name}]
command=%(ENV_MAKERD_PYTHON)s -m {command}
priority={priority}
autorestart=unexpected
exitcodes=78
startsecs=0
startretries=1000000
stopwaitsecs={stop_wait_s}
redirect_stderr=true
stdout_logfile=%(ENV_MAKERD_RUN_DIR)s/logs/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=1
"""


@dataclass(frozen=True, slots=True)
class Program:
    """One supervised program. Lower priorities start first and stop last."""

    name: str
    command: str
    priority: int
    stop_wait_s: int = 10

    def text(self) -> str:
        return _PROGRAM.format(
            name=self.name, command=self.command, priority=self.priority, stop_wait_s=self.stop_wait_s
        )


def quoter_program(symbol: str) -> Program:
    command = f"services.quoter --config %(ENV_MAKERD_CONFIG)s --symbol {symbol}"
    return Program(f"quoter.{symbol}", command, priority=70)


def programs_of(config: Config, exchange_options: Iterable[str] | None) -> list[Program]:
    """Return the programs that depend on the configuration.

    exchange_options  arguments of the local venue; None = the venue runs elsewhere
    """
    programs = []
    for name, venue in config.venues.items():
        if exchange_options is not None:
            options = " ".join(exchange_options)
            command = f"services.exchange --venue {venue.protocol} {options}"
            programs.append(Program(f"exchange.{name}", command, priority=20))
        command = f"services.marketdata --config %(ENV_MAKERD_CONFIG)s --venue {name}"
        programs.append(Program(f"marketdata.{name}", command, priority=30))
    for account in config.accounts:
        command = f"services.execution --config %(ENV_MAKERD_CONFIG)s --account {account}"
        programs.append(Program(f"execution.{account}", command, priority=60, stop_wait_s=20))
    programs += [quoter_program(symbol) for symbol in config.quoters]
    return programs


def write_programs(run_dir: Path, programs: Iterable[Program]) -> None:
    """Replace the program files of a deployment."""
    directory = run_dir / "programs"
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob("*.conf"):
        old.unlink()
    for program in programs:
        (directory / f"{program.name}.conf").write_text(program.text())


def start(config_path: Path, run_dir: Path, *, embedded_redis: bool) -> subprocess.Popen[bytes]:
    """Start supervisord as a child in a process group of its own (Ctrl-C must not reach it)."""
    (run_dir / "logs").mkdir(parents=True, exist_ok=True)
    environment = os.environ | {
        "MAKERD_HOME": str(HOME),
        "MAKERD_RUN_DIR": str(run_dir.resolve()),
        "MAKERD_SOCKETS": str(private_directory(run_dir, "supervisor")),
        "MAKERD_CONFIG": str(config_path.resolve()),
        "MAKERD_PYTHON": sys.executable,
        "MAKERD_EMBEDDED_REDIS": "true" if embedded_redis else "false",
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(HOME / "supervisord.conf")]
    return subprocess.Popen(
        command, env=environment, cwd=HOME, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """State of one program, as supervisord says it."""

    state: str
    pid: int | None
    uptime_s: int
    exit_code: int


class Supervisor:
    """The running supervisord of a run directory. Raises: Unknown when it does not answer."""

    def __init__(self, run_dir: Path) -> None:
        self._socket = private_directory(run_dir, "supervisor") / "supervisor.sock"

    def processes(self) -> dict[str, ProcessInfo]:
        """Return program name -> state."""
        rows = cast("list[dict[str, Any]]", self._call("getAllProcessInfo"))
        return {
            row["name"]: ProcessInfo(
                state=row["statename"],
                pid=row["pid"] or None,
                uptime_s=max(0, row["now"] - row["start"]) if row["pid"] else 0,
                exit_code=row["exitstatus"],
            )
            for row in rows
        }

    def stop(self, name: str) -> None:
        """Stop a program and wait until it is gone; one that does not run is fine."""
        self._call("stopProcess", name, tolerate={"NOT_RUNNING", "BAD_NAME"})

    def start(self, name: str) -> None:
        self._call("startProcess", name, tolerate={"ALREADY_STARTED"})

    def add(self, name: str) -> None:
        """Start a program whose file was just written, touching no other."""
        self._call("reloadConfig")
        self._call("addProcessGroup", name, tolerate={"ALREADY_ADDED"})

    def remove(self, name: str) -> None:
        """Stop a program and forget it, touching no other."""
        self.stop(name)
        self._call("reloadConfig")
        self._call("removeProcessGroup", name, tolerate={"BAD_NAME"})

    def shutdown(self) -> None:
        """Ask supervisord to stop every program and itself."""
        self._call("shutdown")

    def _call(self, method: str, *arguments: str, tolerate: Iterable[str] = ()) -> object:
        if not self._socket.exists():
            raise Unknown(f"supervisord is not running ({self._socket} is missing)")
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        try:
            return getattr(proxy.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if any(fault.faultString.startswith(word) for word in tolerate):
                return None
            raise Unknown(
                f"supervisord refused {method} {' '.join(arguments)}: {fault.faultString}"
            ) from None
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
            raise Unknown(f"supervisord does not answer {method}: {error}") from None
        finally:
            transport.close()
