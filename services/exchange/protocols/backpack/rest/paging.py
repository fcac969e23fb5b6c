"""Pages of a history, with the venue's paging headers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import TypeVar

from services.exchange.protocols.backpack.rest.parsing import Query

Row = TypeVar("Row")
DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000
_NAMES = ("X-PAGE-COUNT", "X-CURRENT-PAGE", "X-PAGE-SIZE", "X-TOTAL")


def page(
    rows: Sequence[Row], query: Query, max_limit: int = MAX_LIMIT
) -> tuple[Sequence[Row], dict[str, str]]:
    """Return the rows from `offset` on, at most `limit`, and the headers that tell where that is.

    Pages count from 1; a limit of 0 gives none. The headers' exact meaning is not documented.
    """
    offset, limit = _window(query, max_limit)
    return rows[offset : offset + limit], _headers(offset, limit, len(rows))


def page_of(
    history: Sequence[Row], is_shown: Callable[[Row], bool], direction: str, query: Query
) -> tuple[Sequence[Row], dict[str, str]]:
    """Like `page`, of a long history, oldest first: one pass over it, and only the page is kept."""
    offset, limit = _window(query, MAX_LIMIT)
    ordered = reversed(history) if direction == "Desc" else iter(history)
    shown = filter(is_shown, ordered)
    before = sum(1 for _ in islice(shown, min(offset, 1 << 62)))
    rows = list(islice(shown, limit))
    total = before + len(rows) + sum(1 for _ in shown)
    return rows, _headers(offset, limit, total)


def _window(query: Query, max_limit: int) -> tuple[int, int]:
    limit = query.number("limit", DEFAULT_LIMIT, high=max_limit)
    offset = query.number("offset", 0)
    assert limit is not None
    assert offset is not None
    return offset, limit


def _headers(offset: int, limit: int, total: int) -> dict[str, str]:
    size = max(limit, 1)
    numbers = (-(-total // size), offset // size + 1, limit, total)
    headers = dict(zip(_NAMES, map(str, numbers), strict=True))
    headers["ACCESS-CONTROL-EXPOSE-HEADERS"] = ", ".join(_NAMES)
    return headers
