"""What a policy may do beside deciding: hear fills and a person's word, outlive a restart."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from services.risk.account.equity_history import EquityHistory
from shared.messages import Fill


@runtime_checkable
class HearsFills(Protocol):
    """A policy that wants to see each fill of its symbol and account, once."""

    def on_fill(self, fill: Fill, now_ns: int) -> None: ...


@runtime_checkable
class CountsFills(Protocol):
    """A policy that must know when nobody knows how many fills there were before now."""

    def on_fills_lost(self, now_ns: int) -> None: ...


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
