"""Redis state: typed, newest wins, and never a crash because of what somebody else wrote."""

from __future__ import annotations

import socket
import threading
import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.config import Config
from shared.config import Redis as RedisConfig
from shared.errors import Unknown
from shared.messages import OrderStatus, Side
from shared.state.records import StoredEquity, StoredOrder, StoredOrders, StoredPosition
from shared.state.redis_link import RedisLink
from shared.state.store import StateStore
from tests.fixtures.redis_server import RedisServer

SHARED_SERVER = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
money = st.decimals(allow_nan=False, allow_infinity=False, places=18, min_value=-(10**9), max_value=10**9)


def position(quantity: Decimal | str, seq: int) -> StoredPosition:
    return StoredPosition(Decimal(quantity), Decimal("101.25"), True, seq, 1_700, 1_800)


def orders() -> StoredOrders:
    order = StoredOrder(
        7, "v1", Side.BUY, Decimal("99.5"), Decimal("0.30"), Decimal(0), OrderStatus.LIVE, False, 5
    )
    return StoredOrders((order,), "ready", 3, 4)


@SHARED_SERVER
@given(quantity=money)
def test_O06_decimals_come_back_to_the_last_digit(store: StateStore, quantity: Decimal) -> None:
    seq = 1 + (stored.seq if (stored := store.position("a", "SOL")) else 0)
    store.put_position("a", "SOL", position(quantity, seq))
    store.put_ledger("a", {"USDC": quantity})
    assert store.positions("a")["SOL"] == position(quantity, seq)
    assert store.ledger("a") == {"USDC": quantity}


def test_an_older_position_never_replaces_a_newer_one(store: StateStore) -> None:
    store.put_position("a", "SOL", position("2", 9))
    store.put_position("a", "SOL", position("1", 8))
    assert store.position("a", "SOL") == position("2", 9)


def test_everything_written_is_read_back(store: StateStore) -> None:
    equity = StoredEquity(Decimal("1000.10"), None, 5)
    store.put_equity("a", equity)
    store.put_orders("a", "SOL_USDC", orders())
    store.put_orders("a", "SOL_USDC_PERP", orders())
    assert store.equity("a") == equity
    assert store.all_orders("a") == {"SOL_USDC": orders(), "SOL_USDC_PERP": orders()}
    assert store.all_orders("b") == {}
    assert store.position("a", "SOL") is None and store.equity("b") is None


def test_halts_are_set_and_cleared(store: StateStore) -> None:
    store.set_halt("ALL", "drill")
    store.set_halt("SOL", "drill too")
    assert store.halts() == {"ALL": "drill", "SOL": "drill too"}
    store.clear_halt("ALL")
    assert store.halts() == {"SOL": "drill too"}


def test_a_key_of_another_type_counts_as_absent_and_is_set_right_by_the_next_write(
    store: StateStore, redis_server: RedisServer
) -> None:
    link, keys = redis_server.link(), store.keys
    for key in (keys.position("a", "SOL"), keys.equity("a"), keys.orders("a", "SOL"), keys.ledger("a")):
        link.call("LPUSH", key, "x")
    link.call("LPUSH", keys.halt, "x")
    assert store.position("a", "SOL") is None and store.positions("a") == {}
    assert store.equity("a") is None and store.orders("a", "SOL") is None
    assert store.ledger("a") == {} and store.halts() == {}
    store.put_position("a", "SOL", position("1", 1))
    store.put_equity("a", StoredEquity(None, None, 1))
    store.put_orders("a", "SOL", orders())
    store.put_ledger("a", {"USDC": Decimal(1)})
    store.set_halt("ALL", "drill")
    assert store.positions("a") == {"SOL": position("1", 1)}
    assert store.equity("a") is not None and store.orders("a", "SOL") == orders()
    assert store.ledger("a") == {"USDC": Decimal(1)} and store.halts() == {"ALL": "drill"}
    assert link.call("LRANGE", f"{keys.halt}:broken", 0, -1) == ["x"], "nothing is deleted"


@pytest.mark.parametrize("value", ["", "{", "null", '{"orders":3}', "\udcff"])
def test_unreadable_values_count_as_absent(store: StateStore, redis_server: RedisServer, value: str) -> None:
    link = redis_server.link()
    text = value.encode("utf-8", "surrogateescape").decode("latin-1")
    link.call("SET", store.keys.equity("a"), text)
    link.call("SET", store.keys.orders("a", "SOL"), text)
    link.call("HSET", store.keys.position("a", "SOL"), "quantity", text, "seq", "x")
    link.call("HSET", store.keys.ledger("a"), "USDC", "NaN", "SOL", "1.5")
    assert store.equity("a") is None and store.orders("a", "SOL") is None
    assert store.position("a", "SOL") is None
    assert store.ledger("a") == {"SOL": Decimal("1.5")}
    store.put_position("a", "SOL", position("1", 1))
    assert store.position("a", "SOL") == position("1", 1)


# --- client ids -----------------------------------------------------------------------------


def test_L09_client_ids_are_never_handed_out_twice(store: StateStore) -> None:
    blocks: list[range] = []
    threads = [
        threading.Thread(target=lambda: blocks.extend(store.reserve_client_ids("a", 7) for _ in range(20)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [number for block in blocks for number in block]
    assert len(set(ids)) == len(ids) == 4 * 20 * 7
    assert min(ids) == 1


def test_L09_after_a_loss_the_sequence_goes_on_above_the_venues_highest_id(
    store: StateStore, redis_server: RedisServer
) -> None:
    assert store.reserve_client_ids("a", 10) == range(1, 11)
    assert store.reserve_client_ids("a", 10, above=5) == range(11, 21)
    redis_server.link().call("DEL", store.keys.client_ids("a"))
    assert store.reserve_client_ids("a", 10, above=20) == range(21, 31)
    redis_server.link().call("SET", store.keys.client_ids("a"), "garbage")
    assert store.reserve_client_ids("a", 10, above=30) == range(31, 41)


# --- a server that is not there, or hangs ---------------------------------------------------------


def test_L02_a_redis_that_is_not_there_is_unknown_never_empty(tmp_path: Path) -> None:
    store = StateStore(RedisLink.to_socket(tmp_path / "none.sock"), "test")
    reads = (
        lambda: store.positions("a"), lambda: store.equity("a"), lambda: store.ledger("a"),
        lambda: store.halts(), lambda: store.reserve_client_ids("a", 1), lambda: store.journal("a").tail(1),
    )  # fmt: skip
    for read in reads:
        with pytest.raises(Unknown, match="redis does not answer"):
            read()


def test_L02_a_hung_redis_is_unknown_within_a_bound() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = StateStore(RedisLink.to_url(f"redis://127.0.0.1:{silent.getsockname()[1]}"), "test")
        started = time.monotonic()
        with pytest.raises(Unknown, match="Timeout"):
            store.positions("a")
        assert time.monotonic() - started < 2
        store.close()


def test_the_environment_overrides_the_configured_address(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config(redis=RedisConfig(url="redis://127.0.0.1:1"))
    monkeypatch.setenv("REDIS_URL", redis_server.url)
    StateStore.of(config).ping()
    monkeypatch.delenv("REDIS_URL")
    with pytest.raises(Unknown):
        StateStore.of(config).ping()
    monkeypatch.setenv("MAKERD_RUN_DIR", str(redis_server.run_dir))
    StateStore.of(Config()).ping()
