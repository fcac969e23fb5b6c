"""Candles built from the engine's trades: slots of three lengths, merged to any interval asked for.

What is kept is bounded, and the running candle of the longest interval is some hundred
slots: neither memory nor the time of an answer grows with the days.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import takewhile

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


@dataclass(slots=True)
class _Slot:
    """What was traded in one stretch of time: `quote` in ticks x lots, times in seconds."""

    start: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    quote: int
    trades: int

    def add(self, later: _Slot) -> None:
        self.high = max(self.high, later.high)
        self.low = min(self.low, later.low)
        self.close = later.close
        self.volume += later.volume
        self.quote += later.quote
        self.trades += later.trades


class _Tier:
    """The newest `kept` slots of `length` seconds in which there were trades."""

    def __init__(self, length: int, kept: int) -> None:
        self.length = length
        self.slots: deque[_Slot] = deque(maxlen=kept)

    def add(self, trade: _Slot) -> None:
        start = trade.start // self.length * self.length
        if self.slots and self.slots[-1].start >= start:  # a clock set back changes no order
            self.slots[-1].add(trade)
        else:
            self.slots.append(replace(trade, start=start))

    def since(self, start: int) -> list[_Slot]:
        """Return the slots from `start` on, oldest first."""
        newest = takewhile(lambda slot: slot.start >= start, reversed(self.slots))
        return list(newest)[::-1]


class Candles:
    """The trades of one market, an hour by the second, a week by the minute, two years by the hour.

    unit  quote money of one lot at one tick
    """

    def __init__(self, unit: Decimal) -> None:
        self._unit = unit
        self._seconds, self._minutes = _Tier(1, 3_600), _Tier(_MINUTE, 7 * 24 * 60)
        self._hours = _Tier(_HOUR, 2 * 366 * 24)

    def on_trade(self, price: int, quantity: int, time_ns: int) -> None:
        trade = _Slot(time_ns // NS_PER_S, price, price, price, price, quantity, price * quantity, trades=1)
        for tier in (self._seconds, self._minutes, self._hours):
            tier.add(trade)

    def range(self, interval: str, from_ns: int, to_ns: int) -> list[Candle]:
        """Return the whole candles of `interval` that start in [from_ns, to_ns), oldest first."""
        start_ns, _ = bounds_ns(interval, from_ns)
        candles = self._merged(interval, start_ns)
        return [candle for candle in candles if from_ns <= candle.start_ns < to_ns]

    def latest(self, interval: str, now_ns: int) -> Candle | None:
        """Return the candle of the running interval, None while nothing has traded in it."""
        start_ns, _ = bounds_ns(interval, now_ns)
        return next(iter(self._merged(interval, start_ns)), None)

    def _tier(self, interval: str) -> _Tier:
        """Return the coarsest slots that make up the interval exactly."""
        length = INTERVALS[interval]
        if interval == "1month" or length % _HOUR == 0:
            return self._hours
        return self._minutes if length % _MINUTE == 0 else self._seconds

    def _merged(self, interval: str, start_ns: int) -> list[Candle]:
        """Return the candles from `start_ns`, where one starts, on."""
        merged: list[tuple[_Slot, int, int]] = []
        for slot in self._tier(interval).since(start_ns // NS_PER_S):
            if merged and slot.start * NS_PER_S < merged[-1][2]:
                merged[-1][0].add(slot)
            else:
                merged.append((replace(slot), *bounds_ns(interval, slot.start * NS_PER_S)))
        return [self._candle(*each) for each in merged]

    def _candle(self, slot: _Slot, start_ns: int, end_ns: int) -> Candle:
        return Candle(
            start_ns,
            end_ns,
            slot.open,
            slot.high,
            slot.low,
            slot.close,
            slot.volume,
            slot.quote * self._unit,
            slot.trades,
        )


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
