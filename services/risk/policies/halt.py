"""Halt: sticky. What a policy or a person halted stays so until a person resumes it."""

from __future__ import annotations

from collections.abc import Mapping

from services.risk.policies.policy import ALLOW, Action, Decision
from shared.halt import halted_because


class StickyHalt:
    """The flags as last read, and what policies asked for that is no flag yet.

    Before the flags were read nothing is permitted.

    `wanted` is written as flags by the process; once a flag was seen the flag alone counts, so
    that resuming (which removes it) is possible.
    """

    def __init__(self) -> None:
        self._flags: dict[str, str] | None = None
        self.wanted: dict[str, str] = {}

    def on_flags(self, flags: Mapping[str, str]) -> bool:
        """Take the flags that are set now; return whether anything changed."""
        self.wanted = {scope: reason for scope, reason in self.wanted.items() if scope not in flags}
        if self._flags == flags:
            return False
        self._flags = dict(flags)
        return True

    def want(self, symbol: str, reason: str) -> None:
        """Halt a symbol because a policy says so."""
        if halted_because(self._flags or {}, symbol) is None:
            self.wanted.setdefault(symbol, reason)

    def decide(self, symbol: str) -> Decision:
        if self._flags is None:
            return Decision(Action.FREEZE, "halt flags not read")
        reason = halted_because(self._flags, symbol) or halted_because(self.wanted, symbol)
        return ALLOW if reason is None else Decision(Action.HALT, f"halted: {reason}")
