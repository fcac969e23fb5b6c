"""Events of one engine operation, delivered to the listeners once the operation is complete."""

from __future__ import annotations

from services.exchange.model import Event, Listener


class Outbox:
    """Collects events while state changes, so that a listener never sees half an operation."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._events: list[Event] = []

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    @property
    def is_heard(self) -> bool:
        """Whether building an event is worth the time."""
        return bool(self._listeners)

    def add(self, event: Event) -> None:
        self._events.append(event)

    def deliver(self) -> None:
        if not self._events:
            return
        events, self._events = self._events, []
        for event in events:
            for listener in self._listeners:
                listener(event)
