"""Whether the venue takes our key at all: asked at the start, so that a wrong one ends with one line.

A venue may refuse a good key for a moment. Ending for good while orders rest would be worse than
waiting, so only refusals that go on are believed.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from shared.clock import NS_PER_S, Clock
from shared.errors import BadInput, KeyRefused
from shared.loop import Loop

BELIEVED_NS = 5 * NS_PER_S
PAUSE_NS = NS_PER_S


class KeyTrial:
    """Asks until the first answer that is not a refusal.

    ask    one signed read. Blocks. Raises: KeyRefused, Unknown
    where  where the key comes from, for people
    """

    def __init__(self, loop: Loop, clock: Clock, ask: Callable[[], object], where: str) -> None:
        self._loop, self._clock, self._ask, self._where = loop, clock, ask, where
        self._refused_ns: int | None = None  # since when it is refused

    def begin(self) -> None:
        self._loop.in_worker(self._ask, self._on_answer)

    def _on_answer(self, answer: Future[object]) -> None:
        """Raises: BadInput for a key that is refused again and again."""
        error = answer.exception()
        if not isinstance(error, KeyRefused):
            return
        now_ns = self._clock.monotonic_ns()
        if self._refused_ns is None:
            self._refused_ns = now_ns
        if now_ns - self._refused_ns >= BELIEVED_NS:
            raise BadInput(f"the venue refuses the key of {self._where}: {error}")
        self._loop.after(PAUSE_NS, self.begin)
