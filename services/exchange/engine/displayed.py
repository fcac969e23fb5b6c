"""Displayed liquidity: the book of a recording, with our orders in its queues.

The recording says how large each level was and which trades printed; nobody
told it about our orders. Rules:

- an order joins behind what is displayed when it arrives;
- only prints fill it: a print at its price after what is ahead, a print through
  its price at once, and both never for more lots than were printed;
- a display smaller than the queue ahead of an order shortens that queue;
- an opposite price displayed at or through an order's price means that nothing is
  ahead of the order any more. It does not fill it: nobody is known to have traded.
  That part of the display is kept out of the book until the order is gone, so that
  the book is never crossed.
"""

from __future__ import annotations

from collections.abc import Iterable

from services.exchange.engine.matching import Book, BookSide, Level
from services.exchange.model import Order, Side

#: (side, ticks, lots): the display at a price becomes so large
Shown = tuple[Side, int, int]


class Display:
    """The recorded levels of one market: in its book, or held back behind our orders."""

    def __init__(self, book: Book) -> None:
        self._book = book
        #: ticks -> lots that would cross a resting order of ours
        self._held: dict[Side, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}
        self._recorded_ns = 0

    def show(self, levels: Iterable[Shown], recorded_ns: int) -> None:
        """Set displayed levels, as of `recorded_ns` of the recording."""
        self._recorded_ns = recorded_ns
        for side, ticks, lots in levels:
            if self._held[side].pop(ticks, 0) and lots:
                self._held[side][ticks] = lots
            else:
                display(self._book, side, ticks, lots, recorded_ns)
        self._uncross(self._book.bids, self._book.asks)
        self._uncross(self._book.asks, self._book.bids)

    def blank(self) -> None:
        """Show nothing until the next `show`; queues are not shortened by what is not known."""
        for side in (self._book.bids, self._book.asks):
            self._held[side.side].clear()
            for level in list(side):
                if level.displayed:
                    level.displayed = 0
                    self._book.touch(side.side, level.price)
                    side.drop_if_empty(level)

    def settle(self) -> None:
        """After our orders changed: let in what they no longer stand in the way of."""
        if self._held[Side.SELL]:
            self._uncross(self._book.bids, self._book.asks)
        if self._held[Side.BUY]:
            self._uncross(self._book.asks, self._book.bids)

    def _uncross(self, own: BookSide, opposite: BookSide) -> None:
        """Hold back the levels of `opposite` that orders of `own` cross, and only those."""
        held = self._held[opposite.side]
        crossed = self._crossed_levels(own, opposite)
        for level in crossed:
            _shorten_queues(level, 0, self._recorded_ns)
        barrier = crossed[0].price if crossed else None
        for ticks in [t for t in held if barrier is None or not opposite.accepts(t, barrier)]:
            display(self._book, opposite.side, ticks, held.pop(ticks), self._recorded_ns)
        if barrier is not None:
            for level in _displayed_within(opposite, barrier):
                held[level.price] = level.displayed
                self._book.take_displayed(opposite.side, level, level.displayed)

    def _crossed_levels(self, own: BookSide, opposite: BookSide) -> list[Level]:
        """Return the levels of `own` with orders at or through the best recorded opposite price."""
        prices = list(self._held[opposite.side])
        prices += [level.price for level in _first(level for level in opposite if level.displayed)]
        if not prices:
            return []
        best = min(prices) if opposite.side is Side.SELL else max(prices)
        crossed: list[Level] = []
        for level in own:
            if not own.accepts(level.price, best):
                break
            if level.orders:
                crossed.append(level)
        return crossed


def _first(levels: Iterable[Level]) -> list[Level]:
    for level in levels:
        return [level]
    return []


def _displayed_within(side: BookSide, limit: int) -> list[Level]:
    found: list[Level] = []
    for level in side:
        if not side.accepts(level.price, limit):
            break
        if level.displayed:
            found.append(level)
    return found


def display(book: Book, side: Side, price: int, lots: int, time_ns: int) -> None:
    """Set the displayed liquidity at `price` to `lots`, as of `time_ns` of the recording.

    Cancellations are taken to come from behind us until the display is smaller
    than what we had ahead, the pessimistic reading.
    """
    book_side = book.side(side)
    if not lots and price not in book_side.levels:
        return
    level = book_side.level(price)
    if level.displayed == lots and lots:
        return
    level.displayed = lots
    _shorten_queues(level, lots, time_ns)
    book.touch(side, price)
    book_side.drop_if_empty(level)


def _shorten_queues(level: Level, ahead: int, time_ns: int) -> None:
    """Let no order of `level` have more than `ahead` lots before it.

    Feeds often show a level shrink before they print the trade that shrank it, so
    what an order gained here is remembered and not gained again from that trade.
    """
    for order in level.orders.values():
        gained = order.queue_ahead - ahead
        if gained > 0:
            order.queue_ahead = ahead
            level.cuts[order.id] = level.cuts.get(order.id, 0) + gained
            level.cut_ns = time_ns


def print_at(level: Level, lots: int, time_ns: int) -> list[tuple[Order, int]]:
    """Pass a printed trade of `lots` through the queue at `level`.

    Returns the engine orders it reaches, in time priority, with the lots each
    of them gets. Queues ahead are shortened here; the caller applies the fills.
    """
    if time_ns > level.cut_ns:
        level.cuts.clear()
    reached = []
    left = lots
    for order in level.orders.values():
        gained_before = min(level.cuts.get(order.id, 0), left)
        if gained_before:
            level.cuts[order.id] -= gained_before
        past = left - gained_before - order.queue_ahead
        order.queue_ahead = max(0, -past)
        if past > 0:
            filled = min(order.leaves, past)
            reached.append((order, filled))
            left -= filled
    return reached


def orders_beyond(side: BookSide, price: int) -> list[Order]:
    """Return the engine orders of `side` at better prices than `price`, best first.

    Whoever traded at `price` has passed theirs, so nothing is ahead of them.
    """
    found: list[Order] = []
    for level in side:
        if level.price == price or not side.accepts(level.price, price):
            break
        for order in level.orders.values():
            order.queue_ahead = 0
            found.append(order)
    return found
