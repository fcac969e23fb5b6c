"""Money as values: a fill, volumes, and profit by what made it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import msgspec

from shared.accounting.money.exact import ONE, ZERO, add, total
from shared.messages import Side


class Execution(msgspec.Struct, frozen=True):
    """A fill as money: quote units a base unit, base units; fee > 0 is a cost.

    mid             at the moment of the fill; None = take the newest that is known
    position_after  signed, at full precision; None = as it follows from the fills
    """

    side: Side
    price: Decimal
    quantity: Decimal
    is_maker: bool
    fee: Decimal
    fee_asset: str
    mid: Decimal | None = None
    position_after: Decimal | None = None


class Parts(msgspec.Struct, frozen=True):
    """Profit by what made it, quote units, each with its sign: fees <= 0, rebates >= 0."""

    spread: Decimal = ZERO
    inventory: Decimal = ZERO
    fees: Decimal = ZERO
    rebates: Decimal = ZERO
    funding: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return total(self.spread, self.inventory, self.fees, self.rebates, self.funding)

    def plus(self, other: Parts) -> Parts:
        """Return the sum, part by part."""
        return Parts(*(add(getattr(self, name), getattr(other, name)) for name in PART_NAMES))


PART_NAMES = Parts.__struct_fields__


class Volumes(msgspec.Struct, frozen=True):
    """Traded notional, quote units."""

    maker_buy: Decimal = ZERO
    maker_sell: Decimal = ZERO
    taker_buy: Decimal = ZERO
    taker_sell: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return total(self.maker, self.taker_buy, self.taker_sell)

    @property
    def maker(self) -> Decimal:
        return add(self.maker_buy, self.maker_sell)

    def plus(self, other: Volumes) -> Volumes:
        return Volumes(*(add(getattr(self, name), getattr(other, name)) for name in VOLUME_NAMES))


VOLUME_NAMES = Volumes.__struct_fields__


@dataclass(frozen=True, slots=True)
class Denomination:
    """What a symbol's money is in. `multiplier`: base units a contract."""

    base: str
    quote: str
    is_perp: bool
    multiplier: Decimal = ONE
