"""The loop: timers, workers and wake-ups in one thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from shared.clock import NS_PER_MS, SystemClock
from shared.loop import Loop


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop(SystemClock())
    yield made
    made.close()


def test_a_worker_answers_in_the_loops_thread(loop: Loop) -> None:
    seen: list[tuple[str, bool]] = []

    def then(future: Future[str]) -> None:
        seen.append((future.result(), threading.current_thread() is threading.main_thread()))
        loop.stop()

    loop.in_worker(lambda: threading.current_thread().name, then)
    loop.run()
    assert seen[0][0].startswith("worker") and seen[0][1]


def test_timers_fire_in_order_and_a_cancelled_one_does_not(loop: Loop) -> None:
    fired: list[str] = []
    loop.after(2 * NS_PER_MS, lambda: fired.append("second"))
    loop.after(1 * NS_PER_MS, lambda: fired.append("first"))
    loop.after(1 * NS_PER_MS, lambda: fired.append("never")).cancel()
    ticks = loop.every(NS_PER_MS, lambda: fired.append("tick"))
    loop.after(20 * NS_PER_MS, loop.stop)
    loop.run()
    ticks.cancel()
    assert [name for name in fired if name != "tick"] == ["first", "second"]
    assert fired.count("tick") >= 3


def test_what_a_callback_raises_ends_the_loop(loop: Loop) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    loop.call_soon(fail)
    with pytest.raises(ZeroDivisionError):
        loop.run()


def test_what_a_worker_brings_after_the_loop_was_closed_is_discarded() -> None:
    loop, may_end, discarded = Loop(SystemClock()), threading.Event(), threading.Event()

    def work() -> str:
        may_end.wait(5)
        return "a socket"

    loop.in_worker(work, lambda _future: None, lambda _result: discarded.set())
    loop.close()
    may_end.set()
    assert discarded.wait(5)
