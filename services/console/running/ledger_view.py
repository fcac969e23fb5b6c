"""Money of a session, from the fill journal: exact decimals, marked at mid.

pnl = cash + position x mid, from the first to the last look; cash moves by fills, fees and
funding. cost_per_10k = -pnl / volume x 10,000: what trading 10,000 has cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from shared.messages import Side
from shared.state.records import FillEntry, JournalEntry

ZERO = Decimal(0)


@dataclass
class AccountLedger:
    """One account over one session, quote units. Positions are in base units.

    start_positions  before the first fill: what it left, less what it traded
    start_mids       at the first look
    banked           profit before the venue was another one; None = not known
    """

    start_equity: Decimal | None = None
    start_positions: dict[str, Decimal] = field(default_factory=dict)
    start_mids: dict[str, Decimal] = field(default_factory=dict)
    cash: Decimal = ZERO
    volume: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    positions: dict[str, Decimal] = field(default_factory=dict)
    mids: dict[str, Decimal] = field(default_factory=dict)
    banked: Decimal | None = ZERO
    _traded: set[str] = field(default_factory=set)

    def start_over(self) -> None:
        """Keep what was made so far and begin anew: the venue is another one, where nothing is held."""
        self.banked = self.pnl
        self.cash = ZERO
        self._traded.clear()
        for values in (self.start_positions, self.start_mids, self.positions, self.mids):
            values.clear()

    def hold(self, symbol: str, quantity: Decimal) -> None:
        """Take a position that the venue has confirmed as the one at the start, if none is known yet."""
        if symbol not in self.start_positions:
            self.start_positions[symbol] = self.positions[symbol] = quantity

    def add(self, entries: Iterable[JournalEntry], quote_of: Mapping[str, str]) -> None:
        """Book entries once each, in order. `quote_of`: symbol -> asset its money is in."""
        for entry in entries:
            if isinstance(entry, FillEntry):
                self._add_fill(entry, quote_of.get(entry.symbol, ""))
            else:
                self.cash += entry.amount
                self.funding += entry.amount

    def _add_fill(self, fill: FillEntry, quote: str) -> None:
        notional = fill.price * fill.quantity
        self.cash -= notional if fill.side is Side.BUY else -notional
        self.volume += notional
        moved = fill.quantity * fill.side.sign
        if fill.fee_asset == quote:
            self.cash -= fill.fee
            self.fees += fill.fee
        else:  # a spot buy pays in the base asset: `position_after` is smaller by it already
            self.fees += fill.fee * fill.price
            moved -= fill.fee
        if fill.symbol not in self._traded:
            self._traded.add(fill.symbol)
            self.start_positions[fill.symbol] = fill.position_after - moved
        self.positions[fill.symbol] = fill.position_after

    def mark(self, symbol: str, mid: Decimal) -> None:
        """Value a symbol at a new mid."""
        self.mids[symbol] = mid
        self.start_mids.setdefault(symbol, mid)

    @property
    def pnl(self) -> Decimal | None:
        """Return what the session has made, None while a held symbol has no mid."""
        if self.banked is None:
            return None
        value = self.banked + self.cash
        for symbol, position in self.positions.items():
            start = self.start_positions.get(symbol, ZERO)
            if (position and symbol not in self.mids) or (start and symbol not in self.start_mids):
                return None
            value += position * self.mids.get(symbol, ZERO) - start * self.start_mids.get(symbol, ZERO)
        return value

    @property
    def equity(self) -> Decimal | None:
        pnl = self.pnl
        return None if self.start_equity is None or pnl is None else self.start_equity + pnl

    @property
    def cost_per_10k(self) -> Decimal | None:
        pnl = self.pnl
        return None if pnl is None or not self.volume else -pnl / self.volume * 10_000
