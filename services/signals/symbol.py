"""The signals of one symbol: what is known of its feed, its window of trades, its mids."""

from __future__ import annotations

import math
from collections.abc import Iterable

from services.signals.config import Config
from services.signals.flow import FlowWindow, TimedAverage, bounded_log_ratio
from services.signals.volatility import RealisedVolatility
from shared.clock import NS_PER_S, seconds_to_ns
from shared.errors import Refused
from shared.instrument import Instrument
from shared.messages import FeedState, FeedStatus, Flow, InstrumentInfo, Message, Top, Trade, Volatility

#: inputs that were last known alive before that are no inputs (a feed process that died says nothing)
STALE_NS = 2 * NS_PER_S


class SymbolSignals:
    """Flow and volatility of one symbol.

    The window is whole only when one window's length of unbroken trades has passed: before
    that, after a gap and while the feed is not live, no Flow is told and the last one ages.
    """

    def __init__(self, scope: str, symbol: str, config: Config) -> None:
        self._scope, self._symbol = scope, symbol
        self._window_ns = seconds_to_ns(config.flow_window_s)
        self._sample_ns = seconds_to_ns(config.volatility_interval_s)
        self._bound = math.log(config.flow_max_ratio)
        self._window = FlowWindow(self._window_ns)
        self._average = TimedAverage(config.flow_alpha)
        self._volatility = RealisedVolatility(
            config.volatility_window, config.volatility_lambda, config.volatility_min_samples
        )
        self._top: Top | None = None
        self._info: InstrumentInfo | None = None
        self._notional_of_unit: float | None = None
        self._is_live = False
        self._as_of_ns = 0
        self._whole_from_ns: int | None = None
        self._next_sample_ns = 0

    def on_instrument_info(self, info: InstrumentInfo) -> None:
        """Take the venue's rules; while they cannot be read there is no flow of this symbol."""
        if info != self._info:
            self._info = info
            try:
                self._notional_of_unit = float(Instrument.from_info(info).notional(1, 1))
            except Refused:
                self._notional_of_unit = None

    def on_feed_state(self, feed: FeedState, now_ns: int) -> None:
        is_live = feed.status is FeedStatus.LIVE
        if is_live and not self._is_live:
            self._restart(now_ns)
        self._is_live = is_live
        self._as_of_ns = max(self._as_of_ns, feed.as_of_ns)

    def on_top(self, top: Top) -> None:
        self._top = top
        self._as_of_ns = max(self._as_of_ns, top.as_of_ns)

    def on_trade(self, trade: Trade) -> None:
        self._window.add(trade.recv_ns, trade.side, trade.price * trade.size)
        if trade.recv_ns > self._as_of_ns:
            self._as_of_ns = trade.recv_ns

    def on_gap(self, now_ns: int) -> None:
        """Trades were lost: what the window says is no longer true."""
        self._restart(now_ns)

    def on_timer(self, now_ns: int) -> Iterable[Message]:
        self._window.prune(now_ns)
        is_usable = self._is_live and now_ns - self._as_of_ns <= STALE_NS
        if not is_usable or self._whole_from_ns is None:
            self._volatility.skip()
            return
        raw = bounded_log_ratio(self._window.buy, self._window.sell, self._bound)
        log_ratio = self._average.update(raw, now_ns)
        if self._notional_of_unit is not None and now_ns >= self._whole_from_ns:
            yield self._flow(log_ratio, self._notional_of_unit)
        if now_ns >= self._next_sample_ns:
            self._next_sample_ns = now_ns + self._sample_ns
            yield self._sample(now_ns)

    def _flow(self, log_ratio: float, unit: float) -> Flow:
        buy, sell = self._window.buy * unit, self._window.sell * unit
        return Flow(self._scope, self._symbol, log_ratio, buy, sell, self._as_of_ns)

    def _sample(self, now_ns: int) -> Volatility:
        """Sample the mid; an empty, crossed or absurd book is a missing sample."""
        top = self._top
        if top is None or top.bid is None or top.ask is None or not 0 < top.bid < top.ask:
            self._volatility.skip()
        else:
            self._volatility.sample((top.bid + top.ask) / 2, now_ns / NS_PER_S)
        annualised_pct, count = self._volatility.annualised_pct(), self._volatility.sample_count
        return Volatility(self._scope, self._symbol, annualised_pct, count, self._as_of_ns)

    def _restart(self, now_ns: int) -> None:
        self._window.clear()
        self._average.reset()
        self._whole_from_ns = now_ns + self._window_ns
