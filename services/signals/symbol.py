"""The signals of one symbol: what is known of its feed, its trades, its mids second by second."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

from services.signals.config import Config
from services.signals.flow import FlowWindow, TimedAverage, bounded_log_ratio
from services.signals.intensity import IntensityWindow
from services.signals.seconds import MidSeconds, spread_of
from services.signals.seed import blocks_of
from services.signals.volatility.block import Block
from services.signals.volatility.choice import gauge_of
from shared.clock import NS_PER_MS, NS_PER_S, seconds_to_ns
from shared.errors import Refused
from shared.instrument import Instrument
from shared.messages import (
    Candles,
    FeedState,
    FeedStatus,
    Flow,
    InstrumentInfo,
    Intensity,
    Message,
    Top,
    Trade,
    Volatility,
)

#: inputs that were last known alive before that are no inputs (a feed process that died says nothing)
STALE_NS = 2 * NS_PER_S
#: tops of the end of a second may still be under way for so long: they are read in batches
GRACE_NS = 50 * NS_PER_MS


class SymbolSignals:
    """Flow, volatility and intensity of one symbol.

    The flow's window is whole only when one window's length of unbroken trades has passed: before
    that, after a gap and while the feed is not live, no Flow is told and the last one ages.
    """

    def __init__(self, scope: str, symbol: str, config: Config) -> None:
        self._scope, self._symbol = scope, symbol
        self._window_ns = seconds_to_ns(config.flow_window_s)
        self._bound = math.log(config.flow_max_ratio)
        self._window = FlowWindow(self._window_ns)
        self._average = TimedAverage(config.flow_alpha)
        self._seconds = MidSeconds()
        self._unproven: deque[Block] = deque()  # of a time at whose end the feed may have been dead
        self._gauge = gauge_of(config)
        self._needs_range = self._gauge.needs_range
        self._intensity = IntensityWindow(config.intensity_window_s, config.intensity_min_trades)
        self._second_is_over = False
        self._top: Top | None = None
        self._info: InstrumentInfo | None = None
        self._notional_of_unit: float | None = None
        self._is_live = False
        self._as_of_ns = 0
        self._whole_from_ns: int | None = None

    @property
    def wants_seed(self) -> bool:
        return self._gauge.wants_seed

    def on_instrument_info(self, info: InstrumentInfo) -> None:
        """Take the venue's rules; while they cannot be read there is no flow of this symbol."""
        if info == self._info:
            return
        if self._info is not None:  # ticks may mean something else now
            self._top = None
            self._stop_seconds()
            self._intensity.clear()
        self._info = info
        try:
            self._notional_of_unit = float(Instrument.from_info(info).notional(1, 1))
        except Refused:
            self._notional_of_unit = None

    def on_feed_state(self, feed: FeedState, now_ns: int) -> None:
        is_live = feed.status is FeedStatus.LIVE
        if is_live and not self._is_live:
            self._restart(now_ns)
        if not is_live:
            self._stop_seconds()
        self._is_live = is_live
        self._as_of_ns = max(self._as_of_ns, feed.as_of_ns)

    def on_top(self, top: Top) -> None:
        if top.recv_ns >= self._seconds.end_ns:  # it ended before this price
            self._end_second(top.recv_ns)
        self._top = top
        if top.as_of_ns > self._as_of_ns:
            self._as_of_ns = top.as_of_ns
        if self._needs_range:
            self._seconds.on_top(top)

    def on_trade(self, trade: Trade) -> None:
        self._window.add(trade.recv_ns, trade.side, trade.price * trade.size)
        if trade.recv_ns > self._as_of_ns:
            self._as_of_ns = trade.recv_ns
        at_ns = trade.recv_ns if trade.venue_ns is None else trade.venue_ns
        self._intensity.on_trade(trade.side, trade.price, at_ns)

    def on_gap(self, now_ns: int) -> None:
        """Trades were lost: what the windows of them say is no longer true."""
        self._restart(now_ns)

    def on_candles(self, candles: Candles) -> None:
        """Begin the volatility with what the venue remembers."""
        self._gauge.seed(blocks_of(candles))

    def on_timer(self, now_ns: int) -> Iterable[Message]:
        self._window.prune(now_ns)
        if not self._is_live or now_ns - self._as_of_ns > STALE_NS or self._whole_from_ns is None:
            self._stop_seconds()
            return
        self._seconds.begin(now_ns)
        if now_ns >= self._seconds.end_ns + GRACE_NS:
            self._end_second(now_ns)
        raw = bounded_log_ratio(self._window.buy, self._window.sell, self._bound)
        log_ratio = self._average.update(raw, now_ns)
        if self._notional_of_unit is not None and now_ns >= self._whole_from_ns:
            yield self._flow(log_ratio, self._notional_of_unit)
        if self._second_is_over:
            self._second_is_over = False
            yield self._volatility(now_ns)
            yield self._told_intensity()

    def _flow(self, log_ratio: float, unit: float) -> Flow:
        buy, sell = self._window.buy * unit, self._window.sell * unit
        return Flow(self._scope, self._symbol, log_ratio, buy, sell, self._as_of_ns)

    def _volatility(self, now_ns: int) -> Volatility:
        while self._unproven and self._unproven[0].at_s * NS_PER_S <= self._as_of_ns:
            self._gauge.take(self._unproven.popleft())
        annualised_pct = self._gauge.annualised_pct(now_ns // NS_PER_S)
        return Volatility(self._scope, self._symbol, annualised_pct, self._gauge.sample_count, self._as_of_ns)

    def _told_intensity(self) -> Intensity:
        estimate, count = self._intensity.estimate(), self._intensity.trade_count
        arrivals, decay = (None, None) if estimate is None else estimate
        return Intensity(self._scope, self._symbol, arrivals, decay, count, self._as_of_ns)

    def _end_second(self, at_ns: int) -> None:
        """End the running second at the price that stood."""
        at_s, top = self._seconds.end_ns // NS_PER_S, self._top
        block = self._seconds.end(top, at_ns)
        if block is not None:
            self._unproven.append(block)
        self._intensity.on_second(at_s, None if top is None else spread_of(top))
        self._second_is_over = True

    def _stop_seconds(self) -> None:
        self._seconds.stop()
        self._unproven.clear()
        self._intensity.break_off()

    def _restart(self, now_ns: int) -> None:
        self._window.clear()
        self._average.reset()
        self._intensity.break_off()
        self._whole_from_ns = now_ns + self._window_ns
