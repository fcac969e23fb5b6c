"""Write what a sweep leaves: JSON, one self-contained page, and the winning configuration."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from services.replay.sweep.job import JUDGED
from services.replay.sweep.numbers import Numbers
from services.replay.sweep.plan import Plan
from services.replay.sweep.result.names import value_text
from services.replay.sweep.result.rows import summary
from services.replay.sweep.result.toml import to_toml
from services.replay.sweep.space import put
from services.replay.sweep.trial import Trial, best_first, winners
from shared.errors import BadInput

JSON, PAGE, BEST = "sweep.json", "sweep.html", "best.toml"


class TrialRow(msgspec.Struct, frozen=True):
    """One trial of `sweep.json`; bounds: fill model -> numbers of all data."""

    number: int
    state: str
    reason: str
    values: dict[str, Any]
    objective: float | None
    numbers: Numbers | None
    by_data: dict[str, Numbers]
    bounds: dict[str, Numbers]


class SweepResult(msgspec.Struct, frozen=True):
    """`sweep.json`; trials: the best first; best: its number, None = none may win."""

    sweep: str
    base: str
    method: str
    objective: str
    direction: str
    seed: int
    data: dict[str, tuple[str, ...]]
    best: int | None
    trials: list[TrialRow]


def write_result(directory: Path, plan: Plan, trials: list[Trial]) -> list[Path]:
    """Write the files; return their paths, `best.toml` only where a trial may win. Raises: BadInput."""
    from services.replay.sweep.result.page import page_of  # plotly takes long to import

    best = next(iter(winners(trials, plan.goal, 1)), None)
    contents = {
        JSON: msgspec.json.format(msgspec.json.encode(_result(plan, trials, best))).decode() + "\n",
        PAGE: page_of(plan, trials),
    }
    try:
        (directory / BEST).unlink(missing_ok=True)  # of an earlier sweep
        if best is not None:
            contents[BEST] = best_toml(plan, best)
        for name, text in contents.items():
            (directory / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"sweep: {directory} cannot be written: {error.strerror}") from None
    return [directory / name for name in contents]


def _result(plan: Plan, trials: list[Trial], best: Trial | None) -> SweepResult:
    return SweepResult(
        str(plan.path), str(plan.base_path), plan.method, plan.goal.name,
        "minimize" if plan.goal.is_minimized else "maximize", plan.seed, dict(plan.data),
        None if best is None else best.number,
        [_trial_row(plan, trial) for trial in best_first(trials, plan.goal)],
    )  # fmt: skip


def _trial_row(plan: Plan, trial: Trial) -> TrialRow:
    judged = trial.parts.get(JUDGED[0], {})
    return TrialRow(
        trial.number, "" if trial.state is None else trial.state.value, trial.reason, trial.values,
        None if trial.numbers is None else plan.goal.value(trial.numbers), trial.numbers, judged,
        trial.bounds,
    )  # fmt: skip


def best_toml(plan: Plan, trial: Trial) -> str:
    """Return the configuration file with a trial's values in it, and above it where they come from."""
    tables = copy.deepcopy(dict(plan.raw))
    put(tables, trial.values)
    changes = [
        f"#   {key}: {before} -> {value_text(value)}"
        for key, value in trial.values.items()
        if (before := _before(plan.raw, key)) != value_text(value)
    ]
    head = [
        f"# The best of {plan.path.name}: trial {trial.number}, varied from {plan.base_path.name}.",
        *(f"# {line}" for line in ([summary(plan, trial.numbers)] if trial.numbers else [])),
        *changes,
    ]
    return "\n".join([*head, "", to_toml(tables)])


def _before(raw: Mapping[str, Any], key: str) -> str:
    found: Any = raw
    for step in key.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return "default" if found is None else value_text(found)
