"""What is due when: the simulated clock's queue of calls."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappush
from itertools import count
from typing import Any

NEVER_NS = 1 << 62
Call = tuple[int, int, Callable[..., None], Any]


class Agenda:
    """Calls by time; of one time in the order in which they were added. `calls` is a heap."""

    __slots__ = ("_intervals", "_number", "calls")

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._number = count()
        self._intervals: dict[Callable[..., None], int] = {}

    def at(self, due_ns: int, call: Callable[[int, Any], None], argument: Any = None) -> None:
        """Call `call(due_ns, argument)` then."""
        heappush(self.calls, (due_ns, next(self._number), call, argument))

    def every(self, first_ns: int, interval_ns: int, call: Callable[[int], None]) -> None:
        """Call `call(now_ns)` again and again."""

        def again(now_ns: int, _argument: None) -> None:
            call(now_ns)
            heappush(self.calls, (now_ns + interval_ns, next(self._number), again, None))

        self._intervals[again] = interval_ns
        self.at(first_ns, again)

    def skip(self, until_ns: int) -> None:
        """Leave out, until then, what is called again and again; what is due once stays due."""
        moved: list[Call] = []
        for due_ns, number, call, argument in self.calls:
            interval_ns = self._intervals.get(call)
            if interval_ns is not None and due_ns < until_ns:
                due_ns += -((due_ns - until_ns) // interval_ns) * interval_ns
            moved.append((due_ns, number, call, argument))
        heapify(moved)
        self.calls[:] = moved
