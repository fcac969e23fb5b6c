"""Records in a file: framed, checked, each chained to the one before it.

    file    = MAGIC, records; the first one is the header
    record  = size, size of its first part, check of these two, check of the parts, the parts

The checks are CRC-32 that go on from the check of the record before. A size has one of its own:
without it a flipped size would look like a last record that was cut off. A last record that was
cut off is what a killed process leaves; everything else that does not fit is damage.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from shared.errors import BadInput, Fatal

MAGIC = b"MAKERD-REC-1\n"
_HEAD = struct.Struct("<IIII")
_SIZES = struct.Struct("<II")
#: no call is larger; what claims to be is not read into memory
LARGEST = 256 * 1024 * 1024


class Damaged(Fatal):
    """A recording is not what was written; the text names the file, the record and the byte."""


class Empty(BadInput):
    """Nothing was recorded: the process was killed before a whole header was written."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is empty: its process was killed before it recorded anything")


class Framer:
    """Turns parts into records; the records of one file must all come from one framer."""

    def __init__(self) -> None:
        self._check = 0

    def frame(self, first: bytes, second: bytes) -> bytes:
        """Return the next record."""
        size, first_size = len(first) + len(second), len(first)
        size_check = zlib.crc32(_SIZES.pack(size, first_size), self._check)
        self._check = zlib.crc32(second, zlib.crc32(first, size_check))
        return _HEAD.pack(size, first_size, size_check, self._check) + first + second


class Records:
    """The records of a file, one after the other, in bounded memory.

    unfinished  bytes of a last record that was cut off, known at the end; 0 = it ends with a whole one
    bytes_read  of whole records so far
    """

    def __init__(self, path: Path) -> None:
        """Raises: BadInput for what cannot be read, Empty, Damaged for what is no recording."""
        self.path = path
        self.unfinished = 0
        self._check = 0
        self._count = 0
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise BadInput(f"{path} cannot be read: {error.strerror}") from None
        magic = self._file.read(len(MAGIC))
        if magic != MAGIC:
            self._file.close()
            if len(magic) < len(MAGIC) and MAGIC.startswith(magic):
                raise Empty(path)
            raise Damaged(f"{path} is no recording: it does not begin like one")
        self.bytes_read = len(MAGIC)

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield the two parts of each record. Raises: Damaged."""
        with self._file:
            while (parts := self._next()) is not None:
                yield parts

    def _next(self) -> tuple[bytes, bytes] | None:
        head = self._file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            self.unfinished = len(head)
            return None
        size, first_size, size_check, check = _HEAD.unpack(head)
        if zlib.crc32(head[: _SIZES.size], self._check) != size_check or first_size > size or size > LARGEST:
            raise self._damage("its sizes are")
        body = self._file.read(size)
        if len(body) < size:
            self.unfinished = len(head) + len(body)
            return None
        if zlib.crc32(body, size_check) != check:
            raise self._damage("its content is")
        self._check = check
        self._count += 1
        self.bytes_read += len(head) + size
        return body[:first_size], body[first_size:]

    def _damage(self, what: str) -> Damaged:
        where = f"record {self._count} at byte {self.bytes_read}"
        return Damaged(f"{self.path}: {where}: {what} not what was written")
