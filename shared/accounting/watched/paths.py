"""Paths for plots, of bounded length whatever the session's: points are joined in pairs, extremes kept."""

from __future__ import annotations

import msgspec

from shared.clock import NS_PER_S

MOST_POINTS = 2_000
MOST_MARKS = 2_000
#: a crypto market never closes
YEAR_S = 365 * 86_400


class Point(msgspec.Struct, frozen=True, gc=False):
    """One stretch of time: the last value of each, with the extremes in between.

    at_ns               end of the stretch
    mid*, bid, ask      ticks; bid and ask are our own best quotes (None = none)
    position*           base units
    spread_made .. funding   profit so far by part, quote units
    market_spread_bps   mean over the stretch; weight = how many looks it is of
    squared_returns     sum of squared log returns of the mid, over `returns_ns`
    """

    at_ns: int
    mid: float
    mid_low: float
    mid_high: float
    bid: int | None
    ask: int | None
    position: float
    position_low: float
    position_high: float
    spread_made: float
    inventory_made: float
    fees: float
    rebates: float
    funding: float
    market_spread_bps: float
    weight: int
    squared_returns: float
    returns_ns: int

    def joined(self, later: Point) -> Point:
        """Return one point of two neighbours."""
        weight = self.weight + later.weight
        spread = self.market_spread_bps * self.weight + later.market_spread_bps * later.weight
        return msgspec.structs.replace(
            later,
            mid_low=min(self.mid_low, later.mid_low),
            mid_high=max(self.mid_high, later.mid_high),
            position_low=min(self.position_low, later.position_low),
            position_high=max(self.position_high, later.position_high),
            market_spread_bps=spread / weight,
            weight=weight,
            squared_returns=self.squared_returns + later.squared_returns,
            returns_ns=self.returns_ns + later.returns_ns,
        )

    @property
    def volatility_pct(self) -> float | None:
        """Return the realised volatility of the stretch, annualised percent."""
        if self.returns_ns <= 0:
            return None
        per_s = self.squared_returns / (self.returns_ns / NS_PER_S)
        return float((per_s * YEAR_S) ** 0.5 * 100)


class Path:
    """Points of a session. When there are too many, neighbours are joined and later ones are coarser."""

    def __init__(self, most_points: int = MOST_POINTS) -> None:
        self._most = most_points
        self._points: list[Point] = []
        self._stride = 1
        self._open: Point | None = None
        self._in_open = 0

    def add(self, point: Point) -> None:
        self._open = point if self._open is None else self._open.joined(point)
        self._in_open += 1
        if self._in_open >= self._stride:
            self._points.append(self._open)
            self._open, self._in_open = None, 0
            if len(self._points) >= self._most:
                self._halve()

    def points(self) -> tuple[Point, ...]:
        return (*self._points, self._open) if self._open is not None else tuple(self._points)

    def _halve(self) -> None:
        points = self._points
        joined = [first.joined(second) for first, second in zip(points[::2], points[1::2], strict=False)]
        if len(points) % 2:
            joined.append(points[-1])
        self._points = joined
        self._stride *= 2


class FillMark(msgspec.Struct, frozen=True, gc=False):
    """A fill in a plot: ticks; lots with the sign of the side."""

    at_ns: int
    price: int
    signed: int
    is_maker: bool


class FillMarks:
    """Some of the fills, evenly thinned out: every one while they are few, then every second, ..."""

    def __init__(self, most: int = MOST_MARKS) -> None:
        self._most = most
        self._marks: list[FillMark] = []
        self._every = 1
        self.seen = 0

    def add(self, mark: FillMark) -> None:
        if self.seen % self._every == 0:
            self._marks.append(mark)
            if len(self._marks) >= self._most:
                del self._marks[1::2]
                self._every *= 2
        self.seen += 1

    def marks(self) -> tuple[FillMark, ...]:
        return tuple(self._marks)
