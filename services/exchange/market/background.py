"""Background makers of one symbol: real orders, laddered around what they believe is fair.

They follow the fair price with a delay of a few updates, refill what was taken
and churn. They know nothing of the future, and they do not take: a quote of an
account that the fair price has passed is left to takers, unless it is a gift.
"""

from __future__ import annotations

from math import ceil, floor
from random import Random

from services.exchange.engine.market_engine import MarketEngine
from services.exchange.engine.matching import Level
from services.exchange.model import Order, OrderStatus, Side

# All distances are in ticks, for a market that moves up to 4 ticks in a second; faster ones scale them.
_CALM_VOLATILITY = 4.0
_HALF_SPREAD = 0.1
#: they requote only if fair moved by more than this, so that rounding does not flicker
_HYSTERESIS = 0.5
#: quotes this far on the wrong side are pulled all at once, nearer ones one by one
_PANIC = 3
_PANIC_LEVELS = 3
_ORDERS_PER_LEVEL = 1.6
#: an account's quote that is better than fair by more than this is taken by anybody
_GIFT = 40


class BackgroundMakers:
    """Keeps about `levels` price levels on each side, one order placed or cancelled at a step.

    volatility  of the fair price, ticks in one second
    """

    def __init__(
        self, engine: MarketEngine, random: Random, *, levels: int, median_lots: int, volatility: float
    ) -> None:
        self._engine = engine
        self._random = random
        self._median_lots = median_lots
        scale = max(1.0, volatility / _CALM_VOLATILITY)
        self._half_spread = _HALF_SPREAD * scale
        self._hysteresis = _HYSTERESIS * scale
        self._panic = _PANIC * scale
        self._gift = _GIFT * scale
        self._offsets = [int((level + level * level // 8) * scale) for level in range(levels + 1)]
        self._max_orders = int(levels * _ORDERS_PER_LEVEL)
        self._quotes: dict[Side, list[Order]] = {Side.BUY: [], Side.SELL: []}
        self._fair = 0.0

    def fill_ladders(self, fair: float, now_ns: int) -> None:
        """Quote every level on both sides; `fair` in ticks."""
        self._fair = fair
        for side in (Side.BUY, Side.SELL):
            for level in range(len(self._offsets) - 1):
                self._place(side, self._price(side, level), now_ns)

    def step(self, fair: float, now_ns: int) -> None:
        """Do the most urgent thing: pull a stale quote, fill a gap, or else churn; `fair` in ticks."""
        if abs(fair - self._fair) > self._hysteresis:
            self._fair = fair
        side = self._random.choice((Side.BUY, Side.SELL))
        if self._pull_stale(side, now_ns) or self._pull_stale(side.opposite, now_ns):
            return
        quotes = self._quotes[side]
        gap = self._first_gap(side)
        if gap is not None:
            self._place(side, gap, now_ns)
        elif len(quotes) >= self._max_orders or self._random.random() < 0.5:
            self._cancel(side, self._random.choice(quotes), now_ns)
        else:
            level = int((len(self._offsets) - 1) * self._random.random() ** 2)
            self._place(side, self._price(side, level), now_ns)

    def _price(self, side: Side, level: int) -> int:
        if side is Side.BUY:
            return max(1, floor(self._fair - self._half_spread) - self._offsets[level])
        return ceil(self._fair + self._half_spread) + self._offsets[level]

    def _pull_stale(self, side: Side, now_ns: int) -> bool:
        """Cancel quotes that are now on the wrong side of fair; return whether there were any.

        After a jump all of them go at once, and the best levels are quoted anew.
        """
        self._forget_ended(side)
        sign = 1 if side is Side.BUY else -1
        best = self._price(side, 0)
        stale = [order for order in self._quotes[side] if sign * ((order.price or 0) - best) > 0]
        if not stale:
            return False
        stale.sort(key=lambda order: -sign * (order.price or 0))
        if sign * ((stale[0].price or 0) - best) <= self._panic:
            self._cancel(side, stale[0], now_ns)
            return True
        for order in stale:
            self._cancel(side, order, now_ns)
        for level in range(min(_PANIC_LEVELS, len(self._offsets) - 1)):
            self._place(side, self._price(side, level), now_ns)
        return True

    def _forget_ended(self, side: Side) -> None:
        live = (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)
        self._quotes[side] = [order for order in self._quotes[side] if order.status in live]

    def _first_gap(self, side: Side) -> int | None:
        """Return the price nearest to fair at which a ladder level has no order."""
        sign = 1 if side is Side.BUY else -1
        best = self._price(side, 0)
        depths = sorted(sign * (best - (order.price or 0)) for order in self._quotes[side])
        position = 0
        for level, offset in enumerate(self._offsets[:-1]):
            while position < len(depths) and depths[position] < offset:
                position += 1
            if position == len(depths) or depths[position] >= self._offsets[level + 1]:
                return self._price(side, level)
        return None

    def _place(self, side: Side, price: int, now_ns: int) -> None:
        lots = max(1, round(self._median_lots * self._random.lognormvariate(0.0, 0.6)))
        order = self._engine.enter(side, self._clear_of_others(side, price), lots, now_ns)
        if order.leaves:
            self._quotes[side].append(order)

    def _clear_of_others(self, side: Side, price: int) -> int:
        """Step back from what is quoted on the other side, but for an account's gift."""
        opposite = self._engine.book.side(side.opposite)
        for level in opposite:
            if not opposite.accepts(level.price, price):
                break
            if level.orders and not self._is_gift(level):
                return level.price + (-1 if side is Side.BUY else 1)
        return price

    def _is_gift(self, level: Level) -> bool:
        """Return whether an account's quote is far beyond fair, as after a jump it slept through."""
        front = level.front()
        return front is not None and bool(front.account) and abs(level.price - self._fair) > self._gift

    def _cancel(self, side: Side, order: Order, now_ns: int) -> None:
        self._quotes[side].remove(order)
        self._engine.cancel(order, now_ns)
