"""The core that is recorded: to its shell a core like any other.

Every call of a public method is recorded with its arguments and its outcome, as bytes, before
the shell sees it. Everything else is read from the core as it is, and nothing may be set.
Where recording is off the shell gets the bare core.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeVar, cast

import msgspec

from shared.config import Config
from shared.recording.codec import Codec
from shared.recording.file import RecordingFile, begin
from shared.service import Service

C = TypeVar("C")
#: in place of an outcome's tag: the call raised
RAISED = -1


@dataclass(frozen=True, slots=True)
class CoreKind(Generic[C]):
    """What has to be known of a kind of core to record it and to make its calls again.

    core   the class
    build  makes one of plain or registered values: the process and the verification alike
    types  what its calls take and return beside the common types
    reads  public methods that are not recorded, because shells do not call them
    """

    name: str
    core: type[C]
    build: Callable[..., C]
    types: tuple[type, ...] = ()
    reads: tuple[str, ...] = ()

    def codec(self) -> Codec:
        return Codec(self.types)

    def methods(self) -> dict[str, Callable[..., Any]]:
        """Return the methods whose calls are recorded, in a fixed order."""
        names = sorted(name for name in dir(self.core) if not name.startswith("_") and name not in self.reads)
        found = {name: inspect.getattr_static(self.core, name) for name in names}
        return {name: method for name, method in found.items() if inspect.isfunction(method)}


class Header(msgspec.Struct, frozen=True):
    """The beginning of a recording.

    types        names of the types, in the order of their tags
    fingerprint  of these types' fields
    methods      names of the methods, by their numbers; times: which argument is the time, -1 = none
    """

    service: str
    kind: str
    types: list[str]
    fingerprint: int
    methods: list[str]
    times: list[int]
    wall_ns: int
    monotonic_ns: int
    pid: int
    python: str


def live_core(kind: CoreKind[C], service: Service, config: Config, *values: Any) -> C:
    """Return a new core, recorded where `makerd record on` has said so.

    values  what `kind.build` makes it of
    """
    file = begin(config.run_dir, service.name, config.recording, service.clock, service.loop.every)
    if file is None:
        return kind.build(*values)
    service.on_close.append(file.close)
    return recorded(kind, file, service.name, service.clock.wall_ns(), service.clock.monotonic_ns(), *values)


def recorded(
    kind: CoreKind[C], file: RecordingFile, service: str, wall_ns: int, monotonic_ns: int, *values: Any
) -> C:
    """Return a new core whose calls go into `file`."""
    codec, methods = kind.codec(), kind.methods()
    header = Header(
        service, kind.name, codec.names, codec.fingerprint, list(methods),
        [_time_of(method) for method in methods.values()], wall_ns, monotonic_ns, os.getpid(),
        sys.version.split()[0],
    )  # fmt: skip
    file.append(msgspec.msgpack.encode(header), codec.encode((codec.tag(values), values)))
    return cast("C", RecordedCore(kind.build(*values), codec, file, list(methods)))


#: what arguments that are the time are called, the surest first
TIME_NAMES = ("now_ns", "_now_ns", "recv_ns", "sent_ns")


def _time_of(method: Callable[..., Any]) -> int:
    names = list(inspect.signature(method).parameters)[1:]
    return next((names.index(name) for name in TIME_NAMES if name in names), -1)


class RecordedCore:
    """A core whose public methods are recorded."""

    def __init__(self, core: object, codec: Codec, file: RecordingFile, methods: list[str]) -> None:
        self.__dict__["_core"] = core
        for number, name in enumerate(methods):
            self.__dict__[name] = _recorded(number, getattr(core, name), codec, file)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._core, name)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{name}: a core changes by its methods alone, or its recording is not whole")


def _recorded(
    number: int, method: Callable[..., Any], codec: Codec, file: RecordingFile
) -> Callable[..., Any]:
    tag, encode, append = codec.tag, codec.encode, file.append
    signature = inspect.signature(method)

    def call(*arguments: Any, **named: Any) -> Any:
        if not file.is_open:
            return method(*arguments, **named)
        if named:
            bound = signature.bind(*arguments, **named)
            bound.apply_defaults()
            arguments = bound.args
        try:
            asked = encode((number, tag(arguments), arguments))
        except (TypeError, OverflowError, msgspec.EncodeError) as error:
            file.end(f"the arguments of {method.__name__}: {error}")
            return method(*arguments)
        try:
            outcome = method(*arguments)
            if isinstance(outcome, Iterator):
                outcome = list(outcome)
        except BaseException as error:
            append(asked, encode_raised(codec, error))
            raise
        try:
            append(asked, encode_outcome(codec, outcome))
        except (TypeError, OverflowError, msgspec.EncodeError) as error:
            file.end(f"what {method.__name__} returned: {error}")
        return outcome

    return call


def encode_outcome(codec: Codec, outcome: Any) -> bytes:
    """Return what a call returned, as it is recorded and compared. Raises: Unrecordable."""
    return codec.encode((codec.tag(outcome), outcome))


def encode_raised(codec: Codec, error: BaseException) -> bytes:
    return codec.encode((RAISED, (type(error).__name__, str(error))))
