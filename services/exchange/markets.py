"""The markets that the local venue lists by default."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from services.exchange.model import Market, MarketType

SOL_USDC = Market(
    symbol="SOL_USDC",
    base="SOL",
    quote="USDC",
    type=MarketType.SPOT,
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.01"),
    min_quantity=Decimal("0.01"),
)
# spot steps are fine enough to serve Binance spot recordings exactly
BTC_USDC = replace(
    SOL_USDC, symbol="BTC_USDC", base="BTC", lot_size=Decimal("0.000001"), min_quantity=Decimal("0.00001")
)
ETH_USDC = replace(
    SOL_USDC, symbol="ETH_USDC", base="ETH", lot_size=Decimal("0.00001"), min_quantity=Decimal("0.0001")
)
SOL_USDC_PERP = replace(
    SOL_USDC,
    symbol="SOL_USDC_PERP",
    type=MarketType.PERP,
    min_price=Decimal("0.01"),
    max_price=Decimal(1000),
)
BTC_USDC_PERP = replace(
    BTC_USDC,
    symbol="BTC_USDC_PERP",
    type=MarketType.PERP,
    tick_size=Decimal("0.1"),
    lot_size=Decimal("0.00001"),
    min_price=Decimal("0.1"),
    max_price=Decimal(1_000_000),
    mark_price_band=(Decimal("0.96"), Decimal("1.04")),
    initial_margin=Decimal("0.01333333"),
    initial_margin_factor=Decimal("0.00002494"),
    maintenance_margin=Decimal("0.00666667"),
    maintenance_margin_factor=Decimal("0.00001496"),
)
ETH_USDC_PERP = replace(
    ETH_USDC,
    symbol="ETH_USDC_PERP",
    type=MarketType.PERP,
    lot_size=Decimal("0.0001"),
    min_price=Decimal("0.01"),
    max_price=Decimal(100_000),
    mark_price_band=(Decimal("0.96"), Decimal("1.04")),
    initial_margin_factor=Decimal("0.0000935"),
    maintenance_margin=Decimal("0.0125"),
    maintenance_margin_factor=Decimal("0.0000561"),
)

DEFAULT_MARKETS = (SOL_USDC, BTC_USDC, ETH_USDC, SOL_USDC_PERP, BTC_USDC_PERP, ETH_USDC_PERP)


def bench_markets(count: int) -> tuple[Market, ...]:
    """Return perpetuals `S01_USDC_PERP`, `S02_USDC_PERP` ... with the rules of SOL_USDC_PERP."""
    if not 1 <= count <= 99:
        raise ValueError(f"number of bench markets {count} must be 1 to 99")
    return tuple(
        replace(SOL_USDC_PERP, symbol=f"S{number:02}_USDC_PERP", base=f"S{number:02}")
        for number in range(1, count + 1)
    )
