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
    market           the rules that marketdata, and so quoters and risk, count in; None = not told yet
    pending          rules that the venue has told and that are not taken up yet; None = none
    is_open          False = not everybody is known to count in the same units: nothing is placed
    opens_ns         it does not open before this; 0 = it was never closed for other units
    last_fill_ns     when a fill last changed the position (monotonic)
    shown_clear_ns   begin of the latest read of open orders that showed none of ours
    slice_due_ns     no reduction is sent before this
    """

    __slots__ = (
        "halt_reason", "instrument", "is_known", "is_open", "last_fill_ns", "lot_value", "market", "name",
        "opens_ns", "orders", "pending", "permit", "position", "position_seq", "price", "quotes", "rejects",
        "shown_clear_ns", "sides", "slice_due_ns", "slice_refusals", "target", "top",
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
        self.market: Instrument | None = None
        self.pending: Instrument | None = None
        self.is_open = False
        self.opens_ns = 0
        self.set_instrument(instrument)

    def set_instrument(self, instrument: Instrument) -> None:
        self.instrument = instrument
        #: quote units of one lot at a price of 1
        self.lot_value = float(instrument.lot_size * instrument.contract_multiplier)

    def forget_wanted(self) -> None:
        """Drop everything that counts in ticks and lots of other rules."""
        self.quotes = self.permit = self.target = self.top = None

    def forget_refusals(self) -> None:
        """Drop what was refused at prices and sizes of other rules."""
        self.rejects.clear()
        self.sides = {Side.BUY: Refusals(), Side.SELL: Refusals()}
        self.slice_refusals = Refusals()

    def on_top(self, top: Top) -> None:
        """Take up best prices, in the ticks that marketdata counts in."""
        if self.market is None:
            return
        self.top = top
        if top.bid is not None and top.ask is not None:
            self.price = (top.bid + top.ask) / 2 * float(self.market.tick_size)

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
        return (
            not self.orders.live and not self.orders.owed and self.shown_clear_ns > self.orders.quiet_since_ns
        )
