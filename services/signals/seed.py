"""The venue's candles as the time before the first second that we saw ourselves.

From close to close: over seconds without a trade, and over a candle of a minute, the move
belongs to all of the seconds between, and none of them is made up. Closes are prices of
trades, which jump between bid and ask where mids do not: a seeded volatility is rather too
high, until our own seconds have replaced the seed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from services.signals.volatility.block import Block
from shared.clock import NS_PER_S
from shared.messages import Candles


def blocks_of(candles: Candles) -> Iterator[Block]:
    """Return what the price did between the closes of candles; what is absurd is left out."""
    before: tuple[int, int] | None = None  # second, close
    for end_ns, high, low, close in candles.candles:
        at_s = end_ns // NS_PER_S
        if not 0 < low <= close <= high or (before is not None and at_s <= before[0]):
            continue
        if before is not None:
            start_s, start = before
            highest, lowest = max(start, high), min(start, low)
            yield Block(
                at_s, at_s - start_s, math.log(close / start), math.log(highest / start),
                math.log(lowest / start), 1.0 / start,
            )  # fmt: skip
        before = (at_s, close)
