"""One symbol's feed: its book, its best prices, its status, and what of them is news. Pure.

Best prices come from the book and from the venue's best-price stream, which share one
chain of ids: the later id counts. Top is made once per turn, however many frames
arrived in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from services.marketdata.proof import BookProof, Prices, audit_fault, prices_in, prices_of, ticker_fault
from services.marketdata.staleness import SETTLE_NS, Evidence, Limits, judge, price_fault
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import Depth, FeedState, FeedStatus, InstrumentInfo, Mark, Message, Top, Trade
from shared.venues.book_sync import BookSync
from shared.venues.market_data import (
    BestPrices,
    DepthDiff,
    DepthSnapshot,
    MarkPrice,
    PublicTrade,
    SequenceRule,
)

DEPTH_LEVELS = 20
#: how often `as_of_ns` is told while prices stand still
REFRESH_NS = 200 * NS_PER_MS
#: how long the book may be behind what the venue has told of before it is rebuilt
MAX_BEHIND_NS = NS_PER_S
#: a book that stays crossed for this long is rebuilt
MAX_CROSSED_NS = NS_PER_S
KEPT_TRADE_IDS = 1024

NOTHING: Prices = (None, 0, None, 0)


class SymbolFeed:
    """What is known of one symbol."""

    def __init__(self, info: InstrumentInfo, rule: SequenceRule, limits: Limits, now_ns: int) -> None:
        self.info = info
        self.opened_ns = now_ns
        self.sync = BookSync(rule)
        self.status = FeedStatus.CONNECTING
        self.as_of_ns = 0
        self.lag_ns = 0
        self.rest_ns = 0
        self.diff_ns = 0  # when the book last changed
        self.proof = BookProof(limits.stale_after_ns, can_audit=not rule.snapshots_in_stream)
        self.wants_depth = False
        self.is_fresh = False  # neither late nor in doubt, when last judged
        self._rule = rule
        self._limits = limits
        self._best: BestPrices | None = None
        self._prices = NOTHING
        self._update_id = 0
        self._venue_ns: int | None = None
        self._recv_ns = 0
        self._told_prices = NOTHING
        self._told_as_of_ns = 0
        self._uses_rest = False
        self._told_state: tuple[FeedStatus, str] | None = None
        self._told_depth: tuple[object, object] | None = None
        self._told_depth_ns = 0
        self._depth_id = 0
        self._trades: dict[int, None] = {}
        self._ahead_id = 0  # the venue has told of this id, which the book has not reached
        self._ahead_since_ns = 0
        self._crossed_since_ns = 0
        self._settles_ns = 0

    @property
    def is_lagging(self) -> bool:
        return self.lag_ns > self._limits.max_lag_ns

    # --- events ---

    def reset(self, reason: str) -> None:
        """The stream begins anew: nothing before it may be joined with what follows."""
        self.sync.reset(reason)
        self._best = None
        self._ahead_id = 0
        self._crossed_since_ns = 0

    def renew(self, info: InstrumentInfo) -> None:
        """Take other rules: no price counted in the old ticks is told under them."""
        self.info = info
        self.reset("the instrument's rules have changed")
        self._prices, self._uses_rest = NOTHING, False

    def on_diff(self, diff: DepthDiff, recv_ns: int) -> None:
        was_live = self.sync.is_live
        self.diff_ns = recv_ns
        self.proof.on_book(recv_ns)
        if self.sync.on_diff(diff):
            self._venue_ns = diff.venue_ns
            self._compare()
        elif was_live and not self.sync.is_live:
            self._best = None  # after a reset of the venue's ids the old one would count forever
            self._ahead_id = 0

    def on_best(self, best: BestPrices, recv_ns: int) -> None:
        if self._best is not None and best.update_id <= self._best.update_id:
            return  # a duplicate, or one that was overtaken
        self._best = best
        self.proof.on_book(recv_ns)
        self.sync.on_best(best)
        self._saw_id(best.update_id, recv_ns)
        self._compare()

    def on_snapshot(self, snapshot: DepthSnapshot, now_ns: int) -> None:
        """Take a snapshot: the book, the start of one, or the audit of a live one."""
        if self.sync.is_live and not self._rule.snapshots_in_stream:
            self._audit(snapshot, now_ns)
        else:
            self.diff_ns = now_ns
            self._venue_ns = snapshot.venue_ns
            if self.sync.on_snapshot(snapshot):
                self.proof.on_book(now_ns)

    def _audit(self, snapshot: DepthSnapshot, now_ns: int) -> None:
        """Compare a live book with a snapshot, or with the best levels of one."""
        self._saw_id(snapshot.update_id, now_ns)
        fault = audit_fault(self.sync, snapshot)
        if fault:
            self.reset(fault)
        elif snapshot.update_id == self.sync.book.update_id:
            self.proof.on_book(now_ns)

    def _compare(self) -> None:
        best = self._best
        if best is not None and best.update_id == self.sync.book.update_id and self._rule.is_chained:
            fault = ticker_fault(self.sync, best)
            if fault:
                self.reset(fault)

    def on_rest_prices(self, snapshot: DepthSnapshot, now_ns: int) -> None:
        """Take best prices read by REST: the audit of a live book; prices while the stream is not good.

        They count until the stream is good again.
        """
        if self.sync.is_live and not self._rule.snapshots_in_stream:
            self._audit(snapshot, now_ns)
        if self.status is FeedStatus.LIVE:
            return
        self.rest_ns = now_ns
        self._uses_rest = True
        self._prices = prices_in(snapshot)
        self._update_id, self._venue_ns, self._recv_ns = snapshot.update_id, snapshot.venue_ns, now_ns

    def on_other(self, event: object, recv_ns: int) -> Iterator[Message]:
        """Take what changes no best price by itself; yield what is told of it."""
        if isinstance(event, PublicTrade):
            yield from self.trade(event, recv_ns)
        elif isinstance(event, MarkPrice):
            yield self.mark(event, recv_ns)
        elif isinstance(event, DepthSnapshot):
            self.on_snapshot(event, recv_ns)

    def trade(self, trade: PublicTrade, recv_ns: int) -> Iterator[Trade]:
        """Yield the message of a trade, once: a frame may come twice."""
        if trade.trade_id in self._trades:
            return
        self.proof.on_trade(recv_ns)
        self._trades[trade.trade_id] = None
        if len(self._trades) > KEPT_TRADE_IDS:
            del self._trades[next(iter(self._trades))]
        yield Trade(
            self.info.scope, trade.symbol, trade.side, trade.price, trade.size, trade.trade_id,
            trade.venue_ns, recv_ns,
        )  # fmt: skip

    def mark(self, mark: MarkPrice, recv_ns: int) -> Mark:
        return Mark(
            self.info.scope, mark.symbol, mark.mark_price, mark.index_price, mark.funding_rate,
            mark.next_funding_ns, mark.venue_ns, recv_ns,
        )  # fmt: skip

    # --- news ---

    def news(self, now_ns: int, cause_ns: int, connection: str) -> Iterator[Message]:
        """Yield what has changed: a FeedState that is not live before the Top, one that is live after it.

        cause_ns    receive time of the frames of this turn, 0 = none
        connection  why there is no connection, "" = there is one
        """
        is_good = self.is_alive(now_ns) and self.sync.is_live and not self.is_lagging and not connection
        self._uses_rest = self._uses_rest and not is_good  # whatever came: from now on the book counts
        self._take_prices(cause_ns)
        status, reason = self._judge(now_ns, connection)
        as_of_ns = self.rest_ns if self._uses_rest else self.as_of_ns
        refresh = as_of_ns - self._told_as_of_ns >= REFRESH_NS
        self.status = status
        is_state_news = (status, reason) != self._told_state or refresh
        self._told_state = (status, reason)
        if is_state_news and status is not FeedStatus.LIVE:
            yield self._state(status, reason)
        if self._prices != self._told_prices or (refresh and self._recv_ns):
            is_news = self._prices != self._told_prices
            self._told_prices = self._prices
            yield self._top(as_of_ns, cause_ns if is_news else 0)
        if is_state_news and status is FeedStatus.LIVE:
            yield self._state(status, reason)
        if refresh:
            self._told_as_of_ns = as_of_ns

    def last_words(self, reason: str) -> FeedState:
        """Return the state that ends a feed: nobody may act on it any more."""
        return self._state(FeedStatus.CONNECTING, reason)

    def depth_news(self, now_ns: int, interval_ns: int) -> Iterator[Depth]:
        """Yield the best levels if they have changed, at most once per interval."""
        book = self.sync.book
        if (
            not self.sync.is_live
            or book.update_id == self._depth_id
            or now_ns - self._told_depth_ns < interval_ns
        ):
            return
        self._depth_id = book.update_id
        levels = book.top_bids(DEPTH_LEVELS), book.top_asks(DEPTH_LEVELS)
        if levels == self._told_depth:
            return
        self._told_depth, self._told_depth_ns = levels, now_ns
        yield Depth(
            self.info.scope, self.info.symbol, *levels, book.update_id, self._venue_ns,
            self.diff_ns, self.as_of_ns, self.diff_ns,
        )  # fmt: skip

    def check(self, now_ns: int) -> None:
        """Give up a book that stays behind what the venue told, or stays crossed."""
        if not self.sync.is_live:
            return
        if self._ahead_id and not self.sync.is_behind(self._ahead_id):
            self._ahead_id = 0
        if self._ahead_id and now_ns - self._ahead_since_ns > MAX_BEHIND_NS:
            self.reset(
                f"behind: the venue told of {self._ahead_id}, the book is at {self.sync.book.update_id}"
            )
        elif self._crossed_since_ns and now_ns - self._crossed_since_ns > MAX_CROSSED_NS:
            self.reset("the book stayed crossed")

    # --- parts ---

    def _saw_id(self, update_id: int, now_ns: int) -> None:
        if self._ahead_id and self.sync.is_behind(self._ahead_id):
            return  # the first one that is not reached counts
        is_ahead = self.sync.is_live and self.sync.is_behind(update_id)
        self._ahead_id, self._ahead_since_ns = (update_id, now_ns) if is_ahead else (0, 0)

    def _take_prices(self, cause_ns: int) -> None:
        best, book = self._best, self.sync.book
        if self._uses_rest:
            return
        if self.sync.is_live and (best is None or book.update_id >= best.update_id):
            prices: Prices = prices_of(self.sync)
            update_id = book.update_id
        elif best is not None:
            prices = (best.bid, best.bid_size, best.ask, best.ask_size)
            update_id, self._venue_ns = best.update_id, best.venue_ns
        else:
            return
        if prices != self._prices:
            self._prices, self._recv_ns = prices, cause_ns or self._recv_ns
        self._update_id = update_id

    def is_alive(self, now_ns: int) -> bool:
        """True while the stream brings anything of this symbol."""
        return now_ns - self.as_of_ns <= self._limits.stale_after_ns

    def _judge(self, now_ns: int, connection: str) -> tuple[FeedStatus, str]:
        fault = price_fault(self._prices[0], self._prices[2])
        if not fault and self.sync.book.is_crossed():
            fault = "the book is crossed"
        if self.sync.is_live and fault:
            self._crossed_since_ns = self._crossed_since_ns or now_ns
            self._settles_ns = now_ns + SETTLE_NS
        else:
            self._crossed_since_ns = 0
        if self.is_lagging:
            self._settles_ns = now_ns + SETTLE_NS
        doubt = self.proof.doubt(now_ns)
        self.is_fresh = not doubt and not self.is_lagging
        fault = fault or doubt
        if not fault and now_ns < self._settles_ns and self.status is not FeedStatus.LIVE:
            fault = "settling"
        rest_ns = self.rest_ns if self._uses_rest else 0
        evidence = Evidence(now_ns, connection, self.sync.reason, fault, self.as_of_ns, self.lag_ns, rest_ns)
        return judge(evidence, self._limits)

    def _state(self, status: FeedStatus, reason: str) -> FeedState:
        return FeedState(self.info.scope, self.info.symbol, status, reason, self.as_of_ns, self.lag_ns)

    def _top(self, as_of_ns: int, cause_ns: int) -> Top:
        return Top(
            self.info.scope, self.info.symbol, *self._prices, self._update_id, self._venue_ns,
            self._recv_ns, as_of_ns, cause_ns,
        )  # fmt: skip
