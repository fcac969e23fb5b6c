"""When an order of ours fills: three answers to one question, from the worst case to the best.

A recording does not know our orders. What it does tell is which prices traded and how much
was displayed. So each model bounds the truth differently:

    through   only when the market goes through our price: a trade beyond it, or others who
              quote at or beyond it from the other side. The worst case: we are last in every queue.
    queue     the same, and trades at our price once they have used up what was before us. Before
              us is what was displayed when the order arrived; it shrinks by trades, and where the
              level shows less than is before us. Cancels of others are taken to be behind us.
    touch     any trade at our price fills us first: the best case, we are always first.

In each a trade fills at most what was traded. Where others quote through our price the whole
order fills: they would have taken it.
"""

from __future__ import annotations

from enum import Enum

from services.replay.venue.book import Resting
from shared.clock import NS_PER_MS

#: how much later than the book a trade may be told: until then a shrunk level is not counted twice
CREDIT_NS = 100 * NS_PER_MS


class FillModel(Enum):
    """How fills are decided, worst case first."""

    THROUGH = "through"
    QUEUE = "queue"
    TOUCH = "touch"


def traded_at(order: Resting, lots: int, model: FillModel, now_ns: int) -> tuple[int, int]:
    """Take a trade of `lots` at the order's price; return (lots it fills, lots left for others of ours)."""
    if model is FillModel.TOUCH:
        filled = min(order.size - order.filled, lots)
        return filled, lots - filled
    if model is FillModel.THROUGH or order.ahead is None:
        return 0, lots
    if order.credit:
        known = min(order.credit, lots) if now_ns - order.credit_ns <= CREDIT_NS else 0
        order.credit = order.credit - known if known else 0
        lots -= known
    before = min(order.ahead, lots)
    order.ahead -= before
    order.worked += before
    lots -= before
    filled = min(order.size - order.filled, lots)
    return filled, lots - filled


def level_shows(order: Resting, size: int, now_ns: int) -> None:
    """Take what others display at the order's price: no more can be before it."""
    ahead = order.ahead
    if ahead is None:
        order.ahead = size
    elif size < ahead:
        order.ahead = size
        order.worked += ahead - size
        order.credit = ahead - size + (order.credit if now_ns - order.credit_ns <= CREDIT_NS else 0)
        order.credit_ns = now_ns
