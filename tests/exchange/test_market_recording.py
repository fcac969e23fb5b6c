"""Reading recordings: formats, bad files, and the book they describe."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from services.exchange.engine.rules import Grid, Rules
from services.exchange.market.recorded_book import GridReader, RecordedBook
from services.exchange.market.recording import (
    BestPrices,
    BookUpdate,
    Print,
    RecordingError,
    open_recording,
)
from services.exchange.markets import DEFAULT_MARKETS
from services.exchange.model import Side
from tests.exchange import recorded_frames as frames

BIDS, ASKS = [("99.9", "5"), ("99.8", "7")], [("100.1", "4"), ("100.2", "6")]


SNAPSHOT = frames.snapshot(0, 10, BIDS, ASKS)


def recorded_book(symbol: str = "SOL_USDC_PERP", path: Path = Path("x.gz")) -> RecordedBook:
    rules = Rules(next(market for market in DEFAULT_MARKETS if market.symbol == symbol))
    return RecordedBook(GridReader(rules.prices, "price", path), GridReader(rules.quantities, "size", path))


def events(path: Path, *lines: str) -> list[BookUpdate | BestPrices | Print]:
    return list(open_recording(frames.write(path, lines)).events())


def test_each_kind_of_frame_becomes_its_event(tmp_path: Path) -> None:
    book, best, sold = events(
        tmp_path / "a.gz",
        frames.snapshot(0, 10, BIDS, ASKS),
        frames.ticker(1, 11, BIDS[0], ASKS[0]),
        frames.trade(2, "99.9", "1", taker_sold=True),
    )
    assert isinstance(book, BookUpdate)
    assert book.is_snapshot
    assert [tuple(level) for level in book.bids] == BIDS
    assert best == BestPrices(frames.FIRST_NS + frames.MS, frames.MS, BIDS[0], ASKS[0], 11)
    assert sold == Print(frames.FIRST_NS + 2 * frames.MS, 2 * frames.MS, "99.9", "1", Side.SELL)


def test_a_spot_recording_is_timed_by_receipt_because_its_tickers_have_no_time(tmp_path: Path) -> None:
    data = {"u": 11, "s": "SOLUSDT", "b": "99.9", "B": "5", "a": "100.1", "A": "4"}
    path = frames.write(
        tmp_path / "spot.gz", [frames.line(3, {"stream": "solusdt@bookTicker", "data": data})]
    )
    recording = open_recording(path)
    (best,) = recording.events()
    assert best.venue_ns == best.time_ns
    assert recording.slack_ns > 0


def test_a_truncated_recording_is_refused_by_name_before_anything_is_served(tmp_path: Path) -> None:
    path = frames.write(tmp_path / "cut.gz", [frames.snapshot(0, 10, BIDS, ASKS)] * 50)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(RecordingError, match=r"cut\.gz: truncated"):
        open_recording(path)


def test_a_missing_foreign_or_malformed_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"none\.gz"):
        open_recording(tmp_path / "none.gz")
    plain = tmp_path / "plain.txt"
    plain.write_text("time,price\n")
    with pytest.raises(RecordingError, match=r"plain\.txt"):
        open_recording(plain)
    table = tmp_path / "table.gz"
    table.write_bytes(gzip.compress(b"time,price\n"))
    with pytest.raises(RecordingError, match="not a recording of raw frames"):
        open_recording(table)
    with pytest.raises(RecordingError, match="line 2"):
        events(tmp_path / "bad.gz", SNAPSHOT, "1 {broken\n", SNAPSHOT)


@pytest.mark.parametrize("kept", [25, 60, -2])
def test_a_recording_whose_last_line_is_cut_is_refused_before_anything_is_served(
    tmp_path: Path, kept: int
) -> None:
    last = frames.trade(2, "99.9", "1", taker_sold=True)
    path = frames.write(tmp_path / "cut.gz", [*[SNAPSHOT] * 20_000, last[:kept]])
    with pytest.raises(RecordingError, match=r"cut\.gz: truncated, the last line is not a whole frame"):
        open_recording(path)


def test_a_recording_may_end_without_a_line_end(tmp_path: Path) -> None:
    assert len(events(tmp_path / "a.gz", SNAPSHOT, SNAPSHOT.rstrip())) == 2


@pytest.mark.parametrize(
    ("step", "text", "steps"), [("0.01", "150.10", 15010), ("0.5", "3.5", 7), ("10", "120", 12)]
)
def test_recorded_decimals_convert_exactly(step: str, text: str, steps: int) -> None:
    assert GridReader(Grid(Decimal(step)), "price", Path("x")).steps(text) == steps


def test_a_decimal_off_the_served_grid_is_a_clear_error() -> None:
    reader = GridReader(Grid(Decimal("0.1")), "price", Path("rec.gz"))
    with pytest.raises(RecordingError, match=r"rec\.gz: recorded price 61837\.63 .* 0\.1"):
        reader.steps("61837.63")


def book_events(tmp_path: Path, *lines: str) -> tuple[RecordedBook, list[BookUpdate | BestPrices | Print]]:
    return recorded_book(), events(tmp_path / "b.gz", *lines)


def test_diffs_before_the_snapshot_are_applied_if_they_continue_it(tmp_path: Path) -> None:
    book, (old, early, start) = book_events(
        tmp_path,
        frames.diff(0, 5, 8, 4, bids=[("99.9", "1")]),
        frames.diff(1, 9, 12, 8, bids=[("99.9", "2")]),
        frames.snapshot(2, 10, BIDS, ASKS),
    )
    assert isinstance(old, BookUpdate) and isinstance(early, BookUpdate) and isinstance(start, BookUpdate)
    assert book.on_book(old) == book.on_book(early) == []
    assert book.on_book(start)[-1] == (Side.BUY, 9990, 200)


def test_a_gap_in_the_recorded_chain_waits_for_the_next_snapshot(tmp_path: Path) -> None:
    book, (start, after_gap, again) = book_events(
        tmp_path,
        frames.snapshot(0, 10, BIDS, ASKS),
        frames.diff(1, 21, 22, 20, bids=[("99.9", "9")]),
        frames.snapshot(2, 21, BIDS[:1], ASKS),
    )
    assert (
        isinstance(start, BookUpdate) and isinstance(after_gap, BookUpdate) and isinstance(again, BookUpdate)
    )
    book.on_book(start)
    assert book.on_book(after_gap) == []
    assert not book.is_synchronised
    changes = book.on_book(again)
    assert (Side.BUY, 9980, 0) in changes
    assert changes[-1] == (Side.BUY, 9990, 900)


def test_fresher_best_prices_win_over_late_diffs(tmp_path: Path) -> None:
    book, (start, best, late) = book_events(
        tmp_path,
        frames.snapshot(0, 10, BIDS, ASKS),
        frames.ticker(1, 20, ("99.8", "3"), ("100.0", "1")),
        frames.diff(2, 11, 15, 10, bids=[("99.9", "8"), ("99.8", "8"), ("99.7", "2")]),
    )
    assert isinstance(start, BookUpdate) and isinstance(best, BestPrices) and isinstance(late, BookUpdate)
    book.on_book(start)
    assert book.on_best(best) == [(Side.BUY, 9990, 0), (Side.BUY, 9980, 300), (Side.SELL, 10000, 100)]
    assert book.on_book(late) == [(Side.BUY, 9970, 200)]
    assert book.on_best(best) == []


@pytest.mark.parametrize(("asset", "symbol"), [("btcusdt", "BTC_USDC_PERP"), ("ethusdt", "ETH_USDC_PERP")])
def test_the_book_from_snapshot_and_diffs_equals_the_ticker_at_every_equal_id(
    shared_data: Path, asset: str, symbol: str
) -> None:
    path = shared_data / "binance_usdm_2024-08-08" / f"{asset}_20240808.gz"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    book = recorded_book(symbol, path)
    rules = Rules(next(market for market in DEFAULT_MARKETS if market.symbol == symbol))
    prices, sizes = (GridReader(grid, "value", path) for grid in (rules.prices, rules.quantities))
    tickers: dict[int, BestPrices] = {}
    compared = 0
    for event in open_recording(path).events():
        if isinstance(event, BestPrices):
            tickers[event.last_id] = event
        elif isinstance(event, BookUpdate):
            book.on_book(event)
            if (best := tickers.get(event.last_id)) is not None and book.is_synchronised:
                wanted = [(prices.steps(price), sizes.steps(size)) for price, size in (best.bid, best.ask)]
                assert book.best() == tuple(wanted)
                compared += 1
    assert compared > 400
