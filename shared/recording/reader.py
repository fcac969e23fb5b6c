"""Recordings, read back: the calls of a core one by one, or what market data said in a run.

for now_ns, message in market_messages(run_dir, "backpack"):
    ...  # InstrumentInfo, Top, Depth, Trade, Mark, FeedState, in the order they were published
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from shared.errors import BadInput
from shared.messages import Message
from shared.recording.codec import Codec, Unrecordable
from shared.recording.core import RAISED, Header
from shared.recording.file import END
from shared.recording.framing import Damaged, Empty, Records
from shared.recording.settings import SUFFIX, directory_of

_ASKED = msgspec.msgpack.Decoder(tuple[int, Any, msgspec.Raw])
_OUTCOME = msgspec.msgpack.Decoder(tuple[Any, msgspec.Raw])
_END = msgspec.msgpack.Decoder(tuple[str, int])
_HEADER = msgspec.msgpack.Decoder(Header)


#: what the bytes of another version, or of no version, lead to
_UNREADABLE = (msgspec.MsgspecError, Unrecordable, ValueError, IndexError, TypeError)


@dataclass(frozen=True, slots=True)
class Call:
    """One recorded call. `number` counts from 1; `outcome` is as it was written, to be compared."""

    number: int
    method: str
    arguments: tuple[Any, ...]
    now_ns: int | None
    outcome: bytes


@dataclass(frozen=True, slots=True)
class Raised:
    """What a call raised."""

    kind: str
    text: str


class Recording:
    """One recording.

    header      how it began
    ending      why it ended; "" = it has not (yet): the process was killed, or lives
    unfinished  bytes of a last record that was cut off
    """

    def __init__(self, path: Path, types_of: Callable[[str], tuple[type, ...]] = lambda _kind: ()) -> None:
        """types_of: the types of a kind of core. Raises: BadInput for what is not there, Empty, Damaged."""
        self.path = path
        self.ending = ""
        self._records = Records(path)
        self._iterator = iter(self._records)
        first = next(self._iterator, None)
        if first is None:
            raise Empty(path)
        try:
            self.header = _HEADER.decode(first[0])
        except msgspec.MsgspecError as error:
            raise Damaged(f"{path}: its header is that of another version: {error}") from None
        self._values = first[1]
        self.codec = Codec(types_of(self.header.kind), self.header.types)

    @property
    def unfinished(self) -> int:
        return self._records.unfinished

    @property
    def bytes_read(self) -> int:
        return self._records.bytes_read

    def values(self) -> tuple[Any, ...]:
        """Return what the core was built of. Raises: Damaged."""
        return tuple(self.outcome_of(self._values))

    def calls(self) -> Iterator[Call]:
        """Yield each call, once. Raises: Damaged."""
        for number, (asked, outcome) in enumerate(self._iterator, 1):
            if self.ending:
                raise Damaged(f"{self.path}: it goes on after its end")
            call = self._call(number, asked, outcome)
            if call is not None:
                yield call

    def _call(self, number: int, asked: bytes, outcome: bytes) -> Call | None:
        try:
            method, tag, raw = _ASKED.decode(asked)
            if method == END:
                self.ending = _END.decode(raw)[0]
                return None
            arguments = self.codec.read(tag, raw)
            at = self.header.times[method]
            now_ns = arguments[at] if 0 <= at < len(arguments) else None
            return Call(number, self.header.methods[method], arguments, now_ns, outcome)
        except _UNREADABLE as error:
            raise Damaged(f"{self.path}: call {number} cannot be read: {error}") from None

    def outcome_of(self, outcome: bytes) -> Any:
        """Return what a call returned; a `Raised` where it raised. Raises: Damaged."""
        try:
            tag, raw = _OUTCOME.decode(outcome)
            if tag == RAISED:
                return Raised(*msgspec.msgpack.decode(raw, type=tuple[str, str]))
            return self.codec.read(tag, raw)
        except _UNREADABLE as error:
            raise Damaged(f"{self.path}: an outcome cannot be read: {error}") from None

    def messages(self) -> Iterator[tuple[int, Message]]:
        """Yield (monotonic time, message) of every message that the core returned. Raises: Damaged."""
        now_ns = self.header.monotonic_ns
        for call in self.calls():
            now_ns = now_ns if call.now_ns is None else call.now_ns
            outcome = self.outcome_of(call.outcome)
            if isinstance(outcome, list | tuple):
                for message in outcome:
                    if isinstance(message, Message):
                        yield now_ns, message


def market_messages(run: Path, venue: str) -> Iterator[tuple[int, Message]]:
    """Yield (monotonic time, message) of all that was recorded of a venue's market data in a run directory.

    A restart of market data is seen as it was: the next recording begins with its own FeedStates.
    Raises: BadInput where nothing is recorded, Damaged.
    """
    for recording in market_recordings(run, venue):
        yield from recording.messages()


def market_recordings(run: Path, venue: str) -> Iterator[Recording]:
    """Yield each recording of a venue's market data that holds anything, the oldest first.

    Raises: BadInput where nothing is recorded, Damaged.
    """
    directory = directory_of(run) / f"marketdata.{venue}"
    paths = sorted(directory.glob(f"*{SUFFIX}"))
    if not paths:
        raise BadInput(f"{directory} holds no recording; `makerd record on`, then `makerd run`")
    yield from opened(paths)


def opened(paths: Iterable[Path]) -> Iterator[Recording]:
    """Yield the recordings that hold anything: a process that was killed at once leaves an empty one.

    Raises: BadInput, Damaged
    """
    for path in paths:
        try:
            recording = Recording(path)
        except Empty:
            continue
        yield recording
