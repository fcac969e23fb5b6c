"""The trading rules of one market, turned into integer arithmetic once.

Decimal prices and quantities become ticks and lots here and nowhere else; a
value that is off the grid or out of range is `Refused` with the value and the
rule in the text.
"""

from __future__ import annotations

from decimal import Context, Decimal, Inexact

from services.exchange.model import Market, MarketType, Reason, Refused

#: marks are kept on a grid this much finer than the tick, so position money is integer as well
MARK_GRID = 1000
_BAND_GRID = 1_000_000
#: money must fit the 28 digits of the default decimal context without rounding
_MAX_UNIT_DECIMALS = 8
_MAX_DIGITS = 18
_EXACT = Context(prec=28, traps=[Inexact])


class Grid:
    """Exact conversion between decimals and integer multiples of `step`."""

    __slots__ = ("_scale", "decimals", "mantissa", "step")

    def __init__(self, step: Decimal) -> None:
        if not step.is_finite() or step <= 0:
            raise ValueError(f"step {step} must be a positive decimal")
        self.step = step
        self.decimals = decimals_of(step)
        self._scale = Decimal(10) ** self.decimals
        self.mantissa = int(step * self._scale)

    def to_int(self, value: Decimal) -> int | None:
        """Return how many steps `value` is, or None if it is not a whole number of them."""
        if not value.is_finite() or value.adjusted() > _MAX_DIGITS:
            return None
        try:
            scaled = _EXACT.multiply(value, self._scale)
        except Inexact:
            return None
        units = int(scaled)
        if units != scaled:
            return None
        count, remainder = divmod(units, self.mantissa)
        return None if remainder else count

    def to_decimal(self, count: int) -> Decimal:
        return count * self.step


def decimals_of(value: Decimal) -> int:
    """Return how many digits stand after the decimal point of `value`, trailing zeros dropped."""
    exponent = value.normalize().as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"{value} is not a finite decimal")
    return max(0, -exponent)


class Rules:
    """Integer view of a `Market`. Prices in ticks, quantities in lots."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.is_perp = market.type is MarketType.PERP
        self.prices = Grid(market.tick_size)
        self.quantities = Grid(market.lot_size)
        if self.prices.decimals + self.quantities.decimals > _MAX_UNIT_DECIMALS:
            raise ValueError(
                f"market {market.symbol}: tick_size {market.tick_size} and lot_size {market.lot_size} "
                f"have more than {_MAX_UNIT_DECIMALS} decimals together, so money would not stay exact"
            )
        #: quote money of one lot at a price of one tick
        self.unit = market.tick_size * market.lot_size
        #: the same on the finer grid of marks
        self.mark_unit = self.unit / MARK_GRID
        self.min_lots = self._bound("min_quantity", market.min_quantity, self.quantities) or 1
        self.max_lots = self._bound("max_quantity", market.max_quantity, self.quantities)
        self.min_ticks = self._bound("min_price", market.min_price, self.prices) or 1
        self.max_ticks = self._bound("max_price", market.max_price, self.prices)
        self._last_band = _scaled_band(market.last_price_band)
        self._mark_band = _scaled_band(market.mark_price_band)

    def _bound(self, name: str, value: Decimal | None, grid: Grid) -> int | None:
        if value is None:
            return None
        count = grid.to_int(value)
        if count is None:
            raise ValueError(f"market {self.market.symbol}: {name} {value} is not a multiple of {grid.step}")
        return count

    def ticks(self, price: Decimal) -> int:
        """Return `price` in ticks. Raises Refused: off the tick, or outside min and max price."""
        ticks = self.prices.to_int(price)
        if ticks is None:
            raise Refused(
                Reason.PRICE_PRECISION, f"price {price} is not a multiple of tick size {self.prices.step}"
            )
        if ticks < self.min_ticks:
            raise Refused(
                Reason.PRICE_BAND, f"price {price} is below the minimum {self.price(self.min_ticks)}"
            )
        if self.max_ticks is not None and ticks > self.max_ticks:
            raise Refused(
                Reason.PRICE_BAND, f"price {price} is above the maximum {self.price(self.max_ticks)}"
            )
        return ticks

    def lots(self, quantity: Decimal) -> int:
        """Return `quantity` in lots. Raises Refused: off the step, or outside min and max quantity."""
        lots = self.quantities.to_int(quantity)
        if lots is None:
            raise Refused(
                Reason.QUANTITY_PRECISION,
                f"quantity {quantity} is not a multiple of step size {self.quantities.step}",
            )
        self.check_lots(lots)
        return lots

    def check_lots(self, lots: int) -> None:
        """Raises Refused if `lots` are outside the market's quantity bounds."""
        if lots < self.min_lots:
            raise Refused(
                Reason.QUANTITY_RANGE,
                f"quantity {self.quantity(lots)} is below the minimum {self.quantity(self.min_lots)}",
            )
        if self.max_lots is not None and lots > self.max_lots:
            raise Refused(
                Reason.QUANTITY_RANGE,
                f"quantity {self.quantity(lots)} is above the maximum {self.quantity(self.max_lots)}",
            )

    def price(self, ticks: int) -> Decimal:
        return ticks * self.prices.step

    def quantity(self, lots: int) -> Decimal:
        return lots * self.quantities.step

    def quote(self, ticks: int, lots: int) -> Decimal:
        """Return price times quantity as exact quote money."""
        return ticks * lots * self.unit

    def check_bands(self, ticks: int, last: int | None, reference: int | None) -> None:
        """Check a price against the bands around the last trade and the mark or mid.

        last       last traded price, ticks; None before the first trade
        reference  mark (perp) or mid (spot), in ticks * MARK_GRID; None when there is none
        Raises: Refused PRICE_BAND.
        """
        if last is not None:
            self._check_band(ticks * MARK_GRID, last * MARK_GRID, self._last_band, "last traded price")
        if reference is not None:
            self._check_band(
                ticks * MARK_GRID, reference, self._mark_band, "mark price" if self.is_perp else "mid price"
            )

    def _check_band(self, fine: int, reference: int, band: tuple[int, int], name: str) -> None:
        low, high = band
        scaled = fine * _BAND_GRID
        if not reference * low <= scaled <= reference * high:
            raise Refused(
                Reason.PRICE_BAND,
                f"price {fine // MARK_GRID * self.prices.step} is outside {Decimal(low) / _BAND_GRID} to "
                f"{Decimal(high) / _BAND_GRID} times the {name} {reference * self.prices.step / MARK_GRID}",
            )

    def sweep_limit(self, is_buy: bool, last: int | None, reference: int | None) -> int:
        """Return the worst price, ticks, at which a market order may trade: the edge of both bands."""
        edges = []
        for center, band in (
            (None if last is None else last * MARK_GRID, self._last_band),
            (reference, self._mark_band),
        ):
            if center is not None:
                fine = _BAND_GRID * MARK_GRID
                edges.append(center * band[1] // fine if is_buy else -(-center * band[0] // fine))
        if is_buy:
            return min(edges, default=self.max_ticks or 1 << 62)
        return max(edges, default=self.min_ticks)


def _scaled_band(band: tuple[Decimal, Decimal]) -> tuple[int, int]:
    low, high = (int(edge * _BAND_GRID) for edge in band)
    if not 0 <= low < high:
        raise ValueError(f"price band {band[0]} to {band[1]} must rise from at least 0")
    return low, high
