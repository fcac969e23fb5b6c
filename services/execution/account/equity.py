"""Equity: one answer that nothing explains is not believed. Pure.

What the marks of our positions can have done to it is published at once. A larger jump (a
deposit, a liquidation, a wrong answer) and the very first value count only when a second read,
begun later, agrees; meanwhile the last value grows old, and an old one is unknown.
"""

from __future__ import annotations

from services.execution.desk import Desk
from services.execution.reads.schedule import Reads
from services.execution.requests import ReadKind
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import Equity
from shared.venues.base import VenueEquity

#: an equity older than this is not known any more
EQUITY_TTL_NS = 10 * NS_PER_S
#: two reads that confirm each other must have begun so far apart
AGREEING_NS = 300 * NS_PER_MS
#: part of the equity that may change for reasons of no account: fees, funding, interest, spreads
SMALL_SHARE = 0.005
#: the venue's marks may differ from our prices, and move between two looks, by this part
MARK_SHARE = 0.01

#: symbol -> (base units held, price) when an equity was read
Marks = dict[str, tuple[float, float]]


class EquityWatch:
    """`last` is the newest equity that is believed, None before the first."""

    def __init__(self, desk: Desk, reads: Reads) -> None:
        self._desk = desk
        self._reads = reads
        self.last: VenueEquity | None = None
        self._last_ns = 0
        self._marks: Marks = {}
        self._is_known = False
        self._doubted: VenueEquity | None = None
        self._doubted_ns = 0
        self._doubted_marks: Marks = {}
        self._newest_ns = 0

    def on_read(self, equity: VenueEquity, begun_ns: int, now_ns: int) -> None:
        """Take up an answer; one that was begun before another that has come says nothing new."""
        if begun_ns <= self._newest_ns:
            return
        self._newest_ns = begun_ns
        marks = self._marks_now()
        if self.last is not None and self._explains(self.last, self._marks, equity, marks):
            self._believe(equity, marks, begun_ns)
            return
        doubted = self._doubted
        if doubted is None or not self._explains(doubted, self._doubted_marks, equity, marks):
            self._doubted, self._doubted_ns, self._doubted_marks = equity, begun_ns, marks
            if self.last is not None:
                self._desk.alert(
                    "the equity jumps: it is read again", before=str(self.last.equity), now=str(equity.equity)
                )
        elif begun_ns - self._doubted_ns >= AGREEING_NS:
            self._believe(equity, marks, begun_ns)
            return
        self._reads.hurry(ReadKind.EQUITY, now_ns)

    def tick(self, now_ns: int) -> None:
        """An equity that could not be read for long is unknown, never the old one."""
        if self._doubted is not None:
            self._reads.hurry(ReadKind.EQUITY, now_ns)
        if self._is_known and now_ns - self._last_ns > EQUITY_TTL_NS:
            self._is_known = False
            self._desk.outbox.append(Equity(self._desk.account, None, None, self._last_ns))

    def _believe(self, equity: VenueEquity, marks: Marks, begun_ns: int) -> None:
        self.last, self._last_ns, self._marks = equity, begun_ns, marks
        self._doubted = None
        self._is_known = True
        self._desk.outbox.append(
            Equity(self._desk.account, float(equity.equity), float(equity.available), begun_ns)
        )

    def _marks_now(self) -> Marks:
        return {
            symbol.name: (symbol.position * symbol.lot_value, symbol.price)
            for symbol in self._desk.symbols.values()
        }

    def _explains(self, one: VenueEquity, then: Marks, other: VenueEquity, now: Marks) -> bool:
        """True when small things and the marks of what was held can make one of the other."""
        allowed = SMALL_SHARE * abs(float(one.equity))
        for name, (held, price) in now.items():
            held_then, price_then = then.get(name, (0.0, price))
            most = max(abs(held), abs(held_then))
            allowed += most * (abs(price - price_then) + MARK_SHARE * max(price, price_then))
        return abs(float(other.equity) - float(one.equity)) <= allowed
