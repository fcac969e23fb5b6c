"""What is recorded can be read back: every registered type, with everything in it and with nothing."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.replay.verify import CORES
from shared.recording.codec import COMMON_TYPES, Codec, Unrecordable, name_of

TYPES = {
    name_of(kind): kind for kind in (*COMMON_TYPES, *(one for core in CORES.values() for one in core.types))
}
_PAIR = msgspec.msgpack.Decoder(tuple[Any, msgspec.Raw])


def sample(hint: Any, is_full: bool) -> Any:
    """Return a value of a hint: `is_full` = nothing in it is absent or empty."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        is_empty = type(None) in arguments and not is_full
        return None if is_empty else sample(arguments[0], is_full)
    if origin is Literal:
        return arguments[-1]
    if origin is Annotated:
        return within(arguments[0], arguments[1], is_full)
    if origin is tuple and arguments[-1:] != (...,):
        return tuple(sample(one, is_full) for one in arguments)
    if origin in (tuple, list, Sequence):
        values = [sample(arguments[0], is_full)] * 2 if is_full else []
        return tuple(values) if origin is tuple else values
    if origin in (dict, Mapping):
        return {sample(arguments[0], True): sample(arguments[1], True)} if is_full else {}
    return leaf(hint, is_full)


def within(kind: Any, rule: Any, is_full: bool) -> Any:
    """Return a value at the edge of what a setting allows."""
    if kind is str:
        return "main"
    low = rule.ge if rule.ge is not None else rule.gt + 0.001
    return kind(rule.le if is_full else low)


def leaf(kind: Any, is_full: bool) -> Any:
    if kind in (Any, object, str):
        return "a ≠ b" if is_full else ""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return list(kind)[-1 if is_full else 0]
    plain = {int: (2**63 - 1, -(2**63)), float: (0.1 + 0.2, -1e-300), bool: (True, False),
             Decimal: (Decimal("1.50"), Decimal("-0E-8"))}  # fmt: skip
    if kind in plain:
        return plain[kind][0 if is_full else 1]
    return instance(kind, is_full)


def instance(kind: type, is_full: bool) -> Any:
    hints = get_type_hints(kind, include_extras=True)
    names = (
        [field.name for field in dataclasses.fields(kind)]
        if dataclasses.is_dataclass(kind)
        else list(getattr(kind, "__struct_fields__"))  # noqa: B009
    )
    return kind(**{name: sample(hints[name], is_full) for name in names})


def read_back(codec: Codec, value: Any) -> Any:
    tag, raw = _PAIR.decode(codec.encode((codec.tag(value), value)))
    return codec.read(tag, raw)


@pytest.mark.parametrize("is_full", [True, False], ids=["full", "empty"])
@pytest.mark.parametrize("name", TYPES)
def test_every_registered_type_comes_back_as_it_was(name: str, is_full: bool) -> None:
    codec = Codec(tuple(TYPES.values()))
    value = instance(TYPES[name], is_full)
    back = read_back(codec, value)
    assert type(back) is type(value)
    assert back == value
    assert codec.encode(back) == codec.encode(value)


@pytest.mark.parametrize(
    "value",
    [
        None, True, -1, 2**63 - 1, 0.1, "text", b"\x00\xff", {"ALL": "why"}, {}, [], (), range(3, 9),
        range(0), [b"frame", b"another"], (1, [2, (3,)], None), [range(2)],
    ],
)  # fmt: skip
def test_plain_values_and_nested_lists_come_back_as_they_were(value: object) -> None:
    back = read_back(Codec(()), value)
    assert back == value and type(back) is type(value)


_ATOMS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"])) | st.binary()
)  # fmt: skip
_VALUES = st.recursive(
    _ATOMS | st.dictionaries(st.text(max_size=3), _ATOMS, max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.lists(inner, max_size=4).map(tuple),
    max_leaves=12,
)


@settings(max_examples=50)
@given(_VALUES)
def test_any_nest_of_plain_values_comes_back_as_it_was(value: object) -> None:
    codec = Codec(())
    tag, raw = _PAIR.decode(codec.encode((codec.tag(value), value)))
    back = codec.read(tag, raw)
    assert repr(back) == repr(value)


class Stranger:
    """Not registered."""


@pytest.mark.parametrize("value", [Stranger(), [Stranger()], {"a": Stranger()}, {1, 2}, Decimal(1)])
def test_what_is_not_registered_is_refused_by_name(value: object) -> None:
    codec = Codec(())
    with pytest.raises(Unrecordable, match="not registered"):
        codec.tag(value)


def test_a_type_that_was_dropped_since_is_named() -> None:
    old = Codec(())
    names = ["gone.Type" if name == "range" else name for name in old.names]
    with pytest.raises(Unrecordable, match=r"gone\.Type is not known any more"):
        read_back_with(old, Codec((), names), range(3))


def read_back_with(writer: Codec, reader: Codec, value: object) -> Any:
    tag, raw = _PAIR.decode(writer.encode((writer.tag(value), value)))
    return reader.read(tag, raw)


def test_other_fields_are_another_fingerprint() -> None:
    one, other = (msgspec.defstruct("Same", [("value", kind)]) for kind in (int, str))
    assert Codec((one,)).fingerprint != Codec((other,)).fingerprint
