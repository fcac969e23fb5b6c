"""Results: what `run/bench.json` holds, and the tables a person reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
import orjson
from rich.console import Console
from rich.table import Table

from shared.stats import quantile


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """One measurement: either the three quantiles, or one value.

    n     how many samples (a value's: how many events it was made of)
    note  under which conditions, for people
    """

    name: str
    unit: str
    n: int
    p50: float | None = None
    p99: float | None = None
    p999: float | None = None
    value: float | None = None
    note: str = ""


class Bound(msgspec.Struct, frozen=True):
    """`name`'s quantile must be at most `factor` times that of `against`."""

    name: str
    against: str
    quantile: str
    factor: float


BOUNDS = (
    Bound("tick_to_order", "bare_chain", "p50", 1.5),
    Bound("tick_to_order", "bare_chain", "p99", 1.5),
    Bound("tick_to_order", "one_process", "p50", 3.5),
)
MIN_FEED_CAPACITY = 20_000
MIN_SWEEP_SPEEDUP = 1.8
#: columns of a report that nobody looks at in a terminal
PIPE_WIDTH = 120


def distribution(name: str, unit: str, samples: Iterable[float], note: str = "") -> Result:
    """Return the three quantiles of at least one sample. Raises: ValueError without any."""
    ordered = sorted(samples)
    if not ordered:
        raise ValueError(f"{name}: nothing was measured")
    p50, p99, p999 = (round(quantile(ordered, share), 3) for share in (0.5, 0.99, 0.999))
    return Result(name, unit, len(ordered), p50, p99, p999, note=note)


def ratios(results: Sequence[Result]) -> list[Result]:
    """Return, for every bound whose two sides were measured, how they relate."""
    by_name = {result.name: result for result in results}
    found = []
    for bound in BOUNDS:
        ours, theirs = by_name.get(bound.name), by_name.get(bound.against)
        if ours is not None and theirs is not None:
            value = getattr(ours, bound.quantile) / getattr(theirs, bound.quantile)
            name = f"{bound.name}_over_{bound.against}_{bound.quantile}"
            verdict = "met" if value <= bound.factor else "MISSED"
            note = f"bound: at most {bound.factor:g}: {verdict}"
            found.append(Result(name, "x", ours.n, value=round(value, 3), note=note))
    return found


def to_json(machine: Mapping[str, object], results: Sequence[Result]) -> bytes:
    """Return the content of bench.json; `machine` as it was described before the first measurement."""
    document = {"machine": machine, "results": [msgspec.to_builtins(one) for one in results]}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"


def write(path: Path, machine: Mapping[str, object], results: Sequence[Result]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(to_json(machine, results))


def show(results: Sequence[Result]) -> None:
    """Print the results as one table, then under which conditions they were measured."""
    table = Table("benchmark", "unit", "n", "p50", "p99", "p99.9", "value")
    for one in results:
        numbers = [_number(value) for value in (one.p50, one.p99, one.p999, one.value)]
        table.add_row(one.name, one.unit, f"{one.n:,}", *numbers)
    for column in table.columns:
        column.no_wrap = True
    for column in table.columns[2:]:
        column.justify = "right"
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPE_WIDTH)
    console.print(table)
    for one in results:
        if one.note:
            console.print(f"{one.name}: {one.note}", highlight=False, markup=False)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.0f}"
