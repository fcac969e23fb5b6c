"""Real recordings: the book rebuilt from snapshot and diffs equals the best prices that the venue told."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.book import Book
from shared.venues.book_sync import BookSync, ConsecutiveIds, PreviousId
from shared.venues.market_data import BestPrices, DepthDiff, DepthSnapshot, MarketEvent, SequenceRule
from tests.marketdata.binance_recording import Recording

USDM, SPOT = "binance_usdm_2024-08-08", "binance_spot_2024-08-08"


@dataclass(frozen=True)
class Case:
    """A recording, how to read it, and how many ids its two streams share.

    ticker_first  so many of them were told by the best prices before the diff came
    """

    folder: str
    symbol: str
    price_scale: int  # ticks a unit
    size_scale: int  # lots a unit
    rule: SequenceRule
    shared_ids: int
    ticker_first: int


CASES = [
    Case(USDM, "btcusdt", 10, 1_000, PreviousId(), 629, 503),
    Case(USDM, "ethusdt", 100, 1_000, PreviousId(), 551, 471),
    Case(SPOT, "btcusdt", 100, 100_000, ConsecutiveIds(), 564, 564),
    Case(SPOT, "ethusdt", 100, 10_000, ConsecutiveIds(), 577, 577),
]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.folder}-{case.symbol}")


def recording(shared_data: Path, case: Case) -> Recording:
    path = shared_data / case.folder / f"{case.symbol}_20240808.gz"
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    return Recording(path, case.symbol, case.price_scale, case.size_scale)


def best_of(book: Book) -> tuple[int | None, int, int | None, int]:
    bid, ask = book.best_bid() or (None, 0), book.best_ask() or (None, 0)
    return (*bid, *ask)


def feed(sync: BookSync, event: MarketEvent) -> None:
    if isinstance(event, DepthDiff):
        sync.on_diff(event)
    elif isinstance(event, DepthSnapshot):
        sync.on_snapshot(event)


@each_case
def test_D01_D14_the_rebuilt_book_equals_the_book_ticker_at_every_equal_id(
    shared_data: Path, case: Case
) -> None:
    sync, was_live, ticker_first = BookSync(case.rule), False, 0
    told: dict[int, tuple[int | None, int, int | None, int]] = {}
    built: dict[int, tuple[int | None, int, int | None, int]] = {}
    for event in recording(shared_data, case).events():
        feed(sync, event)
        if isinstance(event, BestPrices):
            told[event.update_id] = (event.bid, event.bid_size, event.ask, event.ask_size)
        elif sync.is_live and isinstance(event, DepthDiff):
            built[event.last_id] = best_of(sync.book)
            ticker_first += event.last_id in told
        assert not was_live or sync.is_live, f"the book was lost: {sync.reason}"
        was_live = sync.is_live
    shared = told.keys() & built.keys()
    assert all(told[update_id] == built[update_id] for update_id in shared)
    assert (len(shared), ticker_first) == (case.shared_ids, case.ticker_first)


@each_case
def test_removing_any_one_diff_of_a_recording_is_detected_by_the_next(shared_data: Path, case: Case) -> None:
    """Of every pair of diffs after the first: the second alone does not follow the book."""
    events = [
        event
        for event in recording(shared_data, case).events(limit=8_000)
        if isinstance(event, DepthDiff | DepthSnapshot)
    ]
    sync, count = BookSync(case.rule), 0
    for event, following in itertools.pairwise(events):
        if sync.is_live and isinstance(event, DepthDiff) and isinstance(following, DepthDiff):
            assert case.rule.follows(sync.book.update_id, event)
            assert not case.rule.follows(sync.book.update_id, following), "its loss would not be seen"
            count += 1
        feed(sync, event)
    assert count > 100
