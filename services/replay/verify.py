"""The same decisions: the recorded calls are made again, and what comes out is compared byte for byte.

A process that was killed leaves a recording without an end, perhaps with a last record that was
cut off: that is legal, and said. A byte that is not what was written is not, nor is an outcome
that the same core does not give again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from services.execution.recorded import EXECUTION
from services.marketdata.recorded import MARKETDATA
from services.quoter.recorded import QUOTER
from services.risk.recorded import RISK
from services.signals.recorded import SIGNALS
from shared.clock import NS_PER_S
from shared.errors import BadInput, MakerdError
from shared.recording.codec import Unrecordable
from shared.recording.core import CoreKind, encode_outcome, encode_raised
from shared.recording.file import STOPPED
from shared.recording.framing import Damaged, Empty
from shared.recording.reader import Call, Raised, Recording
from shared.recording.settings import SUFFIX, is_being_written, recordings_in

CORES: dict[str, CoreKind[Any]] = {kind.name: kind for kind in (MARKETDATA, SIGNALS, QUOTER, RISK, EXECUTION)}
#: calls between two looks at the progress
LOOK_CALLS = 2_000
#: longest text of one value in a report
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one recording.

    service   "" where even the header cannot be read; of an empty recording, whose directory it is in
    outputs   messages and requests that came out the same
    problem   what is not the same, or not as it was written; "" = nothing
    note      how it ends, where not with a stop of its process
    """

    path: Path
    service: str
    calls: int
    outputs: int
    duration_s: float
    problem: str
    note: str


class _Differs(MakerdError):
    """A call does not give what it gave."""


def recordings_of(run: Path) -> list[Path]:
    """Return the recordings of a run directory, or the one recording that is meant. Raises: BadInput."""
    if run.is_file():
        return [run]
    if not run.is_dir():
        raise BadInput(f"--verify {run}: neither a run directory nor a recording")
    found = recordings_in(run) or sorted(run.glob(f"**/*{SUFFIX}"))
    if not found:
        raise BadInput(f"--verify {run}: nothing is recorded there; `makerd record on`, then `makerd run`")
    return found


def verify(path: Path, on_progress: Callable[[int], None] = lambda _bytes_read: None) -> Verdict:
    """Make the calls of one recording again. Raises: nothing that is wrong with it; that is the verdict.

    on_progress  told how many bytes are done, now and then
    """
    is_alive = is_being_written(path)
    try:
        recording = Recording(path, _types_of)
    except Empty:  # what is recorded is written four times a second: a start may leave none of it
        note = "still being recorded" if is_alive else "killed before anything was recorded"
        return Verdict(path, path.parent.name, 0, 0, 0.0, "", note)
    except MakerdError as error:
        return Verdict(path, "", 0, 0, 0.0, str(error), "")
    count = _Count()
    try:
        _make_again(recording, count, on_progress)
        problem = ""
    except (Damaged, _Differs) as error:
        problem = str(error)
    note = "" if problem else _note(recording, is_alive)
    duration_s = (count.last_ns - recording.header.monotonic_ns) / NS_PER_S if count.last_ns else 0.0
    return Verdict(path, recording.header.service, count.calls, count.outputs, duration_s, problem, note)


@dataclass(slots=True)
class _Count:
    calls: int = 0
    outputs: int = 0
    last_ns: int = 0


def _types_of(kind: str) -> tuple[type, ...]:
    return CORES[kind].types if kind in CORES else ()


def _make_again(recording: Recording, count: _Count, on_progress: Callable[[int], None]) -> None:
    """Raises: Damaged, _Differs."""
    header, codec = recording.header, recording.codec
    kind = CORES.get(header.kind)
    if kind is None or header.fingerprint != codec.fingerprint or header.methods != list(kind.methods()):
        raise Damaged(f"{recording.path}: recorded by another version of the program: not to be compared")
    try:
        core = kind.build(*recording.values())
    except MakerdError as error:
        raise _Differs(f"{header.service}: its core cannot be built any more: {error}") from None
    for call in recording.calls():
        outcome, encoded = _call_again(core, codec, call)
        if encoded != call.outcome:
            raise _Differs(_difference(recording, call, outcome))
        count.calls += 1
        count.outputs += len(outcome) if isinstance(outcome, list | tuple) else 0
        count.last_ns = call.now_ns or count.last_ns
        if count.calls % LOOK_CALLS == 0:
            on_progress(recording.bytes_read)


def _call_again(core: Any, codec: Any, call: Call) -> tuple[Any, bytes]:
    """Return what a call gives now, and its bytes."""
    try:
        outcome = getattr(core, call.method)(*call.arguments)
        if isinstance(outcome, Iterator):
            outcome = list(outcome)
    except Exception as error:  # noqa: BLE001 - whatever it raises is its outcome, to be compared
        return Raised(type(error).__name__, str(error)), encode_raised(codec, error)
    try:
        return outcome, encode_outcome(codec, outcome)
    except Unrecordable:  # nothing of that type was ever recorded
        return outcome, b""


def _note(recording: Recording, is_alive: bool) -> str:
    if recording.ending == STOPPED:
        return ""
    if recording.ending:
        return f"recorded until: {recording.ending}"
    if is_alive:
        return "still being recorded"
    if recording.unfinished:
        return f"killed: {recording.unfinished} bytes of a last record that was cut off are left out"
    return "killed"


# --- what is not the same, for people ---------------------------------------------------------


def _difference(recording: Recording, call: Call, now: Any) -> str:
    recorded = recording.outcome_of(call.outcome)
    moment = ""
    if call.now_ns is not None:
        moment = f" at {(call.now_ns - recording.header.monotonic_ns) / NS_PER_S:.6f} s"
    where = f"{recording.header.service}: call {call.number}, {call.method}{moment}"
    return f"{where}: {_compared(recorded, now)}; {recording.path}"


def _compared(recorded: Any, now: Any) -> str:
    if isinstance(recorded, list | tuple) and isinstance(now, list | tuple):
        if len(recorded) != len(now):
            return f"recorded {len(recorded)} outputs {_short(recorded)}, now {len(now)} {_short(now)}"
        pairs = zip(recorded, now, strict=True)
        differing = ((number, was, is_) for number, (was, is_) in enumerate(pairs, 1) if was != is_)
        number, was, is_ = next(differing, (0, None, None))
        if number:
            return f"output {number} of {len(now)}: {_fields_that_differ(was, is_)}"
    return f"recorded {_short(recorded)}, now {_short(now)}"


def _fields_that_differ(was: Any, now: Any) -> str:
    names = _field_names(type(was))
    if type(was) is not type(now) or not names:
        return f"recorded {_short(was)}, now {_short(now)}"
    parts = [
        f"{name} was {_short(getattr(was, name))}, is {_short(getattr(now, name))}"
        for name in names
        if getattr(was, name) != getattr(now, name)
    ]
    return f"{type(now).__name__} of {getattr(now, 'symbol', '-')}: {'; '.join(parts)}"


def _field_names(kind: type) -> tuple[str, ...]:
    if issubclass(kind, msgspec.Struct):
        return kind.__struct_fields__
    if dataclasses.is_dataclass(kind):
        return tuple(field.name for field in dataclasses.fields(kind))
    return ()


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
