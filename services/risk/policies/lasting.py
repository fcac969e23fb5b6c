"""What a policy may do beside deciding: outlive a restart of the process, and hear of a person's word."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from services.risk.account.equity_history import EquityHistory


@runtime_checkable
class Remembers(Protocol):
    """A policy that has begun something which a restart of this process does not end."""

    @property
    def name(self) -> str: ...

    def memory(self) -> tuple[str, dict[str, int]]:
        """Return a text and times (monotonic ns); no times = nothing to remember."""
        ...

    def recall(self, text: str, times: dict[str, int]) -> None: ...


@runtime_checkable
class HearsResumption(Protocol):
    """A policy that is told when a person has ended a halt of its own; its reasons begin with its name."""

    @property
    def name(self) -> str: ...

    def on_resume(self, history: EquityHistory) -> None: ...
