"""Configuration of market data: the table `[marketdata]`."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class MarketDataConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When data counts as good, and what is done when it does not.

    stale_after_s            a symbol without data for this long is stale (5 s at most)
    max_lag_s                growth of local minus venue time above its minimum that makes data stale
    lag_window_s             how far back that minimum reaches; it rises no faster than clocks drift
    fallback_after_s         stale for this long, prices are read by REST; at once when disconnected
    fallback_per_s           REST price reads a second, all symbols together, audits of quiet books
                             included; at most one a second for each
    reconnect_after_s        no fresh data of any symbol for this long: connect again
    ping_s                   websocket pings
    silence_s                not one byte for this long (looked for each second): connect again
    audit_after_s            a book without a change for this long is compared with prices by REST
    depth_interval_s         shortest time between two Depth messages of a symbol
    keep_s                   a symbol is kept for this long after its last subscriber left
    """

    stale_after_s: Annotated[float, Meta(ge=0.2, le=5)] = 2.0
    max_lag_s: Annotated[float, Meta(ge=0.01, le=5)] = 1.0
    lag_window_s: Annotated[float, Meta(ge=10, le=86_400)] = 600.0
    fallback_after_s: Annotated[float, Meta(ge=0.5, le=60)] = 5.0
    fallback_per_s: Annotated[float, Meta(gt=0, le=20)] = 5.0
    reconnect_after_s: Annotated[float, Meta(ge=5, le=60)] = 15.0
    ping_s: Annotated[float, Meta(ge=1, le=60)] = 30.0
    silence_s: Annotated[float, Meta(ge=2, le=59)] = 59.0
    audit_after_s: Annotated[float, Meta(ge=0.2, le=2)] = 1.0
    depth_interval_s: Annotated[float, Meta(ge=0.01, le=1)] = 0.1
    keep_s: Annotated[float, Meta(ge=1, le=3600)] = 60.0
