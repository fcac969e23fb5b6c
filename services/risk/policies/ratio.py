"""Exact comparison of integers with a limit in percent: a boundary is a boundary, not a rounding."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Limit:
    """A share `numerator / denominator` of something, and whether being equal to it is allowed."""

    numerator: int
    denominator: int
    is_strict: bool

    @classmethod
    def of_percent(cls, percent: float, comparator: str) -> Limit:
        """Build from the configured number, as it is written: 0.6 is six thousandths exactly."""
        share = Fraction(str(percent)) / 100
        return cls(share.numerator, share.denominator, comparator == "strict")

    def is_exceeded(self, part: int, whole: int) -> bool:
        """True when `part` is more than the limit's share of `whole` (> 0); strict: equal is allowed."""
        left, right = part * self.denominator, whole * self.numerator
        return left > right if self.is_strict else left >= right
