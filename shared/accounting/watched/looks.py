"""Looks: the points of the paths, each with the extremes since the one before."""

from __future__ import annotations

import math
from decimal import Decimal

from shared.accounting.money.exact import ZERO
from shared.accounting.money.values import Parts
from shared.accounting.watched.paths import Path, Point

_BPS = 10_000


class Looks:
    """What was least and most since the last look, and the path. Mids are in half ticks."""

    __slots__ = ("_before_mid2", "_before_ns", "_high2", "_least", "_low2", "_most", "path")

    def __init__(self, start_ns: int) -> None:
        self.path = Path()
        self._before_ns = start_ns
        self._low2 = self._high2 = self._before_mid2 = 0
        self._least = self._most = ZERO

    def on_mid(self, mid2: int) -> None:
        if not self._before_mid2:
            self._low2 = self._high2 = self._before_mid2 = mid2
        elif mid2 < self._low2:
            self._low2 = mid2
        elif mid2 > self._high2:
            self._high2 = mid2

    def on_position(self, position: Decimal) -> None:
        """Take a position, base units."""
        self._least, self._most = min(self._least, position), max(self._most, position)

    def look(
        self, at_ns: int, best: tuple[int, int], own: tuple[int | None, int | None], position: Decimal,
        parts: Parts,
    ) -> None:  # fmt: skip
        """Add a point: the market's best prices and our own, ticks; base units; profit by part."""
        mid2 = best[0] + best[1]
        self.on_position(position)
        moved = math.log(mid2 / self._before_mid2) if self._before_mid2 > 0 else 0.0
        self.path.add(
            Point(
                at_ns, mid2 / 2, self._low2 / 2, self._high2 / 2, *own, float(position), float(self._least),
                float(self._most), float(parts.spread), float(parts.inventory), float(parts.fees),
                float(parts.rebates), float(parts.funding), 2 * (best[1] - best[0]) / mid2 * _BPS, 1,
                moved * moved, at_ns - self._before_ns,
            )
        )  # fmt: skip
        self._low2 = self._high2 = self._before_mid2 = mid2
        self._least = self._most = position
        self._before_ns = at_ns
