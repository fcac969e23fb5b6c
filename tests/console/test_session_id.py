"""A run after a crash goes on with the session of risk; one after a clean end does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.console.running.session_id import begin_session, end_session


def test_a_run_after_a_crash_goes_on_with_the_session_and_one_after_its_end_does_not(tmp_path: Path) -> None:
    assert begin_session(tmp_path, 1, goes_on=True) == 1
    assert begin_session(tmp_path, 2, goes_on=True) == 1, "the first did not end as it should"
    end_session(tmp_path)
    assert begin_session(tmp_path, 3, goes_on=True) == 3


def test_a_local_venue_starts_flat_so_nothing_goes_on(tmp_path: Path) -> None:
    assert begin_session(tmp_path, 1, goes_on=False) == 1
    assert begin_session(tmp_path, 2, goes_on=False) == 2


@pytest.mark.parametrize("text", ["", "x", "-3", "²"])
def test_what_cannot_be_read_is_no_session(tmp_path: Path, text: str) -> None:
    (tmp_path / "session_id").write_text(text)
    assert begin_session(tmp_path, 5, goes_on=True) == 5
    end_session(tmp_path / "nowhere")
