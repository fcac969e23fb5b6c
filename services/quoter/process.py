"""The quoter process: the core on the bus, subscribed to its one symbol.

The subscriptions are what makes the others work on the symbol: there is no other
announcement.
"""

from __future__ import annotations

from services.quoter.config import settings_of
from services.quoter.recorded import QUOTER
from shared.bus import Addresses
from shared.config import Config
from shared.messages import (
    Depth,
    Equity,
    FeedState,
    Flow,
    InstrumentInfo,
    Intensity,
    Permit,
    Position,
    Top,
    Volatility,
    Working,
)
from shared.recording.core import live_core
from shared.service import Service


def serve(config: Config, symbol: str) -> None:
    """Run until stopped."""
    settings = settings_of(config, symbol)
    venue, account = settings.venue, settings.account
    needs = settings.strategy.needs(settings.params)
    addresses = Addresses(config.run_dir, config.addresses)
    service = Service(f"quoter.{symbol}", config.run_dir, addresses, workers=1)
    service.attach(live_core(QUOTER, service, config, symbol, venue, config.quoters[symbol]))
    market = (InstrumentInfo, FeedState, Top, Depth)
    service.listen_to(f"marketdata.{venue}", *market, scope=venue, symbol=symbol)
    if needs.flow:
        service.listen_to("signals", Flow, scope=venue, symbol=symbol)
    if needs.volatility:
        service.listen_to("signals", Volatility, scope=venue, symbol=symbol)
    if needs.intensity:
        service.listen_to("signals", Intensity, scope=venue, symbol=symbol)
    service.listen_to(f"execution.{account}", Position, Working, scope=account, symbol=symbol)
    service.listen_to(f"execution.{account}", Equity, scope=account)
    service.listen_to("risk", Permit, scope=account, symbol=symbol)
    service.run()
