"""Pages of a history, with the venue's paging headers."""

from __future__ import annotations

from collections.abc import Sequence
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
    limit = query.number("limit", DEFAULT_LIMIT, high=max_limit)
    offset = query.number("offset", 0)
    assert limit is not None
    assert offset is not None
    size = max(limit, 1)
    numbers = (-(-len(rows) // size), offset // size + 1, limit, len(rows))
    headers = dict(zip(_NAMES, map(str, numbers), strict=True))
    headers["ACCESS-CONTROL-EXPOSE-HEADERS"] = ", ".join(_NAMES)
    return rows[offset : offset + limit], headers
