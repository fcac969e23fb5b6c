"""A market with the printers of its ticks and lots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.exchange.decimals import Printer
from services.exchange.model import Market, MarketType

#: every type the protocol knows; this venue lists spot and perpetuals
MARKET_TYPES = ("SPOT", "PERP", "IPERP", "DATED", "PREDICTION", "RFQ")
_TYPE_NAMES = {MarketType.SPOT: "SPOT", MarketType.PERP: "PERP"}


@dataclass(frozen=True, slots=True)
class Listed:
    """One listed market. `prices` prints ticks, `sizes` prints lots."""

    market: Market
    prices: Printer
    sizes: Printer

    @property
    def symbol(self) -> str:
        return self.market.symbol

    @property
    def is_perp(self) -> bool:
        return self.market.type is MarketType.PERP

    @property
    def type_name(self) -> str:
        return _TYPE_NAMES[self.market.type]


def list_markets(markets: Iterable[Market]) -> Mapping[str, Listed]:
    return {m.symbol: Listed(m, Printer(m.tick_size), Printer(m.lot_size)) for m in markets}
