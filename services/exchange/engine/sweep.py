"""What a taker would meet in the book, in the order it would meet it, without trading."""

from __future__ import annotations

from collections.abc import Iterator

from services.exchange.engine.matching import BookSide, Level
from services.exchange.model import Order, SelfTrade


def sweep(side: BookSide, limit: int, account: str, self_trade: SelfTrade) -> Iterator[tuple[int, int]]:
    """Yield (ticks, lots) that a taker of `account` could trade down to `limit`.

    Own orders are passed over if they would die as makers, and end the sweep if
    the taker would die.
    """
    for level in side:
        if not side.accepts(level.price, limit):
            return
        for maker, lots in _queue(level):
            if maker is not None and maker.account == account:
                if self_trade is not SelfTrade.REJECT_MAKER:
                    return
            elif lots:
                yield level.price, lots


def first_is_own(side: BookSide, limit: int, account: str) -> bool:
    """Return whether the very first counterparty of a taker would be its own order."""
    level = side.best()
    if level is None or not side.accepts(level.price, limit):
        return False
    for maker, lots in _queue(level):
        if lots:
            return maker is not None and maker.account == account
    return False


def lots_within(
    side: BookSide, limit: int, account: str, self_trade: SelfTrade, wanted: int
) -> tuple[int, int]:
    """Return (lots, cost in ticks x lots) that a taker of `wanted` lots would trade."""
    filled = cost = 0
    for price, lots in sweep(side, limit, account, self_trade):
        taken = min(lots, wanted - filled)
        filled += taken
        cost += taken * price
        if filled == wanted:
            break
    return filled, cost


def lots_for_money(side: BookSide, limit: int, account: str, self_trade: SelfTrade, money: int) -> int:
    """Return how many lots `money`, in ticks x lots, pays for."""
    filled = 0
    for price, lots in sweep(side, limit, account, self_trade):
        taken = min(lots, money // price)
        filled += taken
        money -= taken * price
        if taken < lots:
            break
    return filled


def _queue(level: Level) -> Iterator[tuple[Order | None, int]]:
    passed = 0
    for order in level.orders.values():
        ahead = min(order.queue_ahead, level.displayed)
        if ahead > passed:
            yield None, ahead - passed
            passed = ahead
        yield order, order.leaves
    if level.displayed > passed:
        yield None, level.displayed - passed
