"""Instruments: the one place where decimals become ticks and lots, and back.

Bids round down, asks round up, so that rounding never moves a quote into the market.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, InvalidOperation

from shared.errors import Refused
from shared.messages import InstrumentInfo, Side

#: venues without a price rule: every multiple of the tick is a price
FIXED = "fixed"
#: at most five significant figures, integers always allowed (Hyperliquid)
SIGNIFICANT_5 = "significant_5"
#: rules are numbers from 10^-18 to below 10^19
MAX_EXPONENT = 18
_WIDE = Context(prec=60)


@dataclass(frozen=True, slots=True)
class Instrument:
    """Trading rules of one symbol at one venue.

    tick_size, lot_size   quote units a tick, base units a lot
    min_lots, max_lots    order size bounds in lots
    min_notional          quote units; None = the venue has none
    min_ticks, max_ticks  price bounds in ticks; None = the venue has none
    contract_multiplier   base units a contract (1 where sizes are in base units)
    """

    venue: str
    symbol: str
    base: str
    quote: str
    is_perp: bool
    tick_size: Decimal
    lot_size: Decimal
    min_lots: int
    max_lots: int | None = None
    min_notional: Decimal | None = None
    min_ticks: int | None = None
    max_ticks: int | None = None
    price_rule: str = FIXED
    contract_multiplier: Decimal = Decimal(1)

    @classmethod
    def from_info(cls, info: InstrumentInfo) -> Instrument:
        """Build from what the venue says. Raises: Refused("instrument") on a missing or absurd rule."""
        tick, lot = _positive(info.tick_size, "tick size"), _positive(info.lot_size, "lot size")
        max_lots = _optional(info.max_quantity, "largest quantity")
        min_ticks, max_ticks = (
            _optional(info.min_price, "lowest price"),
            _optional(info.max_price, "highest price"),
        )
        if info.price_rule not in (FIXED, SIGNIFICANT_5):
            raise Refused("instrument", f"price rule {info.price_rule!r} is unknown")
        return cls(
            venue=info.scope, symbol=info.symbol, base=info.base, quote=info.quote, is_perp=info.is_perp,
            tick_size=tick, lot_size=lot,
            min_lots=max(1, _steps(_decimal(info.min_quantity, "least quantity"), lot, ROUND_CEILING)),
            max_lots=None if max_lots is None else _steps(max_lots, lot, ROUND_FLOOR),
            min_notional=_optional(info.min_notional, "least notional"),
            min_ticks=None if min_ticks is None else _steps(min_ticks, tick, ROUND_CEILING),
            max_ticks=None if max_ticks is None else _steps(max_ticks, tick, ROUND_FLOOR),
            price_rule=info.price_rule,
            contract_multiplier=_positive(info.contract_multiplier, "contract multiplier"),
        )  # fmt: skip

    def counts_like(self, other: Instrument) -> bool:
        """True when ticks and lots mean the same under both rules; where not, no number carries over."""
        return (self.tick_size, self.lot_size, self.contract_multiplier) == (
            other.tick_size, other.lot_size, other.contract_multiplier
        )  # fmt: skip

    @classmethod
    def unlisted(cls, symbol: str) -> Instrument:
        """Return a stand-in for rules that are not known: good for a cancel by id, and for nothing else."""
        return cls("", symbol, "", "", False, Decimal(1), Decimal(1), 1)

    def ticks(self, price: Decimal | str) -> int:
        """Return an exact price in ticks. Raises: Refused("tick") when it is not a multiple."""
        return _exact(Decimal(price), self.tick_size, "tick", self.symbol)

    def lots(self, quantity: Decimal | str) -> int:
        """Return an exact quantity in lots. Raises: Refused("lot") when it is not a multiple."""
        return _exact(Decimal(quantity), self.lot_size, "lot", self.symbol)

    def quote_ticks(self, ticks: float, side: Side) -> int:
        """Round fractional ticks to a legal price: bids down, asks up, by the price rule."""
        exact = Decimal(ticks)
        rounding = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
        whole = int(exact.to_integral_value(rounding))
        step = self._step_at(whole)
        if step == 1:
            return whole
        return whole // step * step if side is Side.BUY else -(-whole // step) * step

    def lots_floor(self, quantity: Decimal) -> int:
        """Return a quantity in whole lots, rounded towards zero."""
        return int(quantity / self.lot_size)

    def lots_for_notional(self, notional: Decimal, ticks: int) -> int:
        """Return the lots that `notional` quote units buy at a price, rounded down."""
        return int(notional / (self.tick_size * ticks * self.lot_size * self.contract_multiplier))

    def price(self, ticks: int) -> Decimal:
        return self.tick_size * ticks

    def quantity(self, lots: int) -> Decimal:
        return self.lot_size * lots

    def notional(self, lots: int, ticks: int) -> Decimal:
        """Return the (signed) value of `lots` at a price, in quote units."""
        return self.tick_size * ticks * self.lot_size * lots * self.contract_multiplier

    def notional_at(self, lots: int, price: float) -> float:
        """Return the (signed) value of `lots` at a float price: for limits, never for money."""
        return float(self.lot_size * self.contract_multiplier) * lots * price

    def price_text(self, ticks: int) -> str:
        """Return a price as the plain decimal string that venues take: no exponent, no padding."""
        return plain(self.price(ticks))

    def quantity_text(self, lots: int) -> str:
        return plain(self.quantity(lots))

    def check_order(self, ticks: int, lots: int) -> None:
        """Raise Refused naming the rule which an order of this price and size breaks."""
        if lots < self.min_lots:
            raise Refused("min_quantity", f"{self.symbol}: {lots} lots is below the minimum {self.min_lots}")
        if self.max_lots is not None and lots > self.max_lots:
            raise Refused("max_quantity", f"{self.symbol}: {lots} lots is above the maximum {self.max_lots}")
        low = 1 if self.min_ticks is None else max(1, self.min_ticks)
        if ticks < low or (self.max_ticks is not None and ticks > self.max_ticks):
            raise Refused("price_range", f"{self.symbol}: {ticks} ticks is outside {low}..{self.max_ticks}")
        if self.min_notional is not None and self.notional(lots, ticks) < self.min_notional:
            text = f"{self.symbol}: {plain(self.notional(lots, ticks))} is below {self.min_notional}"
            raise Refused("min_notional", text)
        if ticks % self._step_at(ticks):
            raise Refused(
                "tick", f"{self.symbol}: {self.price_text(ticks)} breaks the rule {self.price_rule}"
            )

    def _step_at(self, ticks: int) -> int:
        """Return the price step in ticks near a price."""
        if self.price_rule == FIXED or ticks <= 0:
            return 1
        price = self.price(ticks)
        exponent = price.adjusted() - 4  # of the fifth significant figure
        step = min(Decimal(10) ** exponent, Decimal(1))  # integers are always allowed
        return max(1, int(step / self.tick_size))


def plain(value: Decimal) -> str:
    """Return a decimal without exponent or trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _positive(text: str, what: str) -> Decimal:
    value = _decimal(text, what)
    if value <= 0:
        raise Refused("instrument", f"{what} {text!r} must be above 0")
    return value


def _optional(text: str | None, what: str) -> Decimal | None:
    return None if text is None else _decimal(text, what)


def _decimal(text: str, what: str) -> Decimal:
    """Return a rule's number, 0 or of a size that a market can have. Raises: Refused("instrument")."""
    try:
        value = Decimal(text)
    except (InvalidOperation, ValueError, TypeError):  # a listing may say anything, nothing included
        raise Refused("instrument", f"{what} {text!r} is not a decimal") from None
    if not value.is_finite() or value < 0:
        raise Refused("instrument", f"{what} {text!r} must be 0 or above")
    if value and not -MAX_EXPONENT <= value.adjusted() <= MAX_EXPONENT:
        raise Refused("instrument", f"{what} {text!r} is absurd")
    return value


def _steps(value: Decimal, step: Decimal, rounding: str) -> int:
    return int((value / step).quantize(Decimal(1), rounding, _WIDE))


def _exact(value: Decimal, step: Decimal, rule: str, symbol: str) -> int:
    steps, rest = divmod(value, step)
    if rest:
        raise Refused(rule, f"{symbol}: {plain(value)} is not a multiple of {plain(step)}")
    return int(steps)
