"""Secrets: a value whose text is `***`, read only from a file with mode 600 or the environment."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import orjson

from shared.errors import BadInput

KEY_FILE = "key file"


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


def read_private_file(path: Path, kind: str = KEY_FILE) -> bytes:
    """Read a file that only its owner may read; `kind` is what it is called.

    Raises: BadInput naming the path and the rule.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        hint = "; create it with `makerd keys add`" if kind == KEY_FILE else ""
        raise BadInput(f"{kind} {path} is missing{hint}") from None
    except OSError as error:
        raise BadInput(f"{kind} {path} cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):
        raise BadInput(f"{kind} {path} is not a file")
    if stat.S_IMODE(status.st_mode) & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise BadInput(f"{kind} {path} has mode {mode:o}; only its owner may read it: chmod 600 {path}")
    if status.st_uid != os.getuid():
        raise BadInput(f"{kind} {path} must belong to this user")
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{kind} {path} cannot be read: {error.strerror}") from None


def write_private_file(path: Path, content: bytes) -> None:
    """Write a file atomically that only its owner may ever read. Raises: BadInput where it cannot be."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
        os.replace(temporary, path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}") from None


def read_json_secret(path: Path, kind: str = KEY_FILE) -> dict[str, object]:
    """Read a private JSON object. Raises: BadInput when it is not one."""
    try:
        value = orjson.loads(read_private_file(path, kind))
    except orjson.JSONDecodeError:
        raise BadInput(f"{kind} {path} is not JSON") from None
    if not isinstance(value, dict):
        raise BadInput(f"{kind} {path} must hold a JSON object")
    return value
