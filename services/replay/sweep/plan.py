"""What a person wrote: the sweep file, checked before anything runs. Its paths are relative to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from services.replay.settings import parse_replay
from services.replay.sources.base import Source
from services.replay.sources.opening import SYNTHETIC, open_data
from services.replay.sweep.goal import Goal, goal_of
from services.replay.sweep.space import Choices, Space, grid_size, parse_space
from shared.config import Config, load, parse, read_file
from shared.errors import BadInput

DEFAULT_TRIALS = 50
_Number = Annotated[float, Meta(ge=-1e15, le=1e15)]


class BoundFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ends of what a number may be; None = no such end."""

    min: _Number | None = None
    max: _Number | None = None


class SweepFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file.

    base         the configuration that is varied
    data         name -> one replay's data, as `makerd replay` takes them: one text or several
    space        key -> [values], or a range {low, high, log, step, int}
    objective    the number that is searched: cost_per_10k, net, or any of a report
    direction    None = as the objective is meant
    constraints  number -> {min, max}; trials beyond are shown, but never win
    method       None = grid where every key has a list or a step, else bayes
    n_trials     of bayes
    seed         of bayes
    parallel     of bayes: trials under way at once. Each is proposed from all but the last so many, so a
                 sweep finds the same whatever the number of workers
    bounds       so many of the best are replayed under all three fill models
    duration_s   of synthetic data, seconds
    """

    base: str
    data: dict[str, str | list[str]]
    space: dict[str, Any]
    objective: str = "cost_per_10k"
    direction: Literal["minimize", "maximize"] | None = None
    constraints: dict[str, BoundFile] = {}
    method: Literal["grid", "bayes"] | None = None
    n_trials: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    seed: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 7
    parallel: Annotated[int, Meta(ge=1, le=1_000)] = 8
    bounds: Annotated[int, Meta(ge=1, le=100)] = 3
    duration_s: Annotated[float, Meta(gt=0, le=10**8)] = 600.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked sweep.

    base_path, raw   the configuration file, and its tables as they were written
    data             name -> the texts of one replay, paths absolute
    trial_count      at most so many
    """

    path: Path
    base_path: Path
    raw: Mapping[str, Any]
    config: Config
    data: Mapping[str, tuple[str, ...]]
    symbols: Mapping[str, tuple[str, ...]]
    space: Space
    goal: Goal
    method: str
    trial_count: int
    seed: int
    parallel: int
    bounds: int
    duration_s: float


def load_plan(path: Path) -> Plan:
    """Read a sweep file, its configuration and the beginning of its data.

    Raises: BadInput naming the key, the value and the rule.
    """
    file = parse(read_file(path), SweepFile, str(path))
    base_path = path.parent / Path(file.base).expanduser()
    config = load(base_path, with_changes=False)
    try:
        data = {name: _absolute(name, texts, path.parent) for name, texts in file.data.items()}
        if not data:
            raise BadInput("data: is empty: nothing to replay")
        space = parse_space(file.space, config)
        method, count = _method(file, space)
        goal = goal_of(file.objective, file.direction, _ends(file.constraints))
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from None
    symbols = {name: _symbols(texts, config, file.duration_s) for name, texts in data.items()}
    raw = read_file(base_path)
    assert isinstance(raw, dict)  # load has read it
    return Plan(
        path, base_path, raw, config, data, symbols, space, goal, method, count, file.seed,
        file.parallel if method == "bayes" else 1, file.bounds, file.duration_s,
    )  # fmt: skip


def _ends(constraints: Mapping[str, BoundFile]) -> dict[str, tuple[float | None, float | None]]:
    return {name: (bound.min, bound.max) for name, bound in constraints.items()}


def _method(file: SweepFile, space: Space) -> tuple[str, int]:
    is_grid = all(isinstance(dimension, Choices) for dimension in space.values())
    method = file.method or ("grid" if is_grid and file.n_trials is None else "bayes")
    if method == "bayes":
        return method, file.n_trials or DEFAULT_TRIALS
    if file.n_trials is not None:
        raise BadInput(
            f"n_trials: must be left out of a grid, which is tried as a whole, was {file.n_trials}"
        )
    return method, grid_size(space)


def _absolute(name: str, texts: str | list[str], directory: Path) -> tuple[str, ...]:
    """Return a replay's data with absolute paths: workers run elsewhere. Raises: BadInput."""
    if not texts:
        raise BadInput(f"data.{name}: is empty")
    return tuple(_located(text, directory) for text in ([texts] if isinstance(texts, str) else texts))


def _located(text: str, directory: Path) -> str:
    symbol, equals, data = text.partition("=")
    if not equals or "/" in symbol:  # as `makerd replay` reads it
        symbol, equals, data = "", "", text
    if data == SYNTHETIC or data.startswith(f"{SYNTHETIC}:"):
        return text
    return f"{symbol}{equals}{(directory / Path(data).expanduser()).resolve()}"


def opened(texts: tuple[str, ...], config: Config, duration_s: float) -> dict[str, list[Source]]:
    """Open one replay's data. Raises: BadInput."""
    return open_data(list(texts), config, parse_replay(config.replay), duration_s)


def _symbols(texts: tuple[str, ...], config: Config, duration_s: float) -> tuple[str, ...]:
    """Return which symbols a replay has, having read that each of its files begins as it should."""
    sources = opened(texts, config, duration_s)
    for files in sources.values():
        for file in files:
            file.instrument()
    return tuple(sources)
