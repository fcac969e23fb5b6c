"""Holds: decisions stay in force for as long as they say, whatever is decided after them (cool-downs)."""

from __future__ import annotations

from services.risk.policies.policy import ALLOW, Decision, strictest


class Holds:
    """Decisions in force: each breaker's last one, for as long as it holds."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[Decision, int | None]] = {}

    @property
    def is_empty(self) -> bool:
        """True when no decision is kept, in force or not."""
        return not self._held

    def update(self, index: int, decision: Decision, now_ns: int) -> None:
        """Take what policy number `index` has just decided. Having nothing to say ends no cool-down."""
        if not decision.is_silent:
            until_ns = now_ns + decision.hold_ns if decision.hold_ns else None
            self._held[index] = (decision, until_ns)
        elif index in self._held:
            until_ns = self._held[index][1]
            if until_ns is None or until_ns <= now_ns:
                del self._held[index]

    def lasting(self, now_ns: int) -> list[tuple[Decision, int]]:
        """Return what holds for a time, and until when."""
        held = self._held.values()
        return [(decision, until) for decision, until in held if until is not None and until > now_ns]

    def restore(self, decision: Decision, until_ns: int) -> None:
        """Take what an earlier life of this process had decided, beside what this one decides."""
        self._held[min((0, *self._held)) - 1] = (decision, until_ns)

    def current(self, now_ns: int, position: int = 0) -> Decision:
        """Return the strictest decision that is in force."""
        in_force = [
            decision for decision, until_ns in self._held.values() if until_ns is None or until_ns > now_ns
        ]
        return strictest(in_force, position) if in_force else ALLOW
