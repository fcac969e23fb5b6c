"""The process shell: connects a core to the bus, timers and the outside.

A core is a class whose handlers take a message and the time and return messages:
`on_top(message, now_ns)` for `Top`, and so on, `on_timer(now_ns)`, `on_stop(now_ns)`.
It has no sockets, no clock, no logging. This shell is the live one; the replay shell
runs the same cores on a simulated clock.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import zmq

from shared.bus import HEARTBEAT_NS, Addresses, Inbox, Publisher
from shared.clock import NS_PER_MS, Clock, SystemClock
from shared.errors import EXIT_BAD_INPUT, EXIT_FAILURE, MakerdError
from shared.lifetime import ParentWatch, acquire_lock, on_stop_signal
from shared.logs import configure_logs
from shared.loop import Loop
from shared.messages import KINDS, Gap, Message

Handler = Callable[..., Iterable[Message]]
PARENT_CHECK_NS = 200 * NS_PER_MS
#: what is off the hot path is read at most this often
BATCH_NS = 10 * NS_PER_MS
#: how far a process that is off the hot path steps back for those that are on it
NICENESS = 5
#: a process that fails again and again must not eat a core: it is restarted at once
SHORTEST_LIFE_S = 1.0
log = logging.getLogger("service")


class Core(Protocol):
    """What the shell needs beside the `on_<message>` handlers."""

    #: how often `on_timer` is called
    timer_ns: int

    def on_timer(self, now_ns: int) -> Iterable[Message]: ...

    def on_stop(self, now_ns: int) -> Iterable[Message]:
        """Return the last messages: empty state, so that consumers act at once."""
        ...


def handlers_of(core: object) -> dict[type[Message], Handler]:
    """Return message type -> bound `on_<snake_case_name>` for every handler the core has."""
    found: dict[type[Message], Handler] = {}
    kinds: tuple[type[Message], ...] = (*KINDS.values(), Gap)
    for kind in kinds:
        handler = getattr(core, "on_" + re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower(), None)
        if handler is not None:
            found[kind] = handler
    return found


class Service:
    """One process on the bus. Subclass or compose it where a service also talks to a venue."""

    def __init__(
        self, name: str, run_dir: Path, addresses: Addresses, *, clock: Clock | None = None, workers: int = 4
    ) -> None:
        """Take the lock of `name` and bind its address. Raises: AlreadyRunning."""
        self.name = name
        self.clock = clock or SystemClock()
        self._lock = acquire_lock(run_dir, name)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.addresses = addresses
        self.loop = Loop(self.clock, workers)
        self.publisher = Publisher(self._context, addresses.of(name), self.clock)
        self.inbox = Inbox(self._context, self.clock)
        self._batch: Inbox | None = None
        self._core: Core | None = None
        self._handlers: dict[type[Message], Handler] = {}
        self._parent = ParentWatch()
        self._stop_reason = ""
        #: called once when the process is asked to stop; must end in `finish()`
        self.on_stop: Callable[[str], None] = lambda _reason: self.finish()
        #: called in turn when the process leaves, however it does
        self.on_close: list[Callable[[], None]] = []

    def attach(self, core: Core) -> None:
        """Run this core: its handlers on the bus, its timer in the loop."""
        self._core = core
        self._handlers = handlers_of(core)
        self.loop.every(core.timer_ns, self._on_timer)

    def listen_to(
        self, name: str, *kinds: type[Message], scope: str | None = None, symbol: str | None = None,
        in_batches: bool = False,
    ) -> None:  # fmt: skip
        """Connect to the service called `name` and subscribe to kinds of it.

        in_batches  what is off the hot path: several messages are taken at one wake-up, and the
                    processor is left to whoever a market event has woken at the same moment
        """
        inbox = self._batched() if in_batches else self.inbox
        inbox.connect(self.addresses.of(name))
        for kind in kinds:
            inbox.subscribe(kind, scope, symbol)

    def stop_listening(self, kind: type[Message], scope: str, symbol: str) -> None:
        """Undo one subscription to one symbol that was made in batches."""
        self._batched().unsubscribe(kind, scope, symbol)

    def _batched(self) -> Inbox:
        if self._batch is None:
            self._batch = Inbox(self._context, self.clock)
            self.loop.watch(self._batch.socket, self._on_batch)
        return self._batch

    def publish_all(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.publisher.publish(message)

    def run(self) -> None:
        """Serve until stopped by a signal, by the loss of the parent or by `finish`."""
        on_stop_signal(lambda reason: self.loop.call_soon(lambda: self.request_stop(reason)))
        self.loop.watch(self.inbox.socket, self._on_inbox)
        self.loop.watch(self.publisher.socket, self.publisher.on_readable)
        self.loop.every(HEARTBEAT_NS, self.publisher.heartbeat)
        self.loop.call_soon(self._check_parent)  # an orphan stops as any other: execution cancels first
        self.loop.every(PARENT_CHECK_NS, self._check_parent)
        gc.collect()
        gc.freeze()  # a collection over the start-up heap would stop the hot path for milliseconds
        gc.set_threshold(50_000, 50, 50)
        log.info("started", extra={"service": self.name})
        try:
            self.loop.run()
        finally:
            self.close()

    def request_stop(self, reason: str) -> None:
        """Begin to stop; a second request changes nothing."""
        if not self._stop_reason:
            self._stop_reason = reason
            log.info("stopping", extra={"service": self.name, "reason": reason})
            self.on_stop(reason)

    def finish(self) -> None:
        """Publish the core's last messages and leave the loop; what is still due must not follow them."""
        core, self._core, self._handlers = self._core, None, {}
        if core is not None:
            self.publish_all(core.on_stop(self.clock.monotonic_ns()))
        self.loop.stop()

    def close(self) -> None:
        for release in self.on_close:
            release()
        self.publisher.close()
        self.inbox.close()
        if self._batch is not None:
            self._batch.close()
        self.loop.close()
        self._context.term()
        self._lock.close()

    def _on_inbox(self) -> None:
        self._take(self.inbox)

    def _on_batch(self) -> None:
        inbox = self._batched()
        self.loop.unwatch(inbox.socket)
        self.loop.after(BATCH_NS, lambda: self.loop.watch(inbox.socket, self._on_batch))
        self._take(inbox)

    def _take(self, inbox: Inbox) -> None:
        for message in inbox.drain():
            handler = self._handlers.get(type(message))
            if handler is not None:
                for answer in handler(message, self.clock.monotonic_ns()):
                    self.publisher.publish(answer)

    def _on_timer(self) -> None:
        if self._core is not None:
            self.publish_all(self._core.on_timer(self.clock.monotonic_ns()))

    def _check_parent(self) -> None:
        if self._parent.is_orphan():
            self.request_stop("parent is gone")


def give_way() -> None:
    """Let the processes on the hot path run first. Call before any thread is there: they inherit it."""
    os.nice(NICENESS)


def run_service(name: str, serve: Callable[[], None]) -> int:
    """Run a service's main function; return its exit code. The only broad handler of a process."""
    configure_logs(name)
    started = time.monotonic()
    try:
        serve()
        return 0
    except MakerdError as error:
        log.error(str(error), extra={"service": name})
        print(f"{name}: {error}", file=sys.stderr)
        code = getattr(error, "exit_code", EXIT_FAILURE)
    except Exception:  # the outermost level: log it, exit, be restarted
        log.exception("failed", extra={"service": name})
        code = EXIT_FAILURE
    if code != EXIT_BAD_INPUT:  # restarted at once: what fails at its start must not spin
        time.sleep(max(0.0, started + SHORTEST_LIFE_S - time.monotonic()))
    return code


def arguments(program: str, *names: str) -> argparse.Namespace:
    """Parse `--config PATH` and one required `--<name>` for each of `names`."""
    parser = argparse.ArgumentParser(prog=f"python -m services.{program}")
    parser.add_argument("--config", type=Path, required=True, help="the deployment's TOML file")
    for name in names:
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_args()
