"""What execution knows of one symbol: what is wanted, what is permitted, what is there."""

from __future__ import annotations

import math
from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING

from services.execution.orders.pursuit import Pursuit
from services.execution.orders.records import Order, SymbolOrders
from services.execution.orders.refusals import MakerRefusals, Refusals
from shared.instrument import Instrument
from shared.messages import Permit, Quotes, Reject, Side, Target, Top, Working

if TYPE_CHECKING:
    from services.execution.sending.agreement import Agreement

#: fills whose position before is kept: those of the longest read
KEPT_FILLS = 256
#: less than any quantity
_NOTHING = Decimal("1e-30")


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
    before_fills     the latest of those: when, and the exact position before it
    shown_clear_ns   begin of the latest read of open orders that showed none of ours
    slice_due_ns     no reduction is sent before this
    pursuit          how far the patience of a maker target has gone; None = there is none
    agreed           the last comparison of wanted and working that found nothing to do; None = compare
    told_working     the Working that was told last; None = none, or it must be told again
    """

    __slots__ = (
        "agreed", "before_fills", "halt_reason", "instrument", "is_known", "is_open", "last_fill_ns",
        "lot_value", "maker_refusals", "market", "name", "opens_ns", "orders", "pending", "permit",
        "position", "position_seq", "price", "pursuit", "quotes", "rejects", "shown_clear_ns", "sides",
        "slice_due_ns", "slice_refusals", "target", "told_working", "tolerated", "top",
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
        self.before_fills: deque[tuple[int, Decimal]] = deque(maxlen=KEPT_FILLS)
        self.shown_clear_ns = 0
        self.slice_due_ns = 0
        self.slice_refusals = Refusals()
        self.maker_refusals = MakerRefusals()
        self.pursuit: Pursuit | None = None
        self.agreed: Agreement | None = None
        self.told_working: Working | None = None
        self.market: Instrument | None = None
        self.pending: Instrument | None = None
        self.is_open = False
        self.opens_ns = 0
        self.set_instrument(instrument)

    def set_instrument(self, instrument: Instrument) -> None:
        self.instrument = instrument
        #: positions that differ by less are the same: fees in base leave dust, but at spot only
        self.tolerated = _NOTHING if instrument.is_perp else instrument.lot_size
        #: quote units of one lot at a price of 1
        self.lot_value = float(instrument.lot_size * instrument.contract_multiplier)

    def forget_wanted(self) -> None:
        """Drop everything that counts in ticks and lots of other rules."""
        self.quotes = self.permit = self.target = self.top = None

    def forget_refusals(self) -> None:
        """Drop what was refused at prices and sizes of other rules."""
        self.agreed = None
        self.rejects.clear()
        self.sides = {Side.BUY: Refusals(), Side.SELL: Refusals()}
        self.slice_refusals = Refusals()
        self.maker_refusals = MakerRefusals()

    def refusals_of(self, order: Order) -> Refusals:
        """Return what counts the refusals of such an order."""
        if not order.is_target:
            return self.sides[order.side]
        return self.maker_refusals if order.post_only else self.slice_refusals

    def on_top(self, top: Top) -> None:
        """Take up best prices, in the ticks that marketdata counts in."""
        if self.market is None:
            return
        self.top = top
        if top.bid is not None and top.ask is not None:
            self.price = (top.bid + top.ask) / 2 * float(self.market.tick_size)

    def on_position_filled(self, quantity_before: Decimal, now_ns: int) -> None:
        """A fill has changed the position."""
        self.last_fill_ns = now_ns
        self.before_fills.append((now_ns, quantity_before))

    def had_since(self, since_ns: int, quantity: Decimal, now: Decimal) -> bool:
        """True when the exact position was `quantity` at some time since then; `now` is the present one."""
        if abs(now - quantity) < self.tolerated:
            return True
        return any(
            abs(before - quantity) < self.tolerated
            for changed_ns, before in self.before_fills
            if changed_ns >= since_ns
        )

    def most_lots(self, more_buying: int = 0, more_selling: int = 0) -> int:
        """Return the largest absolute position that our orders, and so many lots more, can lead to."""
        longest = self.position + self.orders.buying + more_buying
        shortest = self.position - self.orders.selling - more_selling
        return max(longest, -longest, shortest, -shortest)

    def worst_lots(self, side: Side, more: int = 0) -> int:
        """Return how far the position can go to one side (> 0) if every order there fills, and `more`."""
        if side is Side.BUY:
            return self.position + self.orders.buying + more
        return self.orders.selling + more - self.position

    def worst_usd(self, more_buying: int = 0, more_selling: int = 0) -> float:
        """Return the largest absolute exposure that our orders can lead to, quote units.

        Without a price it is beyond every limit, unless there is none.
        """
        lots = self.most_lots(more_buying, more_selling)
        if not lots:
            return 0.0
        return lots * self.lot_value * self.price if self.price > 0 else math.inf

    def is_clear(self) -> bool:
        """True when the venue has shown, after the last sign of an order, that none of ours is open."""
        return not self.orders.live and self.shown_clear_ns > self.orders.quiet_since_ns
