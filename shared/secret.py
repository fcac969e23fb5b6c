"""Secrets: a value whose text is `***`, read only from a file with mode 600 or the environment."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import orjson

from shared.errors import BadInput


class Secret:
    """Holds a secret string; `reveal()` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")


def read_private_file(path: Path) -> bytes:
    """Read a file that only its owner may read. Raises: BadInput naming the path and the rule."""
    try:
        status = path.stat()
    except FileNotFoundError:
        raise BadInput(f"key file {path} is missing; create it with `makerd keys add`") from None
    if stat.S_IMODE(status.st_mode) & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise BadInput(f"key file {path} has mode {mode:o}; only its owner may read it: chmod 600 {path}")
    if status.st_uid != os.getuid():
        raise BadInput(f"key file {path} must belong to this user")
    return path.read_bytes()


def write_private_file(path: Path, content: bytes) -> None:
    """Write a file atomically that only its owner may ever read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)
    os.replace(temporary, path)


def read_json_secret(path: Path) -> dict[str, object]:
    """Read a private JSON object. Raises: BadInput when it is not one."""
    try:
        value = orjson.loads(read_private_file(path))
    except orjson.JSONDecodeError:
        raise BadInput(f"key file {path} is not JSON") from None
    if not isinstance(value, dict):
        raise BadInput(f"key file {path} must hold a JSON object")
    return value
