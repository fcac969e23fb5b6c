"""The venue is the truth; one answer of it is not.

A difference of positions counts when two reads that began after our last event agree; then
nothing but reductions, and the fills are read. What no fill explains is adopted when the
private stream tells the same, else only after a minute of reads that all agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from services.execution.account.accounting import Accounting
from services.execution.desk import Desk
from services.execution.reads.schedule import Reads
from services.execution.requests import ReadKind
from services.execution.symbols import Symbol
from shared.accounting.money.exact import ZERO
from shared.clock import NS_PER_MS, NS_PER_S
from shared.venues.base import VenueBalance, VenuePosition

#: a position that was not confirmed for so long is in doubt
POSITION_TTL_NS = 10 * NS_PER_S
#: two reads that agree must be so far apart: a fill may be on its way
AGREEING_NS = 300 * NS_PER_MS
#: a position that neither a fill nor the stream explains is believed when every read of so long shows it
UNEXPLAINED_NS = 60 * NS_PER_S


class _Doubt:
    """A difference between a position and the venue's."""

    __slots__ = ("disputed_ns", "first_ns", "quantity")

    def __init__(self, quantity: Decimal, begun_ns: int) -> None:
        self.quantity = quantity
        self.first_ns = begun_ns
        self.disputed_ns = 0


class Reconciliation:
    """Compares what we know with what the venue shows."""

    def __init__(self, desk: Desk, accounting: Accounting, reads: Reads) -> None:
        self._desk = desk
        self._accounting = accounting
        self._reads = reads
        self._doubts: dict[str, _Doubt] = {}
        self._confirmed_ns: dict[str, int] = {}
        #: symbol -> what the private stream told of its position last, and when
        self._told: dict[str, tuple[Decimal, int]] = {}

    def on_positions(self, shown: Sequence[VenuePosition], begun_ns: int, now_ns: int) -> None:
        """Take up a complete list of positions: a symbol that is not in it is flat."""
        found = {position.symbol: position for position in shown}
        for name in found:
            self._desk.symbol(name)
        for symbol in self._desk.symbols.values():
            if symbol.instrument.is_perp:
                position = found.get(symbol.name)
                self._use_mark(symbol, position)
                quantity = ZERO if position is None else position.quantity
                entry_price = None if position is None else position.entry_price
                self._compare(symbol, quantity, entry_price, begun_ns, now_ns)

    def on_told(self, position: VenuePosition, now_ns: int) -> None:
        """The private stream tells a position: a second witness, never acted on alone."""
        self._told[position.symbol] = (position.quantity, now_ns)

    def on_balances(self, shown: Sequence[VenueBalance], begun_ns: int, now_ns: int) -> None:
        """Take up all balances: the position of a spot symbol is what we hold of its base asset."""
        totals: Mapping[str, Decimal] = {balance.asset: balance.total for balance in shown}
        for symbol in self._desk.symbols.values():
            if not symbol.instrument.is_perp:
                quantity = totals.get(symbol.instrument.base, ZERO)
                entry_price = self._desk.holding(symbol.name).entry_price
                self._compare(symbol, quantity, entry_price, begun_ns, now_ns)

    def tick(self, now_ns: int) -> None:
        """A position that nobody has confirmed for long is in doubt."""
        for symbol in self._desk.symbols.values():
            confirmed_ns = self._confirmed_ns.get(symbol.name)
            if symbol.is_known and confirmed_ns is not None and now_ns - confirmed_ns > POSITION_TTL_NS:
                self._desk.alert("position not confirmed by the venue for long", symbol=symbol.name)
                self._accounting.doubt(symbol, is_known=False)
                self._doubts.pop(symbol.name, None)

    def _use_mark(self, symbol: Symbol, position: VenuePosition | None) -> None:
        if symbol.top is None and position is not None and position.mark_price is not None:
            symbol.price = float(position.mark_price)

    def _compare(
        self, symbol: Symbol, quantity: Decimal, entry_price: Decimal | None, begun_ns: int, now_ns: int
    ) -> None:
        if begun_ns <= symbol.last_fill_ns:
            self._compare_overtaken(symbol, quantity, begun_ns, now_ns)
            return
        is_first = symbol.name not in self._confirmed_ns
        if self._is_same(symbol, quantity) and not is_first:
            self._confirmed_ns[symbol.name] = begun_ns
            self._doubts.pop(symbol.name, None)
            self._accounting.doubt(symbol, is_known=True)
            return
        doubt = self._doubts.get(symbol.name)
        if doubt is None or doubt.quantity != quantity:
            self._doubts[symbol.name] = doubt = _Doubt(quantity, begun_ns)
        if self._is_proved(symbol, doubt, begun_ns, is_first, now_ns):
            self._adopt_position(symbol, quantity, entry_price, begun_ns)
        else:
            self._look_again(now_ns)

    def _compare_overtaken(self, symbol: Symbol, quantity: Decimal, begun_ns: int, now_ns: int) -> None:
        """A fill came after the read began: it may show what was before that, or in between.

        It confirms a position that nothing disputes; it never disputes one.
        """
        is_disputed = symbol.name in self._doubts or symbol.name not in self._confirmed_ns
        if not is_disputed and symbol.had_since(begun_ns, quantity, self._desk.holding(symbol.name).quantity):
            self._confirmed_ns[symbol.name] = max(begun_ns, self._confirmed_ns[symbol.name])
            self._accounting.doubt(symbol, is_known=True)
            return
        self._reads.hurry(ReadKind.POSITIONS if symbol.instrument.is_perp else ReadKind.BALANCES, now_ns)

    def _adopt_position(
        self, symbol: Symbol, quantity: Decimal, entry_price: Decimal | None, begun_ns: int
    ) -> None:
        if not self._is_same(symbol, quantity):
            ours = self._desk.holding(symbol.name).quantity
            self._desk.alert(
                "position taken from the venue", is_error=False, symbol=symbol.name, ours=str(ours),
                venue=str(quantity),
            )  # fmt: skip
        self._confirmed_ns[symbol.name] = begun_ns
        del self._doubts[symbol.name]
        self._accounting.adopt(symbol, quantity, entry_price)

    def _is_same(self, symbol: Symbol, quantity: Decimal) -> bool:
        return abs(self._desk.holding(symbol.name).quantity - quantity) < symbol.tolerated

    def _is_proved(self, symbol: Symbol, doubt: _Doubt, begun_ns: int, is_first: bool, now_ns: int) -> bool:
        """Judge a read that shows the doubted quantity (again).

        At first two reads prove a position. Later two dispute ours, and a third with the stream as
        witness, or a minute of them, prove it wrong. Each time the fills must have been read
        since: the position then holds no fill that is still to be counted.
        """
        fills_ns = self._reads.last_good_ns(ReadKind.FILLS)
        if is_first:
            return begun_ns > doubt.first_ns and fills_ns > doubt.first_ns
        if doubt.disputed_ns:
            is_read = begun_ns > doubt.disputed_ns and fills_ns > doubt.disputed_ns
            is_old = begun_ns - doubt.disputed_ns > UNEXPLAINED_NS
            return is_read and (is_old or self._is_told(symbol, doubt.quantity))
        if begun_ns >= doubt.first_ns + AGREEING_NS:
            doubt.disputed_ns = now_ns
            self._desk.alert(
                "position differs from the venue's", symbol=symbol.name, ours=symbol.position,
                venue=str(doubt.quantity),
            )  # fmt: skip
            self._accounting.doubt(symbol, is_known=False)
        return False

    def _is_told(self, symbol: Symbol, quantity: Decimal) -> bool:
        told = self._told.get(symbol.name)
        return told is not None and told[0] == quantity and told[1] >= symbol.last_fill_ns

    def _look_again(self, now_ns: int) -> None:
        self._reads.hurry(ReadKind.FILLS, now_ns)
        self._reads.hurry(ReadKind.POSITIONS, now_ns)
        self._reads.hurry(ReadKind.BALANCES, now_ns)
