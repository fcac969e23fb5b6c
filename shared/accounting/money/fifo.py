"""First in, first out: which opening a closing fill realises (row X12).

A parcel is a quantity and what it cost; all parcels have the position's sign. Sums are exact:
realised + unrealised is the cash flow plus the position at the mid, whatever was merged.
"""

from __future__ import annotations

from collections import deque
from decimal import Context, Decimal

from shared.accounting.money.exact import ROUNDED, ZERO, add, multiply, subtract

#: open parcels that are kept apart; beyond, the two oldest become one at their average price
MOST_PARCELS = 10_000
_FINEST = Decimal("1e-30")
_WIDE = Context(prec=200)


class Fifo:
    """The open parcels of one symbol, base units, and what closed ones have made, quote units."""

    __slots__ = ("_cost", "_most", "_parcels", "position", "realised")

    def __init__(self, most_parcels: int = MOST_PARCELS) -> None:
        self._parcels: deque[tuple[Decimal, Decimal, Decimal | None]] = (
            deque()
        )  # signed quantity, cost, price
        self._cost = ZERO
        self._most = most_parcels
        self.position = ZERO
        self.realised = ZERO

    @property
    def open_parcels(self) -> int:
        return len(self._parcels)

    def add(self, signed: Decimal, price: Decimal) -> None:
        """Take up a fill of `signed` units: close the oldest parcels of the other sign, open the rest."""
        left = signed
        while left and self._parcels and (self._parcels[0][0] > 0) != (left > 0):
            left = self._close(left, price)
        if left:
            self._open(left, price)
        self.position = add(self.position, signed)

    def unrealised(self, mid: Decimal) -> Decimal:
        """Return what closing the open parcels at `mid` would make."""
        return subtract(multiply(self.position, mid), self._cost)

    def _close(self, signed: Decimal, price: Decimal) -> Decimal:
        """Close the oldest parcel against a fill of the other sign; return what of the fill is left."""
        quantity, cost, own_price = self._parcels[0]
        if abs(signed) >= abs(quantity):
            self._parcels.popleft()
            closed, released = quantity, cost
        else:
            closed = -signed
            released = _share(quantity, cost, own_price, closed)
            self._parcels[0] = (subtract(quantity, closed), subtract(cost, released), own_price)
        self._cost = subtract(self._cost, released)
        self.realised = add(self.realised, subtract(multiply(closed, price), released))
        return add(signed, closed)

    def _open(self, signed: Decimal, price: Decimal) -> None:
        cost = multiply(signed, price)
        self._cost = add(self._cost, cost)
        if self._parcels and self._parcels[-1][2] == price:
            quantity, before, _ = self._parcels.pop()
            self._parcels.append((add(quantity, signed), add(before, cost), price))
            return
        self._parcels.append((signed, cost, price))
        if len(self._parcels) > self._most:
            (first, first_cost, _), (second, second_cost, _) = (
                self._parcels.popleft(),
                self._parcels.popleft(),
            )
            self._parcels.appendleft((add(first, second), add(first_cost, second_cost), None))


def _share(quantity: Decimal, cost: Decimal, price: Decimal | None, closed: Decimal) -> Decimal:
    """Return the cost of a part of a parcel: exact by its price, else by its average, rounded."""
    if price is not None:
        return multiply(closed, price)
    average = ROUNDED.divide(ROUNDED.multiply(cost, closed), quantity)
    return average.quantize(_FINEST, context=_WIDE)  # so that digits stay bounded too
