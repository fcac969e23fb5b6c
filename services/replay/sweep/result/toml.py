"""Tables as TOML text: as much of the language as configurations use; reading it gives the same back."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from shared.errors import BadInput

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def to_toml(tables: Mapping[str, object]) -> str:
    """Return the text. None is left out: the language has no word for it. Raises: BadInput, see `_value`."""
    return "\n".join(_table(tables, "")).strip("\n") + "\n"


def _table(table: Mapping[str, object], path: str) -> Iterator[str]:
    """Yield single values first: in TOML they belong to the header above them."""
    for key, value in table.items():
        if value is not None and not isinstance(value, Mapping):
            yield f"{_key(key)} = {_value(value, f'{path}{key}')}"
    for key, value in table.items():
        if isinstance(value, Mapping):
            name = f"{path}{_key(key)}"
            if not value or not all(isinstance(one, Mapping) for one in value.values()):
                yield ""
                yield f"[{name}]"
            yield from _table(value, f"{name}.")


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _value(value: object, where: str) -> str:
    """Return one value. Raises: BadInput for one that no configuration can hold."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(one, where) for one in value)}]"
    if isinstance(value, Mapping):
        pairs = (f"{_key(key)} = {_value(one, where)}" for key, one in value.items() if one is not None)
        return f"{{{', '.join(pairs)}}}"
    raise BadInput(f"{where}: {value!r} cannot be written as TOML")


def _text(text: str) -> str:
    return f'"{"".join(_ESCAPED.get(char) or _plain(char) for char in text)}"'


def _plain(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x20 or code == 0x7F else char
