"""The fill journal: counted once, never lost, bounded."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.messages import Side
from shared.state.journal import RECORDER_GROUP, Change, Journal, Journalled
from shared.state.records import FillEntry, FundingEntry, StoredPosition
from shared.state.store import StateStore
from tests.fixtures.redis_server import RedisServer

US = 1_000
START_NS = 1_700_000_000_000_000_123
SHARED_SERVER = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def fill(trade_id: int, order: str = "v1", symbol: str = "SOL", venue_ns: int = START_NS) -> FillEntry:
    return FillEntry(
        symbol, trade_id, order, 7, Side.BUY, Decimal("99.50"), Decimal("0.1"), True,
        Decimal("-0.000123456789012345"), "USDC", None, Decimal("0.1"), False, venue_ns, venue_ns,
    )  # fmt: skip


def change(entry: FillEntry, seq: int = 1, cash: str = "1") -> Change:
    position = StoredPosition(entry.position_after, Decimal("99.5"), True, seq, entry.venue_ns, entry.at_ns)
    return Change(entry, position, {"USDC": Decimal(cash)})


def identities(journal: Journal) -> list[str]:
    return [entry.identity for entry in journal.tail(10_000)]


def test_O07_a_fill_comes_back_to_the_last_digit(store: StateStore) -> None:
    journal = store.journal("a")
    assert journal.append(change(fill(1))) is Journalled.NEW
    assert journal.tail(1) == [fill(1)]
    assert journal.last_venue_ns() == START_NS


def test_O07_a_fill_heard_from_stream_and_rest_is_counted_once(store: StateStore) -> None:
    journal = store.journal("a")
    assert journal.append(change(fill(1), seq=1, cash="10")) is Journalled.NEW
    assert journal.append(change(fill(1), seq=2, cash="20")) is Journalled.DUPLICATE
    assert store.ledger("a") == {"USDC": Decimal(10)}
    stored = store.position("a", "SOL")
    assert stored is not None and stored.seq == 1


def test_O07_one_trade_id_on_two_orders_symbols_or_accounts_is_several_fills(store: StateStore) -> None:
    journal = store.journal("a")
    for entry in (fill(1), fill(1, order="v2"), fill(1, symbol="BTC")):
        assert journal.append(change(entry)) is Journalled.NEW
    assert store.journal("b").append(change(fill(1))) is Journalled.NEW


@SHARED_SERVER
@given(trades=st.lists(st.integers(1, 6), max_size=20))
def test_O07_any_repetition_counts_each_fill_once_in_the_order_of_arrival(
    redis_server: RedisServer, trades: list[int]
) -> None:
    store = redis_server.store()
    journal = store.journal("a")
    outcomes = [journal.append(change(fill(t, venue_ns=START_NS + t * US), seq=t)) for t in trades]
    first_seen = list(dict.fromkeys(trades))
    assert outcomes.count(Journalled.NEW) == len(first_seen)
    assert identities(journal) == [fill(t).identity for t in first_seen]
    assert journal.known([fill(t) for t in range(1, 7)]) == [t in first_seen for t in range(1, 7)]
    assert journal.last_venue_ns() == (START_NS + max(trades) * US if trades else None)
    stored = store.position("a", "SOL")
    assert (stored.seq if stored else 0) == max(trades, default=0)
    store.close()


def test_a_late_fill_neither_moves_the_cursor_back_nor_replaces_a_newer_position(store: StateStore) -> None:
    journal = store.journal("a")
    journal.append(change(fill(2, venue_ns=START_NS), seq=9))
    journal.append(change(fill(1, venue_ns=START_NS - 5 * US), seq=8))
    assert journal.last_venue_ns() == START_NS
    stored = store.position("a", "SOL")
    assert stored is not None and stored.seq == 9


def test_funding_is_counted_once_per_interval(store: StateStore) -> None:
    journal = store.journal("a")
    payment = FundingEntry("SOL", Decimal("-0.0125"), "USDC", START_NS, START_NS)
    paid = Change(payment, None, {"USDC": Decimal("-0.0125")})
    assert journal.append(paid) is Journalled.NEW
    assert journal.append(paid) is Journalled.DUPLICATE
    assert journal.tail(5) == [payment]
    assert store.position("a", "SOL") is None


# --- bounds -----------------------------------------------------------------------------------


def _read_as_recorder(redis_server: RedisServer, store: StateStore, count: int) -> list[str]:
    answer = redis_server.link().call(
        "XREADGROUP", "GROUP", RECORDER_GROUP, "r1", "COUNT", count, "STREAMS", store.keys.fills("a"), ">"
    )
    return [row[0] for row in answer[0][1]]


def test_entries_the_recorder_has_not_acknowledged_are_never_trimmed(
    store: StateStore, redis_server: RedisServer
) -> None:
    link, journal = redis_server.link(), store.journal("a", retention_s=-1)  # everything is old enough
    link.call("XGROUP", "CREATE", store.keys.fills("a"), RECORDER_GROUP, "0", "MKSTREAM")
    for number in range(1, 6):
        journal.append(change(fill(number, venue_ns=START_NS + number * 10 * US)))
    journal.trim()
    assert len(identities(journal)) == 5, "nothing was read yet"
    ids = _read_as_recorder(redis_server, store, 4)
    link.call("XACK", store.keys.fills("a"), RECORDER_GROUP, ids[0], ids[2])
    journal.trim()
    assert identities(journal) == [fill(n).identity for n in (2, 3, 4, 5)], "2 and 4 are pending"
    link.call("XACK", store.keys.fills("a"), RECORDER_GROUP, *ids)
    journal.trim()
    assert identities(journal) == [fill(5).identity], "5 was never delivered"


def test_what_was_forgotten_is_refused_and_never_counted_again(
    store: StateStore, redis_server: RedisServer
) -> None:
    journal = store.journal("a", retention_s=0)
    for number in range(1, 6):
        journal.append(change(fill(number, venue_ns=START_NS + number * 10 * US)))
    redis_server.link().call("XTRIM", store.keys.fills("a"), "MAXLEN", 0)
    journal.trim()
    assert redis_server.link().call("ZCARD", store.keys.seen("a")) == 1, "identities are bounded"
    assert journal.append(change(fill(1, venue_ns=START_NS + 10 * US))) is Journalled.TOO_OLD
    assert journal.append(change(fill(5, venue_ns=START_NS + 50 * US))) is Journalled.DUPLICATE
    assert journal.known([fill(1, venue_ns=START_NS + 10 * US), fill(9, venue_ns=START_NS + 60 * US)]) == [
        True,
        False,
    ]
    assert identities(journal) == []


def test_a_journal_without_a_recorder_is_bounded_by_age(store: StateStore) -> None:
    young, old = store.journal("a", retention_s=3_600), store.journal("a", retention_s=-1)
    young.append(change(fill(1)))
    young.trim()
    assert len(identities(young)) == 1
    old.trim()
    assert identities(old) == []


def test_trimming_an_empty_journal_does_nothing(store: StateStore) -> None:
    store.journal("a").trim()
    assert store.journal("a").tail(1) == [] and store.journal("a").last_venue_ns() is None


# --- damage ------------------------------------------------------------------------------------


def test_lost_identities_are_rebuilt_from_the_stream(store: StateStore, redis_server: RedisServer) -> None:
    journal = store.journal("a")
    for number in range(1, 4):
        journal.append(change(fill(number)))
    redis_server.link().call("DEL", store.keys.seen("a"))
    assert journal.rebuild_seen() == 3
    assert journal.rebuild_seen() == 0
    assert journal.append(change(fill(2))) is Journalled.DUPLICATE


def test_keys_of_another_type_are_moved_aside_and_the_fill_is_kept(
    store: StateStore, redis_server: RedisServer
) -> None:
    link, keys, journal = redis_server.link(), store.keys, store.journal("a")
    for key in (
        keys.fills("a"),
        keys.seen("a"),
        keys.cursor("a"),
        keys.position("a", "SOL"),
        keys.ledger("a"),
    ):
        link.call("SET", key, "x")
    assert journal.append(change(fill(1))) is Journalled.NEW
    assert journal.tail(1) == [fill(1)]
    assert link.call("GET", f"{keys.fills('a')}:broken") == "x"


def test_unreadable_entries_are_left_out(store: StateStore, redis_server: RedisServer) -> None:
    journal = store.journal("a")
    journal.append(change(fill(1)))
    redis_server.link().call("XADD", store.keys.fills("a"), "*", "json", "{")
    redis_server.link().call("XADD", store.keys.fills("a"), "*", "other", "x")
    journal.append(change(fill(2)))
    assert identities(journal) == [fill(1).identity, fill(2).identity]
    assert journal.rebuild_seen() == 0


def test_a_corrupt_cursor_counts_as_absent(store: StateStore, redis_server: RedisServer) -> None:
    journal = store.journal("a")
    redis_server.link().call("HSET", store.keys.cursor("a"), "venue_ns", "soon", "horizon_us", "-")
    assert journal.last_venue_ns() is None
    assert journal.append(change(fill(1))) is Journalled.NEW


def test_an_entry_is_plain_json_for_other_tools() -> None:
    plain = msgspec.json.decode(msgspec.json.encode(replace_mid(fill(1))))
    assert plain["type"] == "fill" and plain["price"] == "99.50" and plain["mid"] == "99.5"


def replace_mid(entry: FillEntry) -> FillEntry:
    return msgspec.structs.replace(entry, mid=Decimal("99.5"))
