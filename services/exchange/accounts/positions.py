"""A perpetual position in integers, so that no amount of money is ever rounded.

Units: lots; *cost* in ticks x lots; *fine* money in ticks x lots x MARK_GRID,
because marks have a finer grid than prices. With q the lots, C the signed sum
of lots x price over all fills and S what was already realised:

    unrealised = q * mark - C - S      realising moves it into S and the balance

so that balance + unrealised - q * mark = deposits - fees + funding - C at any
time. No division: how much of a partial close is profit is never asked. What is
gained moves to the balance at the next settlement, or at once when the position
closes. Entry and break-even price are for reading only.
"""

from __future__ import annotations

from decimal import Decimal

from services.exchange.engine.rules import MARK_GRID, Rules
from services.exchange.model import Order, PositionState

_ZERO = Decimal(0)


class Position:
    """Position and resting interest of one account in one perpetual."""

    __slots__ = (
        "_entry_value",
        "_opened_cost",
        "_opened_settled",
        "cost",
        "fees",
        "funding",
        "id",
        "lots",
        "margin",
        "open_buys",
        "open_sells",
        "pnl",
        "reduce_only",
        "rules",
        "settled",
    )

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.id = 0
        self.lots = 0
        self.cost = 0
        self.settled = 0
        #: since the position was opened, in quote money
        self.fees = _ZERO
        self.funding = _ZERO
        #: lots of resting orders that may enlarge the position
        self.open_buys = 0
        self.open_sells = 0
        self.reduce_only: dict[int, Order] = {}
        #: margin held and unrealised PnL at the last mark, in quote money
        self.margin = _ZERO
        self.pnl = _ZERO
        self._opened_cost = 0
        self._opened_settled = 0
        self._entry_value = _ZERO

    def worst_lots(self, more_buys: int = 0, more_sells: int = 0) -> int:
        """Return the largest size, lots >= 0, that the position can reach with the resting orders."""
        return max(abs(self.lots + self.open_buys + more_buys), abs(self.lots - self.open_sells - more_sells))

    def add(self, lots: int, ticks: int) -> None:
        """Apply a fill of signed `lots` that does not close the position past zero."""
        before = abs(self.lots)
        self.lots += lots
        self.cost += lots * ticks
        after = abs(self.lots)
        if after > before:
            self._entry_value += (after - before) * ticks
        elif before:
            self._entry_value = self._entry_value * after / before

    def closing_part(self, lots: int) -> int:
        """Return the part of a fill of signed `lots` that takes the position to zero, 0 if it does not."""
        return -self.lots if self.lots and (self.lots + lots) * self.lots <= 0 else 0

    def close(self, ticks: int) -> int:
        """Trade the whole position at `ticks`; return what that realises, fine money."""
        self.add(-self.lots, ticks)
        return self.realise(0)

    def open(self, position_id: int) -> None:
        """Start counting a new position from zero lots."""
        self.id = position_id
        self._opened_cost = self.cost
        self._opened_settled = self.settled
        self._entry_value = self.fees = self.funding = _ZERO

    def unrealised(self, mark: int) -> int:
        """Return the unrealised PnL, fine money, at `mark` (ticks * MARK_GRID)."""
        return self.lots * mark - self.cost * MARK_GRID - self.settled

    def realise(self, mark: int) -> int:
        """Move the unrealised PnL into what is settled; return the amount, fine money."""
        amount = self.unrealised(mark)
        self.settled += amount
        return amount

    def entry_price(self) -> Decimal:
        """Return the average price of the open quantity, 28 digits; 0 when flat."""
        return self._entry_value / abs(self.lots) * self.rules.prices.step if self.lots else _ZERO

    def break_even_price(self) -> Decimal:
        """Return the price at which closing leaves no gain after fees and funding; 0 when flat."""
        if not self.lots:
            return _ZERO
        spent = (self.cost - self._opened_cost) * self.rules.unit + self.fees - self.funding
        return spent / self.rules.quantity(self.lots)

    def state(self, account: str, mark: int, imf: Decimal, mmf: Decimal) -> PositionState:
        rules = self.rules
        return PositionState(
            account=account,
            symbol=rules.market.symbol,
            id=self.id,
            quantity=self.lots,
            entry_price=self.entry_price(),
            break_even_price=self.break_even_price(),
            mark=rules.prices.step * mark / MARK_GRID,
            net_cost=(self.cost - self._opened_cost) * rules.unit,
            pnl_realized=(self.settled - self._opened_settled) * rules.mark_unit,
            pnl_unrealized=self.unrealised(mark) * rules.mark_unit,
            funding_paid=self.funding,
            imf=imf,
            mmf=mmf,
        )
