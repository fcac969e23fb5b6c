"""Fills of the bus as money."""

from __future__ import annotations

from decimal import Decimal

from shared.accounting.money.values import Execution
from shared.instrument import Instrument
from shared.messages import Fill


def execution_of(fill: Fill, instrument: Instrument, *, is_first: bool) -> Execution:
    """Return a fill in quote and base units.

    is_first  its position tells what was held before; of a spot symbol it does not, as a fee in
              base is a part of a lot
    """
    return Execution(
        side=fill.side,
        price=instrument.price(fill.price),
        quantity=instrument.quantity(fill.size),
        is_maker=fill.is_maker,
        fee=Decimal(fill.fee),
        fee_asset=fill.fee_asset,
        mid=None if fill.mid is None else Decimal(fill.mid),
        position_after=instrument.quantity(fill.position_after) if is_first else None,
    )
