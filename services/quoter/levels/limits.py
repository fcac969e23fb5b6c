"""What is left of the wanted quotes under the permit and the venue's own bounds.

Execution enforces the permit over everything that may be live; here the quotes are only
made such that they can be placed in full.
"""

from __future__ import annotations

import msgspec

from services.quoter.levels.rounding import PriceGrid
from services.quoter.levels.sizing import LotSizes
from shared.messages import Level, Permit, Side

Levels = tuple[Level, ...]


def rooms(position: int, permit: Permit) -> tuple[int, int]:
    """Return the lots that all bids together, and all asks together, may have."""
    buy = permit.max_long - position if permit.may_buy else 0
    sell = permit.max_short + position if permit.may_sell else 0
    if permit.reduce_only:
        buy, sell = min(buy, -position), min(sell, position)
    return max(0, buy), max(0, sell)


def narrowed(permit: Permit, largest: int | None, can_be_short: bool) -> Permit:
    """Return the permit within the params' own largest position, lots (None = no such bound).

    Where there are no short positions (spot), only what is held may be sold.
    """
    max_long = permit.max_long if largest is None else min(permit.max_long, largest)
    max_short = permit.max_short if largest is None else min(permit.max_short, largest)
    if not can_be_short:
        max_short = 0
    if (max_long, max_short) == (permit.max_long, permit.max_short):
        return permit
    return msgspec.structs.replace(permit, max_long=max_long, max_short=max_short)


def passive(levels: Levels, bid: int, ask: int, prices: PriceGrid) -> Levels:
    """Return the levels moved out of the book as it is displayed, our orders and all.

    The book of others may be older (see `own_orders`): what crosses the displayed one would be
    refused as taking, or meet an order of ours that is about to go.
    """
    for level in levels:
        if level.price >= ask if level.side is Side.BUY else level.price <= bid:
            break
    else:
        return levels
    return tuple(
        level
        if (level.price < ask if level.side is Side.BUY else level.price > bid)
        else msgspec.structs.replace(
            level, price=prices.bid(ask - 1) if level.side is Side.BUY else prices.ask(bid + 1)
        )
        for level in levels
    )


def within(levels: Levels, position: int, permit: Permit, prices: PriceGrid, sizes: LotSizes) -> Levels:
    """Return the levels cut to the room of their side, best first; what becomes too small is left out."""
    room_to_buy, room_to_sell = rooms(position, permit)
    largest = permit.max_order if sizes.maximum is None else min(permit.max_order, sizes.maximum)
    admitted: list[Level] = []
    is_cut = False
    for level in levels:
        size, price, is_buy = level.size, level.price, level.side is Side.BUY
        room = room_to_buy if is_buy else room_to_sell
        if size > room or size > largest:
            size = min(room, largest)
        if not prices.is_legal(price) or size < sizes.minimum(price):
            is_cut = True
            continue
        if is_buy:
            room_to_buy -= size
        else:
            room_to_sell -= size
        if size == level.size:
            admitted.append(level)
        else:
            is_cut = True
            admitted.append(msgspec.structs.replace(level, size=size))
    return tuple(admitted) if is_cut else levels
