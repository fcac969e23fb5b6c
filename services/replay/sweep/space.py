"""The space of a sweep: keys, and for each either its values or a range."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from services.quoter.strategies import STRATEGIES
from services.replay.sweep.keys import check_value, strategy_key
from shared.config import Config, Quoter, parse
from shared.errors import BadInput

#: value of each key of a trial
Values = dict[str, Any]
MOST_VALUES = 10_000
MOST_TRIALS = 100_000
_RANGE_KEYS = {"low", "high", "log", "step", "int"}
_DIGITS = 6


class Choices(msgspec.Struct, frozen=True):
    """A list of values; `is_ordered`: they are the steps of a range."""

    values: tuple[Any, ...]
    is_ordered: bool = False


class Range(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every value from `low` to `high`, both included.

    log   equal ratios are equally likely
    step  only low, low + step, ...: such a range can be a grid's
    int   whole numbers
    """

    low: float
    high: float
    log: bool = False
    step: Annotated[float, Meta(gt=0)] | None = None
    int: bool = False

    def at(self, value: float) -> float:
        """Return a drawn value as it is used: so many digits that a person can read it."""
        if self.int:
            return round(value)
        return min(max(float(f"{value:.{_DIGITS}g}"), self.low), self.high)


Dimension = Choices | Range
Space = dict[str, Dimension]


def parse_space(raw: Mapping[str, Any], config: Config) -> Space:
    """Read the table `[space]`, nested or with dotted keys.

    Raises: BadInput naming the key, the value and the rule.
    """
    space = {key: _dimension(key, value) for key, value in _leaves(raw)}
    if not space:
        raise BadInput("space: is empty: nothing to search")
    given = {key: _examples(dimension) for key, dimension in space.items()}
    for key, values in given.items():
        for value in values:
            check_value(key, value, config, given)
    return space


def _leaves(raw: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in raw.items():
        key = f"{before}{name}"
        if isinstance(value, dict) and not (value.keys() & {"low", "high"}):
            yield from _leaves(value, f"{key}.")
        else:
            yield key, value


def _dimension(key: str, raw: object) -> Dimension:
    if isinstance(raw, list):
        if not raw:
            raise BadInput(f"space: {key}: must have at least one value, was []")
        unique = [value for at, value in enumerate(raw) if not _is_in(value, raw[:at])]
        if len(unique) < len(raw):
            raise BadInput(f"space: {key}: holds a value twice, was {raw!r}")
        return Choices(tuple(raw))
    if not isinstance(raw, dict):
        raise BadInput(f"space: {key}: must be a list of values, or a range with low and high, was {raw!r}")
    return _range(key, raw)


def _is_in(value: object, others: list[object]) -> bool:
    return any(value == other and type(value) is type(other) for other in others)


def _range(key: str, raw: dict[str, Any]) -> Dimension:
    unknown = raw.keys() - _RANGE_KEYS
    if unknown:
        raise BadInput(f"space: {key}: unknown key {min(unknown)!r}; known: {', '.join(sorted(_RANGE_KEYS))}")
    found = parse(raw, Range, f"space: {key}")
    numbers = [found.low, found.high, found.step or 1.0]
    if not all(map(math.isfinite, numbers)) or found.low >= found.high:
        raise BadInput(f"space: {key}: low must be below high, was {found.low:g} and {found.high:g}")
    if found.log and found.step is not None:
        raise BadInput(f"space: {key}: log and step exclude each other")
    if found.log and found.low <= 0:
        raise BadInput(f"space: {key}: low must be above 0 with log, was {found.low:g}")
    if found.int and any(number != round(number) for number in numbers):
        raise BadInput(f"space: {key}: must be whole numbers with int, was {raw!r}")
    return found if found.step is None else _steps(key, found, found.step)


def _steps(key: str, of: Range, step: float) -> Choices:
    """Return low, low + step, ... in decimals, so that 0.1 + 0.2 is 0.3."""
    low, high, by = (Decimal(repr(number)) for number in (of.low, of.high, step))
    count = int((high - low) / by) + 1
    if count > MOST_VALUES:
        raise BadInput(f"space: {key}: step: must give at most {MOST_VALUES} values, was {count}")
    values = (low + at * by for at in range(count))
    return Choices(tuple(int(value) if of.int else float(value) for value in values), is_ordered=True)


def _examples(dimension: Dimension) -> list[Any]:
    """Return values that are all good only if each one of the dimension is."""
    if isinstance(dimension, Choices):
        return list(dimension.values)
    ends = [dimension.at(dimension.low), dimension.at(dimension.high)]
    # a range of fractions may not pass where whole numbers are wanted
    return ends if dimension.int else [*ends, dimension.low + (dimension.high - dimension.low) / math.pi]


def grid_size(space: Space) -> int:
    """Return how many combinations there are. Raises: BadInput for a range without steps, or too many."""
    for key, dimension in space.items():
        if isinstance(dimension, Range):
            raise BadInput(f'space: {key}: a grid needs a list of values, or a step; or method = "bayes"')
    size = math.prod(len(dimension.values) for dimension in space.values() if isinstance(dimension, Choices))
    if size > MOST_TRIALS:
        raise BadInput(f"space: a grid may have at most {MOST_TRIALS} combinations, has {size}")
    return size


def grid(space: Space) -> Iterator[Values]:
    """Yield every combination, the last key changing fastest. Raises: BadInput, as `grid_size`."""
    grid_size(space)
    lists = [dimension.values for dimension in space.values() if isinstance(dimension, Choices)]
    for values in itertools.product(*lists):
        yield dict(zip(space, values, strict=True))


def effective(values: Values, config: Config) -> Values:
    """Return what counts of a trial's values: a param that its strategy does not have is left out."""
    found = {}
    for key, value in values.items():
        steps = key.split(".")
        if steps[0] == "quoters" and steps[2] == "params":
            name = values.get(strategy_key(steps[1]), config.quoters[steps[1]].strategy)
            if steps[3] not in STRATEGIES[name].params.__struct_fields__:
                continue
        found[key] = value
    return found


def applied(config: Config, values: Values) -> Config:
    """Return a configuration with a trial's values in it.

    Where the trial says which strategy, params of the file that this one does not have are left out.
    """
    tables = msgspec.to_builtins(
        {name: getattr(config, name) for name in ("risk", "signals", "execution", "quoters")}
    )
    put(tables, values)
    quoters = {symbol: msgspec.convert(raw, Quoter) for symbol, raw in tables.pop("quoters").items()}
    return msgspec.structs.replace(config, quoters=quoters, **tables)


def put(tables: dict[str, Any], values: Values) -> None:
    """Write a trial's values into the tables of a configuration file, in place."""
    for key, value in values.items():
        *path, last = key.split(".")
        table = tables
        for step in path:
            table = table.setdefault(step, {})
        table[last] = value
    for key, value in values.items():
        if key.startswith("quoters.") and key.endswith(".strategy"):
            known = STRATEGIES[value].params.__struct_fields__
            params = tables["quoters"][key.split(".")[1]].setdefault("params", {})
            for name in [name for name in params if name not in known]:
                del params[name]
