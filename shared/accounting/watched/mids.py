"""The latest mids with their times: what the mid was just before a fill that is told of later.

By the time a fill is learnt the market has moved, mostly against it; measured then, the spread
that was captured looks like a loss, and the loss on inventory like less.
"""

from __future__ import annotations

from collections import deque

MOST_MIDS = 4_096


class MidHistory:
    """The newest mids (half ticks), by the time at which each began."""

    __slots__ = ("_mids", "add")

    def __init__(self, most: int = MOST_MIDS) -> None:
        self._mids: deque[tuple[int, int]] = deque(maxlen=most)
        #: (time, mid): bound once, it is called for every change of price
        self.add = self._mids.append

    def before(self, at_ns: int) -> int | None:
        """Return the mid just before a time; None = that is further back than is remembered."""
        for began_ns, mid2 in reversed(self._mids):
            if began_ns < at_ns:
                return mid2
        return None
