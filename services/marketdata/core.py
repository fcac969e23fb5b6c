"""Market data: frames of one venue in, what the deployment trades on out.

In          websocket frames, REST snapshots, prices and candles, connects and disconnects, demand
Out         InstrumentInfo, Top, Depth, Trade, Mark, FeedState, Candles of every wanted symbol
State       a book and a few times per symbol; nothing that must survive a restart
On failure  whatever is doubtful makes the symbol's FeedState anything but LIVE

Pure: the shell (`process.py`) moves bytes and asks what is wanted of the venue.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from services.marketdata.config import MarketDataConfig
from services.marketdata.demand import Demand, unknown_symbol
from services.marketdata.rest_reads import RestReads
from services.marketdata.staleness import LagMeter, Limits
from services.marketdata.symbol import SymbolFeed
from services.marketdata.wishes import PriceWish, Renewals, SnapshotWish
from shared.clock import NS_PER_MS, NS_PER_S, seconds_to_ns
from shared.errors import Unknown, one_line
from shared.messages import FeedState, FeedStatus, InstrumentInfo, Message
from shared.venues.market_data import Aside, BestPrices, DepthDiff, PublicFeed, RawSnapshot, Unreadable

NOT_CONNECTED_YET = "connecting"


class MarketData(RestReads):
    """The core: one venue, every symbol that somebody wants."""

    timer_ns = 50 * NS_PER_MS

    def __init__(self, venue: str, feed: PublicFeed, config: MarketDataConfig) -> None:
        super().__init__(venue)
        self._feed = feed
        self.ping = feed.ping  # the message that the venue wants now and then, sent by the shell
        self._limits = Limits(seconds_to_ns(config.stale_after_s), seconds_to_ns(config.max_lag_s))
        self._fallback_after_ns = seconds_to_ns(config.fallback_after_s)
        self._reconnect_after_ns = seconds_to_ns(config.reconnect_after_s)
        self._audit_after_ns = seconds_to_ns(config.audit_after_s)
        self._depth_interval_ns = seconds_to_ns(config.depth_interval_s)
        self._meter = LagMeter(seconds_to_ns(config.lag_window_s))
        self._demand = Demand(seconds_to_ns(config.keep_s))
        self._prices = PriceWish(config.fallback_per_s)
        self._symbols: dict[str, SymbolFeed] = {}
        self._snapshots: dict[str, SnapshotWish] = {}
        self._renewals = Renewals()
        self._connection = NOT_CONNECTED_YET  # why there is no connection; "" = there is one
        self._fresh_ns = 0  # when data last arrived that did not lag, of a book that is not in doubt
        self.outgoing: list[bytes] = []  # frames for the venue
        self.forgotten: list[str] = []  # symbols whose topics are to be ended

    # --- the stream ---

    def on_frames(self, frames: list[bytes], recv_ns: int) -> list[Message]:
        """Take all frames that have arrived; one Top per symbol comes of them, however many there are."""
        out: list[Message] = []
        changed: dict[str, SymbolFeed] = {}
        read, symbols, lag_of = self._feed.read, self._symbols, self._meter.lag_ns
        for event in chain.from_iterable(map(read, frames)):
            if isinstance(event, Aside):
                if isinstance(event, Unreadable):
                    self.unreadable = one_line(event.text)
                else:
                    self.outgoing.append(event.frame)
                continue
            symbol = symbols.get(event.symbol)
            if symbol is None:
                continue
            changed[event.symbol] = symbol
            venue_ns = event.venue_ns
            if venue_ns is not None:  # otherwise it is as late as the data that told
                symbol.lag_ns = lag_of(venue_ns, recv_ns)
            lag_ns = symbol.lag_ns
            symbol.as_of_ns = max(symbol.as_of_ns, recv_ns - lag_ns)
            if isinstance(event, DepthDiff):
                symbol.on_diff(event, recv_ns)
            elif isinstance(event, BestPrices):
                symbol.on_best(event, recv_ns)
            else:
                out.extend(symbol.on_other(event, recv_ns))
        for symbol in changed.values():
            self._tell(symbol, recv_ns, recv_ns, out)
            if symbol.is_fresh:
                self._fresh_ns = recv_ns
        return out

    def _tell(self, symbol: SymbolFeed, now_ns: int, cause_ns: int, out: list[Message]) -> list[Message]:
        out.extend(symbol.news(now_ns, cause_ns, self._connection))
        if symbol.wants_depth:
            out.extend(symbol.depth_news(now_ns, self._depth_interval_ns))
        return out

    def on_connected(self, now_ns: int) -> list[Message]:
        """The stream is open: everything that is wanted is subscribed, and every book begins anew."""
        self._connection = ""
        self._fresh_ns = now_ns
        self.outgoing.extend(self._feed.subscribe(tuple(self._symbols)))
        self._renewals.subscribed(self._symbols, now_ns)
        return self._begin_anew("waiting for a snapshot", now_ns)

    def on_disconnected(self, reason: str, now_ns: int) -> list[Message]:
        self._connection = one_line(reason)
        return self._begin_anew(self._connection, now_ns)

    def on_clock(self, ahead_ns: int, error_ns: int) -> None:
        """The venue's clock was read: venue minus monotonic time, and how wrong that may be."""
        self._meter.bound(-ahead_ns, error_ns)
        self._ahead_ns = ahead_ns

    def _begin_anew(self, reason: str, now_ns: int) -> list[Message]:
        out: list[Message] = []
        for symbol in self._symbols.values():
            symbol.reset(reason)
            self._tell(symbol, now_ns, 0, out)
        return out

    # --- what is wanted ---

    def on_instruments(self, infos: Sequence[InstrumentInfo], now_ns: int) -> list[Message]:
        """Learn or renew the rules of every listed symbol; a book with other ticks begins anew."""
        out: list[Message] = []
        changed = [info for info in infos if self._infos.get(info.symbol) != info]
        self._infos.update((info.symbol, info) for info in changed)
        self._feed.set_instruments(changed)
        for info in changed:
            symbol = self._symbols.get(info.symbol)
            if symbol is not None:
                symbol.renew(info)
                self._tell(symbol, now_ns, 0, out)
                out.append(info)
        for name in self._demand.symbols():
            out.extend(self._open(name, now_ns))
        return out

    def on_demand(self, kind: str, symbol: str, wanted: bool, now_ns: int) -> list[Message]:
        """Somebody subscribed, or stopped to."""
        self._demand.change(kind, symbol, wanted, now_ns)
        self._candles_wanted(kind, symbol, wanted, now_ns)
        out = self._open(symbol, now_ns) if wanted else []
        feed = self._symbols.get(symbol)
        if feed is not None:
            feed.wants_depth = self._demand.wants("Depth", symbol)
        return out

    def _open(self, name: str, now_ns: int) -> list[Message]:
        if name in self._symbols or not self._infos:
            return []
        info = self._infos.get(name)
        if info is None:
            reason = self.unknown_symbol(name)
            return [FeedState(self._venue, name, FeedStatus.STALE, reason, 0, 0)]
        symbol = self._symbols[name] = SymbolFeed(info, self._feed.rule, self._limits, now_ns)
        symbol.wants_depth = self._demand.wants("Depth", name)
        self._snapshots[name] = SnapshotWish()
        self._renewals.subscribed((name,), now_ns)
        if not self._connection:
            self.outgoing.extend(self._feed.subscribe((name,)))
        return self._tell(symbol, now_ns, 0, [info])

    def unknown_symbol(self, name: str) -> str:
        """Return the one line for somebody who asked for a symbol that is not listed."""
        return unknown_symbol(name, self._infos)

    def is_listed(self, name: str) -> bool:
        return name in self._infos

    # --- REST ---

    def snapshot_wishes(self, now_ns: int, at_most: int) -> list[str]:
        """Return, once each, the symbols whose snapshot should be read now.

        Where snapshots come in the stream there are none: such a symbol is subscribed anew instead.
        """
        if self._connection:
            return []
        if self._feed.rule.snapshots_in_stream:
            wants = {name: symbol.sync.wants_snapshot for name, symbol in self._symbols.items()}
            for name in self._renewals.due(wants, now_ns):
                self.outgoing.extend((*self._feed.unsubscribe((name,)), *self._feed.subscribe((name,))))
            return []
        if not self.may_read(now_ns):
            return []
        wishes = ((name, symbol.sync, self._snapshots[name]) for name, symbol in self._symbols.items())
        due = [name for name, sync, wish in wishes if wish.is_due(sync.state, sync.wants_snapshot, now_ns)]
        for name in due[:at_most]:
            self._snapshots[name].asked(now_ns)
        return due[:at_most]

    def on_snapshot(self, name: str, raw: RawSnapshot, now_ns: int) -> list[Message]:
        """Take the answer to a snapshot wish."""
        symbol = self._symbols.get(name)
        if symbol is None:
            return []
        try:
            symbol.on_snapshot(self._feed.read_snapshot(raw), now_ns)
        except Unknown as error:
            return self.on_snapshot_failed(name, str(error), now_ns)
        self._snapshots[name].answered(now_ns, was_of_use=not symbol.sync.wants_snapshot)
        return self._tell(symbol, now_ns, now_ns, [])

    def on_snapshot_failed(
        self, name: str, reason: str, now_ns: int, retry_after_ns: int = 0
    ) -> list[Message]:
        """A snapshot could not be had; it is wished for again later."""
        self.on_read_failed(reason, now_ns, retry_after_ns)
        wish = self._snapshots.get(name)
        if wish is not None:
            wish.failed(now_ns)
        return []

    def price_wish(self, now_ns: int) -> str | None:
        """Return the symbol whose best prices should be read by REST now, if any."""
        if not self.may_read(now_ns):
            return None
        wanting = [name for name, symbol in self._symbols.items() if self._needs_rest(symbol, now_ns)]
        return self._prices.take(wanting, now_ns) if wanting else None

    def _needs_rest(self, symbol: SymbolFeed, now_ns: int) -> bool:
        if self._connection:
            return self._connection != NOT_CONNECTED_YET
        if symbol.sync.is_live and symbol.is_alive(now_ns):
            return symbol.proof.wants_audit(self._audit_after_ns, now_ns)
        alive_ns = max(symbol.as_of_ns, symbol.opened_ns)
        return symbol.status is not FeedStatus.LIVE and now_ns - alive_ns > self._fallback_after_ns

    def on_rest_prices(self, name: str, raw: RawSnapshot, now_ns: int) -> list[Message]:
        """Take the answer to a price wish."""
        self._prices.answered(name)
        symbol = self._symbols.get(name)
        if symbol is None:
            return []
        try:
            symbol.on_rest_prices(self._feed.read_snapshot(raw), now_ns)
        except Unknown as error:
            self.unreadable = str(error)
        return self._tell(symbol, now_ns, 0, [])

    def on_rest_prices_failed(
        self, name: str, reason: str, now_ns: int, retry_after_ns: int = 0
    ) -> list[Message]:
        """Prices could not be had; they are wished for again a second later at the earliest."""
        self.on_read_failed(reason, now_ns, retry_after_ns)
        self._prices.answered(name)
        return []

    def take_outgoing(self) -> list[bytes]:
        taken, self.outgoing = self.outgoing, []
        return taken

    def take_forgotten(self) -> list[str]:
        taken, self.forgotten = self.forgotten, []
        return taken

    # --- time ---

    def on_timer(self, now_ns: int) -> list[Message]:
        """Age what is silent; forget what nobody has wanted for a while."""
        for name in self._demand.take_expired(now_ns):
            self._forget(name)
        out: list[Message] = []
        for symbol in self._symbols.values():
            symbol.check(now_ns)
            self._tell(symbol, now_ns, 0, out)
        return out

    def _forget(self, name: str) -> None:
        if self._symbols.pop(name, None) is not None:
            del self._snapshots[name]
            self._renewals.forget(name)
            if not self._connection:
                self.outgoing.extend(self._feed.unsubscribe((name,)))
        self.forgotten.append(name)

    def reconnect_reason(self, now_ns: int) -> str:
        """Return why the stream should be opened anew, "" = it need not be."""
        if self._connection or not self._symbols or now_ns - self._fresh_ns < self._reconnect_after_ns:
            return ""
        return f"no fresh data for {self._reconnect_after_ns / NS_PER_S:g} s"

    def on_stop(self, now_ns: int) -> Iterator[Message]:  # noqa: ARG002 the shell's protocol
        """Tell everybody not to act on this feed any more."""
        for symbol in self._symbols.values():
            yield symbol.last_words("market data is stopping")
