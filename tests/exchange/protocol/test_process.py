"""The venue as a process: ready file, exit codes, signals, a lost parent, recordings, price jumps."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

_ROOT = Path(__file__).resolve().parents[3]


def _command(ready_file: Path, *arguments: str) -> list[str]:
    base = [sys.executable, "-m", "services.exchange", "--venue", "backpack", "--ready-file", str(ready_file)]
    return [*base, *arguments]


Start = Callable[..., tuple[subprocess.Popen[bytes], dict[str, Any]]]


def _await(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _text(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    processes: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
        ready_file = tmp_path / "venue.json"
        before = _text(ready_file)
        process = subprocess.Popen(
            _command(ready_file, *arguments), cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        processes.append(process)
        _await(lambda: _text(ready_file) not in (None, before) or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        return process, json.loads(ready_file.read_text())

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _get(ready: dict[str, Any], path: str, **params: str) -> Any:
    return requests.get(ready["rest"] + path, params=params, timeout=10).json()


def test_the_ready_file_is_private_and_tells_where_the_venue_serves(start: Start, tmp_path: Path) -> None:
    (tmp_path / "venue.json").write_text("stale")
    (tmp_path / "venue.json").unlink()
    process, ready = start()
    assert stat.S_IMODE((tmp_path / "venue.json").stat().st_mode) == 0o600
    assert sorted(ready) == ["accounts", "control", "rest", "venue", "ws"]
    assert [account["name"] for account in ready["accounts"]] == ["maker", "other"]
    assert len(_get(ready, "/api/v1/markets")) == 4
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=10) == (b"", b"")
    assert process.returncode == 0
    assert not (tmp_path / "venue.json").exists()


def test_an_interrupt_ends_it_cleanly_and_closes_its_sockets(start: Start) -> None:
    process, ready = start()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 0
    with pytest.raises(requests.ConnectionError):
        _get(ready, "/api/v1/time")


def _refused(tmp_path: Path, *arguments: str) -> str:
    command = _command(tmp_path / "refused.json", *arguments)
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (78, b"")
    assert not (tmp_path / "refused.json").exists()
    (line,) = done.stderr.decode().splitlines()
    return line


def test_a_port_in_use_is_one_line_and_exit_code_78(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        line = _refused(tmp_path, "--port", str(port))
    assert line.startswith(f"exchange: port {port}: cannot listen on 127.0.0.1: ")


def test_a_second_venue_leaves_a_running_ones_ready_file_alone(start: Start, tmp_path: Path) -> None:
    process, ready = start()
    done = subprocess.run(
        _command(tmp_path / "venue.json"), cwd=_ROOT, capture_output=True, timeout=20, check=False
    )
    assert done.returncode == 78
    (line,) = done.stderr.decode().splitlines()
    assert line == f"exchange: ready file {tmp_path / 'venue.json'}: belongs to a venue that is running"
    assert json.loads((tmp_path / "venue.json").read_text()) == ready
    process.kill()
    process.wait(10)
    _, again = start()  # what was left behind by a venue that was killed is nobody's
    assert again["rest"] != ready["rest"] or again["accounts"] != ready["accounts"]


def test_a_ready_file_that_cannot_be_one_is_one_line_and_exit_code_78(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "file").write_text("")
    for path, word in ((tmp_path / "taken", "directory"), (tmp_path / "file" / "venue.json", "")):
        done = subprocess.run(_command(path), cwd=_ROOT, capture_output=True, timeout=20, check=False)
        assert (done.returncode, done.stdout) == (78, b"")
        (line,) = done.stderr.decode().splitlines()
        assert line.startswith(f"exchange: ready file {path}: cannot be written: ")
        assert word in line


def test_a_truncated_recording_is_one_line_and_exit_code_78(tmp_path: Path) -> None:
    path = tmp_path / "ethusdt.gz"
    path.write_bytes(gzip.compress(b"1 {}\n" * 1000)[:-9])
    line = _refused(tmp_path, "--market", f"replay:{path}")
    assert line == f"exchange: {path}: truncated, the gzip stream has no end"


def _recording(path: Path, stream: str) -> Path:
    base_ns = 1_700_000_000_000_000_000
    snapshot = {
        "lastUpdateId": 10,
        "E": 1,
        "T": 1,
        "bids": [["2000.10", "1.5"]],
        "asks": [["2000.30", "2.5"]],
    }
    trade = {"e": "trade", "E": 2, "T": 2, "p": "2000.10", "q": "0.5", "m": True}
    frames = [snapshot, {"stream": f"{stream}@trade", "data": trade}]
    lines = [
        f"{base_ns + n * 300_000_000} {json.dumps(f, separators=(',', ':'))}" for n, f in enumerate(frames)
    ]
    path.write_bytes(gzip.compress("\n".join(lines).encode() + b"\n"))
    return path


def test_a_recording_is_served_as_its_perpetual_until_it_ends(start: Start, tmp_path: Path) -> None:
    path = _recording(tmp_path / "recording.gz", "ethusdt")
    _, ready = start("--market", f"replay:{path}")
    assert [market["symbol"] for market in _get(ready, "/api/v1/markets")] == ["ETH_USDC_PERP"]
    _await(lambda: bool(requests.get(f"{ready['control']}/_control/state", timeout=10).json()["finished"]))
    assert _get(ready, "/api/v1/market", symbol="ETH_USDC_PERP")["orderBookState"] == "Closed"
    (trade,) = _get(ready, "/api/v1/trades", symbol="ETH_USDC_PERP")
    assert (trade["price"], trade["quantity"]) == ("2000.1", "0.5")


def test_a_recording_without_a_market_of_its_own_needs_to_be_told_one(tmp_path: Path) -> None:
    path = _recording(tmp_path / "recording.gz", "dogeusdt")
    line = _refused(tmp_path, "--market", f"replay:{path}")
    assert line.endswith("DOGEUSDT has no market here; name one with --serve-as DOGEUSDT=SYMBOL")


def test_a_price_jump_moves_the_synthetic_market(start: Start) -> None:
    _, ready = start("--symbols", "SOL_USDC_PERP", "--updates-per-s", "500")
    jump = {"symbol": "SOL_USDC_PERP", "mid": "160"}
    assert requests.post(f"{ready['control']}/_control/price", json=jump, timeout=10).status_code == 200

    def best_ask() -> float:
        book = _get(ready, "/api/v1/depth", symbol="SOL_USDC_PERP", limit="5")
        return float(book["asks"][0][0])

    _await(lambda: best_ask() > 159)


def test_it_outlives_its_parent_for_the_grace_time_and_then_ends(tmp_path: Path) -> None:
    ready_file = tmp_path / "venue.json"
    command = _command(ready_file, "--follow-parent", "--parent-grace-s", "1")
    script = (
        "import subprocess, sys, time\n"
        "venue = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)\n"
        "print(venue.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, *command], cwd=_ROOT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    venue = int(parent.stdout.readline())
    try:
        _await(ready_file.exists)
        ready = json.loads(ready_file.read_text())
    finally:
        parent.kill()
        parent.communicate()
    lost = time.monotonic()
    assert len(_get(ready, "/api/v1/markets")) == 4  # others can still cancel
    _await(lambda: not _is_alive(venue))
    assert 1 <= time.monotonic() - lost < 5


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return _answers(pid)
    return state != "Z"


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
