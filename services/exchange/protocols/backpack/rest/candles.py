"""Candles built from the engine's trades: one-second slots, merged to any interval asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from services.exchange.protocols.backpack.render.stamps import NS_PER_S

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
#: seconds; a month is longer than any of these and follows the calendar
INTERVALS = {
    "1s": 1,
    "1m": _MINUTE,
    "3m": 3 * _MINUTE,
    "5m": 5 * _MINUTE,
    "15m": 15 * _MINUTE,
    "30m": 30 * _MINUTE,
    "1h": _HOUR,
    "2h": 2 * _HOUR,
    "4h": 4 * _HOUR,
    "6h": 6 * _HOUR,
    "8h": 8 * _HOUR,
    "12h": 12 * _HOUR,
    "1d": _DAY,
    "3d": 3 * _DAY,
    "1w": 7 * _DAY,
    "1month": 0,
}
_KEPT_SECONDS = 200_000
_FIRST_MONDAY_S = 4 * _DAY  # 1970-01-05


@dataclass(frozen=True, slots=True)
class Candle:
    """Prices in ticks, volume in lots, times in wall nanoseconds (end exclusive)."""

    start_ns: int
    end_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    quote_volume: Decimal
    trades: int

    def followed_by(self, later: Candle) -> Candle:
        """Return both as one candle in this one's bounds."""
        return replace(
            self,
            high=max(self.high, later.high),
            low=min(self.low, later.low),
            close=later.close,
            volume=self.volume + later.volume,
            quote_volume=self.quote_volume + later.quote_volume,
            trades=self.trades + later.trades,
        )


class Candles:
    """The seconds of one market in which it traded."""

    def __init__(self) -> None:
        self._seconds: deque[Candle] = deque(maxlen=_KEPT_SECONDS)

    def on_trade(self, price: int, quantity: int, notional: Decimal, time_ns: int) -> None:
        start_ns, end_ns = bounds_ns("1s", time_ns)
        candle = Candle(start_ns, end_ns, price, price, price, price, quantity, notional, 1)
        if self._seconds and self._seconds[-1].start_ns == start_ns:
            candle = self._seconds.pop().followed_by(candle)
        self._seconds.append(candle)

    def range(self, interval: str, from_ns: int, to_ns: int) -> list[Candle]:
        """Return the candles of `interval` that start in [from_ns, to_ns), oldest first."""
        seconds = (candle for candle in self._seconds if from_ns <= candle.start_ns)
        return [candle for candle in _merged(seconds, interval) if candle.start_ns < to_ns]

    def latest(self, interval: str, now_ns: int) -> Candle | None:
        """Return the candle of the running interval, None while nothing has traded in it."""
        start_ns, _ = bounds_ns(interval, now_ns)
        recent: list[Candle] = []
        for candle in reversed(self._seconds):
            if candle.start_ns < start_ns:
                break
            recent.append(candle)
        return next(_merged(reversed(recent), interval), None)


def bounds_ns(interval: str, time_ns: int) -> tuple[int, int]:
    """Return start and end of the interval around a time; weeks start on Monday, in UTC."""
    seconds = time_ns // NS_PER_S
    if interval == "1month":
        return _month_bounds_ns(seconds)
    length = INTERVALS[interval]
    origin = _FIRST_MONDAY_S if interval == "1w" else 0
    start = origin + (seconds - origin) // length * length
    return start * NS_PER_S, (start + length) * NS_PER_S


def _month_bounds_ns(seconds: int) -> tuple[int, int]:
    day = datetime.fromtimestamp(seconds, UTC)
    first = datetime(day.year, day.month, 1, tzinfo=UTC)
    after = datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC)
    return int(first.timestamp()) * NS_PER_S, int(after.timestamp()) * NS_PER_S


def _merged(seconds: Iterable[Candle], interval: str) -> Iterator[Candle]:
    current: Candle | None = None
    for second in seconds:
        if current is not None and second.start_ns < current.end_ns:
            current = current.followed_by(second)
            continue
        if current is not None:
            yield current
        start_ns, end_ns = bounds_ns(interval, second.start_ns)
        current = replace(second, start_ns=start_ns, end_ns=end_ns)
    if current is not None:
        yield current
