"""What the venue received and sent, in bounded rings, for measurements and tests.

Off unless the venue is started with tracing; `since` numbers never restart.
"""

from __future__ import annotations

import itertools
from collections import deque
from typing import Any

RING_SIZE = 200_000
PAGE_SIZE = 20_000


class Ring:
    """The newest entries of an endless numbered sequence."""

    def __init__(self, size: int = RING_SIZE) -> None:
        self._entries: deque[Any] = deque(maxlen=size)
        self._count = 0

    def add(self, entry: Any) -> None:
        self._entries.append(entry)
        self._count += 1

    def since(self, number: int) -> tuple[int, list[Any]]:
        """Return (number to ask with next, at most a page of entries from `number` on)."""
        first = self._count - len(self._entries)
        start = max(number, first)
        page = list(itertools.islice(self._entries, start - first, start - first + PAGE_SIZE))
        return start + len(page), page


class Trace:
    """Order-entry requests and public frames."""

    def __init__(self) -> None:
        self.requests = Ring()
        self.frames = Ring()
