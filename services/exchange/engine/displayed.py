"""Displayed liquidity: the book of a recording, with our orders in its queues.

The recording says how large each level was and which trades printed; nobody
told it about our orders. Rules: an order joins behind what is displayed when it
arrives; prints at its price consume what is ahead and then fill it; a print or
a best price beyond its price fills it whole; a display smaller than the queue
ahead of it shortens that queue.
"""

from __future__ import annotations

from services.exchange.engine.matching import Book, BookSide, Level
from services.exchange.model import Order, Side


def display(book: Book, side: Side, price: int, lots: int, time_ns: int) -> None:
    """Set the displayed liquidity at `price` to `lots`, as of `time_ns` of the recording.

    Cancellations are taken to come from behind us until the display is smaller
    than what we had ahead, the pessimistic reading. Feeds often show a level
    shrink before they print the trade that shrank it, so what an order gained
    here is remembered and not gained again from that trade.
    """
    book_side = book.side(side)
    if not lots and price not in book_side.levels:
        return
    level = book_side.level(price)
    if level.displayed == lots and lots:
        return
    level.displayed = lots
    for order in level.orders.values():
        gained = order.queue_ahead - lots
        if gained > 0:
            order.queue_ahead = lots
            level.cuts[order.id] = level.cuts.get(order.id, 0) + gained
            level.cut_ns = time_ns
    book.touch(side, price)
    book_side.drop_if_empty(level)


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
    """Return the engine orders of `side` at better prices than `price`, best first."""
    found: list[Order] = []
    for level in side:
        if level.price == price or not side.accepts(level.price, price):
            break
        found.extend(level.orders.values())
    return found


def orders_crossed(side: BookSide, opposite: BookSide) -> list[Order]:
    """Return the engine orders of `side` at or through the best price displayed on `opposite`."""
    best = next((level.price for level in opposite if level.displayed), None)
    if best is None:
        return []
    found: list[Order] = []
    for level in side:
        if not side.accepts(level.price, best):
            break
        found.extend(level.orders.values())
    return found
