"""Raw Binance frames, spot or USD-M futures, through the market data core.

Lines are `<receive ns> <raw JSON>` of the combined streams depthUpdate, bookTicker and trade; a
line with `lastUpdateId` is a REST snapshot. The core (`services/marketdata`) is the live one: it
joins snapshot and diffs, and what breaks the sequence makes the feed anything but LIVE until
another snapshot is in the file.
Source: Binance, WebSocket market streams and "How to manage a local order book correctly".
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import orjson

from services.marketdata.config import MarketDataConfig
from services.marketdata.core import MarketData
from services.replay.settings import Rules
from services.replay.sources.base import Gap, Monotone
from services.replay.sources.grid import Grid, finest_step
from shared.clock import NS_PER_MS
from shared.errors import BadInput
from shared.messages import Depth, FeedState, FeedStatus, InstrumentInfo, Mark, Message, Side, Top, Trade
from shared.venues.book_sync import ConsecutiveIds, PreviousId
from shared.venues.market_data import (
    BestPrices,
    DepthDiff,
    DepthSnapshot,
    MarketEvent,
    PublicTrade,
    RawSnapshot,
    SequenceRule,
    Unreadable,
)

#: lines that tell on which grid prices and sizes are
_LOOKED_AT = 5_000
_QUOTES = ("USDT", "USDC", "BUSD", "FDUSD", "USD", "BTC", "ETH", "EUR", "TRY")
_KINDS: tuple[type[Message], ...] = (InstrumentInfo, Top, Depth, Trade, Mark, FeedState)


class BinanceRecording:
    """A file of raw frames of one symbol."""

    def __init__(self, path: Path, scope: str, symbol: str, rules: Rules, config: MarketDataConfig) -> None:
        """scope, symbol: the names under which it is replayed. Raises: BadInput."""
        self.name = str(path)
        self.size = path.stat().st_size
        self._path, self._scope, self._symbol = path, scope, symbol
        self._config = config
        self._raw: Any = None
        self._gaps: list[Gap] = []
        self._native = ""
        self._is_chained_by_previous, self._info = self._look(rules)

    def instrument(self) -> InstrumentInfo:
        return self._info

    def gaps(self) -> list[Gap]:
        return self._gaps

    def position(self) -> int:
        return self._raw.tell() if self._raw is not None and not self._raw.closed else self.size

    def messages(self) -> Iterator[tuple[int, Message]]:
        """Yield what the market data core tells of the file."""
        self._gaps = []
        gap: Gap | None = None
        was_live = False
        for now_ns, message in self._told():
            if isinstance(message, FeedState):
                is_live = message.status is FeedStatus.LIVE
                if was_live and not is_live:
                    gap = Gap(min(message.as_of_ns, now_ns), message.reason)
                    self._gaps.append(gap)
                elif is_live and gap is not None:
                    gap.end_ns, gap = now_ns, None
                was_live = is_live
            yield now_ns, message

    def _told(self) -> Iterator[tuple[int, Message]]:
        """Run the core over the file; its timer ticks between the frames, also where there are none."""
        reader = BinanceReader(self._symbol, self._native, self._info, self._is_chained_by_previous)
        core = MarketData(self._scope, reader, self._config)
        clock = Monotone(self.name)
        due_ns = 0
        for number, (time_ns, frame) in enumerate(self._lines(), 1):
            now_ns = clock.take(time_ns, number)
            out: list[Message] = []
            if not due_ns:
                due_ns = now_ns
                for message in self._open(core, now_ns):
                    yield now_ns, message
            while due_ns <= now_ns:
                ticked = core.on_timer(due_ns) + self._answer(core, reader, due_ns)
                for message in ticked:
                    yield due_ns, message
                due_ns += core.timer_ns
            try:
                out += core.on_frames([frame], now_ns)
            except BadInput as error:
                raise BadInput(f"{self.name}: line {number}: {error}") from None
            if reader.has_new_snapshot:
                out += self._answer(core, reader, now_ns)
            if core.unreadable:
                raise BadInput(f"{self.name}: line {number}: {core.unreadable}")
            core.outgoing.clear()
            for message in out:
                yield now_ns, message

    def _open(self, core: MarketData, now_ns: int) -> list[Message]:
        out = core.on_connected(now_ns)
        out += core.on_instruments([self._info], now_ns)
        for kind in _KINDS:
            out += core.on_demand(kind.__name__, self._symbol, True, now_ns)
        return out

    def _answer(self, core: MarketData, reader: BinanceReader, now_ns: int) -> list[Message]:
        """Give the core the newest recorded snapshot where it wishes for one; it may have none."""
        out: list[Message] = []
        for name in core.snapshot_wishes(now_ns, 1):
            if reader.snapshot is None:
                out += core.on_snapshot_failed(name, "", now_ns)
            else:
                reader.has_new_snapshot = False
                out += core.on_snapshot(name, reader.snapshot, now_ns)
        core.unreadable = ""
        return out

    # --- the file --------------------------------------------------------------------------------

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        try:
            with self._path.open("rb") as raw:
                self._raw = raw
                opened: Any = gzip.open(raw) if self.name.endswith(".gz") else raw  # noqa: SIM115 raw is closed
                for number, line in enumerate(opened, 1):
                    receive, _, frame = line.partition(b" ")
                    if not receive.isdigit() or not (line.endswith(b"\n") or _is_whole(frame)):
                        fault = "is cut off" if receive.isdigit() else "does not begin with a time in ns"
                        raise BadInput(f"{self.name}: line {number} {fault}: {line[:60]!r}")
                    yield int(receive), frame
        except EOFError:
            raise BadInput(f"{self.name}: truncated, the gzip stream has no end") from None
        except (OSError, zlib.error) as error:
            raise BadInput(f"{self.name}: cannot be read: {error}") from None

    def _look(self, rules: Rules) -> tuple[bool, InstrumentInfo]:
        """Read the first lines: how diffs are chained, and which grid prices and sizes are on."""
        prices, sizes, is_futures = [], [], False
        for number, (_, frame) in enumerate(islice(self._lines(), _LOOKED_AT), 1):
            try:
                message = orjson.loads(frame)
                found = list(_levels_of(message))
                self._native = self._native or message.get("data", {}).get("s", "")
                is_futures = is_futures or "pu" in message.get("data", {})
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise BadInput(
                    f"{self.name}: line {number} is not a Binance frame ({error!r}): {frame[:60]!r}"
                ) from None
            prices += [price for price, _ in found]
            sizes += [size for _, size in found]
        try:
            tick = rules.tick_size or finest_step(prices)
            lot = rules.lot_size or finest_step(sizes)
        except BadInput as error:
            raise BadInput(f"{self.name}: a price or size among the first lines: {error}") from None
        if tick is None or lot is None:
            raise BadInput(f"{self.name}: holds no prices")
        base, quote = names_of(self._native)
        is_perp = is_futures if rules.is_perp is None else rules.is_perp
        return is_futures, InstrumentInfo(
            self._scope, self._symbol, rules.base or base, rules.quote or quote, is_perp, tick, lot,
            rules.min_quantity or lot, None, rules.min_notional, None, None, "fixed", "1",
        )  # fmt: skip


def _is_whole(frame: bytes) -> bool:
    """True when a last line without its end is complete nevertheless."""
    try:
        orjson.loads(frame)
    except ValueError:
        return False
    return True


def names_of(native: str) -> tuple[str, str]:
    """Return base and quote asset of a Binance symbol."""
    for quote in _QUOTES:
        if native.endswith(quote) and len(native) > len(quote):
            return native[: -len(quote)], quote
    return native or "BASE", "QUOTE"


def _levels_of(message: Any) -> Iterable[tuple[str, str]]:
    """Return every (price, size) in a frame. Raises: KeyError, ValueError, TypeError."""
    if "lastUpdateId" in message:
        return chain(message["bids"], message["asks"])
    data = message["data"]
    kind = message["stream"].partition("@")[2]
    if kind.startswith("depth"):
        return chain(data["b"], data["a"])
    if kind == "bookTicker":
        return ((data["b"], data["B"]), (data["a"], data["A"]))
    return ((data["p"], data["q"]),) if kind == "trade" else ()


class BinanceReader:
    """The pure half of the stream, as the market data core wants it (`PublicFeed`)."""

    ping: bytes | None = None

    def __init__(self, symbol: str, native: str, info: InstrumentInfo, is_chained_by_previous: bool) -> None:
        """native: the venue's name of it; a frame of another symbol is refused."""
        self._symbol, self._native = symbol, native
        self._rule: SequenceRule = PreviousId() if is_chained_by_previous else ConsecutiveIds()
        self._price = Grid(info.tick_size, "price").steps
        self._size = Grid(info.lot_size, "size", is_exact=False).steps
        self.snapshot: RawSnapshot | None = None
        self._newest: DepthSnapshot | None = None
        self.has_new_snapshot = False

    @property
    def rule(self) -> SequenceRule:
        return self._rule

    def set_instruments(self, infos: Sequence[InstrumentInfo]) -> None:
        """The rules are known from the start."""

    def subscribe(self, symbols: Sequence[str]) -> list[bytes]:  # noqa: ARG002 a file is not asked
        return []

    def unsubscribe(self, symbols: Sequence[str]) -> list[bytes]:  # noqa: ARG002 a file is not asked
        return []

    def read(self, frame: bytes) -> Sequence[MarketEvent]:
        try:
            return self._read(orjson.loads(frame))
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            return (Unreadable(f"not a Binance frame ({error!r})"),)

    def _read(self, message: dict[str, Any]) -> Sequence[MarketEvent]:
        symbol, price, size = self._symbol, self._price, self._size
        if "lastUpdateId" in message:
            update_id, bids, asks = int(message["lastUpdateId"]), message["bids"], message["asks"]
            self._newest = DepthSnapshot(symbol, update_id, self._levels(bids), self._levels(asks), None)
            self.snapshot = RawSnapshot(symbol, update_id, bids, asks, None)
            self.has_new_snapshot = True
            return ()
        kind, data = message["stream"].partition("@")[2], message["data"]
        if data.get("s", self._native) != self._native:
            raise ValueError(f"of {data['s']!r} in a file of {self._native!r}")
        if kind == "bookTicker":
            venue_ns = int(data["E"]) * NS_PER_MS if "E" in data else None
            return (
                BestPrices(
                    symbol, price(data["b"]), size(data["B"]), price(data["a"]), size(data["A"]),
                    int(data["u"]), venue_ns,
                ),
            )  # fmt: skip
        if kind == "trade":
            if data.get("X", "MARKET") != "MARKET":
                return ()  # insurance fund and auto-deleveraging: no trade of the book
            side = Side.SELL if data["m"] else Side.BUY
            return (
                PublicTrade(
                    symbol,
                    side,
                    price(data["p"]),
                    size(data["q"]),
                    int(data["t"]),
                    int(data["E"]) * NS_PER_MS,
                ),
            )
        if kind.startswith("depth"):
            return (
                DepthDiff(
                    symbol, int(data["U"]), int(data["u"]), data.get("pu"), self._levels(data["b"]),
                    self._levels(data["a"]), int(data["E"]) * NS_PER_MS,
                ),
            )  # fmt: skip
        return ()

    def read_snapshot(self, raw: RawSnapshot) -> DepthSnapshot:
        assert self._newest is not None and self._newest.update_id == raw.update_id
        return self._newest

    def _levels(self, pairs: Sequence[Sequence[str]]) -> list[tuple[int, int]]:
        price, size = self._price, self._size
        return [(price(text), size(lots)) for text, lots in pairs]
