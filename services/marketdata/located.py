"""The venue's public client, wherever the venue is now.

A local venue that was restarted listens elsewhere and says so in its ready file; so the
addresses are looked up before each read, and a client is kept while they stay the same.
"""

from __future__ import annotations

from collections.abc import Callable

from shared.errors import BadInput, Unknown
from shared.messages import InstrumentInfo
from shared.venues.access import Endpoints
from shared.venues.market_data import MarketClient, RawCandles, RawSnapshot


class LocatedClient:
    """Blocking reads, for worker threads. Raises: Unknown, RateLimited."""

    def __init__(self, locate: Callable[[], Endpoints], build: Callable[[Endpoints], MarketClient]) -> None:
        self._locate = locate
        self._build = build
        self._kept: tuple[Endpoints, MarketClient] | None = None

    def ws_url(self) -> str:
        """Return where the stream is. Raises: Unknown."""
        return self._endpoints().ws_url

    def server_time_ms(self) -> int:
        return self._client().server_time_ms()

    def instruments(self) -> list[InstrumentInfo]:
        return self._client().instruments()

    def depth(self, symbol: str, limit: int) -> RawSnapshot:
        return self._client().depth(symbol, limit)

    def candles(self, symbol: str, since_s: int) -> RawCandles:
        return self._client().candles(symbol, since_s)

    def _client(self) -> MarketClient:
        endpoints = self._endpoints()
        kept = self._kept
        if kept is None or kept[0] != endpoints:
            kept = self._kept = (endpoints, self._build(endpoints))
        return kept[1]

    def _endpoints(self) -> Endpoints:
        try:
            return self._locate()
        except BadInput as error:  # a ready file that is being rewritten
            raise Unknown(str(error)) from None
