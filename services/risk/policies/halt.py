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
        #: symbol -> (account, policy) of all that halted it, while nobody has resumed it
        self._by_policy: dict[str, set[tuple[str, str]]] = {}
        #: (account, symbol, policy): what the flags last taken show a person to have resumed
        self.resumed: tuple[tuple[str, str, str], ...] = ()

    def on_flags(self, flags: Mapping[str, str], is_complete: bool = True) -> bool:
        """Take the flags that are set now; return whether anything changed.

        is_complete  False = some place that flags are kept in was not read yet
        """
        symbols = [scope for scope in self._by_policy if scope in self._flags and scope not in flags]
        self.resumed = tuple(
            (account, symbol, policy)
            for symbol in symbols
            for account, policy in sorted(self._by_policy.pop(symbol))
        )
        self.wanted = {scope: reason for scope, reason in self.wanted.items() if scope not in flags}
        if self._flags == flags and self._is_complete is is_complete:
            return False
        self._flags, self._is_complete = dict(flags), is_complete
        return True

    def want(self, account: str, symbol: str, reason: str) -> None:
        """Halt a symbol because policies of an account say so."""
        policies = _policies_in(reason)
        if halted_because(self._flags, symbol) is None:
            self.wanted.setdefault(symbol, reason)
        else:  # by a person, or by this policy: in this life of the process or an earlier one
            policies &= _policies_in(self._flags.get(symbol, ""))
        if policies:
            self._by_policy.setdefault(symbol, set()).update((account, policy) for policy in policies)

    def accept(self, account: str, policy: str) -> None:
        """A person has accepted what a policy saw in a whole account: no other symbol does so again."""
        for culprits in self._by_policy.values():
            culprits.discard((account, policy))

    def decide(self, symbol: str) -> Decision:
        reason = halted_because(self._flags, symbol) or halted_because(self.wanted, symbol)
        if reason is not None:
            return Decision(Action.HALT, f"halted: {reason}")
        return ALLOW if self._is_complete else Decision(Action.FREEZE, "halt flags not read")


def _policies_in(reason: str) -> set[str]:
    """Return the names that the parts of a reason begin with: the numbers behind them change."""
    return {part.partition(":")[0] for part in reason.split("; ") if part}
