"""What somebody is told who asks for a symbol that the venue does not list. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection

#: so many symbols are named
NAMED_SYMBOLS = 8


def unknown_symbol(name: str, listed: Collection[str]) -> str:
    """Return one line: the symbols most like it, else the first ones."""
    near = difflib.get_close_matches(name, listed, n=NAMED_SYMBOLS, cutoff=0.5)
    named = near or sorted(listed)[:NAMED_SYMBOLS]
    rest = f" and {len(listed) - len(named)} more" if len(listed) > len(named) else ""
    return f"unknown symbol {name}; the venue lists {', '.join(named)}{rest}"
