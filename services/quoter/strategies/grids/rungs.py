"""Rungs: a grid as a function of the confirmed position, and of nothing else.

A rung is opened at one level and closed one level nearer to home. Rungs fill outwards from
home and are closed in the reverse order, as a price that passes the levels does it; so the
position alone says which are filled and how far, and what must rest:

    on every rung    open order + close order = the rung's lots
    in sum           closes = abs(held),  bids + held = all below home,  asks - held = all above

held = position less what is held at home. Nothing is inferred from an order that is gone, and
after a restart the same position gives the same orders.
"""

from __future__ import annotations

import msgspec


class Rung(msgspec.Struct, frozen=True, gc=False):
    """One step: prices in ticks, lots > 0."""

    open: int
    close: int
    lots: int


class Grid(msgspec.Struct, frozen=True):
    """The rungs on both sides of home, nearest first.

    home          ticks: here the position is `at_home` lots
    lower, upper  the range, ticks: nothing opens outside it
    down, up      bought below home, sold above it
    is_one_way    only one of both is there, and a position of the other sign is not the grid's
    """

    home: int
    lower: int
    upper: int
    at_home: int
    down: tuple[Rung, ...]
    up: tuple[Rung, ...]
    is_one_way: bool

    def held(self, position: int) -> int:
        return position - self.at_home


Order = tuple[int, int]
"""Price in ticks, size in lots."""


class Side(msgspec.Struct, frozen=True, gc=False):
    """What should rest on one side, nearest first; every close is nearer than every open."""

    closes: tuple[Order, ...]
    opens: tuple[Order, ...]

    @property
    def nearest(self) -> int | None:
        """The price of the best order, None when there is none."""
        first = self.closes or self.opens
        return first[0][0] if first else None


def sides_at(grid: Grid, position: int) -> tuple[Side, Side]:
    """Return the bids and the asks that a position asks for."""
    held = grid.held(position)
    buys, sells = _split(grid.down, max(0, held), grid.home), _split(grid.up, max(0, -held), grid.home)
    bids, asks = Side(sells[0], buys[1]), Side(buys[0], sells[1])
    is_foreign = (held > 0 and not grid.down) or (held < 0 and not grid.up)
    if grid.is_one_way and is_foreign:  # first it goes: beside opens its closes would not only reduce
        return Side(bids.closes, ()), Side(asks.closes, ())
    return bids, asks


def filled_rungs(rungs: tuple[Rung, ...], held: int) -> int:
    """Return how many rungs `held` (>= 0) lots reach into, all of them when it is more."""
    for count, rung in enumerate(rungs):
        if held <= 0:
            return count
        held -= rung.lots
    return len(rungs)


def _split(rungs: tuple[Rung, ...], held: int, home: int) -> tuple[tuple[Order, ...], tuple[Order, ...]]:
    """Return the closes and the opens of one direction, each nearest first.

    What is more than all rungs can hold joins the nearest close; without rungs it closes at home.
    """
    closes: list[Order] = []
    opens: list[Order] = []
    for rung in rungs:
        filled = min(rung.lots, held)
        held -= filled
        if filled:
            closes.append((rung.close, filled))
        if filled < rung.lots:
            opens.append((rung.open, rung.lots - filled))
    closes.reverse()
    if held:
        price, size = closes[0] if closes else (home, 0)
        closes[:1] = [(price, size + held)]
    return tuple(closes), tuple(opens)
