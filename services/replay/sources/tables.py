"""CSV: best bid and ask, and trades, in two files of one symbol (or one of them with both).

`...depth...csv[.gz]` has the columns `time_seconds,bid_price_bid_size,ask_price_ask_size` with
`price_size` in one cell, or `time,bid,bid_size,ask,ask_size`. Its trades are the file beside it with
`trade` for `market-depth` (or `depth`) in the name: `time_seconds,price,size,is_buyer_maker`.
Times are seconds, or whole nanoseconds. A row says what is best until the next one; a silence
longer than `max_gap_s` is a gap.
"""

from __future__ import annotations

import csv
import gzip
import heapq
import io
import zlib
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any

from services.replay.agenda import NEVER_NS
from services.replay.settings import Rules
from services.replay.sources.base import MAX_STEP_AHEAD_NS, Gap, Monotone
from services.replay.sources.grid import Grid, finest_step
from shared.clock import NS_PER_S, seconds_to_ns
from shared.errors import BadInput
from shared.messages import Depth, FeedState, FeedStatus, InstrumentInfo, Message, Side, Top, Trade

PAIRED = ["time_seconds", "bid_price_bid_size", "ask_price_ask_size"]
PLAIN = ["time", "bid", "bid_size", "ask", "ask_size"]
TRADES = ["time_seconds", "price", "size", "is_buyer_maker"]
FORMATS = f"{','.join(PAIRED)} or {','.join(PLAIN)}"
_LOOKED_AT = 5_000
#: how often unchanged prices are told again: nobody quotes on silent market data
_REPEAT_NS = NS_PER_S // 2
#: a number below is seconds since 1970, from there on nanoseconds
_LEAST_NS = 10**15
_TRUE = {"1": True, "true": True, "0": False, "false": False}
Row = tuple[int, list[str]]


class TableRecording:
    """Best prices, and the trades beside them."""

    def __init__(self, path: Path, scope: str, symbol: str, rules: Rules, max_gap_s: float) -> None:
        """Raises: BadInput naming the file and its fault."""
        self.name = str(path)
        self._scope, self._symbol = scope, symbol
        self._max_gap_ns = seconds_to_ns(max_gap_s)
        self._prices = _Table(path)
        if self._prices.columns not in (PAIRED, PLAIN):
            raise BadInput(
                f"{self.name}: columns {','.join(self._prices.columns)} are unknown; known: {FORMATS}"
            )
        beside = trades_beside(path)
        self._trades = None if beside is None else _Table(beside, NEVER_NS)  # nobody may trade for hours
        if self._trades is not None and self._trades.columns != TRADES:
            raise BadInput(f"{beside}: columns {','.join(self._trades.columns)} must be {','.join(TRADES)}")
        self.size = path.stat().st_size
        self._gaps: list[Gap] = []
        self._info = self._look(rules)

    def instrument(self) -> InstrumentInfo:
        return self._info

    def gaps(self) -> list[Gap]:
        return self._gaps

    def position(self) -> int:
        return self._prices.position()

    def messages(self) -> Iterator[tuple[int, Message]]:
        self._gaps = []
        info = self._info
        self._price = Grid(info.tick_size, "price").steps
        self._size = Grid(info.lot_size, "size", is_exact=False).steps
        if self._trades is None:
            return self._best_prices()
        return self._together(self._trades)

    def _together(self, trades: _Table) -> Iterator[tuple[int, Message]]:
        """Raises: BadInput for a trade long after the prices; those from before them do no harm."""
        latest_ns = NEVER_NS
        for now_ns, message in heapq.merge(self._best_prices(), self._prints(trades), key=itemgetter(0)):
            if not isinstance(message, Trade):
                latest_ns = now_ns + MAX_STEP_AHEAD_NS
            elif now_ns > latest_ns:
                ahead_s = (now_ns - latest_ns + MAX_STEP_AHEAD_NS) / NS_PER_S
                where = f"{trades.name}: row {message.trade_id}"
                raise BadInput(f"{where}: the recording's clock jumps ahead by {ahead_s:.3f} s of the prices")
            yield now_ns, message

    def _best_prices(self) -> Iterator[tuple[int, Message]]:
        last: Top | None = None
        last_ns = 0
        for number, (now_ns, cells) in enumerate(self._prices.rows(), 1):
            if last is None:
                yield now_ns, self._info
            elif now_ns - last_ns > self._max_gap_ns:
                yield from self._gap(last, last_ns, now_ns)
            else:
                yield from self._repeated(last, last_ns, now_ns)
            try:
                top = self._top(cells, number, now_ns)
            except BadInput as error:
                raise _at_row(self._prices, number, error) from None
            is_live = top.bid is not None and top.ask is not None and top.bid < top.ask
            reason = "" if is_live else "book has no two sides"
            status = FeedStatus.LIVE if is_live else FeedStatus.STALE
            yield now_ns, top
            yield now_ns, self._depth(top)
            yield now_ns, FeedState(self._scope, self._symbol, status, reason, now_ns, 0)
            last, last_ns = top, now_ns

    def _repeated(self, top: Top, from_ns: int, until_ns: int) -> Iterator[tuple[int, Message]]:
        """Yield signs of life while nothing changes."""
        for now_ns in range(from_ns + _REPEAT_NS, until_ns, _REPEAT_NS):
            yield now_ns, FeedState(self._scope, self._symbol, FeedStatus.LIVE, "", now_ns, 0)
            yield now_ns, Top(
                top.scope, top.symbol, top.bid, top.bid_size, top.ask, top.ask_size, top.update_id, None,
                top.recv_ns, now_ns, 0,
            )  # fmt: skip

    def _gap(self, top: Top, from_ns: int, until_ns: int) -> Iterator[tuple[int, Message]]:
        silent_ns = from_ns + _REPEAT_NS
        gap = Gap(from_ns, f"silent for {(until_ns - from_ns) / NS_PER_S:.1f} s")
        gap.end_ns = until_ns
        self._gaps.append(gap)
        yield from self._repeated(top, from_ns, silent_ns)
        yield silent_ns, FeedState(self._scope, self._symbol, FeedStatus.STALE, gap.reason, from_ns, 0)

    def _prints(self, table: _Table) -> Iterator[tuple[int, Message]]:
        for number, (now_ns, cells) in enumerate(table.rows(), 1):
            price, size, is_buyer_maker = cells[1:4]
            if is_buyer_maker.lower() not in _TRUE:
                raise BadInput(
                    f"{table.name}: row {number}: is_buyer_maker {is_buyer_maker!r} must be 0 or 1"
                )
            side = Side.SELL if _TRUE[is_buyer_maker.lower()] else Side.BUY
            try:
                ticks, lots = self._price(price), self._size(size)
            except BadInput as error:
                raise _at_row(table, number, error) from None
            if lots:
                yield now_ns, Trade(self._scope, self._symbol, side, ticks, lots, number, now_ns, now_ns)

    def _top(self, cells: list[str], number: int, now_ns: int) -> Top:
        (bid, bid_size), (ask, ask_size) = _levels(cells)
        bid_lots, ask_lots = self._size(bid_size), self._size(ask_size)
        return Top(
            self._scope, self._symbol, self._price(bid) if bid_lots else None, bid_lots,
            self._price(ask) if ask_lots else None, ask_lots, number, now_ns, now_ns, now_ns, now_ns,
        )  # fmt: skip

    def _depth(self, top: Top) -> Depth:
        """Return the one level that is known of each side."""
        bids = () if top.bid is None else ((top.bid, top.bid_size),)
        asks = () if top.ask is None else ((top.ask, top.ask_size),)
        return Depth(
            top.scope, top.symbol, bids, asks, top.update_id, top.venue_ns, top.recv_ns, top.as_of_ns,
            top.cause_ns,
        )  # fmt: skip

    def _look(self, rules: Rules) -> InstrumentInfo:
        prices, sizes = [], []
        for number, (_, cells) in enumerate(islice(self._prices.rows(), _LOOKED_AT), 1):
            try:
                levels = _levels(cells)
            except BadInput as error:
                raise _at_row(self._prices, number, error) from None
            prices += [price for price, _ in levels]
            sizes += [size for _, size in levels]
        if self._trades is not None:
            for _, cells in islice(self._trades.rows(), _LOOKED_AT):
                prices.append(cells[1])
                sizes.append(cells[2])
        try:
            tick = rules.tick_size or finest_step(prices)
            lot = rules.lot_size or finest_step(sizes)
        except BadInput as error:
            raise BadInput(f"{self.name}: a price or size among the first rows: {error}") from None
        if tick is None or lot is None:
            raise BadInput(f"{self.name}: holds no prices")
        is_perp = self._symbol.endswith("PERP") if rules.is_perp is None else rules.is_perp
        return InstrumentInfo(
            self._scope, self._symbol, rules.base or "BASE", rules.quote or "QUOTE", is_perp, tick, lot,
            rules.min_quantity or lot, None, rules.min_notional, None, None, "fixed", "1",
        )  # fmt: skip


class _Table:
    """A CSV file, read row by row."""

    def __init__(self, path: Path, max_ahead_ns: int = MAX_STEP_AHEAD_NS) -> None:
        """max_ahead_ns: the longest step from one row to the next."""
        self.name = str(path)
        self._path, self._max_ahead_ns = path, max_ahead_ns
        self._raw: Any = None
        self.columns = next(self._lines(), [])

    def position(self) -> int:
        return 0 if self._raw is None else self._raw.tell() if not self._raw.closed else self._size()

    def _size(self) -> int:
        return self._path.stat().st_size

    def rows(self) -> Iterator[Row]:
        clock = Monotone(self.name, "row", self._max_ahead_ns)
        for number, cells in enumerate(islice(self._lines(), 1, None), 1):
            if len(cells) != len(self.columns):
                raise BadInput(
                    f"{self.name}: row {number} has {len(cells)} cells of {len(self.columns)}: {cells}"
                )
            yield clock.take(_time_ns(cells[0], self.name, number), number), cells

    def _lines(self) -> Iterator[list[str]]:
        open_: Callable[[Any], Any] = gzip.open if self.name.endswith(".gz") else lambda raw: raw
        try:
            with (
                self._path.open("rb") as raw,
                io.TextIOWrapper(open_(raw), encoding="utf-8", newline="") as text,
            ):
                self._raw = raw
                yield from csv.reader(text)
        except EOFError:
            raise BadInput(f"{self.name}: truncated, the gzip stream has no end") from None
        except (OSError, zlib.error, UnicodeDecodeError, csv.Error) as error:
            raise BadInput(f"{self.name}: cannot be read: {error}") from None


def _time_ns(text: str, name: str, number: int) -> int:
    try:
        value = Decimal(text)
        if value.is_finite() and value > 0:
            return int(value) if value >= _LEAST_NS else int(value * NS_PER_S)
    except InvalidOperation:
        pass
    raise BadInput(f"{name}: row {number}: time {text!r} is not a number of seconds or nanoseconds")


def _at_row(table: _Table, number: int, error: BadInput) -> BadInput:
    return BadInput(f"{table.name}: row {number}: {error}")


def _levels(cells: list[str]) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return (price, size) of bid and ask. Raises: BadInput."""
    if len(cells) == len(PLAIN):
        return (cells[1], cells[2]), (cells[3], cells[4])
    (bid, _, bid_size), (ask, _, ask_size) = cells[1].partition("_"), cells[2].partition("_")
    if not bid_size or not ask_size:
        raise BadInput(f"{cells[1]!r} and {cells[2]!r} must be price_size")
    return (bid, bid_size), (ask, ask_size)


def trades_beside(path: Path) -> Path | None:
    """Return the file that holds the trades of a file of prices, where there is one."""
    for word in ("market-depth", "depth", "quotes"):
        if word in path.name:
            beside = path.with_name(path.name.replace(word, "trade"))
            return beside if beside.exists() else None
    return None
