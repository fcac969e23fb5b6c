"""Private directories: nobody else may enter, every process finds the same one, sockets fit."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from shared.errors import BadInput
from shared.private_dir import private_directory

LONGEST_NAME = f"marketdata.{'v' * 32}.ipc"


@pytest.mark.parametrize("length", [10, 50, 54, 55, 56, 60, 90])
def test_a_socket_with_the_longest_name_fits_however_long_the_run_directory_is(length: int) -> None:
    run_dir = Path(f"/tmp/m{os.getpid()}")
    run_dir = run_dir.with_name(run_dir.name.ljust(length - len("/tmp/"), "d"))
    try:
        directory = private_directory(run_dir, "bus")
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(directory / LONGEST_NAME))
        (directory / LONGEST_NAME).unlink()
        directory.rmdir()
    finally:
        if run_dir.exists():
            run_dir.rmdir()


def test_the_stand_in_does_not_depend_on_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dir = tmp_path / ("d" * 90)
    first = private_directory(run_dir, "bus")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert private_directory(run_dir, "bus") == first
    assert private_directory(run_dir, "redis") != first
    first.rmdir()
    private_directory(run_dir, "redis").rmdir()


def test_a_directory_that_others_may_enter_is_refused() -> None:
    run_dir = Path(f"/tmp/m{os.getpid()}open")
    (run_dir / "bus").mkdir(parents=True)
    (run_dir / "bus").chmod(0o755)
    try:
        with pytest.raises(BadInput, match="must belong to this user with mode 700"):
            private_directory(run_dir, "bus")
    finally:
        (run_dir / "bus").rmdir()
        run_dir.rmdir()
