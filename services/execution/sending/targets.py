"""Reductions and hedges: from a target to the next slice. Pure.

A target says where the position should be; what is traded is the distance from our own
position, one order at a time (IOC, or first a maker: `maker.py`), never through zero unless it
may open. Driven by the
position and not by order events, so that a lost or late fill can neither repeat nor drop a
hedge.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.execution.orders.records import Order
from services.execution.sending.maker import MAKER, passive_price, waits_for_takers
from services.execution.symbols import Symbol
from shared.clock import NS_PER_MS
from shared.messages import Level, Side, Target, Top

#: pause after a slice: the book that it has changed must reach us first
PACE_NS = 100 * NS_PER_MS
IOC = "ioc"
#: worked only while halted, and only if configured
FLATTEN = "flatten"
STYLES = (IOC, MAKER, FLATTEN)


@dataclass(frozen=True, slots=True)
class Slice:
    """The next order of a target."""

    side: Side
    price: int
    size: int
    post_only: bool = False

    def meets(self, side: Side, price: int) -> bool:
        """True when it would trade with an own order of that side and price."""
        return side is not self.side and (price - self.price) * side.sign >= 0


def distance(target: Target, position: int, may_open: bool) -> int:
    """Return the signed lots to trade: into [minimum, maximum], towards zero only unless it may open."""
    if position > target.maximum:
        lots = target.maximum - position
    elif position < target.minimum:
        lots = target.minimum - position
    else:
        return 0
    if may_open:
        return lots
    if (lots > 0) == (position > 0):
        return 0
    return max(lots, -position) if lots < 0 else min(lots, -position)


def next_slice(symbol: Symbol, now_ns: int, max_top_age_ns: int, may_open: bool) -> Slice | None:
    """Return the order that the symbol's target asks for next, None when there is nothing to do.

    A target that is based on an older position than ours is ignored: a newer one follows.
    """
    target = symbol.target
    if target is None or target.style not in STYLES or now_ns >= target.expires_ns:
        return None
    if target.position_seq < symbol.position_seq:
        return None
    lots = distance(target, symbol.position, may_open)
    size = min(abs(lots), target.max_slice)
    if symbol.instrument.max_lots is not None:
        size = min(size, symbol.instrument.max_lots)
    if size < symbol.instrument.min_lots:
        return None
    side = Side.BUY if lots > 0 else Side.SELL
    oldest_ns = now_ns - max_top_age_ns
    if waits_for_takers(symbol, now_ns):
        price = passive_price(symbol.top, side, target.limit_price, oldest_ns)
        return None if price is None else Slice(side, price, size, True)
    price = target.limit_price
    if price is None:
        price = opposite_best(symbol.top, side, oldest_ns)
    return None if price is None else Slice(side, price, size)


def opposite_best(top: Top | None, side: Side, oldest_ns: int) -> int | None:
    """Return the best price that an order of `side` can trade at, None without a fresh one."""
    if top is None or top.as_of_ns < oldest_ns:
        return None
    return top.ask if side is Side.BUY else top.bid


def clear_of(levels: tuple[Level, ...], coming: Slice | None) -> tuple[Level, ...]:
    """Return the wanted levels that the coming slice would not trade with."""
    if coming is None:
        return levels
    return tuple(level for level in levels if not coming.meets(level.side, level.price))


def is_in_flight(symbol: Symbol) -> bool:
    """True while an earlier slice may be live, or its fills have not all arrived."""
    return bool(symbol.orders.owed) or any(order.is_target for order in symbol.orders.live.values())


def in_the_way(symbol: Symbol, coming: Slice) -> list[Order]:
    """Return our own orders that the slice would trade with."""
    return [order for order in symbol.orders.live.values() if coming.meets(order.side, order.price)]
