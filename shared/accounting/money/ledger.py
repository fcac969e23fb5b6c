"""The money of one symbol over one session, exactly.

profit = cash + position x mid - start position x start mid, cash moved by fills, fees and
funding. The same profit split by what made it:

  spread     each fill against the mid just before it: signed quantity x (mid - price)
  inventory  the position held, times what the mid moved meanwhile
  fees, rebates, funding

Between two fills the mid moves by what the next one's mid is above the last one's, so that
spread + inventory telescopes to the profit before fees: the parts add up to the last digit.
"""

from __future__ import annotations

from decimal import Decimal

from shared.accounting.money.exact import ZERO, add, minus, multiply, subtract
from shared.accounting.money.fifo import Fifo
from shared.accounting.money.values import VOLUME_NAMES, Denomination, Execution, Parts, Volumes
from shared.messages import Side

_VOLUME_OF = {
    (True, Side.BUY): "maker_buy",
    (True, Side.SELL): "maker_sell",
    (False, Side.BUY): "taker_buy",
    (False, Side.SELL): "taker_sell",
}


class SymbolLedger:
    """Sums of one symbol since the session began.

    fills, maker_fills   how many
    unexplained          times the position moved without a fill; it is taken over at the mid, without profit
    unvalued_fees        asset -> fees in an asset whose price nobody told: while any, the profit is unknown
    """

    def __init__(self, denomination: Denomination) -> None:
        self._of = denomination
        self._fifo = Fifo()
        self._cash = ZERO
        self._start_value = ZERO
        self._reference: Decimal | None = None  # the mid from which on inventory is not in the sum yet
        self._inventory = ZERO
        self._spread = ZERO
        self._fees = ZERO
        self._rebates = ZERO
        self._volumes = dict.fromkeys(VOLUME_NAMES, ZERO)
        self._has_traded = False
        self._is_held = False
        self._is_lost = False
        self._rates: dict[str, Decimal] = {}
        self.position = ZERO
        self.start_position = ZERO
        self.mid: Decimal | None = None
        self.funding = ZERO
        self.fills = 0
        self.maker_fills = 0
        self.unexplained = 0
        self.unvalued_fees: dict[str, Decimal] = {}

    # --- what happens ------------------------------------------------------------------------

    def mark(self, mid: Decimal) -> None:
        """Value the position at a new mid; the first one is what it began at."""
        self.mid = mid
        if self._reference is None:
            self._reference = mid

    def hold(self, quantity: Decimal) -> None:
        """Take a position that the venue has confirmed as the one at the start, if none is known yet."""
        if not self._is_held and not self._has_traded:
            self._is_held = True
            self.start_position = self.position = quantity

    def rate(self, asset: str, price: Decimal) -> None:
        """Note what a third asset is worth, quote units: fees paid in it from now on have a value."""
        self._rates[asset] = price

    def fund(self, amount: Decimal) -> None:
        """Book a funding payment; > 0 was received."""
        self.funding = add(self.funding, amount)
        self._cash = add(self._cash, amount)

    def fill(self, fill: Execution) -> None:
        """Book a fill; who calls sees to it that it is booked once."""
        signed = multiply(fill.quantity, Decimal(fill.side.sign))
        mid = self._mid_of(fill)
        if not self._has_traded:
            self._begin(fill, signed, mid)
        elif fill.position_after is not None:
            self._explain(fill, signed, mid)
        self._move(signed, fill.price, mid)
        self._book_fee(fill, mid)
        name = _VOLUME_OF[fill.is_maker, fill.side]
        self._volumes[name] = add(self._volumes[name], self._value(fill.quantity, fill.price))
        self.fills += 1
        self.maker_fills += fill.is_maker

    def start_over(self) -> None:
        """Keep what was made so far and begin anew: the venue is another one, where nothing is held."""
        if self.position and self.mid is None:
            self._is_lost = True
        if self.mid is not None:
            if not self._has_traded:
                self._begin_at(self.mid)
            self._move(minus(self.position), self.mid, self.mid)
        self._reference = self.mid = None
        self.position = self.start_position = ZERO
        self._has_traded = self._is_held = False

    # --- what it comes to --------------------------------------------------------------------

    @property
    def is_known(self) -> bool:
        """False while something held, or a fee paid, has no price."""
        return not self._is_lost and not self.unvalued_fees and not (self.position and self.mid is None)

    @property
    def profit(self) -> Decimal | None:
        """Return cash and what is held, less what was held; None = unknown."""
        if not self.is_known:
            return None
        held = ZERO if self.mid is None else self._value(self.position, self.mid)
        return subtract(add(self._cash, held), self.begun_with)

    @property
    def parts(self) -> Parts:
        """Return the profit by what made it; where `is_known` is False, that of what is known."""
        inventory = self._inventory
        if self.mid is not None and self._reference is not None:
            inventory = add(inventory, self._value(self.position, subtract(self.mid, self._reference)))
        return Parts(self._spread, inventory, minus(self._fees), self._rebates, self.funding)

    @property
    def volumes(self) -> Volumes:
        return Volumes(**self._volumes)

    @property
    def net_fees(self) -> Decimal:
        """Return fees less rebates; > 0 is a cost."""
        return subtract(self._fees, self._rebates)

    @property
    def realised(self) -> Decimal:
        """Return what closed positions have made, first in first out, before fees (row X12)."""
        return multiply(self._fifo.realised, self._of.multiplier)

    @property
    def unrealised(self) -> Decimal | None:
        """Return what the open position would make at the mid; None = it has no mid."""
        if not self.position:
            return ZERO
        if self.mid is None:
            return None
        if not self._has_traded and self._reference is not None:
            return self._value(self.position, subtract(self.mid, self._reference))
        return multiply(self._fifo.unrealised(self.mid), self._of.multiplier)

    # --- pieces --------------------------------------------------------------------------------

    def _value(self, quantity: Decimal, price: Decimal) -> Decimal:
        return multiply(multiply(quantity, price), self._of.multiplier)

    @property
    def begun_with(self) -> Decimal:
        """Return what was held at the start, at the first mid that was known."""
        if self._has_traded or self._reference is None:
            return self._start_value
        return add(self._start_value, self._value(self.position, self._reference))

    def _mid_of(self, fill: Execution) -> Decimal:
        """Return the mid of a fill; without a book its own price is all that is known of it."""
        if fill.mid is not None:
            return fill.mid
        return self.mid if self.mid is not None else fill.price

    def _begin(self, fill: Execution, signed: Decimal, mid: Decimal) -> None:
        """Find what was held before the first fill: what it left, less what it traded."""
        if fill.position_after is not None:
            self.start_position = subtract(fill.position_after, self._moved(fill, signed))
        self._begin_at(mid)

    def _begin_at(self, mid: Decimal) -> None:
        """Fix what was held at the start, at the first mid that was known."""
        self.position = self.start_position
        if self._reference is None:
            self._reference = mid
        self._has_traded = True
        self._fifo.add(self.start_position, self._reference)
        self._start_value = add(self._start_value, self._value(self.start_position, self._reference))

    def _explain(self, fill: Execution, signed: Decimal, mid: Decimal) -> None:
        """Take over, at the mid, what moved without a fill that we know."""
        assert fill.position_after is not None
        moved = subtract(subtract(fill.position_after, self.position), self._moved(fill, signed))
        if moved:
            self.unexplained += 1
            self._move(moved, mid, mid)

    def _moved(self, fill: Execution, signed: Decimal) -> Decimal:
        """Return what a fill makes of the position: a spot fee in base comes out of it."""
        return subtract(signed, fill.fee) if self._is_base_fee(fill) else signed

    def _is_base_fee(self, fill: Execution) -> bool:
        return fill.fee_asset == self._of.base and not self._of.is_perp

    def _move(self, signed: Decimal, price: Decimal, mid: Decimal) -> None:
        """Trade at a price while the mid is `mid`."""
        assert self._reference is not None
        moved = subtract(mid, self._reference)
        self._inventory = add(self._inventory, self._value(self.position, moved))
        self._reference = mid
        self._spread = add(self._spread, self._value(signed, subtract(mid, price)))
        self._cash = subtract(self._cash, self._value(signed, price))
        self._fifo.add(signed, price)
        self.position = add(self.position, signed)

    def _book_fee(self, fill: Execution, mid: Decimal) -> None:
        cost = self._fee_value(fill, mid)
        if cost is None:
            owed = self.unvalued_fees.get(fill.fee_asset, ZERO)
            self.unvalued_fees[fill.fee_asset] = add(owed, fill.fee)
            return
        if self._is_base_fee(fill):  # as if sold at the mid to pay it
            self._move(minus(fill.fee), mid, mid)
        self._cash = subtract(self._cash, cost)
        if cost > 0:
            self._fees = add(self._fees, cost)
        else:
            self._rebates = subtract(self._rebates, cost)

    def _fee_value(self, fill: Execution, mid: Decimal) -> Decimal | None:
        if not fill.fee or fill.fee_asset == self._of.quote:
            return fill.fee
        if fill.fee_asset == self._of.base:
            return multiply(fill.fee, mid)
        rate = self._rates.get(fill.fee_asset)
        return None if rate is None else multiply(fill.fee, rate)
