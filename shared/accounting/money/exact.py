"""Exact decimals: a sum or a product that would be rounded raises instead."""

from __future__ import annotations

from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow

EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, Overflow, DivisionByZero])
#: for what is shared out: the remainder is kept exactly where something is divided
ROUNDED = Context(prec=28)
ZERO = Decimal(0)
ONE = Decimal(1)

add = EXACT.add
subtract = EXACT.subtract
multiply = EXACT.multiply
minus = EXACT.minus


def total(*values: Decimal) -> Decimal:
    """Return the exact sum."""
    result = ZERO
    for value in values:
        result = add(result, value)
    return result
