"""What execution knows of one symbol: what is wanted, what is permitted, what is there."""

from __future__ import annotations

from services.execution.orders.records import SymbolOrders
from services.execution.orders.refusals import Refusals
from shared.instrument import Instrument
from shared.messages import Permit, Quotes, Reject, Side, Target, Top


class Symbol:
    """The newest message of each kind, position and orders of one symbol.

    position         signed lots
    position_seq     grows with every change, over restarts too
    is_known         False = the venue has not confirmed the position: no new risk
    price            reference price in quote units, for limits only; 0 = none
    sides            refusals of each side
    last_fill_ns     when a fill last changed the position (monotonic)
    shown_clear_ns   begin of the latest read of open orders that showed none of ours
    slice_due_ns     no reduction is sent before this
    """

    __slots__ = (
        "halt_reason", "instrument", "is_known", "last_fill_ns", "lot_value", "name", "orders", "permit",
        "position", "position_seq", "price", "quotes", "rejects", "shown_clear_ns", "sides", "slice_due_ns",
        "slice_refusals", "target", "top",
    )  # fmt: skip

    def __init__(self, instrument: Instrument, orders: SymbolOrders) -> None:
        self.name = instrument.symbol
        self.orders = orders
        self.quotes: Quotes | None = None
        self.permit: Permit | None = None
        self.target: Target | None = None
        self.top: Top | None = None
        self.position = 0
        self.position_seq = 0
        self.is_known = False
        self.price = 0.0
        self.halt_reason: str | None = None
        self.rejects: dict[Side, Reject] = {}
        self.sides = {Side.BUY: Refusals(), Side.SELL: Refusals()}
        self.last_fill_ns = 0
        self.shown_clear_ns = 0
        self.slice_due_ns = 0
        self.slice_refusals = Refusals()
        self.set_instrument(instrument)

    def set_instrument(self, instrument: Instrument) -> None:
        self.instrument = instrument
        #: quote units of one lot at a price of 1
        self.lot_value = float(instrument.lot_size * instrument.contract_multiplier)

    def on_top(self, top: Top) -> None:
        self.top = top
        if top.bid is not None and top.ask is not None:
            self.price = (top.bid + top.ask) / 2 * float(self.instrument.tick_size)

    def worst_lots(self, side: Side, more: int = 0) -> int:
        """Return how far the position can go to one side (> 0) if every order there fills, and `more`."""
        if side is Side.BUY:
            return self.position + self.orders.buying + more
        return self.orders.selling + more - self.position

    def worst_usd(self, more_buying: int = 0, more_selling: int = 0) -> float:
        """Return the largest absolute exposure that our orders can lead to, quote units."""
        longest = self.position + self.orders.buying + more_buying
        shortest = self.position - self.orders.selling - more_selling
        return max(abs(longest), abs(shortest)) * self.lot_value * self.price

    def is_clear(self) -> bool:
        """True when the venue has shown, after the last sign of an order, that none of ours is open."""
        return not self.orders.live and self.shown_clear_ns > self.orders.quiet_since_ns
