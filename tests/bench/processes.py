"""Child processes of a benchmark: started as a person would, stopped by their ids, read when they fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
STOP_S = 10.0
POLL_S = 0.05
SHOWN_LINES = 15


class BenchFailure(Exception):
    """A benchmark could not measure; the text says why, with what its processes said."""


class Child:
    """One process; what it prints goes to a file."""

    def __init__(self, name: str, module: str, arguments: Sequence[str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=ROOT,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self.pid = self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def ask_to_stop(self) -> None:
        if self.is_running:
            self._process.send_signal(signal.SIGTERM)

    def wait(self, timeout_s: float) -> None:
        """Wait for the end; kill what does not end in time."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def last_lines(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]
        return "\n".join(f"    {line}" for line in lines)


class Children:
    """The processes of one block, in the order of their start."""

    def __init__(self, log_dir: Path) -> None:
        self._log_dir = log_dir
        self.all: list[Child] = []
        log_dir.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Children:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, name: str, module: str, *arguments: str) -> Child:
        child = Child(name, module, arguments, self._log_dir / f"{name}.log")
        self.all.append(child)
        return child

    def stop_one(self, child: Child) -> None:
        """Stop a process and wait for its end."""
        child.ask_to_stop()
        child.wait(STOP_S)
        self.all.remove(child)

    def stop(self) -> None:
        """Stop all of them at once and wait for every end."""
        for child in self.all:
            child.ask_to_stop()
        for child in self.all:
            child.wait(STOP_S)
        self.all.clear()

    def wait_until(self, condition: Callable[[], bool], what: str, timeout_s: float) -> None:
        """Raises: BenchFailure when it does not come true, or one of the processes ends."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                raise BenchFailure(f"not within {timeout_s:g} s: {what}\n{self.report()}")
            time.sleep(POLL_S)

    def check(self) -> None:
        """Raises: BenchFailure if a process has ended by itself."""
        for child in self.all:
            if not child.is_running:
                raise BenchFailure(f"{child.name} ended by itself\n{child.last_lines()}")

    def report(self) -> str:
        return "\n".join(f"  {child.name}:\n{child.last_lines()}" for child in self.all)


def _environment() -> dict[str, str]:
    """Return ours without what would point a deployment elsewhere."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MAKERD_") and name != "REDIS_URL"
    }
