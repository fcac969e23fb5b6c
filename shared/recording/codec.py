"""Values of registered types to bytes and back.

MessagePack alone forgets types: a message is an array, a dataclass a map. So beside each value
stands its tag: 0 = plain (None, bool, int, float, str, bytes, and dicts of them), a registered
type's number, or a list that begins with LIST or TUPLE and goes on with the tags of the elements.
The names behind the numbers stand at the beginning of a recording: types may be added later.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, get_type_hints

import msgspec

from shared.instrument import Instrument
from shared.messages import KINDS, Gap, Level, Reject, WorkingOrder
from shared.venues import base, market_data

#: of every core: what is on the bus, and what venues say
COMMON_TYPES: tuple[type, ...] = (
    *KINDS.values(), Gap, Level, WorkingOrder, Reject, Instrument, market_data.RawSnapshot,
    market_data.RawCandles, base.NewOrder,
    base.RateLimit, base.Capabilities, base.Accepted, base.Rejected, base.Unknown, base.VenueOrder,
    base.VenueFill, base.VenuePosition, base.VenueBalance, base.VenueEquity, base.VenueFunding,
)  # fmt: skip
PLAIN, LIST, TUPLE = 0, 1, 2
_PLAIN_TYPES = (type(None), bool, int, float, str, bytes)
_RANGE = "range"
_FIRST_TAG = 3

Tag = Any  # int, or a list of tags: recursive


class Unrecordable(TypeError):
    """A value of a type that is not registered."""


def name_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def fingerprint(types: Iterable[type]) -> int:
    """Return a CRC of every field's name and type: another version of them reads something else."""
    return zlib.crc32(";".join(f"{name_of(kind)}({_fields(kind)})" for kind in types).encode())


def _fields(kind: type) -> str:
    hints = get_type_hints(kind)
    if dataclasses.is_dataclass(kind):
        names: Sequence[str] = [field.name for field in dataclasses.fields(kind)]
    else:
        names = getattr(kind, "__struct_fields__", ())
    return ",".join(f"{name}:{hints[name]}" for name in names)


def _hook(value: object) -> object:
    """Encode what MessagePack has no form for."""
    if isinstance(value, range):
        return value.start, value.stop, value.step
    raise Unrecordable(f"no form for {name_of(type(value))}")


class Codec:
    """The registered types of one kind of core.

    names  of a recording that is read, in the order of their tags; None = those of `types`
    """

    def __init__(self, types: Iterable[type], names: Sequence[str] | None = None) -> None:
        known = {name_of(kind): kind for kind in (*COMMON_TYPES, *types)}
        self.fingerprint = fingerprint(known.values())
        self.names = [*known, _RANGE] if names is None else list(names)
        self._tags: dict[type, int] = dict.fromkeys(_PLAIN_TYPES, PLAIN)
        self._readers: dict[int, Callable[[msgspec.Raw], Any]] = {PLAIN: msgspec.msgpack.Decoder().decode}
        for tag, name in enumerate(self.names, _FIRST_TAG):
            if name == _RANGE:
                self._tags[range] = tag
                self._readers[tag] = _read_range
            elif name in known:
                self._tags[known[name]] = tag
                self._readers[tag] = msgspec.msgpack.Decoder(known[name]).decode
        self._parts = msgspec.msgpack.Decoder(list[msgspec.Raw])
        self.encode = msgspec.msgpack.Encoder(enc_hook=_hook).encode

    def tag(self, value: Any) -> Tag:
        """Return what has to be known to read a value back. Raises: Unrecordable."""
        tag = self._tags.get(type(value))
        if tag is not None:
            return tag
        if type(value) is tuple:
            return [TUPLE, *map(self.tag, value)]
        if type(value) is list:
            return [LIST, *map(self.tag, value)]
        if isinstance(value, dict) and all(
            self.tag(part) == PLAIN for item in value.items() for part in item
        ):
            return PLAIN
        raise Unrecordable(f"{name_of(type(value))} is not registered")

    def read(self, tag: Tag, raw: msgspec.Raw) -> Any:
        """Return the value. Raises: Unrecordable for a type that is not there any more, msgspec errors."""
        if isinstance(tag, list):
            parts = self._parts.decode(raw)
            values = [self.read(one, part) for one, part in zip(tag[1:], parts, strict=True)]
            return tuple(values) if tag[0] == TUPLE else values
        reader = self._readers.get(tag)
        if reader is None:
            index = tag - _FIRST_TAG
            name = self.names[index] if index < len(self.names) else str(tag)
            raise Unrecordable(f"{name} is not known any more")
        return reader(raw)


def _read_range(raw: msgspec.Raw) -> range:
    return range(*msgspec.msgpack.decode(raw, type=tuple[int, int, int]))
