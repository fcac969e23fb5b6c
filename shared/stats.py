"""Quantiles: one rule for the benchmarks and for what production tells of itself."""

from __future__ import annotations

import math
from collections.abc import Sequence


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the nearest-rank quantile (`share` 0..1) of at least one ascending sample."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
