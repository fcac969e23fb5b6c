"""Keeping one book in step with its diffs: three named states.

    Buffering ──snapshot──▶ Joining ──first diff that joins──▶ Live
        ▲                      │                                 │
        └──── snapshot is too old, gap, reset ◀──────────────────┘

A snapshot that comes in the stream has its place between the diffs, so it needs no
joining: it replaces the book and is Live at once, each time; diffs before it say nothing.

Pure. Only a Live book may be published. A venue's rule of sequence is a parameter, so
that the same states serve venues that chain their diffs by `U == previous u + 1`, by
`pu == previous u`, by a nonce, or that send whole books only.
"""

from __future__ import annotations

from shared.book import Book
from shared.venues.market_data import BestPrices, DepthDiff, DepthSnapshot, SequenceRule

#: diffs kept while a snapshot is awaited; more than this and the oldest are of no use
MAX_BUFFERED = 10_000
#: so many old diffs in a row are no duplicates: the venue has begun a new count
MAX_OLD = 50


class ConsecutiveIds:
    """`U == previous u + 1`; the first one spans the snapshot's id. (Backpack, Binance spot.)"""

    snapshots_in_stream = False
    is_chained = True

    def joins(self, snapshot_id: int, diff: DepthDiff) -> bool:
        return diff.first_id <= snapshot_id + 1 <= diff.last_id

    def follows(self, last_id: int, diff: DepthDiff) -> bool:
        return diff.first_id == last_id + 1


class PreviousId:
    """`pu == previous u`; the first one goes from at most the snapshot's id beyond it.

    Binance futures and Aster. Their ids are shared between symbols: `U` tells nothing of what came before.
    """

    snapshots_in_stream = False
    is_chained = True

    def joins(self, snapshot_id: int, diff: DepthDiff) -> bool:
        return diff.previous_id is not None and diff.previous_id <= snapshot_id < diff.last_id

    def follows(self, last_id: int, diff: DepthDiff) -> bool:
        return diff.previous_id == last_id


class StreamedChain(PreviousId):
    """The subscription begins with a snapshot; then each diff names the id before it. (Lighter.)"""

    snapshots_in_stream = True


class WholeBooks:
    """No diffs: every message is the whole book, and its id a time. (Hyperliquid.)"""

    snapshots_in_stream = True
    is_chained = False

    def joins(self, snapshot_id: int, diff: DepthDiff) -> bool:  # noqa: ARG002 there are none
        return False

    def follows(self, last_id: int, diff: DepthDiff) -> bool:  # noqa: ARG002 there are none
        return False


class Buffering:
    """No snapshot yet: diffs wait."""


class Joining:
    """A snapshot is in the book, but no diff has proved yet that the stream goes on from it."""


class Live:
    """Every diff since the snapshot has been applied."""


State = Buffering | Joining | Live


class BookSync:
    """One symbol's book and where it is. `wants_snapshot` asks the owner for a snapshot."""

    def __init__(self, rule: SequenceRule) -> None:
        self.book = Book()
        self.state: State = Buffering()
        self.wants_snapshot = True
        self.reason = "waiting for a snapshot"
        self._rule = rule
        self._buffer: list[DepthDiff] = []
        self._old = 0

    @property
    def is_live(self) -> bool:
        return isinstance(self.state, Live)

    def reset(self, reason: str) -> None:
        """Forget book and buffer: the stream begins anew."""
        self._buffer = []
        self._leave(reason)

    def on_diff(self, diff: DepthDiff) -> bool:
        """Take a diff; True if it changed a live book."""
        if isinstance(self.state, Live):
            return self._follow(diff)
        if self._rule.snapshots_in_stream:
            return False  # from before the snapshot
        if len(self._buffer) >= MAX_BUFFERED:
            del self._buffer[: MAX_BUFFERED // 2]
        self._buffer.append(diff)
        if isinstance(self.state, Joining):
            self._join()
        return self.is_live

    def on_snapshot(self, snapshot: DepthSnapshot) -> bool:
        """Take a snapshot; True if the book is live with it.

        One by REST is only a check in Live: it changes nothing unless it is ahead (see `is_behind`).
        """
        if self._rule.snapshots_in_stream:
            return self._replace(snapshot)
        if isinstance(self.state, Live):
            return True
        is_second = isinstance(self.state, Joining) and snapshot.update_id == self.book.update_id
        if is_second and not self._buffer:
            # nothing happened between two snapshots: the book is what it was
            self._become_live()
            return True
        if not self._is_usable(snapshot):
            self.wants_snapshot = True
            self.reason = "the snapshot is older than the stream"
            return False
        self._take(snapshot)
        self.state = Joining()
        self.wants_snapshot = False
        self.reason = "waiting for the first diff after the snapshot"
        self._join()
        return self.is_live

    def on_best(self, best: BestPrices) -> bool:
        """A best-price message with the snapshot's own id proves it as well; True if live now."""
        if isinstance(self.state, Joining) and best.update_id == self.book.update_id and not self._buffer:
            self._become_live()
        return self.is_live

    def is_behind(self, update_id: int) -> bool:
        """True if the venue has told of a later change than the book holds."""
        return self._rule.is_chained and update_id > self.book.update_id

    def _take(self, snapshot: DepthSnapshot) -> None:
        self.book.bids.replace(snapshot.bids)
        self.book.asks.replace(snapshot.asks)
        self.book.update_id = snapshot.update_id

    # --- Live ---

    def _replace(self, snapshot: DepthSnapshot) -> bool:
        """Take a snapshot of the stream, unless a newer one was overtaken by it."""
        if isinstance(self.state, Live) and snapshot.update_id < self.book.update_id:
            self._old += 1
            if self._old <= MAX_OLD:
                return True
        self._take(snapshot)
        self._become_live()
        return True

    def _follow(self, diff: DepthDiff) -> bool:
        book = self.book
        if self._rule.follows(book.update_id, diff):
            self._apply(diff)
            self._old = 0
            return True
        if diff.last_id <= book.update_id:  # a duplicate: its sizes may be outdated by now
            self._old += 1
            if self._old <= MAX_OLD:
                return False
        self._buffer = [] if self._rule.snapshots_in_stream else [diff]
        self._leave(f"gap: {diff.first_id} came after {book.update_id}")
        return False

    def _apply(self, diff: DepthDiff) -> None:
        book = self.book
        for price, size in diff.bids:
            book.bids.set(price, size)
        for price, size in diff.asks:
            book.asks.set(price, size)
        book.update_id = diff.last_id

    # --- Buffering and Joining ---

    def _is_usable(self, snapshot: DepthSnapshot) -> bool:
        """False if the stream is already past the snapshot."""
        newer = [diff for diff in self._buffer if diff.last_id > snapshot.update_id]
        return not newer or self._rule.joins(snapshot.update_id, newer[0])

    def _join(self) -> None:
        """Apply what is buffered, if it goes on from the snapshot without a hole."""
        snapshot_id = self.book.update_id
        waiting = [diff for diff in self._buffer if diff.last_id > snapshot_id]
        self._buffer = []
        for index, diff in enumerate(waiting):
            if index == 0 and not self._rule.joins(snapshot_id, diff):
                self._buffer = waiting
                self._leave(f"gap: {diff.first_id} came after the snapshot {snapshot_id}")
                return
            if index and not self._rule.follows(self.book.update_id, diff):
                if diff.last_id <= self.book.update_id:
                    continue
                last_id = self.book.update_id
                self._buffer = waiting[index:]
                self._leave(f"gap: {diff.first_id} came after {last_id}")
                return
            self._apply(diff)
        if waiting:
            self._become_live()

    def _become_live(self) -> None:
        self.state = Live()
        self.wants_snapshot = False
        self.reason = ""
        self._old = 0

    def _leave(self, reason: str) -> None:
        """Back to Buffering: the book is worth nothing until the next snapshot."""
        self.book.clear()
        self.state = Buffering()
        self.wants_snapshot = True
        self.reason = reason
