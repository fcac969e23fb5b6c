"""What is known of one symbol's market, how long ago it was heard, and which breakers hold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain

from services.risk.config import Config
from services.risk.policies.breakers import TrailingExtremes
from services.risk.policies.holds import Holds
from services.risk.policies.policy import ALLOW, Action, Decision, Market, Policy
from services.risk.policies.protection.price_band import PriceBand
from services.risk.trusted_price import TrustedPrice
from shared.bus import STATE_TTL_NS
from shared.clock import NS_PER_S, seconds_to_ns
from shared.errors import Refused
from shared.instrument import Instrument
from shared.messages import Depth, FeedState, FeedStatus, InstrumentInfo, Mark, Top, WorkingOrder
from shared.own_orders import OwnOrders

#: a permit told by an earlier life of this process may be obeyed for so long
EARLIER_PERMITS_NS = NS_PER_S
PRICED = (FeedStatus.LIVE, FeedStatus.FALLBACK)  # by REST: good enough to value, not to quote


class MarketState:
    """The newest message of each kind; `missing` names what cannot be relied on.

    Breakers and prices are judged on the book of others: while our quotes rest alone, the
    book that everyone sees is as narrow as we make it.
    """

    def __init__(
        self, config: Config, breakers: Sequence[Policy[Market]], band: PriceBand | None = None
    ) -> None:
        self._breakers = breakers
        self._band = band
        self._settle_ns = seconds_to_ns(config.own_order_settle_s)
        window_ns = seconds_to_ns(config.move_window_s)
        self._extremes = TrailingExtremes(window_ns)
        self._quiet_ns = max(window_ns, EARLIER_PERMITS_NS)
        self._max_mark_age_ns = seconds_to_ns(config.max_mark_age_s)
        self._max_gap = config.max_mark_gap_pct / 100
        self._holds = Holds()
        self._info: InstrumentInfo | None = None
        self._instrument_error = "instrument rules not heard"
        self._known_rules: Instrument | None = None
        self._feed: FeedState | None = None
        self._feed_heard_ns = 0
        self._mark: Mark | None = None
        self._orders: dict[str, tuple[WorkingOrder, ...]] = {}
        self.instrument: Instrument | None = None
        #: until then `is_sound` is known to be true: everything that could end it sooner sets it to 0
        self._sound_until_ns = 0
        #: to value positions at; survives whatever makes the book or the mark doubtful
        self.price = TrustedPrice(self._max_mark_age_ns)
        self._forget_ticks()

    def _forget_ticks(self) -> None:
        """Forget everything that is counted in ticks and lots."""
        self.top: Top | None = None
        self._top_heard_ns = 0
        self._depth: Depth | None = None
        self._depth_heard_ns = 0
        self._own = OwnOrders(self._settle_ns)
        self._others: tuple[int, int] | None = None
        self._twice_mid: int | None = None
        self._seen_since_ns: int | None = None
        self._sound_until_ns = 0
        self._extremes.restart()
        if self._band is not None:
            self._band.restart()

    # --- what is heard ----------------------------------------------------------------------

    def on_instrument_info(self, info: InstrumentInfo) -> bool:
        """Take the rules; return whether ticks or lots have changed their meaning."""
        if info == self._info:
            return False
        self._info, self._sound_until_ns = info, 0
        try:
            self.instrument = Instrument.from_info(info)
        except Refused as error:
            self.instrument, self._instrument_error = None, f"instrument rules are unusable: {error}"
            return False
        last, self._known_rules = self._known_rules, self.instrument
        if last is None or last.counts_like(self.instrument):
            return False
        self._forget_ticks()
        return True

    def on_feed_state(self, feed: FeedState, now_ns: int) -> None:
        self._feed, self._feed_heard_ns = feed, now_ns
        self._sound_until_ns = 0

    def on_mark(self, mark: Mark, now_ns: int) -> None:
        self._sound_until_ns = 0
        if math.isfinite(mark.mark_price) and mark.mark_price > 0 and self._is_in_band(mark, now_ns):
            self._mark = mark
            self._value(now_ns)

    def _is_in_band(self, mark: Mark, now_ns: int) -> bool:
        """Freeze on a mark outside the band; it is not taken."""
        if self._band is None or self.instrument is None:
            return True
        decision = self._band.of_mark(2 * mark.mark_price / float(self.instrument.tick_size))
        self._holds.update(len(self._breakers) + 1, decision, now_ns)
        return decision.is_silent

    def on_working(self, account: str, orders: tuple[WorkingOrder, ...], now_ns: int) -> None:
        """Take an account's orders: those of all accounts are not the market."""
        self._orders[account] = orders
        self._own.report(chain.from_iterable(self._orders.values()), now_ns)

    def on_depth(self, depth: Depth, now_ns: int) -> None:
        self._depth, self._depth_heard_ns = depth, now_ns
        if self._own.bids.is_behind or self._own.asks.is_behind:
            self.sample(now_ns)

    def on_top(self, top: Top, now_ns: int) -> None:
        """Take a book; ask the breakers."""
        self.top, self._top_heard_ns = top, now_ns
        last = self._others
        self._others = others = self._book_of_others(now_ns)
        if others is None:
            self._sound_until_ns = 0
        elif others != last or not self._holds.is_empty:
            self._judge_others(others, now_ns)  # else the timer's samples are enough

    # --- judging ----------------------------------------------------------------------------

    def sample(self, now_ns: int) -> None:
        """Judge the mid that is in force: also a mid that stands still is a sample of the window."""
        self._sound_until_ns = 0
        self._others = self._book_of_others(now_ns)
        if self._others is not None:
            if self._band is not None and self._missing_book(now_ns) is None:
                self._band.sample(sum(self._others), now_ns)
            self._judge_others(self._others, now_ns)

    def _judge_others(self, others: tuple[int, int], now_ns: int) -> None:
        self._sound_until_ns = 0
        if self._seen_since_ns is None:
            self._seen_since_ns = now_ns
        bid, ask = others
        if self._twice_mid is not None:
            self._extremes.add(now_ns, self._twice_mid)  # it was the mid until now
        self._twice_mid = bid + ask
        low, high = self._extremes.add(now_ns, bid + ask)
        self._ask_breakers(Market(bid, ask, low, high), now_ns)
        if self._band is not None:
            self._holds.update(len(self._breakers), self._band.of_mid(bid + ask), now_ns)
        self._value(now_ns)

    def _ask_breakers(self, market: Market, now_ns: int) -> None:
        decisions = [breaker.decide(market) for breaker in self._breakers]
        for index, decision in enumerate(decisions):
            self._holds.update(index, decision, now_ns)
        if any(decision.action is not Action.ALLOW for decision in decisions):
            self._extremes.restart()  # what was acted on is not acted on again

    def _book_of_others(self, now_ns: int) -> tuple[int, int] | None:
        """Return best bid and ask without our orders; None where they cannot be told."""
        top = self.top
        if top is None or top.bid is None or top.ask is None or not 0 < top.bid < top.ask:
            return None
        is_fresh = self._depth is not None and now_ns - self._depth_heard_ns <= STATE_TTL_NS
        bids, asks = (self._depth.bids, self._depth.asks) if is_fresh and self._depth else ((), ())
        bid = self._own.bids.best(top.bid, top.bid_size, bids, now_ns)
        ask = self._own.asks.best(top.ask, top.ask_size, asks, now_ns)
        return None if bid is None or ask is None else (bid[0], ask[0])

    def decide(self, now_ns: int) -> Decision:
        """Return what the breakers hold.

        A market is watched for one window first: a move or a cool-down that is under way when
        this process starts is not known to it.
        """
        if self._seen_since_ns is not None and now_ns - self._seen_since_ns < self._quiet_ns:
            reason = f"market is watched for {self._quiet_ns / NS_PER_S:g} s first"
            return Decision(Action.FREEZE, reason)
        return self._holds.current(now_ns)

    def is_sound(self, now_ns: int) -> bool:
        """True when no breaker holds and no input is missing: most books change nothing of that."""
        if now_ns <= self._sound_until_ns:
            return True
        if self.decide(now_ns).action is not Action.ALLOW or self.missing(now_ns) is not None:
            return False
        # by the time alone nothing is held again: what is heard grows old
        heard_ns = min(self._feed_heard_ns, self._top_heard_ns) + STATE_TTL_NS
        mark_ns = heard_ns if self._mark is None else self._mark.recv_ns + self._max_mark_age_ns
        self._sound_until_ns = min(heard_ns, mark_ns)
        return True

    def _value(self, now_ns: int) -> None:
        """Take a new price to value positions at: only one that nothing speaks against."""
        instrument, feed = self.instrument, self._feed
        if instrument is None or feed is None or feed.status not in PRICED:
            return
        if self._missing_book(now_ns) or self._missing_mark(instrument, now_ns):
            return
        if instrument.is_perp:
            assert self._mark is not None  # it is not missing
            self.price.take(self._mark.mark_price, min(now_ns, self._mark.recv_ns))
        elif self._holds.current(now_ns) == ALLOW:
            self.price.take(self._mid(instrument), now_ns)

    def _mid(self, instrument: Instrument) -> float:
        assert self._twice_mid is not None  # a book is there
        return self._twice_mid / 2 * float(instrument.tick_size)

    # --- what is missing --------------------------------------------------------------------

    def missing(self, now_ns: int) -> str | None:
        """Return which input is missing, old or absurd; None when all can be relied on."""
        if self.instrument is None:
            return self._instrument_error
        if self._feed is None or now_ns - self._feed_heard_ns > STATE_TTL_NS:
            return "market data is silent"
        if self._feed.status is not FeedStatus.LIVE:
            return f"feed is {self._feed.status.name.lower()}: {self._feed.reason}"
        reason = self._missing_book(now_ns) or self._missing_mark(self.instrument, now_ns)
        return reason or ("no price to be trusted yet" if self.price.usd is None else None)

    def _missing_book(self, now_ns: int) -> str | None:
        top = self.top
        if top is None or now_ns - self._top_heard_ns > STATE_TTL_NS:
            return "no book heard"
        if top.bid is None or top.ask is None:
            return "book has one side only"
        if not 0 < top.bid < top.ask:
            return f"book is crossed: bid {top.bid}, ask {top.ask}"
        return "no price but our own, and no depth behind it" if self._others is None else None

    def _missing_mark(self, instrument: Instrument, now_ns: int) -> str | None:
        """Name a mark that is absent, old, or too far from the mid: one wrong price causes nothing."""
        if not instrument.is_perp:
            return None
        if self._mark is None or now_ns - self._mark.recv_ns > self._max_mark_age_ns:
            return f"no mark price in the last {self._max_mark_age_ns / NS_PER_S:g} s"
        mark, mid = self._mark.mark_price, self._mid(instrument)
        if abs(mark - mid) > self._max_gap * mid:
            return f"mark price {mark:g} is more than {100 * self._max_gap:g} % away from the mid {mid:g}"
        return None
