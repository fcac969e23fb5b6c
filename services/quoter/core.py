"""Quoter: keeps the wanted quotes of one symbol up to date.

In          InstrumentInfo, Top, Depth, FeedState; signals (Flow, Volatility, Intensity); Position, Working,
            Equity; Permit
Out         Quotes (the whole wanted set, with expiry and cause)
State       the newest message of each kind, the strategy's memory; nothing that must survive a restart
On failure  a missing, old or absurd input -> empty Quotes with the reason, which means: cancel
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from services.quoter.config import Settings
from services.quoter.inputs import HEARD_TTL_NS, Inputs
from services.quoter.levels.hysteresis import keep_places
from services.quoter.levels.limits import narrowed, passive, within
from services.quoter.levels.rounding import PriceGrid
from services.quoter.levels.sizing import LotSizes
from services.quoter.levels.volatility import spread_distance, widened
from services.quoter.strategies.base import Levels, MarketView, Memory, Wanted
from services.quoter.views import Sees, view_of
from shared.clock import NS_PER_MS, NS_PER_S, seconds_to_ns
from shared.errors import Refused
from shared.instrument import Instrument
from shared.messages import (
    Depth,
    Equity,
    FeedState,
    FeedStatus,
    Flow,
    InstrumentInfo,
    Intensity,
    Level,
    Message,
    Permit,
    Position,
    Quotes,
    Top,
    Volatility,
    Working,
)
from shared.own_orders import OwnOrders
from shared.permits import is_same_permit

QUOTES_TTL_NS = NS_PER_S
REISSUE_NS = 250 * NS_PER_MS
#: quotes whose life is short are repeated early, for at least so much more of it
WORTH_NS = 50 * NS_PER_MS


class Quoter:
    """The core: each handler stores its message, then everything is decided anew."""

    timer_ns = 50 * NS_PER_MS

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        params = settings.params
        self._stale_ns = seconds_to_ns(params.stale_after_s)
        self._size_tolerance = params.size_tolerance_pct / 100
        self._volatility_roots = params.volatility_roots()
        self._needs = settings.strategy.needs(params)
        self._quote = settings.strategy.quote
        self._follows_position = settings.strategy.follows_position
        self._sees = Sees(self._needs.depth, settings.strategy.follows_working)
        self._inputs = Inputs(self._needs, self._stale_ns)
        self._memory: Memory = settings.strategy.start
        self._settle_ns = seconds_to_ns(params.own_order_settle_s)
        self._own = OwnOrders(self._settle_ns)
        self._info: InstrumentInfo | None = None
        self._instrument: Instrument | None = None
        #: the last rules that could be read, whatever came after them
        self._rules: Instrument | None = None
        self._no_instrument = "missing: InstrumentInfo"
        self._largest: int | None = None
        self._asked: Quotes | None = None
        self._is_decided = False  # True: nothing was missing for the latest decision
        self._reissue_ns = 0
        #: the best prices of others for which what was asked for is right, and until when at the most
        self._settled_bid = self._settled_ask = 0
        #: what the bounds were last applied to, and what came of it: often it is asked again
        self._bounded_of: tuple[Any, ...] = ()
        self._bounded_to: tuple[Level, ...] = ()
        self._settled_until_ns = 0

    def on_instrument_info(self, info: InstrumentInfo, now_ns: int) -> Iterable[Message]:
        """Take the venue's rules; while they cannot be read nothing is quoted.

        Raises: BadInput where the params cannot be kept under them.
        """
        if info == self._info:
            return ()
        self._info = info
        try:
            instrument = Instrument.from_info(info)
        except Refused as refused:
            self._instrument, self._no_instrument = None, f"instrument rules are unusable: {refused}"
        else:
            self._use(instrument)
        return () if self._asked is None else self._evaluate(now_ns, 0)

    def _use(self, instrument: Instrument) -> None:
        settings = self._settings
        if self._rules is not None and not self._rules.counts_like(instrument):
            self._inputs.forget_numbers()  # ticks or lots mean something else now
            self._own = OwnOrders(self._settle_ns)
        self._rules = self._instrument = instrument
        self._prices, self._sizes = PriceGrid(instrument), LotSizes(instrument)
        self._view_rules = (instrument, self._prices, self._sizes)
        self._bounded_of = ()
        self._plan: Any = settings.strategy.plan(settings.params, instrument)
        self._memory = settings.strategy.start
        largest = settings.params.largest_position()
        self._largest = None if largest is None else instrument.lots_floor(Decimal(str(largest)))
        if self._inputs.permit is not None:
            self._inputs.permit = narrowed(self._inputs.permit, self._largest, instrument.is_perp)

    def on_feed_state(self, feed: FeedState, now_ns: int) -> Iterable[Message]:
        last, self._inputs.feed = self._inputs.feed, feed
        is_live_still = last is not None and last.status is feed.status is FeedStatus.LIVE
        return self._if_unsettled(now_ns) if is_live_still else self._evaluate(now_ns, 0)

    def on_top(self, top: Top, now_ns: int) -> Iterable[Message]:
        last, self._inputs.top = self._inputs.top, top
        if now_ns < self._settled_until_ns and last is not None and self._is_settled(last, top, now_ns):
            return ()
        is_repeated = last is not None and last.cause_ns == top.cause_ns  # a heartbeat causes nothing
        return self._evaluate(now_ns, 0 if is_repeated else top.cause_ns)

    def _is_settled(self, last: Top, top: Top, now_ns: int) -> bool:
        """True when only sizes have changed, and the strategy said that those do not count.

        Most of what a market tells is of that kind, and whoever rests waits for the rest of it.
        """
        bid, ask = top.bid, top.ask
        if bid is None or ask is None or bid != last.bid or ask != last.ask:
            return False
        if top.bid_size <= 0 or top.ask_size <= 0 or now_ns - top.as_of_ns > self._stale_ns:
            return False
        inputs, own = self._inputs, self._own
        bids: Levels = ()
        asks: Levels = ()
        if inputs.depth is not None and now_ns - inputs.depth_ns <= HEARD_TTL_NS:
            bids, asks = inputs.depth.bids, inputs.depth.asks
        best_bid = own.bids.best(bid, top.bid_size, bids, now_ns)
        best_ask = own.asks.best(ask, top.ask_size, asks, now_ns)
        if best_bid is None or best_ask is None:
            return False
        return best_bid[0] == self._settled_bid and best_ask[0] == self._settled_ask

    def on_depth(self, depth: Depth, now_ns: int) -> Iterable[Message]:
        self._inputs.depth, self._inputs.depth_ns = depth, now_ns
        if self._needs.depth:
            self._settled_until_ns = 0
        if self._needs.depth or self._own.bids.is_behind or self._own.asks.is_behind:
            return self._evaluate(now_ns, depth.cause_ns)
        return ()

    def on_flow(self, flow: Flow, now_ns: int) -> Iterable[Message]:
        self._inputs.flow = flow
        return self._evaluate(now_ns, 0)

    def on_volatility(self, volatility: Volatility, _now_ns: int) -> Iterable[Message]:
        self._inputs.volatility = volatility
        self._settled_until_ns = 0
        return ()  # once a second: the next event uses it

    def on_intensity(self, intensity: Intensity, _now_ns: int) -> Iterable[Message]:
        self._inputs.intensity = intensity
        self._settled_until_ns = 0
        return ()  # once a second: the next event uses it

    def on_position(self, position: Position, now_ns: int) -> Iterable[Message]:
        last = self._inputs.position
        if not self._inputs.take_position(position, now_ns):
            return ()
        return self._if_unsettled(now_ns) if position == last else self._evaluate(now_ns, 0)

    def on_working(self, working: Working, now_ns: int) -> Iterable[Message]:
        self._inputs.working, self._inputs.working_ns = working, now_ns
        self._own.report(working.orders, now_ns)
        if self._needs.depth:
            self._settled_until_ns = 0  # the depth of others is another one now
        elif not self._sees.working and self._is_decided and not self._own.are_at(self._inputs.top):
            return ()  # neither the strategy nor the best prices of others depend on it
        return self._if_unsettled(now_ns)

    def on_equity(self, equity: Equity, now_ns: int) -> Iterable[Message]:
        self._inputs.equity, self._inputs.equity_ns = equity, now_ns
        return self._evaluate(now_ns, 0) if self._needs.equity else self._if_unsettled(now_ns)

    def on_permit(self, permit: Permit, now_ns: int) -> Iterable[Message]:
        if self._instrument is not None:
            permit = narrowed(permit, self._largest, self._instrument.is_perp)
        last, self._inputs.permit = self._inputs.permit, permit
        is_renewed = (
            last is not None and is_same_permit(permit, last) and permit.expires_ns >= last.expires_ns
        )
        return self._if_unsettled(now_ns) if is_renewed else self._evaluate(now_ns, 0)

    def on_timer(self, now_ns: int) -> Iterable[Message]:
        return self._if_unsettled(now_ns)

    def _if_unsettled(self, now_ns: int) -> Iterable[Message]:
        """Decide anew, unless what was decided last is known to hold: nothing but the time has changed."""
        top = self._inputs.top
        if now_ns < self._settled_until_ns and top is not None and self._is_settled(top, top, now_ns):
            return ()
        return self._evaluate(now_ns, 0)

    def on_stop(self, now_ns: int) -> Iterable[Message]:
        return (self._publish((), False, "quoter stopped", now_ns, 0),)

    def _evaluate(self, now_ns: int, cause_ns: int) -> Iterable[Message]:
        """Return new Quotes if the wanted set has changed, or is due to be repeated."""
        self._settled_until_ns = 0
        wanted = self._wanted(now_ns)
        if wanted.holds_ns:
            self._settled_until_ns = min(
                wanted.holds_ns, self._inputs.valid_until_ns(), self._reissue_ns,
                self._asked.expires_ns - REISSUE_NS if self._asked else 0,
                self._own.settles_ns() if self._needs.depth else wanted.holds_ns,
            )  # fmt: skip
        asked = self._asked
        if asked is not None and wanted.levels == asked.levels and wanted.exclusive == asked.exclusive:
            is_good = not self._follows_position or asked.position_seq == self._inputs.position_seq()
            if is_good and now_ns < self._reissue_ns and not self._is_running_out(asked, now_ns):
                return ()
            cause_ns = 0  # a repetition answers no market event
        return (self._publish(wanted.levels, wanted.exclusive, wanted.reason, now_ns, cause_ns),)

    def _is_running_out(self, asked: Quotes, now_ns: int) -> bool:
        """True when what was asked for would expire before it is repeated although its market lives on."""
        if not asked.levels or asked.expires_ns - now_ns >= REISSUE_NS:
            return False
        return self._expiry(now_ns) >= asked.expires_ns + WORTH_NS

    def _expiry(self, now_ns: int) -> int:
        return min(now_ns + QUOTES_TTL_NS, self._inputs.market_as_of_ns() + self._stale_ns)

    def _wanted(self, now_ns: int) -> Wanted:
        self._is_decided = False
        problem = self._inputs.problem(now_ns) if self._instrument else self._no_instrument
        if problem:
            return self._nothing(problem)
        view = view_of(self._inputs, self._own, self._sees, self._view_rules, now_ns)
        if view is None:
            return self._nothing("no price but our own, and no depth behind it")
        self._is_decided = True
        wanted = self._quote(view, self._plan, self._memory)
        self._memory = wanted.memory
        levels = self._widened(wanted.levels, view) if self._volatility_roots else wanted.levels
        levels = self._bounded(levels, view)
        if wanted.levels and not levels:
            return self._nothing(f"no room under the permit: {view.permit.reason}")
        self._settled_bid, self._settled_ask = view.bid, view.ask
        return Wanted(levels, wanted.exclusive, wanted.reason, wanted.memory, wanted.holds_ns)

    def _widened(self, levels: tuple[Level, ...], view: MarketView) -> tuple[Level, ...]:
        """Keep every level as far from the mid as the volatility asks (Q33)."""
        assert view.volatility_pct is not None, "volatility_spread needs volatility"
        distance = spread_distance(view.volatility_pct, view.mid, self._volatility_roots)
        asked = self._asked.levels if self._asked else ()
        return widened(levels, asked, view.mid, distance, self._prices)

    def _bounded(self, levels: tuple[Level, ...], view: MarketView) -> tuple[Level, ...]:
        """Apply hysteresis, then the permit: what limits comes last."""
        asked = self._asked.levels if self._asked else ()
        top = self._inputs.top
        assert top and top.bid is not None and top.ask is not None
        bounded_of = (levels, asked, view.bid, view.ask, top.bid, top.ask, view.position, view.permit)
        if bounded_of != self._bounded_of:
            may_exceed = not self._follows_position
            tolerance = self._size_tolerance
            levels = keep_places(levels, asked, view.bid, view.ask, tolerance, may_exceed=may_exceed)
            levels = passive(levels, top.bid, top.ask, self._prices)
            self._bounded_to = within(levels, view.position, view.permit, self._prices, self._sizes)
            self._bounded_of = bounded_of
        return self._bounded_to

    def _nothing(self, reason: str) -> Wanted:
        return Wanted((), False, reason, self._memory)

    def _publish(
        self, levels: tuple[Level, ...], exclusive: bool, reason: str, now_ns: int, cause_ns: int
    ) -> Quotes:
        expires_ns = self._expiry(now_ns) if levels else now_ns + QUOTES_TTL_NS
        who, seq = self._settings, self._inputs.position_seq() if self._follows_position else 0
        quotes = Quotes(who.account, who.symbol, levels, exclusive, expires_ns, cause_ns, reason, seq)
        if self._asked is None or levels != self._asked.levels:
            self._own.expect(levels, now_ns)
            if self._needs.depth:
                self._settled_until_ns = 0
        self._asked = quotes
        self._reissue_ns = now_ns + REISSUE_NS
        return quotes
