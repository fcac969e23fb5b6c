"""Public reads of a venue, for checking what a person wrote. No key is ever needed here."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from services.exchange.markets import DEFAULT_MARKETS
from services.exchange.model import MarketType
from shared.config import Config
from shared.errors import BadInput
from shared.instrument import FIXED
from shared.messages import InstrumentInfo
from shared.venues.access import endpoints_of
from shared.venues.market_data import MarketClient
from shared.venues.registry import adapter_of


def public_client(config: Config, venue_name: str) -> MarketClient:
    """Return a client for a venue's public REST. Raises: BadInput when its address is missing."""
    venue = config.venues[venue_name]
    endpoints = endpoints_of(venue, config.run_dir, wait_s=0)
    return adapter_of(venue.protocol).public_client(venue_name, endpoints, None)


def instruments_of(config: Config, venue_name: str) -> dict[str, InstrumentInfo]:
    """Return symbol -> trading rules. Raises: Unknown when the venue does not answer."""
    return {info.symbol: info for info in public_client(config, venue_name).instruments()}


def documented_instruments(config: Config, venue_name: str) -> dict[str, InstrumentInfo]:
    """Return the rules of the local venue's default markets, for checking while nothing runs."""
    if config.venues[venue_name].ready_file is None:
        return {}
    return {
        market.symbol: InstrumentInfo(
            scope=venue_name, symbol=market.symbol, base=market.base, quote=market.quote,
            is_perp=market.type is MarketType.PERP,
            tick_size=f"{market.tick_size:f}", lot_size=f"{market.lot_size:f}",
            min_quantity=f"{market.min_quantity:f}",
            max_quantity=_text(market.max_quantity), min_notional=None,
            min_price=_text(market.min_price), max_price=_text(market.max_price),
            price_rule=FIXED, contract_multiplier="1",
        )
        for market in DEFAULT_MARKETS
    }  # fmt: skip


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def require_listed(symbol: str, venue: str, listed: Mapping[str, InstrumentInfo]) -> InstrumentInfo:
    """Return a symbol's rules. Raises: BadInput when the venue does not list it."""
    if symbol not in listed:
        raise BadInput(f"symbol {symbol!r} is not listed at {venue}; listed: {', '.join(sorted(listed))}")
    return listed[symbol]
