"""Halt: sticky. What a policy or a person halted stays so until a person resumes it."""

from __future__ import annotations

from collections.abc import Mapping

from services.risk.policies.policy import ALLOW, Action, Decision
from shared.halt import halted_because


class StickyHalt:
    """The flags as last read, and what policies asked for that is no flag yet.

    Before all flags were read nothing is permitted: what is halted may not be known yet.

    `wanted` is written as flags by the process; once a flag was seen the flag alone counts, so
    that resuming (which removes it) is possible.
    """

    def __init__(self) -> None:
        self._flags: dict[str, str] = {}
        self._is_complete = False
        self.wanted: dict[str, str] = {}
        #: what policies halted and nobody has resumed yet
        self._by_policy: set[str] = set()
        #: True when the flags last taken show that a person has resumed what a policy had halted
        self.is_resumed = False

    def on_flags(self, flags: Mapping[str, str], is_complete: bool = True) -> bool:
        """Take the flags that are set now; return whether anything changed.

        is_complete  False = some place that flags are kept in was not read yet
        """
        resumed = {scope for scope in self._by_policy if scope in self._flags and scope not in flags}
        self._by_policy -= resumed
        self.is_resumed = bool(resumed)
        self.wanted = {scope: reason for scope, reason in self.wanted.items() if scope not in flags}
        if self._flags == flags and self._is_complete is is_complete:
            return False
        self._flags, self._is_complete = dict(flags), is_complete
        return True

    def want(self, symbol: str, reason: str) -> None:
        """Halt a symbol because a policy says so."""
        if halted_because(self._flags, symbol) is None:
            self.wanted.setdefault(symbol, reason)
            self._by_policy.add(symbol)
        elif _policy_in(self._flags.get(symbol, "")) == _policy_in(reason):
            self._by_policy.add(symbol)  # halted by an earlier life of this process

    def decide(self, symbol: str) -> Decision:
        reason = halted_because(self._flags, symbol) or halted_because(self.wanted, symbol)
        if reason is not None:
            return Decision(Action.HALT, f"halted: {reason}")
        return ALLOW if self._is_complete else Decision(Action.FREEZE, "halt flags not read")


def _policy_in(reason: str) -> str:
    """Return the name of the policy that a reason begins with: its numbers change."""
    return reason.partition(":")[0]
