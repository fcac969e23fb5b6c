"""Configuration of the signals: the table `[signals]`."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from shared.config import parse


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the windows are.

    flow_window_s          trailing window of trades, seconds
    flow_alpha             weight of a new value in the flow's EMA, per 100 ms
    flow_max_ratio         the buy/sell ratio counts at most as this, and at least as its inverse
    volatility_interval_s  time between two samples of the mid, seconds
    volatility_window      samples of the rolling estimate
    volatility_lambda      weight of the old variance in the EWMA, per sample
    volatility_min_samples no volatility is told before as many returns were seen
    """

    flow_window_s: Annotated[float, Meta(ge=0.1, le=60)] = 3.0
    flow_alpha: Annotated[float, Meta(ge=0.01, le=0.99)] = 0.3
    flow_max_ratio: Annotated[float, Meta(ge=1.1, le=100)] = 2.0
    volatility_interval_s: Annotated[float, Meta(ge=0.1, le=60)] = 1.0
    volatility_window: Annotated[int, Meta(ge=2, le=10_000)] = 60
    volatility_lambda: Annotated[float, Meta(ge=0.5, le=0.999)] = 0.94
    volatility_min_samples: Annotated[int, Meta(ge=2, le=10_000)] = 10


def parse_signals(raw: dict[str, Any]) -> Config:
    """Read the table `[signals]`. Raises: BadInput naming the key, the value and the rule."""
    return parse(raw, Config, "signals")
