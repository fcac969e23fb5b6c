"""Discontinuity: a position that changes without fills is doubted before it is acted on.

A position of 108.25 that reads 0 a moment later was once a wrong answer of a venue, and was
acted on. Rows L03, L02: nothing is permitted until two later messages agree with the new
value and `confirm_ns` has passed. Execution reads positions about once a second by itself
(`position_read_s`), so a wrong one is contradicted meanwhile; nothing here asks it to. Fills
that were lost on the bus look the same, and cost the same pause.
"""

from __future__ import annotations

from services.risk.policies.policy import ALLOW, Action, Decision
from shared.messages import Fill, Position

CONFIRMATIONS = 2


class PositionDoubt:
    """Follows one position by its fills, and compares with what is said of it."""

    def __init__(self, confirm_ns: int) -> None:
        self._confirm_ns = confirm_ns
        self._expected: int | None = None
        self._doubted: int | None = None
        self._doubted_ns = 0
        self._confirmations = 0

    def on_fill(self, fill: Fill) -> None:
        """Follow a fill: the position after it, not its size (a fee may have been taken from it)."""
        if self._expected is not None:
            self._expected = fill.position_after
        if self._doubted == self._expected:
            self._doubted = None  # the fill that explains it came after the position

    def on_position(self, position: Position, now_ns: int) -> None:
        if not position.is_known:
            return  # nothing is permitted meanwhile; it is judged when the venue has answered
        quantity = position.quantity
        if self._expected is None or quantity == self._expected:
            self._expected, self._doubted = quantity, None
        elif quantity != self._doubted:
            self._doubted, self._doubted_ns, self._confirmations = quantity, now_ns, 0
        else:
            self._confirmations += 1
            if self._confirmations >= CONFIRMATIONS and now_ns - self._doubted_ns >= self._confirm_ns:
                self._expected, self._doubted = quantity, None

    def decide(self) -> Decision:
        """Return FREEZE while the position is doubted: it may be wrong in either direction."""
        if self._doubted is None:
            return ALLOW
        reason = f"position jumped {self._expected} -> {self._doubted} lots without fills: confirming"
        return Decision(Action.FREEZE, reason)
