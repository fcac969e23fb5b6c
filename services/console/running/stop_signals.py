"""Ctrl-C, SIGTERM and a closed terminal: the first one interrupts what runs, all later ones change nothing.

A second Ctrl-C must not leave orders behind: stopping is bounded anyway.
"""

from __future__ import annotations

import signal
from types import FrameType, TracebackType

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    """Stop everything, cancelled and confirmed."""


class StopSignals:
    """Raises Interrupted in the main thread, once, while it is entered; afterwards all are ignored."""

    def __enter__(self) -> StopSignals:
        for number in NUMBERS:
            is_ignored = signal.getsignal(number) is signal.SIG_IGN
            if not (number is signal.SIGHUP and is_ignored):  # nohup: the terminal may go
                signal.signal(number, self._interrupt)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ignore()

    def ignore(self) -> None:
        """From now on nothing interrupts."""
        for number in NUMBERS:
            signal.signal(number, signal.SIG_IGN)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self.ignore()
        raise Interrupted
