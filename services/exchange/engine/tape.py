"""The public record of one market: recent trades and rolling 24 h figures."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice

from services.exchange.engine.rules import Rules
from services.exchange.model import DayStats, Trade

_KEPT_TRADES = 1000
_BUCKET_NS = 60_000_000_000
_DAY_BUCKETS = 24 * 60


@dataclass(slots=True)
class _Minute:
    number: int
    first: int
    high: int
    low: int
    last: int
    volume: int = 0
    #: ticks x lots
    quote: int = 0
    trades: int = 0


class Tape:
    """Appends trades; answers with the newest ones and with the last day's figures."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._trades: deque[Trade] = deque(maxlen=_KEPT_TRADES)
        self._minutes: deque[_Minute] = deque(maxlen=_DAY_BUCKETS)
        self.last: int | None = None

    def add(self, trade: Trade) -> None:
        self._trades.append(trade)
        price = self.last = trade.price
        number = trade.time_ns // _BUCKET_NS
        if not self._minutes or self._minutes[-1].number < number:
            self._minutes.append(_Minute(number, price, price, price, price))
        minute = self._minutes[-1]
        minute.high = max(minute.high, price)
        minute.low = min(minute.low, price)
        minute.last = price
        minute.volume += trade.quantity
        minute.quote += trade.quantity * price
        minute.trades += 1

    def newest(self, limit: int) -> list[Trade]:
        """Return at most `limit` trades, newest first."""
        return list(islice(reversed(self._trades), limit))

    def day(self, now_ns: int) -> DayStats | None:
        """Return the figures of the 24 h before `now_ns`, to the minute; None without trades."""
        oldest = now_ns // _BUCKET_NS - _DAY_BUCKETS
        minutes = [minute for minute in self._minutes if minute.number > oldest]
        if not minutes:
            return None
        return DayStats(
            first=minutes[0].first,
            high=max(minute.high for minute in minutes),
            low=min(minute.low for minute in minutes),
            last=minutes[-1].last,
            volume=sum(minute.volume for minute in minutes),
            quote_volume=sum(minute.quote for minute in minutes) * self._rules.unit,
            trades=sum(minute.trades for minute in minutes),
        )
