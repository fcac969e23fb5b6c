"""The ready file: where the venue listens and the keys of its accounts.

It appears in one step, readable by its owner alone, once the venue really serves.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import orjson

from shared.errors import BadInput


def remove_ready_file(path: Path) -> None:
    """Remove what an earlier run left, so that nobody connects to a venue that is gone."""
    path.unlink(missing_ok=True)


def write_ready_file(path: Path, content: dict[str, Any]) -> None:
    """Write atomically with mode 600.

    Raises: BadInput if the path cannot be written.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise BadInput(f"ready file {path}: cannot be written: {error.strerror}") from error
