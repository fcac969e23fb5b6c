"""Whether a book may be quoted on."""

from __future__ import annotations

from shared.messages import Top


def book_problem(top: Top) -> str:
    """Return what is wrong with a book (D09), "" when nothing is."""
    if top.bid is None or top.ask is None:
        return "book has no bid" if top.bid is None else "book has no ask"
    if top.bid <= 0 or top.bid_size <= 0 or top.ask_size <= 0:
        return "book has a price or size that is not above 0"
    if top.bid >= top.ask:
        return "book is crossed"
    return ""
