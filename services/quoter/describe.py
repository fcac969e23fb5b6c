"""What there is to choose: the strategies and their params, for people (`makerd strategies`).

One source: ranges and defaults are read from the annotations, texts from the docstrings of the
params, where an entry is a name (or several, with commas) and its text; deeper lines go on:

    flow_threshold  ratio of taker buying to selling from which the side is the ask
                    (its inverse: the bid)
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.inspect import (
    BoolType,
    Field,
    FloatType,
    IntType,
    LiteralType,
    Metadata,
    NoneType,
    StructType,
    Type,
    UnionType,
    type_info,
)

from services.quoter.strategies.base import Params, Strategy

#: last word of a name -> unit
UNITS = {
    "ticks": "ticks", "s": "s", "pct": "%", "usd": "quote units", "bps": "bps", "ppm": "ppm", "ns": "ns",
    "quantity": "base units", "position": "base units",
}  # fmt: skip
#: a text may begin with its unit
_UNIT_FIRST = re.compile(r"(base units|quote units|share|ratio|ticks|seconds|percent|levels|orders)\b")
_BOUNDS = (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤"))


@dataclass(frozen=True, slots=True)
class Parameter:
    """One param. default: None = left out, or none where it is required."""

    name: str
    unit: str
    range: str
    is_required: bool
    default: Any
    text: str


@dataclass(frozen=True, slots=True)
class Description:
    """A strategy: one line, and each of its params, its own first."""

    name: str
    summary: str
    parameters: tuple[Parameter, ...]


def describe(strategy: Strategy[Any, Any, Any]) -> Description:
    """Return what a person may want to know before choosing a strategy."""
    texts = texts_of(strategy.params)
    info = type_info(strategy.params)
    assert isinstance(info, StructType), "params are a struct"
    common = Params.__struct_fields__
    fields = sorted(info.fields, key=lambda field: field.name in common)  # stable: else as declared
    parameters = tuple(_parameter(field, texts.get(field.name, "")) for field in fields)
    return Description(strategy.name, summary_of(strategy), parameters)


def summary_of(strategy: Strategy[Any, Any, Any]) -> str:
    """Return the strategy's own line, or the first one of the file in which its params are."""
    module = sys.modules[strategy.params.__module__]
    return strategy.summary or (module.__doc__ or "").partition("\n")[0].strip()


def texts_of(params: type[msgspec.Struct]) -> dict[str, str]:
    """Return the documented fields with their texts; what a subclass says overrides."""
    texts: dict[str, str] = {}
    for kind in reversed(params.__mro__):
        texts |= dict(_entries(vars(kind).get("__doc__") or "", params.__struct_fields__))
    return texts


def _entries(doc: str, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the fields that a docstring documents; an entry ends at a line no deeper than its name."""
    word = "|".join(map(re.escape, names)) or "(?!)"
    start = re.compile(rf"((?:{word})(?:,\s*(?:{word}))*)\s+(\S.*)")
    named: list[str] = []
    text: list[str] = []
    for line in [*inspect.cleandoc(doc).splitlines()[1:], "."]:
        begun = start.fullmatch(line.rstrip())
        if line[:1].isspace() and named:
            text.append(line.strip())
            continue
        yield from ((name, " ".join(filter(None, text))) for name in named)
        named, text = (re.split(r",\s*", begun[1]), [begun[2]]) if begun else ([], [])


def _parameter(field: Field, text: str) -> Parameter:
    unit = _unit_in(field.type) or UNITS.get(field.name.rpartition("_")[2], "")
    if not unit:
        first = _UNIT_FIRST.match(text)
        unit = first[1] if first else ""
    return Parameter(field.name, unit, range_of(field.type), field.required, default_of(field), text)


def _unit_in(kind: Type) -> str:
    """Return the unit that an annotation names, `Meta(extra={"unit": ...})`."""
    if isinstance(kind, UnionType):
        return next(filter(None, map(_unit_in, kind.types)), "")
    if isinstance(kind, Metadata):
        return str((kind.extra or {}).get("unit", "")) or _unit_in(kind.type)
    return ""


def range_of(kind: Type) -> str:
    """Return what values a type takes, as in the README: "≥ 0, ≤ 1", "skip / raise", "true / false"."""
    if isinstance(kind, Metadata):
        return range_of(kind.type)
    if isinstance(kind, UnionType):
        return " or ".join(range_of(part) for part in kind.types if not isinstance(part, NoneType))
    if isinstance(kind, BoolType):
        return "true / false"
    if isinstance(kind, LiteralType):
        return " / ".join(map(str, kind.values))
    if isinstance(kind, FloatType | IntType):
        bounds = ((sign, getattr(kind, name)) for name, sign in _BOUNDS)
        said = ", ".join(f"{sign} {bound:g}" for sign, bound in bounds if bound is not None)
        return said if isinstance(kind, FloatType) else f"whole, {said}".removesuffix(", ")
    return type(kind).__name__.removesuffix("Type").lower()


def default_of(field: Field) -> Any:
    """Return the value of a param that is not written."""
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return None if field.default is msgspec.NODEFAULT else field.default
