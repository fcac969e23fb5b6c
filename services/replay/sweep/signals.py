"""Ctrl-C and SIGTERM: what a sweep has started must be stopped, and not while it is half started."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_STOPPING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let both raise KeyboardInterrupt meanwhile."""
    with _handled_by(signal.default_int_handler):
        yield


@contextmanager
def undisturbed() -> Iterator[None]:
    """Raise KeyboardInterrupt only after the block, whatever became of it.

    Processes that are being started share our terminal: Ctrl-C may end them, and what is raised of
    that is not what a person should read.
    """
    told: list[int] = []
    try:
        with _handled_by(lambda number, _frame: told.append(number)):
            yield
    finally:
        if told:
            raise KeyboardInterrupt


@contextmanager
def _handled_by(handler: Callable[[int, Any], Any]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield
        return
    before = {number: signal.signal(number, handler) for number in _STOPPING}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
