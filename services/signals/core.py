"""Signals: order flow, volatility and the takers' intensity of every symbol in demand.

In          Top, Trade, FeedState, InstrumentInfo; Candles, once, as the seed; Gap of the trades
Out         Flow each 100 ms, Volatility and Intensity each second: on the timer, never per trade
State       rolling windows; nothing that must survive a restart
On failure  a gap or a feed that is not live -> no Flow until one whole window has passed
            again; consumers see the last one age
"""

from __future__ import annotations

from collections.abc import Iterable

from services.signals.config import Config
from services.signals.symbol import SymbolSignals
from shared.clock import NS_PER_MS
from shared.messages import Candles, FeedState, Gap, InstrumentInfo, Message, Top, Trade


class Signals:
    """The core: a handler per message finds its symbol, the timer publishes."""

    timer_ns = 100 * NS_PER_MS

    def __init__(self, config: Config) -> None:
        self._config = config
        self._symbols: dict[tuple[str, str], SymbolSignals] = {}

    def watch(self, scope: str, symbol: str) -> None:
        """Begin to compute a symbol's signals. Idempotent."""
        if (scope, symbol) not in self._symbols:
            self._symbols[scope, symbol] = SymbolSignals(scope, symbol, self._config)

    def forget(self, scope: str, symbol: str) -> None:
        self._symbols.pop((scope, symbol), None)

    def wants_seed(self, scope: str, symbol: str) -> bool:
        """Whether the candles of a symbol would still be of use."""
        signals = self._symbols.get((scope, symbol))
        return signals is not None and signals.wants_seed

    def on_instrument_info(self, info: InstrumentInfo, _now_ns: int) -> Iterable[Message]:
        signals = self._symbols.get((info.scope, info.symbol))
        if signals is not None:
            signals.on_instrument_info(info)
        return ()

    def on_feed_state(self, feed: FeedState, now_ns: int) -> Iterable[Message]:
        signals = self._symbols.get((feed.scope, feed.symbol))
        if signals is not None:
            signals.on_feed_state(feed, now_ns)
        return ()

    def on_top(self, top: Top, _now_ns: int) -> Iterable[Message]:
        signals = self._symbols.get((top.scope, top.symbol))
        if signals is not None:
            signals.on_top(top)
        return ()

    def on_trade(self, trade: Trade, _now_ns: int) -> Iterable[Message]:
        signals = self._symbols.get((trade.scope, trade.symbol))
        if signals is not None:
            signals.on_trade(trade)
        return ()

    def on_candles(self, candles: Candles, _now_ns: int) -> Iterable[Message]:
        signals = self._symbols.get((candles.scope, candles.symbol))
        if signals is not None:
            signals.on_candles(candles)
        return ()

    def on_gap(self, gap: Gap, now_ns: int) -> Iterable[Message]:
        signals = self._symbols.get((gap.scope, gap.symbol))
        if signals is not None and gap.kind == Trade.__name__:
            signals.on_gap(now_ns)
        return ()

    def on_timer(self, now_ns: int) -> Iterable[Message]:
        return [message for signals in self._symbols.values() for message in signals.on_timer(now_ns)]

    def on_stop(self, now_ns: int) -> Iterable[Message]:  # noqa: ARG002
        """Say nothing: what was said last ages, which is all that a consumer needs."""
        return ()
