"""Redis state: what outlives a process, and what others read at start and in doubt.

The venue is the truth; everything here is a cache of it, with one writer per key: the
`execution` of the account (halt: the console). A key of another type or with unreadable
fields is logged and counts as absent, and is set right by the next write.

Every call blocks: use it from worker threads; `StateWriter` is for the hot path.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TypeVar

import msgspec

from shared.config import Config
from shared.state.journal import RETENTION_S, SET_POSITION, Journal, decimal_fields, flat, position_fields
from shared.state.records import Keys, StoredEquity, StoredOrders, StoredPosition
from shared.state.redis_link import RedisLink, WrongType, to_dict

T = TypeVar("T")
log = logging.getLogger("state")

_PUT_POSITION = SET_POSITION + "set_position(KEYS[1], ARGV[1], cjson.decode(ARGV[2]))"

_RESERVE = """
local last = tonumber(redis.call('GET', KEYS[1]) or '') or 0
local first = math.max(last, tonumber(ARGV[1]) or 0) + 1
redis.call('SET', KEYS[1], string.format('%.0f', first + tonumber(ARGV[2]) - 1))
return string.format('%.0f', first)
"""


class StateStore:
    """Typed access to a deployment's keys. Every method raises Unknown when Redis is down or hung."""

    def __init__(self, link: RedisLink, deployment: str) -> None:
        self._link = link
        self.keys = Keys(deployment)
        self._put_position = link.script(_PUT_POSITION)
        self._reserve = link.script(_RESERVE)

    @classmethod
    def of(cls, config: Config) -> StateStore:
        """Return the store of a deployment; connects at the first use."""
        return cls(RedisLink.of(config), config.deployment.name)

    def journal(self, account: str, retention_s: int = RETENTION_S) -> Journal:
        return Journal(self._link, self.keys, account, retention_s)

    def ping(self) -> None:
        self._link.call("PING")

    def close(self) -> None:
        self._link.close()

    # --- positions ------------------------------------------------------------------------

    def put_position(self, account: str, symbol: str, position: StoredPosition) -> None:
        """Store a position unless a newer one (by `seq`) is there."""
        key = self.keys.position(account, symbol)
        fields = msgspec.json.encode(flat(position_fields(position))).decode()
        self._mending(key, lambda: self._put_position([key], [position.seq, fields]))

    def position(self, account: str, symbol: str) -> StoredPosition | None:
        """Return what was stored last, None when absent or unreadable."""
        fields = self._hash(self.keys.position(account, symbol))
        if not fields:
            return None
        try:
            return _position(fields)
        except (KeyError, ValueError, InvalidOperation):
            _log_unreadable(self.keys.position(account, symbol), fields)
            return None

    def positions(self, account: str) -> dict[str, StoredPosition]:
        """Return symbol -> position of everything that is stored and readable."""
        found: dict[str, StoredPosition] = {}
        for symbol in self._symbols(self.keys.position(account, "")):
            position = self.position(account, symbol)
            if position is not None:
                found[symbol] = position
        return found

    # --- equity, orders: JSON with their time ------------------------------------------------

    def put_equity(self, account: str, equity: StoredEquity) -> None:
        self._link.call("SET", self.keys.equity(account), msgspec.json.encode(equity).decode())

    def equity(self, account: str) -> StoredEquity | None:
        return self._json(self.keys.equity(account), StoredEquity)

    def put_orders(self, account: str, symbol: str, orders: StoredOrders) -> None:
        self._link.call("SET", self.keys.orders(account, symbol), msgspec.json.encode(orders).decode())

    def orders(self, account: str, symbol: str) -> StoredOrders | None:
        return self._json(self.keys.orders(account, symbol), StoredOrders)

    def all_orders(self, account: str) -> dict[str, StoredOrders]:
        """Return symbol -> orders of everything that is stored and readable."""
        found: dict[str, StoredOrders] = {}
        for symbol in self._symbols(self.keys.orders(account, "")):
            orders = self.orders(account, symbol)
            if orders is not None:
                found[symbol] = orders
        return found

    # --- ledger, client ids, halt ----------------------------------------------------------------

    def put_ledger(self, account: str, values: Mapping[str, Decimal]) -> None:
        """Set fields of the ledger to absolute values (fills change it through the journal)."""
        key = self.keys.ledger(account)
        self._mending(key, lambda: self._link.call("HSET", key, *flat(decimal_fields(values))))

    def drop_ledger(self, account: str, fields: Sequence[str]) -> None:
        """Remove fields of the ledger."""
        if fields:
            key = self.keys.ledger(account)
            self._mending(key, lambda: self._link.call("HDEL", key, *fields))

    def ledger(self, account: str) -> dict[str, Decimal]:
        """Return every readable field; money is a decimal string in Redis, never a float."""
        found: dict[str, Decimal] = {}
        for name, text in self._hash(self.keys.ledger(account)).items():
            try:
                found[name] = _finite(text)
            except (ValueError, InvalidOperation):
                _log_unreadable(self.keys.ledger(account), {name: text})
        return found

    def reserve_client_ids(self, account: str, count: int, above: int = 0) -> range:
        """Return `count` sequence numbers that were never handed out before, all greater than `above`.

        above  the highest own id that the venue shows: after a loss of Redis the sequence goes on there
        """
        key = self.keys.client_ids(account)
        first = int(self._mending(key, lambda: self._reserve([key], [above, count])))
        return range(first, first + count)

    def halts(self) -> dict[str, str]:
        """Return what is halted ("ALL" or a symbol) -> reason."""
        return self._hash(self.keys.halt)

    def set_halt(self, scope: str, reason: str) -> None:
        self._mending(self.keys.halt, lambda: self._link.call("HSET", self.keys.halt, scope, reason))

    def clear_halt(self, scope: str) -> None:
        self._mending(self.keys.halt, lambda: self._link.call("HDEL", self.keys.halt, scope))

    # --- reading what may be corrupt ---------------------------------------------------------------

    def _hash(self, key: str) -> dict[str, str]:
        try:
            return to_dict(self._link.call("HGETALL", key))
        except WrongType:
            log.error("redis key holds another type; counts as absent", extra={"key": key})
            return {}

    def _json(self, key: str, kind: type[T]) -> T | None:
        try:
            text = self._link.call("GET", key)
        except WrongType:
            log.error("redis key holds another type; counts as absent", extra={"key": key})
            return None
        if text is None:
            return None
        try:
            return msgspec.json.decode(text, type=kind)
        except msgspec.DecodeError:
            _log_unreadable(key, text)
            return None

    def _symbols(self, prefix: str) -> list[str]:
        """Return what follows `prefix` in the names of the keys that start with it."""
        found: set[str] = set()
        cursor = "0"
        while True:
            cursor, keys = self._link.call("SCAN", cursor, "MATCH", f"{prefix}*", "COUNT", 1_000)
            found.update(key.removeprefix(prefix) for key in keys if not key.endswith(":broken"))
            if int(cursor) == 0:
                return sorted(found)

    def _mending(self, key: str, write: Callable[[], T]) -> T:
        """Write; a key of another type is moved aside first (nothing is deleted)."""
        try:
            return write()
        except WrongType:
            log.error("redis key held another type; moved aside", extra={"key": key})
            self._link.call("RENAME", key, f"{key}:broken")
            return write()


def _position(fields: Mapping[str, str]) -> StoredPosition:
    return StoredPosition(
        quantity=_finite(fields["quantity"]),
        entry_price=_finite(fields["entry_price"]) if fields["entry_price"] else None,
        is_known=fields["is_known"] == "1",
        seq=int(fields["seq"]),
        venue_ns=int(fields["venue_ns"]),
        at_ns=int(fields["at_ns"]),
    )


def _finite(text: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite():
        raise ValueError(text)
    return value


def _log_unreadable(key: str, value: object) -> None:
    log.error("redis key is unreadable; counts as absent", extra={"key": key, "value": str(value)[:200]})
