"""The fill journal: a Redis stream per account in which nothing is counted twice or lost.

One Lua call checks the identity, appends the entry, sets position and ledger, moves the
cursor. A repeated call changes nothing, so an unanswered one is simply made again.

Bounds: entries and identities are kept for `RETENTION_S` of trade time, and longer while the
recorder's consumer group has not acknowledged them. What is older than the kept identities is
refused (`TOO_OLD`), never counted again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec

from shared.clock import NS_PER_US
from shared.state.records import JournalEntry, Keys, StoredPosition
from shared.state.redis_link import RedisLink, to_dict

RECORDER_GROUP = "recorder"
RETENTION_S = 7 * 86_400
_PAGE = 1_000
log = logging.getLogger("journal")


class Journalled(Enum):
    """What became of an entry."""

    NEW = "new"
    DUPLICATE = "duplicate"  # counted before
    TOO_OLD = "too_old"  # from before the kept identities: it was counted, or is beyond recall


@dataclass(frozen=True, slots=True)
class Change:
    """An entry with what it makes of the account.

    position  the position after it; None = unchanged (funding of a symbol, a spot asset)
    ledger    absolute values of the ledger's fields: all of them, so that what Redis has lost comes back
    """

    entry: JournalEntry
    position: StoredPosition | None
    ledger: Mapping[str, Decimal]


#: a key of another type is moved aside (nothing is deleted) and treated as absent
_ASIDE = """
local moved = {}
local function expect(key, kind)
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= kind then
    redis.call('RENAME', key, key .. ':broken')
    moved[#moved + 1] = key
  end
end
"""

SET_POSITION = """
local function set_position(key, seq, fields)
  local stored = tonumber(redis.call('HGET', key, 'seq') or '') or 0
  if tonumber(seq) > stored then redis.call('HSET', key, unpack(fields)) end
end
"""

# seen last: should the server fail in the middle, a fill is repeated rather than lost
_APPEND = (
    _ASIDE
    + SET_POSITION
    + """
local seen, stream, position, ledger, cursor = unpack(KEYS)
local identity, venue_us, venue_ns, json, seq, position_fields, ledger_fields, mark = unpack(ARGV)
expect(seen, 'zset') expect(stream, 'stream') expect(position, 'hash')
expect(ledger, 'hash') expect(cursor, 'hash')
local outcome = 'new'
local horizon = tonumber(redis.call('HGET', cursor, 'horizon_us') or '') or 0
if redis.call('ZSCORE', seen, identity) then outcome = 'duplicate'
elseif tonumber(venue_us) < horizon then outcome = 'too_old' end
if outcome == 'new' then
  redis.call('XADD', stream, '*', 'json', json)
  if seq ~= '' then set_position(position, seq, cjson.decode(position_fields)) end
  local changed = cjson.decode(ledger_fields)
  if #changed > 0 then redis.call('HSET', ledger, unpack(changed)) end
  local newest = tonumber(redis.call('HGET', cursor, 'venue_us') or '') or -1
  if tonumber(venue_us) > newest then
    redis.call('HSET', cursor, 'venue_us', venue_us, 'venue_ns', venue_ns)
  end
  redis.call('ZADD', seen, venue_us, identity)
end
redis.call('HSET', cursor, 'written', mark)
return {outcome, moved}
"""
)


_MARK = (
    _ASIDE
    + """
expect(KEYS[1], 'hash')
return {redis.call('HSETNX', KEYS[1], 'kept', '1'), redis.call('HGET', KEYS[1], 'written') or '', moved}
"""
)


class Journal:
    """The journal of one account. Every method blocks and raises Unknown when Redis fails."""

    def __init__(self, link: RedisLink, keys: Keys, account: str, retention_s: int = RETENTION_S) -> None:
        self._link = link
        self._retention_s = retention_s
        self._keys = keys
        self._account = account
        self._stream = keys.fills(account)
        self._seen = keys.seen(account)
        self._cursor = keys.cursor(account)
        self._append = link.script(_APPEND)
        self._mark = link.script(_MARK)

    def append(self, change: Change, mark: str = "") -> Journalled:
        """Count an entry once, with its position and ledger changes, atomically.

        mark  remembered as the latest append, news or not: `has_lost` asks for it
        """
        entry, position = change.entry, change.position
        outcome, moved = self._append(
            [
                self._seen,
                self._stream,
                self._keys.position(self._account, entry.symbol),
                self._keys.ledger(self._account),
                self._cursor,
            ],
            [
                entry.identity,
                entry.venue_ns // NS_PER_US,
                entry.venue_ns,
                msgspec.json.encode(entry).decode(),
                "" if position is None else position.seq,
                "[]" if position is None else msgspec.json.encode(flat(position_fields(position))).decode(),
                msgspec.json.encode(flat(decimal_fields(change.ledger))).decode(),
                mark,
            ],
        )
        _log_moved(moved)
        return Journalled(outcome)

    def has_lost(self, mark: str) -> bool:
        """True when Redis is new, or does not hold the append of this mark as the latest; "" = any will do.

        A server that is killed may come back without its last second, and a link that was idle
        meanwhile connects again without a word: only what is in it tells.
        """
        is_new, written, moved = self._mark([self._cursor], [])
        _log_moved(moved)
        return bool(is_new) or (mark != "" and written != mark)

    def known(self, entries: Sequence[JournalEntry]) -> list[bool]:
        """Tell for each entry whether it was counted before (or is too old to tell)."""
        horizon_us = self._number("horizon_us")
        known = []
        for entry in entries:
            score = self._link.call("ZSCORE", self._seen, entry.identity)
            known.append(score is not None or entry.venue_ns // NS_PER_US < horizon_us)
        return known

    def last_venue_ns(self) -> int | None:
        """Return the venue time of the newest counted entry: back-fill from a while before it."""
        return self._number("venue_ns") or None

    def tail(self, count: int) -> list[JournalEntry]:
        """Return the newest entries, oldest first; unreadable ones are left out and logged."""
        rows = self._link.call("XREVRANGE", self._stream, "+", "-", "COUNT", count)
        return [entry for _, entry in readable(rows)][::-1]

    def last_id(self) -> str:
        """Return the stream id of the newest entry, "0-0" when there is none: a mark to read on from."""
        rows = self._link.call("XREVRANGE", self._stream, "+", "-", "COUNT", 1)
        return str(rows[0][0]) if rows else "0-0"

    def after(self, entry_id: str) -> tuple[str, list[JournalEntry]]:
        """Return every entry after a stream id, oldest first, and the id to read on from."""
        entries: list[JournalEntry] = []
        while rows := self._link.call("XRANGE", self._stream, f"({entry_id}", "+", "COUNT", _PAGE):
            entries += [entry for _, entry in readable(rows)]
            entry_id = str(rows[-1][0])
        return entry_id, entries

    def rebuild_seen(self) -> int:
        """Restore lost identities from the stream (a corrupt or deleted key); return how many."""
        restored, start = 0, "-"
        while rows := self._link.call("XRANGE", self._stream, start, "+", "COUNT", _PAGE):
            for _, entry in readable(rows):
                restored += self._link.call(
                    "ZADD", self._seen, "NX", entry.venue_ns // NS_PER_US, entry.identity
                )
            start = f"({rows[-1][0]}"
        return restored

    def trim(self) -> None:
        """Forget what is older than the retention and acknowledged by the recorder (if it ever read)."""
        seconds, _ = self._link.call("TIME")
        oldest_kept = min(_id(f"{(int(seconds) - self._retention_s) * 1000}-0"), self._first_unread())
        self._link.call("XTRIM", self._stream, "MINID", f"{oldest_kept[0]}-{oldest_kept[1]}")
        horizon_us = self._number("venue_us") - self._retention_s * 1_000_000
        for _, entry in readable(self._link.call("XRANGE", self._stream, "-", "+", "COUNT", 1)):
            horizon_us = min(horizon_us, entry.venue_ns // NS_PER_US)
        if horizon_us > self._number("horizon_us"):
            # first refuse what is older, then forget its identity
            self._link.call("HSET", self._cursor, "horizon_us", horizon_us)
            self._link.call("ZREMRANGEBYSCORE", self._seen, "-inf", f"({horizon_us}")

    def _first_unread(self) -> tuple[int, int]:
        """Return the id of the first entry which the recorder has not acknowledged."""
        if not self._link.call("EXISTS", self._stream):
            return _NEWEST
        for row in self._link.call("XINFO", "GROUPS", self._stream):
            group = to_dict(row)
            if group["name"] != RECORDER_GROUP:
                continue
            pending = self._link.call("XPENDING", self._stream, RECORDER_GROUP)
            first = pending[1]
            if first is not None:
                return _id(first)
            delivered = _id(group["last-delivered-id"])
            return (delivered[0], delivered[1] + 1)
        return _NEWEST

    def _number(self, field: str) -> int:
        text = self._link.call("HGET", self._cursor, field)
        return int(text) if text is not None and text.isdigit() else 0


_NEWEST = (2**63 - 1, 0)


def _log_moved(keys: Sequence[str]) -> None:
    for key in keys:
        log.error("redis key held another type; moved aside", extra={"key": key})


def _id(text: str) -> tuple[int, int]:
    milliseconds, _, sequence = text.partition("-")
    return int(milliseconds), int(sequence or 0)


def readable(rows: Any) -> list[tuple[str, JournalEntry]]:
    """Decode stream rows (id, fields); log and leave out what cannot be read."""
    entries = []
    for entry_id, fields in rows:
        try:
            entries.append(
                (entry_id, msgspec.json.decode(to_dict(fields).get("json", ""), type=JournalEntry))
            )
        except msgspec.DecodeError as error:
            log.error("unreadable journal entry", extra={"id": entry_id, "error": str(error)})
    return entries


def position_fields(position: StoredPosition) -> dict[str, str]:
    """Return the fields of a position's hash."""
    return {
        "quantity": f"{position.quantity:f}",
        "entry_price": "" if position.entry_price is None else f"{position.entry_price:f}",
        "is_known": str(int(position.is_known)),
        "seq": str(position.seq),
        "venue_ns": str(position.venue_ns),
        "at_ns": str(position.at_ns),
    }


def decimal_fields(values: Mapping[str, Decimal]) -> dict[str, str]:
    return {name: f"{value:f}" for name, value in values.items()}


def flat(fields: Mapping[str, str]) -> list[str]:
    """Return field, value, field, value, as HSET takes them."""
    return [part for pair in fields.items() for part in pair]
