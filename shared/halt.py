"""Sticky halt: flags that only a person removes.

A flag is a file `run_dir/halt/ALL` or `run_dir/halt/<SYMBOL>` whose text is the reason, so
that a halt works without Redis; the console sets the same flag in Redis too, and either
halts. A restart changes nothing.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from shared.errors import BadInput

ALL = "ALL"
#: also what a bus topic and a file name can hold
_SYMBOL = re.compile(r"[A-Za-z0-9@_][A-Za-z0-9@_:-]{0,63}")
_MAX_REASON = 500
UNREADABLE = "halted (the reason cannot be read)"


def check_scope(scope: str) -> str:
    """Return `scope`, "ALL" or a symbol. Raises: BadInput naming the value and the rule."""
    if _SYMBOL.fullmatch(scope) is None:
        rule = "1 to 64 letters, digits or @ _ : -, not starting with : or -"
        raise BadInput(f"symbol {scope!r} is not valid: {rule}")
    return scope


class HaltFlags:
    """The flag files of a run directory."""

    def __init__(self, run_dir: Path) -> None:
        self._directory = run_dir / "halt"

    def read(self) -> dict[str, str]:
        """Return what is halted ("ALL" or a symbol) -> reason. Cheap; an unreadable flag halts too."""
        flags: dict[str, str] = {}
        try:
            with os.scandir(self._directory) as entries:
                for entry in entries:
                    if not entry.name.startswith("."):
                        flags[entry.name] = _reason(entry.path)
        except FileNotFoundError:
            return {}
        except OSError as error:
            return {ALL: f"the halt directory cannot be read: {error.strerror}"}
        return flags

    def set(self, scope: str, reason: str) -> None:
        """Halt a symbol or everything; atomic, and on disk before it returns. Raises: BadInput."""
        check_scope(scope)
        self._directory.mkdir(parents=True, exist_ok=True)
        temporary = self._directory / f".{scope}.{os.getpid()}"
        with temporary.open("w", encoding="utf-8") as handle:
            handle.write(reason[:_MAX_REASON])
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(temporary, self._directory / scope)

    def clear(self, scope: str) -> bool:
        """Remove a flag; True when it was set. Raises: BadInput."""
        try:
            (self._directory / check_scope(scope)).unlink()
        except FileNotFoundError:
            return False
        return True


def _reason(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as handle:
            return handle.read(_MAX_REASON).strip() or "halted"
    except FileNotFoundError:
        return "halted"  # removed between the listing and the reading: gone at the next look
    except OSError:
        return UNREADABLE


def halted_because(flags: dict[str, str], symbol: str) -> str | None:
    """Return why `symbol` is halted, None when it is not."""
    for scope in (ALL, symbol):
        if scope in flags:
            return flags[scope] or "halted"  # a flag without a reason halts too
    return None
