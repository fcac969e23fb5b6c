"""The process shell without processes: the services' own shells on one loop, messages by call.

`InProcessService` stands in for `shared.service.Service`, so that a service's `process.py`
runs as it is: same cores, same sockets to the venue, same workers. What is missing is what a
bus costs: encoding, two system calls and a wake-up per hop. Messages are delivered one after
the other, never within a handler, as on the bus.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

from shared.bus import HEARTBEAT_NS, Addresses
from shared.clock import Clock, SystemClock
from shared.loop import Loop
from shared.messages import Fact, Message, topic, topic_of
from shared.service import Core, Handler, handlers_of

WORKERS = 8


class Hub:
    """All services of the process, their subscriptions and the newest of each state.

    runner  the service whose `run` runs the loop, for all of them; those before it return at once
    kept   (time, topic, message) of every message whose kind is in `keeps`, once
    """

    def __init__(self, runner: str, keeps: Iterable[type[Message]]) -> None:
        self.runner = runner
        self.clock = SystemClock()
        self.loop = Loop(self.clock, WORKERS)
        self.services: dict[str, InProcessService] = {}
        self.kept: list[tuple[int, bytes, Message]] = []
        self._keeps = frozenset(keeps)
        self._states: dict[bytes, Message] = {}
        self._subscribers: list[tuple[bytes, InProcessService]] = []
        self._targets: dict[bytes, list[InProcessService]] = {}
        self._waiting: deque[tuple[bytes, Message]] = deque()
        self._is_delivering = False
        self._is_running = False
        self.loop.every(HEARTBEAT_NS, self._repeat)

    def service(
        self,
        name: str,
        _run_dir: Path,
        addresses: Addresses,
        *,
        clock: Clock | None = None,  # noqa: ARG002 the signature of Service
        workers: int = 4,  # noqa: ARG002
    ) -> InProcessService:
        """Make a service; takes the arguments of `Service`."""
        made = self.services[name] = InProcessService(name, self, addresses)
        return made

    def subscribe(self, service: InProcessService, prefix: bytes) -> None:
        self._subscribers.append((prefix, service))
        self._targets.clear()
        if self._is_running:
            self.loop.call_soon(lambda: self._demand(prefix))
        for name, state in list(self._states.items()):
            if name.startswith(prefix):
                service.deliver(state)

    def run(self) -> None:
        """Tell every service who listens to it, then run until one of them stops the loop."""
        self._is_running = True
        for prefix, _ in list(self._subscribers):
            self._demand(prefix)
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 50, 50)
        self.loop.run()
        self.loop.close()

    def publish(self, message: Message) -> None:
        name = topic_of(message)
        if not isinstance(message, Fact):
            self._states[name] = message
        if type(message) in self._keeps:
            self.kept.append((self.clock.monotonic_ns(), name, message))
        self._waiting.append((name, message))
        if not self._is_delivering:
            self._deliver()

    def forget(self, kind: type[Message], scope: str, symbol: str) -> None:
        self._states.pop(topic(kind, scope, symbol), None)

    def _demand(self, prefix: bytes) -> None:
        for service in list(self.services.values()):
            service.demand(prefix)

    def _deliver(self) -> None:
        self._is_delivering = True
        while self._waiting:
            name, message = self._waiting.popleft()
            targets = self._targets.get(name)
            if targets is None:
                targets = self._targets[name] = self._targets_of(name)
            for service in targets:
                service.deliver(message)
        self._is_delivering = False

    def _targets_of(self, name: bytes) -> list[InProcessService]:
        return list(
            dict.fromkeys(service for prefix, service in self._subscribers if name.startswith(prefix))
        )

    def _repeat(self) -> None:
        """Repeat every state, so that it counts as alive."""
        self._waiting.extend(self._states.items())
        self._deliver()


class InProcessPublisher:
    """What a service publishes goes to the hub."""

    def __init__(self, hub: Hub) -> None:
        self.on_demand: Callable[[str, str, str, bool], None] | None = None
        self.publish = hub.publish
        self.forget = hub.forget


class InProcessService:
    """One service on the common loop."""

    def __init__(self, name: str, hub: Hub, addresses: Addresses) -> None:
        self.name = name
        self.clock = hub.clock
        self.loop = hub.loop
        self.addresses = addresses
        self.publisher = InProcessPublisher(hub)
        self.on_stop: Callable[[str], None] = lambda _reason: self.finish()
        self._hub = hub
        self._core: Core | None = None
        self._handlers: dict[type[Message], Handler] = {}

    def attach(self, core: Core) -> None:
        self._core = core
        self._handlers = handlers_of(core)
        self.loop.every(core.timer_ns, lambda: self.publish_all(core.on_timer(self.clock.monotonic_ns())))

    def listen_to(
        self,
        name: str,  # noqa: ARG002 topics find their publisher
        *kinds: type[Message],
        scope: str | None = None,
        symbol: str | None = None,
        in_batches: bool = False,  # noqa: ARG002 nothing wakes up here
    ) -> None:
        for kind in kinds:
            prefix = f"{kind.__name__}." + (f"{scope}." if scope else "") + (f"{symbol}." if symbol else "")
            self._hub.subscribe(self, prefix.encode())

    def publish_all(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.publisher.publish(message)

    def deliver(self, message: Message) -> None:
        handler = self._handlers.get(type(message))
        if handler is not None:
            self.publish_all(handler(message, self.clock.monotonic_ns()))

    def demand(self, prefix: bytes) -> None:
        """Tell the service of one subscription, as a publisher's socket would."""
        parts = prefix.decode().split(".")
        if self.publisher.on_demand is not None and len(parts) == 4:
            self.publisher.on_demand(parts[0], parts[1], parts[2], True)

    def request_stop(self, reason: str) -> None:
        self.on_stop(reason)

    def finish(self) -> None:
        if self._core is not None:
            self.publish_all(self._core.on_stop(self.clock.monotonic_ns()))
        self.loop.stop()

    def run(self) -> None:
        """Run all services together if this is the last one, else return at once."""
        if self.name == self._hub.runner:
            self._hub.run()
