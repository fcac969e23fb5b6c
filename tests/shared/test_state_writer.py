"""The writing thread: coalesces states, never drops a journal entry, never blocks its owner."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import redis

from shared.clock import NS_PER_S, SystemClock
from shared.errors import Fatal
from shared.state.journal import Change, Journalled
from shared.state.records import StoredEquity, StoredOrders
from shared.state.redis_link import RedisLink
from shared.state.store import StateStore
from shared.state.writer import MAX_BACKLOG, StateWriter
from tests.fixtures.redis_server import RedisServer, wait_until
from tests.shared.test_state import position
from tests.shared.test_state_journal import change, fill, identities

CLOCK = SystemClock()


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory(prefix="makerd-") as directory:
        server = RedisServer(Path(directory))
        server.start()
        yield server
        server.stop()


def test_writes_everything_and_ends(store: StateStore) -> None:
    outcomes: list[Journalled] = []
    writer = StateWriter(store, "a", CLOCK, lambda _change, outcome: outcomes.append(outcome))
    writer.start()
    for number in (1, 2, 2):
        writer.append(change(fill(number), seq=number, cash=str(number)))
    writer.put_position("SOL", position("0.25", 9))
    writer.put_equity(StoredEquity(Decimal(1), None, 1))
    writer.put_orders("SOL", StoredOrders((), "ready", 1, 1))
    assert writer.stop()
    assert outcomes == [Journalled.NEW, Journalled.NEW, Journalled.DUPLICATE]
    assert store.positions("a") == {"SOL": position("0.25", 9)}
    assert store.equity("a") is not None and store.orders("a", "SOL") is not None


def test_of_a_state_only_the_newest_value_is_written(store: StateStore) -> None:
    writer = StateWriter(store, "a", CLOCK)
    for number in range(1_000):
        writer.put_equity(StoredEquity(Decimal(number), None, number))
    started = time.monotonic()
    writer.start()
    assert writer.stop()
    assert time.monotonic() - started < 0.2, "a thousand writes would have taken longer"
    assert store.equity("a") == StoredEquity(Decimal(999), None, 999)


def test_is_unhealthy_before_the_first_answer_and_while_the_backlog_is_too_long(store: StateStore) -> None:
    writer = StateWriter(store, "a", CLOCK)
    assert not writer.is_healthy(CLOCK.monotonic_ns())
    for _ in range(MAX_BACKLOG + 1):
        writer.append(change(fill(1)))
    writer._answered_ns = CLOCK.monotonic_ns()
    assert not writer.is_healthy(CLOCK.monotonic_ns())


def test_an_idle_writer_stays_healthy(store: StateStore) -> None:
    writer = StateWriter(store, "a", CLOCK)
    writer.start()
    wait_until(lambda: writer.is_healthy(CLOCK.monotonic_ns()))
    first_ns = writer._answered_ns
    wait_until(lambda: writer._answered_ns != first_ns)
    assert not writer.is_healthy(CLOCK.monotonic_ns() + 2 * NS_PER_S), "silence over the bound is unhealthy"
    assert writer.stop()


@pytest.mark.parametrize("is_killed", [True, False], ids=["down", "hung"])
def test_a_lost_redis_is_told_within_two_seconds_and_nothing_is_lost_or_doubled(
    own_server: RedisServer, is_killed: bool
) -> None:
    store = own_server.store()
    writer = StateWriter(store, "a", CLOCK)
    writer.start()
    writer.append(change(fill(1)))
    wait_until(lambda: writer.is_healthy(CLOCK.monotonic_ns()))
    wait_until(lambda: identities(store.journal("a")) == [fill(1).identity])
    assert own_server.process is not None
    if is_killed:
        own_server.stop()
    else:
        os.kill(own_server.process.pid, signal.SIGSTOP)
    lost_at = time.monotonic()
    for number in range(2, 6):
        writer.append(change(fill(number), seq=number))
    writer.put_equity(StoredEquity(Decimal(5), None, 5))
    assert time.monotonic() - lost_at < 0.05, "the owner never waits"
    wait_until(lambda: not writer.is_healthy(CLOCK.monotonic_ns()))
    assert time.monotonic() - lost_at < 2
    if is_killed:
        own_server.start()
    else:
        os.kill(own_server.process.pid, signal.SIGCONT)
    wait_until(lambda: writer.is_healthy(CLOCK.monotonic_ns()))
    assert writer.stop()
    assert identities(store.journal("a")) == [fill(number).identity for number in range(1, 6)]
    assert store.equity("a") == StoredEquity(Decimal(5), None, 5)


def test_stopping_without_redis_is_bounded_and_says_that_something_was_left(tmp_path: Path) -> None:
    writer = StateWriter(StateStore(RedisLink.to_socket(tmp_path / "none.sock"), "test"), "a", CLOCK)
    writer.start()
    unsent: Change = change(fill(1))
    writer.append(unsent)
    started = time.monotonic()
    assert not writer.stop(timeout_s=0.3)
    assert time.monotonic() - started < 1


def test_a_redis_that_comes_back_without_its_latest_writes_gets_them_again(own_server: RedisServer) -> None:
    store = own_server.store()
    writer = StateWriter(store, "a", CLOCK)
    writer.start()
    writer.append(change(fill(1), seq=1, cash="10"))
    writer.append(change(fill(2), seq=2, cash="20"))
    wait_until(lambda: len(identities(store.journal("a"))) == 2)
    own_server.link().call("XTRIM", store.keys.fills("a"), "MAXLEN", 1)  # as after a lost second
    own_server.link().call("ZREM", store.keys.seen("a"), fill(1).identity)
    own_server.link().call("HSET", store.keys.ledger("a"), "USDC", "10")
    own_server.stop()
    wait_until(lambda: not writer.is_healthy(CLOCK.monotonic_ns()))
    own_server.start()
    wait_until(lambda: set(identities(store.journal("a"))) == {fill(1).identity, fill(2).identity})
    wait_until(lambda: store.ledger("a") == {"USDC": Decimal(20)})
    assert writer.stop()


def test_O07_a_redis_that_lost_its_last_second_while_nobody_asked_gets_it_again(
    own_server: RedisServer,
) -> None:
    """Killed and back between two questions: the link connects again without an error to tell of it."""
    store = own_server.store()
    journal, keys = store.journal("a"), store.keys
    state = (keys.fills("a"), keys.seen("a"), keys.cursor("a"), keys.ledger("a"))
    writer = StateWriter(store, "a", CLOCK)
    writer.start()
    writer.append(change(fill(1), seq=1, cash="10"))
    wait_until(lambda: len(identities(journal)) == 1)
    earlier = _dumped(own_server, state)
    for number in (2, 3):
        writer.append(change(fill(number), seq=number, cash=f"{number}0"))
    wait_until(lambda: len(identities(journal)) == 3)
    _restore(own_server, earlier)
    wait_until(lambda: sorted(identities(journal)) == sorted(fill(number).identity for number in (1, 2, 3)))
    wait_until(lambda: store.ledger("a") == {"USDC": Decimal(30)})
    assert writer.is_healthy(CLOCK.monotonic_ns()), "nothing failed meanwhile"
    assert writer.stop()


def _dumped(server: RedisServer, keys: tuple[str, ...]) -> dict[str, bytes]:
    with redis.Redis.from_url(server.url) as client:
        return {key: client.execute_command("DUMP", key) for key in keys}


def _restore(server: RedisServer, dumps: dict[str, bytes]) -> None:
    with redis.Redis.from_url(server.url) as client, client.pipeline(transaction=True) as all_at_once:
        for key, dump in dumps.items():
            all_at_once.restore(key, 0, dump, replace=True)
        all_at_once.execute()


def _fails(_change: Change, _outcome: Journalled) -> None:
    raise KeyError("a defect")


def test_a_writer_whose_thread_has_ended_by_an_error_is_fatal(
    store: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    monkeypatch.setattr(threading, "excepthook", seen.append)
    writer = StateWriter(store, "a", CLOCK, _fails)
    writer.start()
    writer.append(change(fill(1)))
    wait_until(lambda: bool(seen) and not writer._thread.is_alive())
    with pytest.raises(Fatal, match="thread that writes state"):
        writer.is_healthy(CLOCK.monotonic_ns())
