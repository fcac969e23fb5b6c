"""The loop: timers, workers and wake-ups in one thread."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from shared.clock import NS_PER_MS, SystemClock
from shared.loop import Loop
from shared.workers import Workers


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


def test_a_callback_that_calls_itself_again_lets_the_timers_have_their_turn(loop: Loop) -> None:
    def again() -> None:
        loop.call_soon(again)

    loop.call_soon(again)
    loop.after(5 * NS_PER_MS, loop.stop)
    loop.run()


def test_work_that_hangs_does_not_hold_up_the_end_of_the_process() -> None:
    script = (
        "import threading\nfrom shared.clock import SystemClock\nfrom shared.loop import Loop\n"
        "loop, began = Loop(SystemClock()), threading.Event()\n"
        "loop.in_worker(lambda: (began.set(), threading.Event().wait()), lambda _: None)\n"
        "assert began.wait(5)\nloop.close()\n"
    )
    assert subprocess.run([sys.executable, "-c", script], timeout=10).returncode == 0


def test_work_that_has_not_begun_when_the_loop_is_closed_is_cancelled() -> None:
    workers, begun, may_end = Workers(1), threading.Event(), threading.Event()
    first = workers.submit(lambda: (begun.set(), may_end.wait(5)))
    second = workers.submit(lambda: None)
    assert begun.wait(5)
    workers.close()
    may_end.set()
    assert first.result(5) == (None, True)
    assert second.cancelled()


def test_work_runs_side_by_side_up_to_the_number_of_workers_and_no_further() -> None:
    workers, barrier, seen = Workers(2), threading.Barrier(2), set[str]()
    done = [
        workers.submit(lambda: (barrier.wait(5), seen.add(threading.current_thread().name))) for _ in range(4)
    ]
    for future in done:
        future.result(5)
    assert seen == {"worker-0", "worker-1"}
    workers.close()
