"""What a job's result depends on, as one key: the same key, the same result.

The code, the configuration with the trial's values in it, the data, and the fill models. A sweep
that is started again, or whose file was changed, takes every result whose key it still needs.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

import msgspec

from services.replay.settings import parse_replay
from services.replay.sources.opening import SYNTHETIC
from services.replay.sources.tables import trades_beside
from services.replay.sweep.job import Job
from shared.errors import BadInput
from shared.recording.settings import directory_of

_ROOT = Path(__file__).resolve().parents[3]
_PACKAGES = ("services", "shared")


def key_of(job: Job) -> str:
    """Return the key. Raises: BadInput for data that cannot be read."""
    bench = parse_replay(job.config.replay).latency.bench
    parts = (
        code_digest(),
        msgspec.to_builtins(job.config),
        tuple(_identity(text) for text in job.data),
        "" if bench is None else _of_path(Path(bench)),
        job.duration_s,
        job.models,
    )
    return blake2b(msgspec.json.encode(parts, order="deterministic"), digest_size=16).hexdigest()


@lru_cache
def code_digest() -> str:
    """Return a digest of this project's code: results of another version are not mixed with ours."""
    digest = blake2b(digest_size=16)
    for package in _PACKAGES:
        for path in sorted((_ROOT / package).rglob("*.py")):
            digest.update(str(path.relative_to(_ROOT)).encode() + b"\0")
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _identity(text: str) -> str:
    symbol, equals, data = text.partition("=")
    if not equals or "/" in symbol:
        symbol, data = "", text
    if data == SYNTHETIC or data.startswith(f"{SYNTHETIC}:"):
        return text
    return f"{symbol}={_of_path(Path(data))}"


def _of_path(path: Path) -> str:
    """A file is known by its size and when it was written: days are too large to be read twice."""
    try:
        files = sorted(directory_of(path).rglob("*")) if path.is_dir() else [path, *_beside(path)]
        stats = [(file.name, file.stat()) for file in files]
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from None
    return ",".join(f"{name}:{stat.st_size}:{stat.st_mtime_ns}" for name, stat in stats)


def _beside(path: Path) -> list[Path]:
    """Return the file that is read with this one: its trades."""
    trades = trades_beside(path)
    return [] if trades is None else [trades]
