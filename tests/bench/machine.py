"""The machine: what it is, and what a process costs it. Linux reads /proc, others ask `ps`."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds since the start, resident and proportional memory in bytes (None = not told)."""

    cpu_s: float
    rss: int
    pss: int | None


def describe_machine() -> dict[str, object]:
    """Return what the numbers depend on."""
    return {
        "system": platform.system(),
        "release": platform.release(),
        "architecture": platform.machine(),
        "cpu": _cpu_name(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "load_1min": round(os.getloadavg()[0], 2),
    }


def usage_of(pid: int) -> Usage:
    """Return what a running process has used. Raises: ProcessLookupError when it is gone."""
    try:
        if Path("/proc/self/smaps_rollup").exists():
            return _from_proc(Path(f"/proc/{pid}"))
        return _from_ps(pid)
    except (FileNotFoundError, ValueError, subprocess.CalledProcessError):
        raise ProcessLookupError(f"process {pid} is gone") from None


def _from_proc(directory: Path) -> Usage:
    fields = (directory / "stat").read_text().rpartition(")")[2].split()
    cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    sizes = {}
    for line in (directory / "smaps_rollup").read_text().splitlines()[1:]:
        name, size, *_ = line.split()
        sizes[name] = int(size) * 1024
    return Usage(cpu_s, sizes["Rss:"], sizes["Pss:"])


def _from_ps(pid: int) -> Usage:
    shown = subprocess.run(
        ["ps", "-o", "time=,rss=", "-p", str(pid)], capture_output=True, text=True, check=True
    )
    time_text, rss = shown.stdout.split()
    cpu_s = 0.0
    for part in time_text.replace("-", ":").split(":"):
        cpu_s = cpu_s * 60 + float(part)
    return Usage(cpu_s, int(rss) * 1024, None)


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )
