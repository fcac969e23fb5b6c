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
    above = size_tolerance if may_exceed else 0.0
    kept = _keep_side(wanted, asked, Side.BUY, ask, (size_tolerance, above)) + _keep_side(
        wanted, asked, Side.SELL, bid, (size_tolerance, above)
    )
    return wanted if _crosses_itself(kept) else kept


def _keep_side(
    wanted: Levels, asked: Levels, side: Side, opposite: int, tolerances: tuple[float, float]
) -> Levels:
    below, above = tolerances
    old = [level for level in asked if level.side is side]
    new = [level for level in wanted if level.side is side]
    for index, (level, before) in enumerate(zip(new, old, strict=False)):
        is_near = abs(level.price - before.price) <= level.tolerance
        is_passive = (opposite - before.price) * side.sign > 0
        if is_near and is_passive:
            is_same_size = -above * before.size <= level.size - before.size <= below * before.size
            size = before.size if is_same_size else level.size
            if before.price != level.price or size != level.size:
                new[index] = msgspec.structs.replace(level, price=before.price, size=size)
    return tuple(new)


def _crosses_itself(levels: Levels) -> bool:
    bids = [level.price for level in levels if level.side is Side.BUY]
    asks = [level.price for level in levels if level.side is Side.SELL]
    return bool(bids and asks) and max(bids) >= min(asks)
