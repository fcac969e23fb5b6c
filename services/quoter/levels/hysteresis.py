"""Keeping a place in the queue: a small change of price or size is not worth losing it (Q17, Q19)."""

from __future__ import annotations

import msgspec

from shared.messages import Level, Side

Levels = tuple[Level, ...]


def keep_places(
    wanted: Levels, asked: Levels, bid: int, ask: int, size_tolerance: float, *, may_exceed: bool = True
) -> Levels:
    """Return `wanted` with the prices and sizes of `asked` wherever they are close enough.

    The n-th level of a side is compared with the n-th that was asked for. A price is kept
    within the level's own tolerance, and only while it does not cross `bid` / `ask`, the
    book without our orders; at a kept price a size is kept within `size_tolerance`, a fraction.
    may_exceed: also a size above the wanted one is kept. Not where what is wanted is a limit.
    """
    if wanted == asked or not asked or not wanted:
        return wanted
    bounds = (size_tolerance, size_tolerance if may_exceed else 0.0)
    if _is_pair(wanted) and _is_pair(asked):
        buy, sell = wanted
        kept_buy, kept_sell = _kept(buy, asked[0], ask, bounds), _kept(sell, asked[1], bid, bounds)
        if kept_buy is buy and kept_sell is sell:
            return wanted
        kept: Levels = (kept_buy, kept_sell)
    else:
        kept = _keep_side(wanted, asked, Side.BUY, ask, bounds) + _keep_side(
            wanted, asked, Side.SELL, bid, bounds
        )
    return wanted if _crosses_itself(kept) else kept


def _is_pair(levels: Levels) -> bool:
    """True for the usual case: one bid, one ask."""
    return len(levels) == 2 and levels[0].side is Side.BUY and levels[1].side is Side.SELL


def _keep_side(
    wanted: Levels, asked: Levels, side: Side, opposite: int, bounds: tuple[float, float]
) -> Levels:
    old = [level for level in asked if level.side is side]
    new = [level for level in wanted if level.side is side]
    for index, (level, before) in enumerate(zip(new, old, strict=False)):
        new[index] = _kept(level, before, opposite, bounds)
    return tuple(new)


def _kept(level: Level, before: Level, opposite: int, bounds: tuple[float, float]) -> Level:
    """Return a level at the place of the one before, itself where that is too far off or would cross.

    bounds  by which fractions of its size the one before may be too small, and too large
    """
    if abs(level.price - before.price) > level.tolerance or (opposite - before.price) * before.side <= 0:
        return level
    below, above = bounds
    is_same_size = -above * before.size <= level.size - before.size <= below * before.size
    size = before.size if is_same_size else level.size
    if before.price == level.price and size == level.size:
        return level
    return msgspec.structs.replace(level, price=before.price, size=size)


def _crosses_itself(levels: Levels) -> bool:
    bids = [level.price for level in levels if level.side is Side.BUY]
    asks = [level.price for level in levels if level.side is Side.SELL]
    return bool(bids and asks) and max(bids) >= min(asks)
