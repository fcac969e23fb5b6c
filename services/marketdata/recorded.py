"""What of market data is recorded: the core made of a venue's name, its protocol and the settings."""

from __future__ import annotations

from services.marketdata.config import MarketDataConfig
from services.marketdata.core import MarketData
from shared.recording.core import CoreKind
from shared.venues.registry import adapter_of


def build(venue: str, protocol: str, config: MarketDataConfig) -> MarketData:
    return MarketData(venue, adapter_of(protocol).public_feed(), config)


MARKETDATA = CoreKind("marketdata", MarketData, build, (MarketDataConfig,))
