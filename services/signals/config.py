"""Configuration of the signals: the table `[signals]`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from services.signals.volatility.parkinson import MIN_BARS
from shared.config import parse
from shared.errors import BadInput


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the windows are.

    flow_window_s          trailing window of trades, seconds
    flow_alpha             weight of a new value in the flow's EMA, per 100 ms
    flow_max_ratio         the buy/sell ratio counts at most as this, and at least as its inverse
    volatility             the estimator, of 1-s log returns of the mid, in annualised percent: "blended" =
                           0.3 short window + 0.4 EWMA + 0.3 long window; "rolling" = the short window;
                           "ewma"; "parkinson" = ranges of bars, and "kernel" = realised kernel, both over
                           the long window
    volatility_short_s     short window, seconds
    volatility_long_s      long window, seconds
    volatility_lambda      weight of the old variance in the EWMA, per second
    volatility_min_samples no volatility is told before as many seconds were seen, of the seed or of our own
    volatility_bar_s       bars of "parkinson", seconds
    volatility_kernel_lags bandwidth of "kernel", seconds
    intensity_window_s     trailing window of the takers' arrivals, seconds
    intensity_min_trades   no intensity is told before as many arrivals were seen, of which 10 went
                           beyond the best price
    """

    flow_window_s: Annotated[float, Meta(ge=0.1, le=60)] = 3.0
    flow_alpha: Annotated[float, Meta(ge=0.01, le=0.99)] = 0.3
    flow_max_ratio: Annotated[float, Meta(ge=1.1, le=100)] = 2.0
    volatility: Literal["blended", "rolling", "ewma", "parkinson", "kernel"] = "blended"
    volatility_short_s: Annotated[int, Meta(ge=2, le=3600)] = 60
    volatility_long_s: Annotated[int, Meta(ge=60, le=7200)] = 600
    volatility_lambda: Annotated[float, Meta(ge=0.5, le=0.999)] = 0.94
    volatility_min_samples: Annotated[int, Meta(ge=2, le=3600)] = 20
    volatility_bar_s: Annotated[int, Meta(ge=1, le=600)] = 10
    volatility_kernel_lags: Annotated[int, Meta(ge=1, le=60)] = 12
    intensity_window_s: Annotated[int, Meta(ge=60, le=7200)] = 900
    intensity_min_trades: Annotated[int, Meta(ge=10, le=100_000)] = 50


def parse_signals(raw: dict[str, Any]) -> Config:
    """Read the table `[signals]`. Raises: BadInput naming the key, the value and the rule."""
    config = parse(raw, Config, "signals")
    long_s = config.volatility_long_s
    _at_most(config, "volatility_short_s", long_s, "volatility_long_s")
    _at_most(config, "volatility_min_samples", config.volatility_short_s, "volatility_short_s")
    _at_most(config, "volatility_bar_s", long_s // MIN_BARS, f"volatility_long_s / {MIN_BARS}")
    _at_most(config, "volatility_kernel_lags", long_s // 5, "volatility_long_s / 5")
    return config


def _at_most(config: Config, key: str, limit: int, name: str) -> None:
    value = getattr(config, key)
    if value > limit:
        raise BadInput(f"signals: {key}: must be at most {name} ({limit}), was {value}")
