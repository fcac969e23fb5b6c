"""Whether everybody counts a symbol in the same ticks and lots. Pure.

Ticks and lots cross the bus without their size: quoters and risk count in what marketdata
tells, we in what the venue tells us. Nothing is placed while the two differ, or before
marketdata has told: the symbol is closed and its orders are cancelled. When none may be live
any more and both tell the same, the new rules are taken up, the position is counted anew from
its exact quantity, and the symbol opens once nothing that was sent in the old units can arrive.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.execution.desk import Desk
from services.execution.reads.schedule import Reads
from services.execution.requests import ReadKind, StorePosition
from services.execution.symbols import Symbol
from shared.clock import NS_PER_S
from shared.errors import Refused
from shared.instrument import Instrument
from shared.messages import InstrumentInfo

#: a state on the bus counts for a second; what was computed from old rules is gone after this
SETTLE_NS = 2 * NS_PER_S
#: how often the venue is asked for its rules while they differ
ASK_NS = NS_PER_S


def is_same_units(one: Instrument, other: Instrument) -> bool:
    """True when a tick and a lot of both are the same."""
    return (one.tick_size, one.lot_size, one.contract_multiplier) == (
        other.tick_size, other.lot_size, other.contract_multiplier,
    )  # fmt: skip


class Rules:
    """The trading rules of one account's symbols, by both witnesses."""

    def __init__(self, desk: Desk, reads: Reads) -> None:
        self._desk = desk
        self._reads = reads
        self._infos: dict[str, InstrumentInfo] = {}
        #: what marketdata counts in; None = it cannot be read
        self._told: dict[str, Instrument | None] = {}
        self._asked_ns = 0

    def on_told(self, info: InstrumentInfo, now_ns: int) -> bool:
        """Marketdata tells what it counts in; True when that is news."""
        if self._infos.get(info.symbol) == info:
            return False
        self._infos[info.symbol] = info
        self._told[info.symbol] = self._to_instrument(info)
        symbol = self._desk.symbols.get(info.symbol)
        if symbol is not None:
            self._judge(symbol, now_ns)
        return True

    def on_read(self, infos: Sequence[InstrumentInfo], now_ns: int) -> None:
        """The venue tells the rules of its symbols."""
        for info in infos:
            instrument = self._to_instrument(info)
            symbol = self._desk.symbols.get(info.symbol)
            if instrument is None:
                continue
            if symbol is None:
                self._desk.instruments[info.symbol] = instrument
                continue
            if is_same_units(instrument, symbol.instrument):
                symbol.pending = None
                self._take(symbol, instrument)
            else:
                symbol.pending = instrument
            self._judge(symbol, now_ns)

    def tick(self, now_ns: int) -> None:
        """Look at every symbol that is closed."""
        for symbol in self._desk.symbols.values():
            if not symbol.is_open:
                self._judge(symbol, now_ns)

    def _judge(self, symbol: Symbol, now_ns: int) -> None:
        told = self._told.get(symbol.name)
        if told != symbol.market:
            symbol.market = told
            symbol.top = None  # its ticks may be others
        coming = symbol.pending or symbol.instrument
        is_agreed = told is not None and is_same_units(told, coming)
        if is_agreed and symbol.pending is None:
            self._open(symbol, now_ns)
        elif told is not None or symbol.is_open:
            self._close(symbol, now_ns)
            if not is_agreed:
                self._ask(now_ns)
            elif symbol.is_clear() and not symbol.orders.owed:
                self._swap(symbol, coming)

    def _open(self, symbol: Symbol, now_ns: int) -> None:
        if symbol.is_open or now_ns < symbol.opens_ns:
            return
        if symbol.opens_ns:
            symbol.forget_wanted()  # it may be counted in the old units
            # whoever heard of other units waits for a position that was told later, swapped or not
            self._desk.tell_position(symbol, 0)
            self._desk.outbox.append(StorePosition(self._desk.held(symbol, 0)))
            self._desk.alert("everybody counts in the same units again", False, symbol=symbol.name)
        symbol.is_open = True
        self._desk.wake(symbol)
        self._desk.touch(symbol)

    def _close(self, symbol: Symbol, now_ns: int) -> None:
        if symbol.is_open or not symbol.opens_ns:
            self._desk.alert("ticks or lots have changed: no orders until all agree", symbol=symbol.name)
            symbol.is_open = False
            symbol.forget_wanted()
            self._desk.wake(symbol)
            self._desk.touch(symbol)
        symbol.opens_ns = now_ns + SETTLE_NS

    def _ask(self, now_ns: int) -> None:
        if now_ns - self._asked_ns >= ASK_NS:
            self._asked_ns = now_ns
            self._reads.hurry(ReadKind.INSTRUMENTS, now_ns)

    def _take(self, symbol: Symbol, instrument: Instrument) -> None:
        self._desk.instruments[symbol.name] = instrument
        if instrument != symbol.instrument:
            symbol.set_instrument(instrument)
            self._desk.alert("trading rules have changed", False, symbol=symbol.name)
            self._desk.wake(symbol)

    def _swap(self, symbol: Symbol, instrument: Instrument) -> None:
        """Count in the new units. No order is live that the old ones were for."""
        desk = self._desk
        symbol.pending = None
        self._take(symbol, instrument)
        desk.orders.drop_dead(symbol.name)
        symbol.forget_refusals()
        symbol.position = instrument.lots_floor(desk.holding(symbol.name).quantity)
        desk.tell_position(symbol, 0)
        desk.outbox.append(StorePosition(desk.held(symbol, 0)))
        desk.touch(symbol)

    def _to_instrument(self, info: InstrumentInfo) -> Instrument | None:
        try:
            return Instrument.from_info(info)
        except Refused as refusal:
            self._desk.alert("an instrument cannot be read", symbol=info.symbol, error=str(refusal))
            return None
