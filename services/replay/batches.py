"""What the processes off the hot path read in batches, as `shared/service.py` lets them live."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from services.replay.agenda import Agenda
from shared.messages import (
    Depth,
    Equity,
    FeedState,
    Fill,
    InstrumentInfo,
    Mark,
    Message,
    Position,
    Top,
    Trade,
    Working,
)
from shared.service import BATCH_NS, Handler

BATCHED_BY_RISK: tuple[type[Message], ...] = (
    InstrumentInfo, FeedState, Top, Depth, Mark, Position, Equity, Working, Fill,
)  # fmt: skip
BATCHED_BY_SIGNALS: tuple[type[Message], ...] = (InstrumentInfo, FeedState, Top, Trade)


class Batches:
    """Gathers what has arrived; the first message of a batch is read at once, later ones after a pause.

    take_top  is given every Top last: execution prices by it
    """

    def __init__(
        self, agenda: Agenda, publish: Callable[[Iterable[Message], int], None],
        take_top: Callable[[Any, int], None],
    ) -> None:  # fmt: skip
        self._agenda, self._publish, self._take_top = agenda, publish, take_top
        self._handlers: dict[type[Message], list[Handler]] = {}
        self._states: dict[tuple[type, str, str], Message] = {}
        self._facts: list[Message] = []
        self._tops: dict[tuple[str, str], Top] = {}
        self._taken_ns = 0
        self._is_due = False

    def listen(self, handlers: Mapping[type[Message], Handler], kinds: Sequence[type[Message]]) -> None:
        """Give these kinds to a core's handlers."""
        for kind in kinds:
            self._handlers.setdefault(kind, []).append(handlers[kind])

    @property
    def kinds(self) -> Iterable[type[Message]]:
        return self._handlers

    def add_top(self, key: tuple[str, str], top: Top, now_ns: int) -> None:
        """Add a Top of (venue, symbol): the newest counts."""
        self._tops[key] = top
        if not self._is_due:
            self._expect(now_ns)

    def add(self, message: Any, now_ns: int) -> None:
        """Add any other message, if somebody listens to its kind."""
        kind = type(message)
        if kind not in self._handlers:
            return
        if message.is_state:
            self._states[kind, message.scope, getattr(message, "symbol", "-")] = message
        else:
            self._facts.append(message)
        if not self._is_due:
            self._expect(now_ns)

    def _expect(self, now_ns: int) -> None:
        self._is_due = True
        self._agenda.at(max(now_ns, self._taken_ns + BATCH_NS), self._take)

    def _take(self, now_ns: int, _argument: None) -> None:
        """Facts first, then every state as it is now: several of one kind have become one."""
        self._is_due, self._taken_ns = False, now_ns
        if self._facts or self._states:
            states, self._states = self._states, {}
            facts, self._facts = self._facts, []
            for message in (*facts, *states.values()):
                self._give(message, now_ns)
        if self._tops:
            tops, self._tops = self._tops, {}
            for top in tops.values():
                self._give(top, now_ns)
                self._take_top(top, now_ns)

    def _give(self, message: Message, now_ns: int) -> None:
        for handler in self._handlers.get(type(message), ()):
            answers = handler(message, now_ns)
            if answers:
                self._publish(answers, now_ns)
