"""What a sweep looks for: an objective, and constraints that the winner must meet."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from services.replay.sweep.numbers import ALIASES, COST, DRAWDOWN, KNOWN, NET, VOLUME, Numbers
from shared.errors import BadInput

DIRECTIONS = {COST: "minimize", DRAWDOWN: "minimize", NET: "maximize", VOLUME: "maximize"}


#: least and most that a number may be
Ends = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Bound:
    """A number must be within; None = no such end."""

    name: str
    low: float | None
    high: float | None

    def violation(self, numbers: Numbers) -> float:
        """Return by how much it is missed, as a share of the bound; <= 0 = met. Not known is missed."""
        value = numbers[self.name]
        if value is None:
            return 1.0
        below = [] if self.low is None else [(self.low - value) / max(abs(self.low), 1e-9)]
        above = [] if self.high is None else [(value - self.high) / max(abs(self.high), 1e-9)]
        return max(below + above)

    def broken(self, numbers: Numbers) -> str:
        """Return what is wrong, for people."""
        value = numbers[self.name]
        rule = " and ".join(
            f"{word} {bound:g}"
            for word, bound in (("at least", self.low), ("at most", self.high))
            if bound is not None
        )
        return f"{self.name} must be {rule}, was {'not known' if value is None else f'{value:g}'}"


@dataclass(frozen=True, slots=True)
class Goal:
    """name: of the objective's number."""

    name: str
    is_minimized: bool
    bounds: tuple[Bound, ...]

    def value(self, numbers: Numbers) -> float | None:
        return numbers[self.name]

    def rank(self, value: float) -> float:
        """Return a key that sorts the best first."""
        return value if self.is_minimized else -value

    def broken(self, numbers: Numbers) -> str:
        """Return which constraints are missed, "" = none."""
        return "; ".join(bound.broken(numbers) for bound in self.bounds if bound.violation(numbers) > 0)


def goal_of(objective: str, direction: str | None, constraints: Mapping[str, Ends]) -> Goal:
    """Return a checked goal. Raises: BadInput naming the key, the value and the rule."""
    name = _named(objective, "objective")
    direction = direction or DIRECTIONS.get(name)
    if direction is None:
        raise BadInput(f'objective {objective!r}: say direction = "minimize" or "maximize"')
    return Goal(name, direction == "minimize", tuple(_bound(key, *ends) for key, ends in constraints.items()))


def _bound(key: str, low: float | None, high: float | None) -> Bound:
    name = _named(key, "constraints")
    if low is None and high is None:
        raise BadInput(f"constraints.{key}: must have min, max or both")
    if low is not None and high is not None and low > high:
        raise BadInput(f"constraints.{key}: min must be at most max, was {low:g} and {high:g}")
    return Bound(name, low, high)


def _named(text: str, where: str) -> str:
    name = ALIASES.get(text, text)
    if name in KNOWN:
        return name
    near = difflib.get_close_matches(text, [*ALIASES, *KNOWN], n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join([*ALIASES, *KNOWN])}"
    raise BadInput(f"{where}: there is no number {text!r}; {hint}")
