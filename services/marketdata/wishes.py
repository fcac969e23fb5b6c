"""What a symbol wants from REST, and when it may ask. Pure.

Snapshots: at once when a book needs one, then at growing intervals while that does not
help. Best prices: while the stream is down, and to audit a book that stands still; at most
once a second each, and all symbols together within a budget.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shared.clock import NS_PER_MS, NS_PER_S
from shared.net.backoff import Backoff
from shared.venues.book_sync import Joining

FIRST_RETRY_NS = 250 * NS_PER_MS
LARGEST_RETRY_NS = 8 * NS_PER_S
#: a snapshot that no diff has joined is compared with a second one after this long
CONFIRM_NS = NS_PER_S
#: a book that holds for this long was no failure
STEADY_NS = 3 * NS_PER_S
PRICE_INTERVAL_NS = NS_PER_S
#: a subscription is given so long to bring its snapshot
FIRST_RENEWAL_NS = 2 * NS_PER_S
LARGEST_RENEWAL_NS = 60 * NS_PER_S


class SnapshotWish:
    """When one symbol's next snapshot may be asked for."""

    def __init__(self) -> None:
        self._backoff = Backoff(FIRST_RETRY_NS, LARGEST_RETRY_NS)
        self._not_before_ns = 0
        self._in_flight = False
        self._asked_ns = 0
        self._used_ns = -STEADY_NS
        self._lost_ns: int | None = None  # when the book was first seen to need a snapshot again

    def is_due(self, state: object, wants_snapshot: bool, now_ns: int) -> bool:
        """True if a snapshot should be asked for now."""
        if wants_snapshot and self._lost_ns is None:
            self._lost_ns = now_ns
        if self._in_flight or now_ns < self._not_before_ns:
            return False
        if isinstance(state, Joining):
            return now_ns - self._asked_ns >= CONFIRM_NS
        return wants_snapshot

    def asked(self, now_ns: int) -> None:
        self._in_flight = True
        self._asked_ns = now_ns

    def answered(self, now_ns: int, was_of_use: bool) -> None:
        """Take note of an answer; after one that did not help the next ones wait longer and longer.

        Nor did it help if the book was lost again at once: its sources contradict each other.
        """
        self._in_flight = False
        lost_ns = now_ns if self._lost_ns is None else self._lost_ns
        is_steady = lost_ns - self._used_ns >= STEADY_NS
        if was_of_use:
            self._used_ns, self._lost_ns = now_ns, None
        if was_of_use and is_steady:
            self._backoff.reset()
            self._not_before_ns = self._asked_ns + FIRST_RETRY_NS
        else:
            self._not_before_ns = now_ns + self._backoff.take_ns()

    def failed(self, now_ns: int) -> None:
        self._in_flight = False
        self._not_before_ns = now_ns + self._backoff.take_ns()


class Renewals:
    """When symbols whose snapshots come in the stream may be subscribed anew."""

    def __init__(self) -> None:
        self._not_before_ns: dict[str, int] = {}
        self._backoffs: dict[str, Backoff] = {}

    def subscribed(self, symbols: Iterable[str], now_ns: int) -> None:
        """These were subscribed now: their first snapshots are on the way."""
        for symbol in symbols:
            self._backoffs[symbol] = Backoff(FIRST_RENEWAL_NS, LARGEST_RENEWAL_NS)
            self._not_before_ns[symbol] = now_ns + self._backoffs[symbol].take_ns()

    def forget(self, symbol: str) -> None:
        self._not_before_ns.pop(symbol, None)
        self._backoffs.pop(symbol, None)

    def due(self, wants: Mapping[str, bool], now_ns: int) -> list[str]:
        """Return, once each, what is to be done now; less and less often while that does not help.

        wants  whether a symbol waits for a snapshot
        """
        past = [symbol for symbol in wants if now_ns >= self._not_before_ns[symbol]]
        renewed = [symbol for symbol in past if wants[symbol]]
        for symbol in past:
            if wants[symbol]:
                self._not_before_ns[symbol] = now_ns + self._backoffs[symbol].take_ns()
            else:
                self._backoffs[symbol].reset()
        return renewed


class PriceWish:
    """Which symbols' prices are read by REST next, over all symbols."""

    def __init__(self, per_s: float) -> None:
        self._interval_ns = round(NS_PER_S / per_s)
        self._next_ns = 0
        self._asked_ns: dict[str, int] = {}
        self._in_flight: set[str] = set()

    def take(self, wanting: list[str], now_ns: int) -> str | None:
        """Return the symbol to read now, if one is due: the one that has waited longest."""
        if now_ns < self._next_ns:
            return None
        due = [
            symbol
            for symbol in wanting
            if symbol not in self._in_flight
            and now_ns - self._asked_ns.get(symbol, -PRICE_INTERVAL_NS) >= PRICE_INTERVAL_NS
        ]
        if not due:
            return None
        symbol = min(due, key=lambda name: self._asked_ns.get(name, -PRICE_INTERVAL_NS))
        self._asked_ns[symbol] = now_ns
        self._in_flight.add(symbol)
        self._next_ns = now_ns + self._interval_ns
        return symbol

    def answered(self, symbol: str) -> None:
        self._in_flight.discard(symbol)
