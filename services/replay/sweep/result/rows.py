"""A sweep as rows that a person reads: the same on the terminal and on the page."""

from __future__ import annotations

from collections.abc import Sequence

from services.replay.sweep.numbers import COST, DRAWDOWN, FILLS, NET, VOLUME, Numbers
from services.replay.sweep.plan import Plan
from services.replay.sweep.result.importance import varied
from services.replay.sweep.result.names import number_text, short_names, value_text
from services.replay.sweep.trial import State, Trial, best_first, distinct
from services.replay.venue.queue import FillModel

#: as the report of a replay calls them
MODELS = {
    FillModel.THROUGH.value: "pessimistic",
    FillModel.QUEUE.value: "queue",
    FillModel.TOUCH.value: "optimistic",
}
_SHOWN = {COST: "cost per 10,000", VOLUME: "volume", NET: "net", DRAWDOWN: "drawdown", FILLS: "fills"}


def heads(plan: Plan) -> list[str]:
    """Return the names of the columns."""
    keys = varied(plan)
    names = short_names(keys)
    numbers = [*_numbers_shown(plan).values()]
    return ["trial", *(names[key] for key in keys), *numbers, "pessimistic", "optimistic"]


def rows(plan: Plan, trials: list[Trial], most: int) -> list[list[str]]:
    """Return the best first, at most so many; those that failed or were refused are in `notes`."""
    shown = distinct(trial for trial in best_first(trials, plan.goal) if trial.numbers is not None)
    return [_row(plan, trial) for trial in shown[:most]]


def _numbers_shown(plan: Plan) -> dict[str, str]:
    first = {plan.goal.name: _SHOWN.get(plan.goal.name, plan.goal.name)}
    return first | _SHOWN | {bound.name: _SHOWN.get(bound.name, bound.name) for bound in plan.goal.bounds}


def _row(plan: Plan, trial: Trial) -> list[str]:
    numbers = trial.numbers or {}
    mark = "" if trial.state is State.GOOD else " ✗"
    bounds = [trial.bounds.get(model.value) for model in (FillModel.THROUGH, FillModel.TOUCH)]
    return [
        f"{trial.number}{mark}",
        *(value_text(trial.values.get(key)) for key in varied(plan)),
        *(number_text(numbers.get(name)) for name in _numbers_shown(plan)),
        *(number_text(None if bound is None else bound[plan.goal.name]) for bound in bounds),
    ]


def notes(trials: Sequence[Trial], most: int) -> list[str]:
    """Return why trials do not count, the same reason once, and what is missing of the data."""
    counts: dict[str, int] = {}
    for trial in trials:
        if trial.state is not State.GOOD and trial.state is not None:
            text = f"{trial.state.value}: {trial.reason}"
            # numbers differ from trial to trial, the rule does not
            name = text if trial.state is not State.BROKEN else text.partition(", was")[0]
            counts[name] = counts.get(name, 0) + 1
    told = sorted(counts.items(), key=lambda one: -one[1])
    lines = [f"{count} trials, {text}" if count > 1 else f"1 trial, {text}" for text, count in told[:most]]
    if len(told) > most:
        lines.append(f"{len(told) - most} more reasons in sweep.json")
    gaps_s = {name: seconds for trial in trials for name, seconds in trial.gaps_s.items() if seconds}
    return lines + [
        f"data {name}: gaps of {seconds:.1f} s, in which nothing was quoted"
        for name, seconds in gaps_s.items()
    ]


def summary(plan: Plan, numbers: Numbers) -> str:
    """Return the winner in one line."""
    shown = ", ".join(f"{text} {number_text(numbers[name])}" for name, text in _numbers_shown(plan).items())
    return f"{plan.goal.name}: {shown}"
