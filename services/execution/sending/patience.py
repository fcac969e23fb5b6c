"""How long a cancel waits for the reply to its order's placement. Pure."""

from __future__ import annotations

from services.execution.orders.records import Order
from shared.clock import NS_PER_MS

#: a cancel right behind its placement could overtake it on another connection; wait this long for the reply
PATIENCE_NS = 250 * NS_PER_MS


def is_too_early(order: Order, now_ns: int) -> bool:
    """True while an order's cancel could overtake its placement."""
    return order.is_placing and not order.seen_ns and now_ns - order.created_ns < PATIENCE_NS
