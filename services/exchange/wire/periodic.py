"""Callbacks at a steady pace on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(eq=False, slots=True)
class Periodic:
    """Calls `callback` every `interval_s`: late calls do not shift later ones, missed ones are skipped."""

    interval_s: float
    callback: Callable[[], None]
    _due_s: float = 0.0
    _handle: asyncio.TimerHandle | None = field(default=None)

    def start(self) -> None:
        self._due_s = asyncio.get_running_loop().time() + self.interval_s
        self._arm()

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _arm(self) -> None:
        self._handle = asyncio.get_running_loop().call_at(self._due_s, self._run)

    def _run(self) -> None:
        behind_s = asyncio.get_running_loop().time() - self._due_s
        self._due_s += self.interval_s * (1 + max(0, behind_s) // self.interval_s)
        self._arm()
        self.callback()
