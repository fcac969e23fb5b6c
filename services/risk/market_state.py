"""What is known of one symbol's market, how long ago it was heard, and which breakers hold."""

from __future__ import annotations

import math
from collections.abc import Sequence

from services.risk.policies.breakers import TrailingExtremes
from services.risk.policies.policy import Action, Decision, Holds, Market, Policy
from shared.bus import STATE_TTL_NS
from shared.clock import NS_PER_S
from shared.errors import Refused
from shared.instrument import Instrument
from shared.messages import FeedState, FeedStatus, InstrumentInfo, Mark, Top


class MarketState:
    """The newest message of each kind; `missing` names what cannot be relied on."""

    def __init__(self, breakers: Sequence[Policy[Market]], window_ns: int, max_mark_age_ns: int) -> None:
        self._breakers = breakers
        self._extremes = TrailingExtremes(window_ns)
        self._max_mark_age_ns = max_mark_age_ns
        self._holds = Holds()
        self._info: InstrumentInfo | None = None
        self._instrument_error = "instrument rules not heard"
        self._feed: FeedState | None = None
        self._feed_heard_ns = 0
        self._top_heard_ns = 0
        self._mark: Mark | None = None
        self._mid_ticks: float | None = None
        self.instrument: Instrument | None = None
        self.top: Top | None = None

    def on_instrument_info(self, info: InstrumentInfo) -> None:
        if info == self._info:
            return
        self._info = info
        try:
            self.instrument = Instrument.from_info(info)
        except (Refused, ArithmeticError) as error:
            self.instrument, self._instrument_error = None, f"instrument rules are unusable: {error}"

    def on_feed_state(self, feed: FeedState, now_ns: int) -> None:
        self._feed, self._feed_heard_ns = feed, now_ns

    def on_mark(self, mark: Mark) -> None:
        if math.isfinite(mark.mark_price) and mark.mark_price > 0:
            self._mark = mark

    def on_top(self, top: Top, now_ns: int) -> None:
        """Take a book; ask the breakers."""
        self.top, self._top_heard_ns = top, now_ns
        self.sample(now_ns)

    def sample(self, now_ns: int) -> None:
        """Judge the mid that is in force: also a mid that stands still is a sample of the window."""
        top = self.top
        if top is None or top.bid is None or top.ask is None or not 0 < top.bid < top.ask:
            return
        self._mid_ticks = (top.bid + top.ask) / 2
        low, high = self._extremes.add(now_ns, top.bid + top.ask)
        market = Market(top.bid, top.ask, low, high)
        decisions = [breaker.decide(market) for breaker in self._breakers]
        for index, decision in enumerate(decisions):
            self._holds.update(index, decision, now_ns)
        if any(decision.action is not Action.ALLOW for decision in decisions):
            self._extremes.restart()

    def decide(self, now_ns: int) -> Decision:
        """Return what the breakers hold."""
        return self._holds.current(now_ns)

    @property
    def price(self) -> float | None:
        """The newest price to value positions at, however old: a perpetual's mark, a spot symbol's mid."""
        if self.instrument is None:
            return None
        if self.instrument.is_perp:
            return None if self._mark is None else self._mark.mark_price
        return None if self._mid_ticks is None else self._mid_ticks * float(self.instrument.tick_size)

    def missing(self, now_ns: int) -> str | None:
        """Return which input is missing, old or absurd; None when all can be relied on."""
        if self.instrument is None:
            return self._instrument_error
        if self._feed is None or now_ns - self._feed_heard_ns > STATE_TTL_NS:
            return "market data is silent"
        if self._feed.status is not FeedStatus.LIVE:
            return f"feed is {self._feed.status.name.lower()}: {self._feed.reason}"
        return self._missing_book(now_ns) or self._missing_mark(self.instrument, now_ns)

    def _missing_book(self, now_ns: int) -> str | None:
        top = self.top
        if top is None or now_ns - self._top_heard_ns > STATE_TTL_NS:
            return "no book heard"
        if top.bid is None or top.ask is None:
            return "book has one side only"
        if not 0 < top.bid < top.ask:
            return f"book is crossed: bid {top.bid}, ask {top.ask}"
        return None

    def _missing_mark(self, instrument: Instrument, now_ns: int) -> str | None:
        if not instrument.is_perp:
            return None
        if self._mark is None or now_ns - self._mark.recv_ns > self._max_mark_age_ns:
            return f"no mark price in the last {self._max_mark_age_ns / NS_PER_S:g} s"
        return None
