"""Book synchronisation: whatever happens to the frames, a live book is the venue's book."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.book import Book
from shared.venues.book_sync import (
    MAX_OLD,
    BookSync,
    Buffering,
    ConsecutiveIds,
    Joining,
    Live,
    PreviousId,
    StreamedChain,
    WholeBooks,
)
from shared.venues.market_data import BestPrices, DepthDiff, DepthSnapshot, SequenceRule
from tests.fixtures.damage import damaged, plans

SYMBOL = "SOL_USDC_PERP"
Levels = tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]


def diff(first: int, last: int | None = None, previous: int | None = None, **sides: object) -> DepthDiff:
    bids: list[tuple[int, int]] = sides.get("bids", [])  # type: ignore[assignment]
    return DepthDiff(SYMBOL, first, last or first, previous, bids, [], 0)


def snapshot(update_id: int, bids: list[tuple[int, int]] | None = None) -> DepthSnapshot:
    return DepthSnapshot(SYMBOL, update_id, bids or [(100, 1)], [(101, 1)], 0)


def live(update_id: int = 10) -> BookSync:
    sync = BookSync(ConsecutiveIds())
    sync.on_snapshot(snapshot(update_id))
    assert sync.on_diff(diff(update_id + 1))
    return sync


def test_it_begins_by_buffering_and_wants_a_snapshot() -> None:
    sync = BookSync(ConsecutiveIds())
    assert isinstance(sync.state, Buffering)
    assert sync.wants_snapshot
    assert not sync.on_diff(diff(11))
    assert not sync.is_live


def test_a_snapshot_waits_for_the_first_diff_that_joins() -> None:
    sync = BookSync(ConsecutiveIds())
    assert not sync.on_snapshot(snapshot(10))
    assert isinstance(sync.state, Joining)
    assert not sync.wants_snapshot
    assert not sync.on_diff(diff(9, 10)), "older than the snapshot: dropped, proves nothing"
    assert sync.on_diff(diff(8, 12, bids=[(99, 5)]))
    assert isinstance(sync.state, Live)
    assert sync.book.update_id == 12
    assert sync.book.bids.sizes == {100: 1, 99: 5}


def test_buffered_diffs_are_applied_onto_the_snapshot() -> None:
    sync = BookSync(ConsecutiveIds())
    for number in (8, 9, 10, 11, 12):
        sync.on_diff(diff(number, bids=[(90 + number, number)]))
    assert sync.on_snapshot(snapshot(10))
    assert sync.book.bids.sizes == {100: 1, 101: 11, 102: 12}


def test_a_snapshot_older_than_the_stream_is_refused_and_another_wanted() -> None:
    sync = BookSync(ConsecutiveIds())
    sync.on_diff(diff(20))
    assert not sync.on_snapshot(snapshot(10))
    assert sync.wants_snapshot
    assert sync.reason == "the snapshot is older than the stream"
    assert sync.on_snapshot(snapshot(19))


def test_a_gap_empties_the_book_and_keeps_the_diff_for_the_next_snapshot() -> None:
    sync = live()
    assert not sync.on_diff(diff(13, bids=[(98, 7)]))
    assert isinstance(sync.state, Buffering)
    assert sync.wants_snapshot
    assert sync.reason == "gap: 13 came after 11"
    assert sync.book.best_bid() is None
    assert sync.on_snapshot(snapshot(12))
    assert sync.book.bids.sizes == {100: 1, 98: 7}


def test_a_duplicate_changes_nothing() -> None:
    sync = live()
    sync.on_diff(diff(12, bids=[(100, 9)]))
    sync.on_diff(diff(13, bids=[(100, 4)]))
    assert not sync.on_diff(diff(12, bids=[(100, 9)]))
    assert sync.is_live
    assert sync.book.bids.sizes[100] == 4


def test_ids_that_begin_anew_are_noticed() -> None:
    sync = live(1_000_000)
    for number in range(60):
        sync.on_diff(diff(number + 1))
    assert not sync.is_live
    assert sync.on_snapshot(snapshot(50))


def test_a_quiet_book_is_proved_by_a_second_equal_snapshot_or_by_a_best_price_with_its_id() -> None:
    for proof in ("snapshot", "best"):
        sync = BookSync(ConsecutiveIds())
        sync.on_snapshot(snapshot(10))
        if proof == "snapshot":
            assert sync.on_snapshot(snapshot(10))
        else:
            assert not sync.on_best(BestPrices(SYMBOL, 100, 1, 101, 1, 9, 0))
            assert sync.on_best(BestPrices(SYMBOL, 100, 1, 101, 1, 10, 0))
    sync = BookSync(ConsecutiveIds())
    sync.on_snapshot(snapshot(10))
    assert not sync.on_snapshot(snapshot(11)), "it moved between: nothing is proved"


def test_previous_ids_chain_whatever_the_first_ids_are() -> None:
    sync = BookSync(PreviousId())
    sync.on_snapshot(snapshot(10))
    assert sync.on_diff(diff(40, 45, previous=8))
    assert sync.on_diff(diff(60, 61, previous=45))
    assert not sync.on_diff(diff(62, 63, previous=62))
    assert not sync.is_live


# --- properties ------------------------------------------------------------------------------------


@dataclass
class Venue:
    """A venue's book with its history: what it sent, and what it was at every id."""

    chained: bool
    frames: list[DepthDiff] = field(default_factory=list)
    history: dict[int, Levels] = field(default_factory=dict)

    def play(self, changes: list[list[tuple[bool, int, int]]]) -> None:
        book = Book()
        book.update_id = 100
        self._remember(book)
        for change in changes:
            previous = book.update_id
            bids = [(price, size) for is_bid, price, size in change if is_bid]
            asks = [(price + 50, size) for is_bid, price, size in change if not is_bid]
            for price, size in bids:
                book.bids.set(price, size)
            for price, size in asks:
                book.asks.set(price, size)
            book.update_id += max(1, len(change))
            self.frames.append(
                DepthDiff(
                    SYMBOL, previous + 1, book.update_id, previous if self.chained else None, bids, asks, 0
                )
            )
            self._remember(book)

    def _remember(self, book: Book) -> None:
        self.history[book.update_id] = book.top_bids(100), book.top_asks(100)

    def snapshot(self, index: int) -> DepthSnapshot:
        ids = sorted(self.history)
        update_id = ids[index % len(ids)]
        return DepthSnapshot(SYMBOL, update_id, *self.history[update_id], 0)


change = st.lists(st.tuples(st.booleans(), st.integers(1, 12), st.integers(0, 5)), max_size=4)
faults = plans(4, 60)


@pytest.mark.parametrize("make_rule", [ConsecutiveIds, PreviousId])
@given(
    changes=st.lists(change, min_size=3, max_size=40),
    plan=faults,
    snapshots=st.dictionaries(st.integers(0, 45), st.integers(0, 60), max_size=8),
)
def test_D01_a_live_book_is_always_one_the_venue_had_whatever_is_lost_doubled_or_swapped(
    make_rule: Callable[[], SequenceRule],
    changes: list[list[tuple[bool, int, int]]],
    plan: list[tuple[str, int]],
    snapshots: dict[int, int],
) -> None:
    venue = Venue(chained=make_rule is PreviousId)
    venue.play(changes)
    sync = BookSync(make_rule())
    for position, frame in enumerate(damaged(venue.frames, plan)):
        if position in snapshots:
            sync.on_snapshot(venue.snapshot(snapshots[position]))
        sync.on_diff(frame)
        if sync.is_live:
            book = sync.book
            assert (book.top_bids(100), book.top_asks(100)) == venue.history[book.update_id]
    if not sync.is_live:
        sync.on_snapshot(venue.snapshot(len(venue.history) - 1))
        sync.on_snapshot(venue.snapshot(len(venue.history) - 1))
        assert sync.is_live, "the newest snapshot always heals"


@given(changes=st.lists(change, min_size=4, max_size=30), lost=st.integers(0, 30))
def test_removing_any_one_diff_is_detected_by_the_next(
    changes: list[list[tuple[bool, int, int]]], lost: int
) -> None:
    venue = Venue(chained=False)
    venue.play(changes)
    sync = BookSync(ConsecutiveIds())
    sync.on_snapshot(venue.snapshot(0))
    at = 1 + lost % (len(venue.frames) - 2)
    for frame in venue.frames[:at]:
        sync.on_diff(frame)
    assert sync.is_live
    sync.on_diff(venue.frames[at + 1])
    assert not sync.is_live


# --- snapshots in the stream -----------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 99)), min_size=1, max_size=40))
def test_of_whole_books_the_newest_is_the_book(books: list[tuple[int, int]]) -> None:
    sync = BookSync(WholeBooks())
    newest = (0, 0)
    for time, price in books:
        assert sync.on_snapshot(snapshot(time, [(price, 1)]))
        newest = (time, price) if time >= newest[0] else newest
        assert sync.is_live
        assert not sync.wants_snapshot
        assert sync.book.bids.sizes == {newest[1]: 1}
        assert not sync.is_behind(time + 1), "a later time proves no loss"


def test_whole_books_whose_clock_was_set_back_are_believed_in_the_end() -> None:
    sync = BookSync(WholeBooks())
    sync.on_snapshot(snapshot(1_000, [(100, 1)]))
    for number in range(MAX_OLD + 1):
        sync.on_snapshot(snapshot(number, [(90, 1)]))
    assert sync.book.bids.sizes == {90: 1}


def test_a_streamed_chain_begins_with_its_snapshot_and_wants_another_after_a_gap() -> None:
    sync = BookSync(StreamedChain())
    assert not sync.on_diff(diff(6, 9, previous=5)), "before the snapshot"
    assert sync.on_snapshot(snapshot(20))
    assert isinstance(sync.state, Live)
    assert sync.on_diff(diff(21, 23, previous=20, bids=[(99, 4)]))
    assert not sync.on_diff(diff(25, 26, previous=24))
    assert sync.wants_snapshot
    assert not sync.on_diff(diff(27, 28, previous=26))
    assert sync.on_snapshot(snapshot(40))
    assert sync.book.bids.sizes == {100: 1}
