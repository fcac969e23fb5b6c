"""One thread, one `zmq.Poller`: sockets, file descriptors, timers and worker answers in one loop.

Whatever may block (REST reads, reconnects, Redis) runs in a worker thread and comes
back through `call_soon`; callbacks themselves never block.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import socket
import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

import zmq

from shared.clock import NS_PER_MS, NS_PER_S, Clock
from shared.workers import Workers

Callback = Callable[[], None]
T = TypeVar("T")
MAX_POLL_NS = NS_PER_S
log = logging.getLogger("loop")


class Timer:
    """A running timer; `cancel` stops it."""

    __slots__ = ("callback", "is_cancelled", "period_ns")

    def __init__(self, callback: Callback, period_ns: int | None) -> None:
        self.callback = callback
        self.period_ns = period_ns
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class Loop:
    """The event loop of a process."""

    def __init__(self, clock: Clock, workers: int = 4) -> None:
        sys.setswitchinterval(0.0005)  # workers must not hold up the hot path for 5 ms
        self._clock = clock
        self._poller = zmq.Poller()
        self._callbacks: dict[Any, Callback] = {}
        self._timers: list[tuple[int, int, Timer]] = []
        self._order = itertools.count()
        self._pending: deque[Callback] = deque()
        self._is_running = False
        self._discards: dict[Future[Any], Callable[[Any], object]] = {}
        self._workers = Workers(workers)
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self.watch(self._wake_read.fileno(), self._on_wake)

    def watch(self, source: Any, callback: Callback, events: int = zmq.POLLIN) -> None:
        """Call back when a ZeroMQ socket or a file descriptor is ready (level-triggered)."""
        self._poller.register(source, events)
        self._callbacks[source] = callback

    def unwatch(self, source: Any) -> None:
        if self._callbacks.pop(source, None) is not None:
            self._poller.unregister(source)

    def every(self, period_ns: int, callback: Callback) -> Timer:
        """Call back each `period_ns`; a late call is not made up for."""
        timer = Timer(callback, period_ns)
        self._push(self._clock.monotonic_ns() + period_ns, timer)
        return timer

    def after(self, delay_ns: int, callback: Callback) -> Timer:
        """Call back once, `delay_ns` from now."""
        timer = Timer(callback, None)
        self._push(self._clock.monotonic_ns() + delay_ns, timer)
        return timer

    def call_soon(self, callback: Callback) -> None:
        """Run in the loop's thread; may be called from any thread."""
        self._pending.append(callback)
        with contextlib.suppress(OSError):  # full of wake-ups already, or closed
            self._wake_write.send(b"\0")

    def in_worker(
        self,
        work: Callable[[], T],
        then: Callable[[Future[T]], None],
        discard: Callable[[T], object] | None = None,
    ) -> None:
        """Run `work` in a worker thread, then `then(future)` in the loop's thread.

        discard  takes the result if the loop is closed before `then` could (it holds a socket, say)
        """
        future = self._workers.submit(work)
        if discard is not None:
            self._discards[future] = discard
        future.add_done_callback(lambda done: self.call_soon(lambda: self._conclude(done, then)))

    def run(self) -> None:
        """Run until `stop`. What a callback raises ends the loop and is raised here."""
        self._is_running = True
        while self._is_running:
            self.run_once()

    def run_once(self, max_wait_ns: int = MAX_POLL_NS) -> None:
        """Wait for the next event or timer, at most `max_wait_ns`, and serve all that are due."""
        wait_ns = max_wait_ns
        if self._timers:
            wait_ns = min(wait_ns, max(0, self._timers[0][0] - self._clock.monotonic_ns()))
        # rounded up: waking a millisecond early would spin
        for source, _ in self._poller.poll(-(-wait_ns // NS_PER_MS)):
            callback = self._callbacks.get(source)
            if callback is not None:
                callback()
        now_ns = self._clock.monotonic_ns()
        while self._timers and self._timers[0][0] <= now_ns:
            self._run_timer(heapq.heappop(self._timers)[2], now_ns)

    def stop(self) -> None:
        self._is_running = False

    def close(self) -> None:
        """Release threads and sockets; work that is still running is not waited for, here or at exit."""
        for future, discard in self._discards.items():
            future.add_done_callback(partial(_discard, discard))
        self._workers.close()
        self._wake_read.close()
        self._wake_write.close()

    def _conclude(self, done: Future[T], then: Callable[[Future[T]], None]) -> None:
        self._discards.pop(done, None)
        then(done)

    def _push(self, due_ns: int, timer: Timer) -> None:
        heapq.heappush(self._timers, (due_ns, next(self._order), timer))

    def _run_timer(self, timer: Timer, now_ns: int) -> None:
        if timer.is_cancelled:
            return
        if timer.period_ns is not None:
            self._push(now_ns + timer.period_ns, timer)
        timer.callback()

    def _on_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._wake_read.recv(4096):
                pass
        # only what waits now: a callback that calls itself again must let timers and sockets have a turn
        for _ in range(len(self._pending)):
            self._pending.popleft()()


def _discard(discard: Callable[[Any], object], done: Future[Any]) -> None:
    if not done.cancelled() and done.exception() is None:
        discard(done.result())
