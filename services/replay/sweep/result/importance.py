"""Which keys made the difference between good trials and the others."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from services.replay.sweep.plan import Plan
from services.replay.sweep.proposing import distributions_of, drawn_of
from services.replay.sweep.space import Choices
from services.replay.sweep.trial import Trial

#: with fewer, it would be the importance of chance
LEAST_TRIALS = 8


def importance_of(plan: Plan, trials: Sequence[Trial]) -> dict[str, float]:
    """Return key -> share of the importance, largest first; of keys that every trial had.

    Source: Watanabe, Bansal, Hutter, PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in
    Arbitrary Subspaces (2023), as Optuna does it.
    """
    import optuna

    known = [trial for trial in trials if trial.numbers is not None]
    distributions = {
        key: distribution
        for key, distribution in distributions_of(plan.space).items()
        if not distribution.single() and all(key in trial.values for trial in known)
    }
    values = [value for trial in known if (value := _value(plan, trial)) is not None]
    if len(values) < LEAST_TRIALS or not distributions or min(values) == max(values):
        return {}
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="minimize" if plan.goal.is_minimized else "maximize")
    for trial, value in zip(known, values, strict=True):
        params = {key: drawn_of(plan.space[key], trial.values[key]) for key in distributions}
        study.add_trial(optuna.create_trial(params=params, distributions=distributions, value=value))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the evaluator is "experimental"
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        return dict(optuna.importance.get_param_importances(study, evaluator=evaluator))


def _value(plan: Plan, trial: Trial) -> float | None:
    return None if trial.numbers is None else plan.goal.value(trial.numbers)


def varied(plan: Plan) -> list[str]:
    """Return the keys that have more than one value."""
    return [
        key
        for key, dimension in plan.space.items()
        if not isinstance(dimension, Choices) or len(dimension.values) > 1
    ]
