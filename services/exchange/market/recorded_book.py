"""The book as a recording tells it, on the grid of the market that serves it.

Diffs are late and complete, best prices fresh and narrow. Both carry the
recorded venue's update ids: whatever is older than what is known is not used.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from services.exchange.engine.matching import BookSide
from services.exchange.engine.rules import Grid
from services.exchange.market.recording import BestPrices, BookUpdate, RecordingError
from services.exchange.model import Side

#: a snapshot that comes later than so many diffs after its own does not continue into them
_KEPT_EARLY = 5_000

#: (side, ticks, lots)
Change = tuple[Side, int, int]


class GridReader:
    """Turns decimal strings of a recording into whole steps of another market's grid."""

    def __init__(self, grid: Grid, name: str, path: Path) -> None:
        self._grid = grid
        self._name = name
        self._path = path
        self.steps = lru_cache(maxsize=65_536)(self._steps)

    def _steps(self, text: str) -> int:
        """Raises RecordingError if `text` is not a whole number of steps."""
        whole, _, fraction = text.partition(".")
        kept, dropped = fraction[: self._grid.decimals], fraction[self._grid.decimals :]
        steps = None
        if not dropped.strip("0"):
            units = int(whole + kept.ljust(self._grid.decimals, "0"))
            steps, remainder = divmod(units, self._grid.mantissa)
            steps = None if remainder else steps
        if steps is None:
            raise RecordingError(
                f"{self._path}: recorded {self._name} {text} is not a multiple of the served market's "
                f"{self._grid.step}"
            )
        return steps


class RecordedBook:
    """Applies recorded updates; each method returns the levels that changed.

    After a gap in the diffs nothing is known until the next snapshot.
    """

    def __init__(self, prices: GridReader, sizes: GridReader) -> None:
        self._prices = prices
        self._sizes = sizes
        self._sides = {Side.BUY: BookSide(Side.BUY), Side.SELL: BookSide(Side.SELL)}
        self._book_id = 0
        self._best: dict[Side, int] = {}
        self._best_id = 0
        #: diffs that came before the snapshot they continue
        self._early: deque[BookUpdate] = deque(maxlen=_KEPT_EARLY)
        self.is_synchronised = False

    def on_book(self, update: BookUpdate) -> list[Change]:
        if update.is_snapshot:
            return self._restart(update)
        if not self.is_synchronised:
            self._early.append(update)
            return []
        if update.last_id <= self._book_id:
            return []
        if update.previous_id > self._book_id:
            self.is_synchronised = False
            self._early.append(update)
            return []
        self._book_id = update.last_id
        return [
            change for change in self._changes(update) if self._is_news(*change[:2]) and self._set(*change)
        ]

    def on_best(self, best: BestPrices) -> list[Change]:
        if not self.is_synchronised or best.last_id <= max(self._book_id, self._best_id):
            return []
        self._best_id = best.last_id
        changes: list[Change] = []
        for side, (price, size) in ((Side.BUY, best.bid), (Side.SELL, best.ask)):
            ticks, lots = self._prices.steps(price), self._sizes.steps(size)
            self._best[side] = ticks
            changes += [(side, gone, 0) for gone in self._better(side, ticks)]
            level = self._sides[side].levels.get(ticks)
            if level is None or level.displayed != lots:
                changes.append((side, ticks, lots))
        return [change for change in changes if self._set(*change)]

    def best(self) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
        """Return the best bid and ask as (ticks, lots)."""
        return self._sides[Side.BUY].best_size(), self._sides[Side.SELL].best_size()

    def mid(self) -> float | None:
        """Return the mid price in ticks, None while a side is empty or after a gap."""
        if not self.is_synchronised:
            return None
        bid, ask = self.best()
        return None if bid is None or ask is None else (bid[0] + ask[0]) / 2

    def _restart(self, snapshot: BookUpdate) -> list[Change]:
        """Replace everything by a snapshot and the early diffs that continue it."""
        known = {(side, level.price): 0 for side, levels in self._sides.items() for level in levels}
        new = {(side, ticks): lots for side, ticks, lots in self._changes(snapshot)}
        changes = [(side, ticks, lots) for (side, ticks), lots in (known | new).items()]
        for change in changes:
            self._set(*change)
        self._book_id = snapshot.last_id
        self.is_synchronised = True
        early = tuple(self._early)
        self._early.clear()
        for update in early:
            changes += self.on_book(update)
        return changes

    def _changes(self, update: BookUpdate) -> Iterator[Change]:
        prices, sizes = self._prices.steps, self._sizes.steps
        for side, levels in ((Side.BUY, update.bids), (Side.SELL, update.asks)):
            for price, size in levels:
                yield side, prices(price), sizes(size)

    def _is_news(self, side: Side, ticks: int) -> bool:
        """Return whether a level of a diff may be used: not at or inside fresher best prices."""
        if self._best_id <= self._book_id:
            return True
        best = self._best[side]
        return ticks < best if side is Side.BUY else ticks > best

    def _better(self, side: Side, ticks: int) -> Iterable[int]:
        better = []
        for level in self._sides[side]:
            if level.price == ticks or not self._sides[side].accepts(level.price, ticks):
                break
            better.append(level.price)
        return better

    def _set(self, side: Side, ticks: int, lots: int) -> bool:
        """Remember a level; return whether there is anything to tell."""
        book_side = self._sides[side]
        if not lots and ticks not in book_side.levels:
            return False
        level = book_side.level(ticks)
        level.displayed = lots
        book_side.drop_if_empty(level)
        return True
