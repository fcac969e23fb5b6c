"""A trial: what was tried, and what it came to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from services.replay.sweep.goal import Goal
from services.replay.sweep.numbers import Numbers, combined
from services.replay.sweep.space import Values
from shared.config import Config


class State(Enum):
    """How a trial ended, best first."""

    GOOD = "good"
    BROKEN = "breaks a constraint"
    FAILED = "failed"
    REFUSED = "refused"


@dataclass(slots=True)
class Trial:
    """What is known of one trial; `state` None = not judged yet.

    reason   why it failed, was refused or breaks a constraint
    parts    fill model -> data -> numbers
    numbers  of all data together, by the model that judges
    bounds   fill model -> the same by the others; of the best few only
    gaps_s   data -> seconds without a book
    waiting  names of the data whose jobs are not done
    """

    number: int
    values: Values
    config: Config | None
    reason: str = ""
    state: State | None = None
    numbers: Numbers | None = None
    parts: dict[str, dict[str, Numbers]] = field(default_factory=dict)
    bounds: dict[str, Numbers] = field(default_factory=dict)
    gaps_s: dict[str, float] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)

    @property
    def is_over(self) -> bool:
        return self.state is not None or not self.waiting

    def together(self, model: str, data: Iterable[str]) -> Numbers | None:
        """Return a model's numbers of all data; None = some are not there.

        They are added in this order: in another, floats differ.
        """
        parts = self.parts.get(model, {})
        return combined([parts[name] for name in data]) if all(name in parts for name in data) else None


def best_first(trials: list[Trial], goal: Goal) -> list[Trial]:
    """Return trials as they are shown: the winner first, what was refused last."""
    order = list(State)

    def rank(trial: Trial) -> tuple[int, float, int]:
        value = None if trial.numbers is None else goal.value(trial.numbers)
        state = order.index(trial.state) if trial.state is not None else len(order)
        return state, goal.rank(value) if value is not None else float("inf"), trial.number

    return sorted(trials, key=rank)


def winners(trials: list[Trial], goal: Goal, count: int) -> list[Trial]:
    """Return the best trials that may win."""
    good = [trial for trial in best_first(trials, goal) if trial.state is State.GOOD]
    return distinct(good)[:count]


def distinct(trials: Iterable[Trial]) -> list[Trial]:
    """Return the first trial of each set of values: a search may propose the same again."""
    first: dict[str, Trial] = {}
    for trial in trials:
        first.setdefault(repr(sorted(trial.values.items())), trial)
    return list(first.values())
