"""How keys and numbers are written for people."""

from __future__ import annotations

from collections.abc import Sequence

ABSENT = "–"


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Return key -> its last words, as many as tell it from the others."""
    names = {}
    for key in keys:
        steps = key.split(".")
        for count in range(1, len(steps) + 1):
            name = ".".join(steps[-count:])
            if sum(other == key or other.endswith(f".{name}") for other in keys) == 1:
                break
        names[key] = name
    return names


def value_text(value: object) -> str:
    """Return a searched value as it would be written."""
    if value is None:
        return ABSENT
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def number_text(value: float | None) -> str:
    if value is None:
        return ABSENT
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1e5 else f"{value:,.3f}"
