"""The public stream: addresses, subscriptions, and how the diffs of a book follow each other. Pure.

There is no acknowledgement, and an unknown symbol is answered by silence; a duplicate
subscription is harmless. Sequence: first applied diff `U <= L + 1 <= u` for a snapshot with
`lastUpdateId` L, then each `U == previous u + 1`; ids are per market and shared with
bookTicker. Source: Backpack OpenAPI "Depth" (2026-08-22), probes of 2026-09-22.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from shared.messages import InstrumentInfo
from shared.venues.backpack.mapper import Mapper
from shared.venues.book_sync import ConsecutiveIds

STREAMS = ("depth", "bookTicker", "trade")
#: what is sent each second whatever happens: the proof that a quiet symbol's feed lives
PERP_PULSE = "markPrice"
SPOT_PULSE = "ticker"


class BackpackFeed(Mapper):
    """Frames to send and, inherited, frames to read."""

    rule = ConsecutiveIds()
    ping = None  # the venue answers websocket pings, and sends its own

    def __init__(self) -> None:
        super().__init__()
        self._perps: set[str] = set()

    def set_instruments(self, infos: Sequence[InstrumentInfo]) -> None:
        super().set_instruments(infos)
        self._perps.update(info.symbol for info in infos if info.is_perp)

    def subscribe(self, symbols: Sequence[str]) -> list[bytes]:
        return self._control("SUBSCRIBE", symbols)

    def unsubscribe(self, symbols: Sequence[str]) -> list[bytes]:
        return self._control("UNSUBSCRIBE", symbols)

    def _control(self, method: str, symbols: Sequence[str]) -> list[bytes]:
        """One frame a symbol: an error about one stream must not cost another symbol's."""
        return [orjson.dumps({"method": method, "params": self._streams(symbol)}) for symbol in symbols]

    def _streams(self, symbol: str) -> list[str]:
        pulse = PERP_PULSE if symbol in self._perps else SPOT_PULSE
        return [f"{stream}.{symbol}" for stream in (*STREAMS, pulse)]
