"""The deployment's supervisord: which programs it runs, and how to talk to it.

Programs per venue, account and symbol are files in `run_dir/programs`. A quoter is added
or removed with `reloadConfig` and `addProcessGroup` / `removeProcessGroup`, never with
`update`, which restarts groups that merely changed.
"""

from __future__ import annotations

import http.client
import os
import shlex
import subprocess
import sys
import xmlrpc.client
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from services.console.running.rpc import UnixTransport
from services.execution.config import ExecutionConfig
from shared.config import Config, parse
from shared.errors import Unknown
from shared.private_dir import private_directory

HOME = Path(__file__).resolve().parents[3]
CONF = "supervisord.conf"
#: an answer that takes longer is none
ANSWER_S = 5.0
#: stopping a program lasts at most its `stopwaitsecs`, which is at most this
LONGEST_STOP_S = 90.0
#: beside `stop_timeout_s`: the tie-out, and the last writes to Redis
EXECUTION_SLACK_S = 10
_CONFIG = '--config "%(ENV_MAKERD_CONFIG)s"'

_PROGRAM = """\
[program:{name}]
command="%(ENV_MAKERD_PYTHON)s" -m {command}
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
    command = f"services.quoter {_CONFIG} --symbol {quoted(symbol)}"
    return Program(f"quoter.{symbol}", command, priority=70)


def quoted(text: str) -> str:
    """Return a word of a program's command line as supervisord reads it."""
    return shlex.quote(text).replace("%", "%%")


def programs_of(config: Config, exchange_options: Iterable[str] | None) -> list[Program]:
    """Return the programs that depend on the configuration.

    exchange_options  arguments of the local venue; None = the venue runs elsewhere
    """
    programs = []
    for name, venue in config.venues.items():
        if exchange_options is not None:
            options = " ".join(quoted(option) for option in exchange_options)
            command = f"services.exchange --venue {venue.protocol} {options}"
            programs.append(Program(f"exchange.{name}", command, priority=20))
        command = f"services.marketdata {_CONFIG} --venue {name}"
        programs.append(Program(f"marketdata.{name}", command, priority=30))
    stop_s = parse(config.execution, ExecutionConfig, "execution").stop_timeout_s
    for account in config.accounts:
        command = f"services.execution {_CONFIG} --account {account}"
        wait_s = round(stop_s) + EXECUTION_SLACK_S
        programs.append(Program(f"execution.{account}", command, priority=60, stop_wait_s=wait_s))
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


def start(
    config_path: Path, run_dir: Path, *, embedded_redis: bool, run_id: int, session_id: int
) -> subprocess.Popen[bytes]:
    """Start supervisord as a child in a process group of its own (Ctrl-C must not reach it).

    run_id      what execution's ledger begins anew with, once
    session_id  what risk's memory begins anew with, once
    """
    (run_dir / "logs").mkdir(parents=True, exist_ok=True)
    conf = run_dir / CONF
    conf.write_text((HOME / CONF).read_text())
    environment = os.environ | {
        "MAKERD_HOME": str(HOME),
        "MAKERD_RUN_DIR": str(run_dir.resolve()),
        "MAKERD_SOCKETS": str(private_directory(run_dir, "supervisor")),
        "MAKERD_CONFIG": str(config_path.resolve()),
        "MAKERD_PYTHON": sys.executable,
        "MAKERD_EMBEDDED_REDIS": "true" if embedded_redis else "false",
        "MAKERD_RUN_ID": str(run_id),
        "MAKERD_SESSION_ID": str(session_id),
        "PYTHONUNBUFFERED": "1",
    }
    command = [
        sys.executable, "-m", "services.console.running.leashed", str(os.getpid()), str(run_dir.resolve()),
        "-c", str(conf.resolve()),
    ]  # fmt: skip
    return subprocess.Popen(
        command, env=environment, cwd=HOME, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """State of one program, as supervisord says it.

    exit_code    of its last process; -1 = a signal ended it. Only where `has_ended` it means something
    was_started  whether it ever ran
    """

    state: str
    pid: int | None
    uptime_s: int
    exit_code: int
    was_started: bool

    @property
    def has_ended(self) -> bool:
        return self.was_started and self.state in ("STOPPED", "EXITED", "FATAL")


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
                was_started=bool(row["start"]),
            )
            for row in rows
        }

    def stop(self, name: str) -> None:
        """Stop a program and wait until it is gone; one that does not run is fine."""
        self._call("stopProcess", name, tolerate={"NOT_RUNNING", "BAD_NAME"}, timeout_s=LONGEST_STOP_S)

    def start(self, name: str) -> None:
        self._call("startProcess", name, tolerate={"ALREADY_STARTED"})

    def add(self, name: str) -> None:
        """Start a program whose file was just written, touching no other."""
        self._call("reloadConfig")
        self._call("addProcessGroup", name, tolerate={"ALREADY_ADDED"})

    def forget(self, name: str) -> None:
        """Forget a program that was stopped, touching no other; its file is to be deleted next."""
        self._call("removeProcessGroup", name, tolerate={"BAD_NAME"})

    def reload(self) -> None:
        """Read the program files again; nothing is started, stopped or restarted by it."""
        self._call("reloadConfig")

    def shutdown(self) -> None:
        """Ask supervisord to stop every program and itself."""
        self._call("shutdown")

    def _call(
        self, method: str, *arguments: str, tolerate: Iterable[str] = (), timeout_s: float = ANSWER_S
    ) -> object:
        if not self._socket.exists():
            raise Unknown(f"supervisord is not running ({self._socket} is missing)")
        transport = UnixTransport(self._socket, timeout_s)
        proxy = xmlrpc.client.ServerProxy("http://localhost", transport=transport)
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
