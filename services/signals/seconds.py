"""The mid second by second: what it moved from the end of one whole second to the end of the next.

The end of a second is found by the stamps of the market's own events, or by the timer when
there are none: in a quiet market the mid that stands is the mid at the end of the second,
and its return of 0 is true. While the feed is not good, while the book is empty or crossed,
and when nobody looked for more than a second, there is no mid, and over such a hole no
return.
"""

from __future__ import annotations

import math

from services.signals.volatility.block import Block
from shared.clock import NS_PER_S
from shared.messages import Top

NEVER_NS = 2**63


class MidSeconds:
    """`end_ns` is when the running second ends: what is stamped later belongs to the next one."""

    __slots__ = ("_at_end", "_high", "_low", "end_ns")

    def __init__(self) -> None:
        self.stop()

    def stop(self) -> None:
        """There is no mid now: the next return begins at the end of a second after `begin`."""
        self.end_ns = NEVER_NS
        self._at_end: int | None = None  # twice the mid at the end of the last second, ticks
        self._high = self._low = 0

    def begin(self, now_ns: int) -> None:
        """Look at the clock from now on, unless that is done already."""
        if self.end_ns == NEVER_NS:
            self.end_ns = (now_ns // NS_PER_S + 1) * NS_PER_S

    def on_top(self, top: Top) -> None:
        """Note a high or low within the second."""
        double = double_mid(top)
        if double is not None and self._at_end is not None:
            if double > self._high:
                self._high = double
            elif double < self._low:
                self._low = double

    def end(self, top: Top | None, at_ns: int) -> Block | None:
        """End the running second at the mid that stood; the next one ends after `at_ns`."""
        at_s, before = self.end_ns // NS_PER_S, self._at_end
        now = None if top is None else double_mid(top)
        block = None if before is None or now is None else self._block(at_s, before, now)
        self._at_end = now if at_ns < self.end_ns + NS_PER_S else None
        self._high = self._low = now or 0
        self.end_ns = (at_ns // NS_PER_S + 1) * NS_PER_S
        return block

    def _block(self, at_s: int, before: int, now: int) -> Block:
        high, low = max(self._high, now), min(self._low, now)
        return Block(
            at_s, 1, math.log(now / before), math.log(high / before), math.log(low / before), 2.0 / before
        )


def double_mid(top: Top) -> int | None:
    """Return twice the mid in ticks; an empty, crossed or absurd book has none."""
    bid, ask = top.bid, top.ask
    return bid + ask if bid is not None and ask is not None and 0 < bid < ask else None


def spread_of(top: Top) -> int | None:
    """Return ask minus bid in ticks, None where there is no mid."""
    bid, ask = top.bid, top.ask
    return ask - bid if bid is not None and ask is not None and 0 < bid < ask else None
