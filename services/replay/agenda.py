"""What is due when: the simulated clock's queue of calls."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappush
from itertools import count
from typing import Any

NEVER_NS = 1 << 62
Call = tuple[int, int, Callable[..., None], Any]


class Agenda:
    """Calls by time; of one time in the order in which they were added. `calls` is a heap."""

    __slots__ = ("_number", "calls")

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._number = count()

    def at(self, due_ns: int, call: Callable[[int, Any], None], argument: Any = None) -> None:
        """Call `call(due_ns, argument)` then."""
        heappush(self.calls, (due_ns, next(self._number), call, argument))

    def every(self, first_ns: int, interval_ns: int, call: Callable[[int], None]) -> None:
        """Call `call(now_ns)` again and again."""

        def again(now_ns: int, _argument: None) -> None:
            call(now_ns)
            heappush(self.calls, (now_ns + interval_ns, next(self._number), again, None))

        self.at(first_ns, again)
