"""Whatever records a file holds: they are read as they were written, and no other bytes are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import BadInput
from shared.recording.framing import Damaged, Records
from tests.replay.recorded_cores import parts_of, write

_PARTS = st.lists(st.tuples(st.binary(max_size=40), st.binary(max_size=40)), min_size=1, max_size=5)
_MANY = settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_MANY
@given(_PARTS)
def test_records_come_back_as_they_were_written(tmp_path: Path, parts: list[tuple[bytes, bytes]]) -> None:
    path = write(tmp_path / "any.rec", parts)
    records = Records(path)
    assert list(records) == parts
    assert (records.unfinished, records.bytes_read) == (0, path.stat().st_size)


@_MANY
@given(_PARTS, st.data())
def test_no_other_byte_goes_unseen(
    tmp_path: Path, parts: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    path = write(tmp_path / "any.rec", parts)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    with pytest.raises((Damaged, BadInput)):
        parts_of(path)
