"""The estimator of a configuration, by name."""

from __future__ import annotations

from services.signals.config import Config
from services.signals.volatility.blended import Blended
from services.signals.volatility.block import Estimator
from services.signals.volatility.ewma import Ewma
from services.signals.volatility.gauge import VolatilityGauge
from services.signals.volatility.parkinson import Parkinson
from services.signals.volatility.realised_kernel import RealisedKernel
from services.signals.volatility.rolling import Rolling


def estimator_of(config: Config) -> Estimator:
    """Return a new estimator that has seen nothing."""
    least, long_s = config.volatility_min_samples, config.volatility_long_s
    match config.volatility:
        case "rolling":
            return Rolling(config.volatility_short_s, least)
        case "ewma":
            return Ewma(config.volatility_lambda, least)
        case "parkinson":
            return Parkinson(config.volatility_bar_s, long_s, least)
        case "kernel":
            return RealisedKernel(config.volatility_kernel_lags, long_s, least)
        case "blended":
            short, long = Rolling(config.volatility_short_s, least), Rolling(long_s, least)
            return Blended(short, Ewma(config.volatility_lambda, least), long)


def gauge_of(config: Config) -> VolatilityGauge:
    """Return the gauge of one symbol."""
    is_short = config.volatility in ("rolling", "ewma")
    memory_s = config.volatility_short_s if is_short else config.volatility_long_s
    return VolatilityGauge(lambda: estimator_of(config), memory_s)
