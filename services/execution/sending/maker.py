"""Maker-first targets: a post-only order at the passive best, tried again and again before taking.

A try lasts `maker_try_s`; after it the order stays where it is still at the best price and
large enough (its place in the queue is worth money), otherwise it is cancelled and, once it is
confirmed gone, placed anew. After `maker_tries` tries, or the time they may take at most, the
distance that is left is taken: only the unfilled remainder, for it is measured from the
position. Row R27.
"""

from __future__ import annotations

from services.execution.orders.pursuit import Pursuit
from services.execution.orders.records import Order
from services.execution.symbols import Symbol
from shared.messages import OrderStatus, Side, Target, Top

MAKER = "maker"


def follow(symbol: Symbol, lots: int, try_ns: int, max_tries: int, now_ns: int) -> None:
    """Begin a pursuit, go on with it, or end it: it lasts while a maker target asks for one side.

    A target that is taken back or expires and soon returns is the same one: its patience goes on.

    lots  the signed distance that the symbol's target asks for
    """
    target = symbol.target
    if not lots or target is None or target.style != MAKER:
        symbol.pursuit = None
        return
    if now_ns >= target.expires_ns:
        return  # it asks for nothing any more
    side, pursuit = Side.BUY if lots > 0 else Side.SELL, symbol.pursuit
    if pursuit is None or pursuit.side is not side or pursuit.is_over(now_ns):
        symbol.pursuit = Pursuit.begun(side, try_ns, max_tries, now_ns)
    else:
        pursuit.wanted_ns = now_ns


def resting(symbol: Symbol) -> Order | None:
    """Return the order of a maker target that may be live."""
    for order in symbol.orders.live.values():
        if order.is_target and order.post_only:
            return order
    return None


def waits_for_takers(symbol: Symbol, now_ns: int) -> bool:
    """True while a try of the symbol's target is under way, or the next one may begin."""
    pursuit = symbol.pursuit
    if pursuit is None:
        return False
    return pursuit.may_try(now_ns) or (pursuit.is_patient(now_ns) and resting(symbol) is not None)


def passive_price(top: Top | None, side: Side, limit: int | None, oldest_ns: int) -> int | None:
    """Return the best price that does not take, not beyond the target's limit; None without a fresh one."""
    if top is None or top.as_of_ns < oldest_ns:
        return None
    best = top.bid if side is Side.BUY else top.ask
    if best is None or limit is None:
        return best
    return min(best, limit) if side is Side.BUY else max(best, limit)


def may_rest(symbol: Symbol, order: Order, lots: int, oldest_ns: int, now_ns: int) -> bool:
    """True while a resting order of the target may stay: nothing it can still do goes too far.

    lots  the signed distance that the target asks for now
    """
    target, pursuit = symbol.target, symbol.pursuit
    if target is None or pursuit is None:
        return False
    if order.status is OrderStatus.UNKNOWN or order.exposure > lots * order.side.sign:
        return False
    if _opens(symbol, order) and not _is_permitted(symbol, order, now_ns):
        return False
    best = passive_price(symbol.top, order.side, target.limit_price, oldest_ns)
    if best is None:
        return False
    return now_ns < pursuit.try_until_ns or _goes_on(target, pursuit, order, best, lots, now_ns)


def _goes_on(target: Target, pursuit: Pursuit, order: Order, best: int, lots: int, now_ns: int) -> bool:
    """Begin the next try with the same order, where a new one would be no better."""
    is_good = order.price == best and order.leaves >= min(abs(lots), target.max_slice)
    if is_good and pursuit.may_try(now_ns):
        pursuit.begin_try(now_ns)
        return True
    return False


def _opens(symbol: Symbol, order: Order) -> bool:
    return symbol.position * order.side.sign + order.exposure > 0


def _is_permitted(symbol: Symbol, order: Order, now_ns: int) -> bool:
    """What opens needs a live permit with room for it, and a position that is known."""
    permit = symbol.permit
    if permit is None or now_ns >= permit.expires_ns or permit.halted or not symbol.is_known:
        return False
    limit = permit.max_long if order.side is Side.BUY else permit.max_short
    return symbol.position * order.side.sign + order.exposure <= limit
