"""Which values are tried next: all of a grid in order, or what Bayesian search proposes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from services.replay.sweep.goal import Goal
from services.replay.sweep.numbers import Numbers
from services.replay.sweep.plan import Plan
from services.replay.sweep.space import Choices, Dimension, Range, Space, Values, effective, grid
from shared.config import Config

if TYPE_CHECKING:
    import optuna

#: a trial without a value is as bad as can be: Optuna forgets failed ones, and would propose their like
_NO_VALUE = float("inf")
_VIOLATIONS = "violations"


class Proposer(Protocol):
    """Is asked for trials in order, and told of them in the same order."""

    def propose(self) -> Values | None:
        """Return the values of the next trial; None = that was all."""
        ...

    def told(self, number: int, numbers: Numbers | None) -> None:
        """Take what a trial came to; None = it was refused or failed."""
        ...


class Grid:
    """Every combination once: those that differ only in what does not count are one."""

    def __init__(self, space: Space, config: Config) -> None:
        self._combinations = grid(space)
        self._config = config
        self._seen: set[str] = set()

    def propose(self) -> Values | None:
        for values in self._combinations:
            counted = effective(values, self._config)
            if (name := repr(sorted(counted.items()))) not in self._seen:
                self._seen.add(name)
                return counted
        return None

    def told(self, number: int, numbers: Numbers | None) -> None:
        """A grid learns nothing."""


class Bayes:
    """The tree-structured Parzen estimator of Optuna, on a study in memory.

    The same seed and the same results in the same order give the same proposals: what survives a
    kill are the results, and a new start asks and tells again what was asked and told before.

    Source: Bergstra, Bardenet, Bengio, Kegl, Algorithms for Hyper-Parameter Optimization (2011).
    """

    def __init__(self, plan: Plan) -> None:
        self._space, self._config, self._goal = plan.space, plan.config, plan.goal
        self._left = plan.trial_count
        self._trials: list[optuna.Trial] = []
        self._study = new_study(plan.goal, plan.seed)
        self._distributions = distributions_of(plan.space)

    def propose(self) -> Values | None:
        if not self._left:
            return None
        self._left -= 1
        trial = self._study.ask(self._distributions)
        self._trials.append(trial)
        values = {key: chosen(self._space[key], drawn) for key, drawn in trial.params.items()}
        return effective(values, self._config)

    def told(self, number: int, numbers: Numbers | None) -> None:
        value = None if numbers is None else self._goal.value(numbers)
        trial = self._trials[number]
        trial.set_user_attr(_VIOLATIONS, violations(self._goal, numbers))
        worst = _NO_VALUE if self._goal.is_minimized else -_NO_VALUE
        self._study.tell(trial, worst if value is None else value)


def violations(goal: Goal, numbers: Numbers | None) -> list[float]:
    """Return one number a rule, > 0 = broken; the first: there is a value at all."""
    if numbers is None or goal.value(numbers) is None:
        return [1.0] * (1 + len(goal.bounds))
    return [-1.0, *(bound.violation(numbers) for bound in goal.bounds)]


def new_study(goal: Goal, seed: int) -> optuna.Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def constraints(trial: optuna.trial.FrozenTrial) -> Sequence[float]:
        return list(trial.user_attrs[_VIOLATIONS])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constraints are "experimental"
        sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True, constraints_func=constraints)
    return optuna.create_study(sampler=sampler, direction="minimize" if goal.is_minimized else "maximize")


def distributions_of(space: Space) -> dict[str, optuna.distributions.BaseDistribution]:
    return {key: _distribution(dimension) for key, dimension in space.items()}


def _distribution(dimension: Dimension) -> optuna.distributions.BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(dimension, Choices):  # the place in the list is drawn: a value may be anything
        count = len(dimension.values)
        return (
            IntDistribution(0, count - 1) if dimension.is_ordered else CategoricalDistribution(range(count))
        )
    if dimension.int:
        return IntDistribution(round(dimension.low), round(dimension.high), log=dimension.log)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)


def chosen(dimension: Dimension, drawn: Any) -> Any:
    """Return the value that a drawn one stands for."""
    return dimension.at(drawn) if isinstance(dimension, Range) else dimension.values[drawn]


def drawn_of(dimension: Dimension, value: Any) -> Any:
    """Return what would have to be drawn for a value."""
    if isinstance(dimension, Range):
        return value
    return next(at for at, one in enumerate(dimension.values) if one == value and type(one) is type(value))
