"""Is the book still the venue's? Pure.

A feed may die in parts: marks and trades go on while depth and best prices have stopped. So a
book has a clock of its own, moved by data of the book and by audits: reads of the best prices
by REST that show the book's own id and the book's own prices.

A quiet symbol must not be punished for it. Where nothing trades, a book may stay without a
proof for longer: the budget of reads is everybody's, and the venue may refuse them.
"""

from __future__ import annotations

from shared.clock import NS_PER_S
from shared.venues.book_sync import BookSync
from shared.venues.market_data import BestPrices, DepthSnapshot

#: without trades, a book is believed for this long after its last proof
QUIET_NS = 10 * NS_PER_S
Prices = tuple[int | None, int, int | None, int]


class BookProof:
    """When a symbol's book was last known to be right.

    limit_ns   for so long after its last proof a book is believed while trades go on
    can_audit  False where the book comes whole in the stream: its own data are all there is
    """

    def __init__(self, limit_ns: int, can_audit: bool) -> None:
        self.proved_ns = 0
        self._limit_ns = limit_ns
        self._can_audit = can_audit
        self._trade_ns = 0

    def on_book(self, now_ns: int) -> None:
        """Data of the book arrived, or an audit agreed with it."""
        self.proved_ns = now_ns

    def on_trade(self, recv_ns: int) -> None:
        """A trade takes from the book: without news of the book, something is missing."""
        self._trade_ns = recv_ns

    def wants_audit(self, audit_after_ns: int, now_ns: int) -> bool:
        return self._can_audit and now_ns - self.proved_ns >= audit_after_ns

    def doubt(self, now_ns: int) -> str:
        """Return why the book is not to be believed, "" = it is."""
        age_ns = now_ns - self.proved_ns
        if age_ns <= self._limit_ns or not self._can_audit:
            return ""
        limit_ns = self._limit_ns if self._trade_ns > self.proved_ns else QUIET_NS
        if age_ns <= limit_ns:
            return ""
        return f"the book is silent for {limit_ns / NS_PER_S:g} s, and nothing shows that it is right"


def prices_of(sync: BookSync) -> Prices:
    """Return the best prices and sizes of a book."""
    bid, ask = sync.book.best_bid() or (None, 0), sync.book.best_ask() or (None, 0)
    return (*bid, *ask)


def prices_in(snapshot: DepthSnapshot) -> Prices:
    """Return the best prices and sizes of a snapshot, whose levels may come in any order."""
    bid = max((level for level in snapshot.bids if level[1] > 0), default=(None, 0))
    ask = min((level for level in snapshot.asks if level[1] > 0), default=(None, 0))
    return (*bid, *ask)


def ticker_fault(sync: BookSync, best: BestPrices) -> str:
    """Return how a live book differs from the best prices that the venue told with the same id.

    It does when the prices have left the part of the book that the snapshot showed: what lies
    beyond was never told.
    """
    if not sync.is_live or best.update_id != sync.book.update_id:
        return ""
    bid, _, ask, _ = prices_of(sync)
    if (bid, ask) == (best.bid, best.ask):
        return ""
    return f"the book's best prices {bid}/{ask} are not the venue's {best.bid}/{best.ask}"


def audit_fault(sync: BookSync, snapshot: DepthSnapshot) -> str:
    """Return how a live book differs from a snapshot with the same id."""
    if snapshot.update_id != sync.book.update_id or prices_in(snapshot) == prices_of(sync):
        return ""
    return f"the book differs from the venue's at {snapshot.update_id}"
