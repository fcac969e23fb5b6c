"""The risk process on a real bus: subscribes to what it needs, keeps halts, says goodbye."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zmq

from services.risk.account.memory import Memory
from services.risk.account.memory_file import MemoryFile
from shared.bus import Addresses, Inbox, Publisher
from shared.clock import SystemClock
from shared.errors import EXIT_BAD_INPUT
from shared.halt import HaltFlags
from shared.messages import Equity, FeedState, FeedStatus, Mark, Message, Permit, Position, Top, Working
from shared.state.store import StateStore
from tests.fixtures.redis_server import RedisServer
from tests.risk.desk import ACCOUNT, MID, SYMBOL, VENUE, info

CONFIG = """
[deployment]
name = "{name}"
[venues.backpack]
protocol = "backpack"
ready_file = "venue.json"
[accounts.main]
venue = "backpack"
[risk]
{risk}
"""


class Surroundings:
    """Market data and execution as the risk process sees them, fed from a thread."""

    def __init__(self, run_dir: Path) -> None:
        addresses, clock = Addresses(run_dir), SystemClock()
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._clock = clock
        self.market = Publisher(self._context, addresses.of(f"marketdata.{VENUE}"), clock)
        self.execution = Publisher(self._context, addresses.of(f"execution.{ACCOUNT}"), clock)
        self.wanted: list[tuple[str, str, str]] = []
        self.market.on_demand = lambda kind, scope, symbol, _wanted: self.wanted.append((kind, scope, symbol))
        self.inbox = Inbox(self._context, clock)
        self.inbox.connect(addresses.of("risk"))
        self.inbox.subscribe(Permit, ACCOUNT, SYMBOL)  # as its quoter does
        self.permits: list[Permit] = []

    def step(self) -> None:
        """Tell everything once, take what risk says."""
        now_ns = self._clock.monotonic_ns()
        self.market.on_readable()
        self.execution.on_readable()
        for message in self._market(now_ns):
            self.market.publish(message)
        for message in self._account(now_ns):
            self.execution.publish(message)
        time.sleep(0.02)
        self.permits += [message for message in self.inbox.drain() if isinstance(message, Permit)]

    def await_permit(self, condition: Callable[[Permit], bool], timeout_s: float = 10.0) -> Permit:
        """Go on until a permit told from now on satisfies the condition."""
        self.permits.clear()
        deadline = time.monotonic() + timeout_s
        while True:
            self.step()
            for permit in self.permits:
                if condition(permit):
                    return permit
            assert time.monotonic() < deadline, f"no such permit; the last was {self.permits[-1:]}"

    def _market(self, now_ns: int) -> list[Message]:
        return [
            info(), FeedState(VENUE, SYMBOL, FeedStatus.LIVE, "", now_ns, 0),
            Top(VENUE, SYMBOL, MID - 1, 5, MID + 1, 5, 1, 0, now_ns, now_ns, now_ns),
            Mark(VENUE, SYMBOL, 100.0, None, None, None, 0, now_ns),
        ]  # fmt: skip

    def _account(self, now_ns: int) -> list[Message]:
        return [
            Position(ACCOUNT, SYMBOL, 0, None, True, 1, 0), Equity(ACCOUNT, 1_000.0, None, now_ns),
            Working(ACCOUNT, SYMBOL, (), (), "ready"),
        ]  # fmt: skip

    def close(self) -> None:
        for part in (self.market, self.execution, self.inbox):
            part.close()
        self._context.term()


def start(run_dir: Path, redis_url: str, name: str = "t", risk: str = "") -> subprocess.Popen[str]:
    config = run_dir / "makerd.toml"
    config.write_text(CONFIG.format(name=name, risk=risk))
    environment = os.environ | {"MAKERD_RUN_DIR": str(run_dir), "REDIS_URL": redis_url}
    command = [sys.executable, "-m", "services.risk", "--config", str(config)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def run_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="makerd-") as directory:
        yield Path(directory)


@pytest.fixture
def around(run_dir: Path) -> Iterator[Surroundings]:
    surroundings = Surroundings(run_dir)
    yield surroundings
    surroundings.close()


def test_permits_what_is_healthy_and_keeps_a_halt_over_its_own_restart(
    run_dir: Path, around: Surroundings, redis_server: RedisServer, store: StateStore
) -> None:
    name = store.keys.halt.split(":")[1]
    process = start(run_dir, redis_server.url, name)
    try:
        permit = around.await_permit(lambda permit: permit.may_buy and permit.may_sell)
        assert (permit.scope, permit.symbol, permit.max_long) == (ACCOUNT, SYMBOL, 200)
        assert ("Top", VENUE, SYMBOL) in around.wanted, "subscribed because a position was heard"

        HaltFlags(run_dir).set(SYMBOL, "by hand")
        assert around.await_permit(lambda permit: permit.halted).reason == "halted: by hand"
        HaltFlags(run_dir).clear(SYMBOL)
        around.await_permit(lambda permit: permit.may_buy)
        store.set_halt("ALL", "from elsewhere")
        around.await_permit(lambda permit: permit.halted and "from elsewhere" in permit.reason)

        process.kill()
        process.communicate()
        process = start(run_dir, redis_server.url, name)
        around.await_permit(lambda permit: permit.halted)
        store.clear_halt("ALL")
        around.await_permit(lambda permit: permit.may_buy)

        process.send_signal(signal.SIGTERM)
        around.await_permit(lambda permit: permit.reason == "risk is stopped")
        assert process.wait(5) == 0
    finally:
        process.kill()
        process.communicate()


def test_nothing_is_permitted_before_redis_was_asked_for_halts(run_dir: Path, around: Surroundings) -> None:
    server = RedisServer(run_dir)
    process = start(run_dir, server.url)
    try:
        around.await_permit(lambda permit: permit.reason == "halt flags not read" and not permit.may_buy)
        HaltFlags(run_dir).set("ALL", "by hand")
        around.await_permit(lambda permit: permit.halted)
        HaltFlags(run_dir).clear("ALL")
        HaltFlags(run_dir).set("OTHER_PERP", "by hand")
        around.await_permit(lambda permit: permit.reason == "halt flags not read" and not permit.may_buy)
        HaltFlags(run_dir).clear("OTHER_PERP")
        server.start()
        around.await_permit(lambda permit: permit.may_buy)
        server.stop()
        around.await_permit(lambda permit: permit.may_buy)
        HaltFlags(run_dir).set("ALL", "by hand")  # works without Redis
        around.await_permit(lambda permit: permit.halted)
    finally:
        process.kill()
        process.communicate()
        server.stop()


def test_X02_a_bad_limit_is_one_clear_line_and_exit_78(run_dir: Path) -> None:
    process = start(run_dir, f"unix://{run_dir}/none.sock", risk="max_position_share = -1")
    _, errors = process.communicate(timeout=10)
    assert process.returncode == EXIT_BAD_INPUT
    assert "max_position_share" in errors and "Traceback" not in errors


def test_a_crash_forgives_no_loss_of_the_session(
    run_dir: Path, around: Surroundings, redis_server: RedisServer, store: StateStore
) -> None:
    name = store.keys.halt.split(":")[1]
    limit = "[risk.drawdown]\nmax_pct = 5"
    process = start(run_dir, redis_server.url, name, limit)
    try:
        around.await_permit(lambda permit: permit.may_buy)
        kept = MemoryFile(run_dir, SystemClock(), "")
        while kept.read().peaks != {ACCOUNT: 1_000.0}:
            around.await_permit(lambda permit: permit.may_buy)
        process.kill()
        process.communicate()
        kept.write(Memory({ACCOUNT: 1_100.0}))  # it had been higher before
        process = start(run_dir, redis_server.url, name, limit)
        permit = around.await_permit(lambda permit: permit.halted)
        assert "drawdown: equity fell by 100.00 from 1100.00" in permit.reason
        while SYMBOL not in HaltFlags(run_dir).read():  # sticky, within a tenth of a second
            around.await_permit(lambda permit: permit.halted)
    finally:
        process.kill()
        process.communicate()
