"""A recording served as a market: pace, the join of our orders, the end, and refusals."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from services.exchange.engine.venue import LocalVenue
from services.exchange.market.recording import RecordingError, open_recording
from services.exchange.market.replay import ReplayMarket
from services.exchange.markets import DEFAULT_MARKETS
from services.exchange.model import BookChange, MarkChange, OrderRequest, OrderType, Refused, Side, Trade
from tests.exchange import recorded_frames as frames
from tests.exchange.venue_builder import PERP, SECOND_NS, START_NS, Bench, account, bench

BIDS, ASKS = [("149.99", "5"), ("149.98", "7")], [("150.01", "4"), ("150.02", "6")]
LINES = [
    frames.diff(0, 1, 5, 0, bids=[("149.99", "1")]),
    frames.snapshot(100, 10, BIDS, ASKS),
    frames.ticker(200, 11, ("149.99", "8"), ASKS[0]),
    frames.trade(300, "149.99", "6", taker_sold=True),
    frames.trade(400, "149.99", "3", taker_sold=True),
    frames.diff(1100, 11, 20, 10, bids=[("149.99", "0")], asks=[("150.00", "2")]),
]


def replay(tmp_path: Path, lines: list[str] = LINES) -> tuple[Bench, ReplayMarket]:
    at = bench(account("ann", "100000"))
    path = frames.write(tmp_path / "recording.gz", lines)
    market = ReplayMarket(at.venue, PERP, open_recording(path))
    return at, market


def run_until(at: Bench, market: ReplayMarket, elapsed_ms: int) -> None:
    at.now_ns = START_NS + elapsed_ms * frames.MS
    market.advance(at.now_ns)


def test_the_market_opens_with_the_snapshot_and_keeps_the_recorded_pace(tmp_path: Path) -> None:
    at, market = replay(tmp_path)
    assert market.advance(START_NS) == START_NS + 100 * frames.MS
    assert at.venue.depth(PERP).bids == [(14999, 500), (14998, 700)]
    assert at.venue.depth(PERP).asks == [(15001, 400), (15002, 600)]
    run_until(at, market, 99)
    assert at.venue.depth(PERP).bids[0] == (14999, 500)
    run_until(at, market, 100)
    assert at.venue.depth(PERP).bids[0] == (14999, 800)


def test_our_order_fills_by_the_recorded_trades_after_the_queue_ahead(tmp_path: Path) -> None:
    at, market = replay(tmp_path)
    market.advance(START_NS)
    order = at.buy("ann", "149.99", "2", post_only=True)
    run_until(at, market, 200)
    assert order.filled == 100
    run_until(at, market, 300)
    assert order.filled == 200
    assert sum(event.quantity for event in at.events if isinstance(event, Trade)) == 900


def test_at_the_end_the_feed_goes_silent_and_the_market_is_closed(tmp_path: Path) -> None:
    at, market = replay(tmp_path)
    market.advance(START_NS)
    run_until(at, market, 999)
    finished = [market.is_finished]
    run_until(at, market, 1000)
    finished.append(market.is_finished)
    assert finished == [False, True]
    assert at.venue.depth(PERP).asks[0] == (15000, 200)
    at.events.clear()
    run_until(at, market, 60_000)
    at.pass_time(60)
    assert [event for event in at.events if isinstance(event, BookChange | Trade | MarkChange)] == []
    with pytest.raises(Refused, match="closed"):
        at.buy("ann", "149.99", "1")


def test_the_recorded_mid_stands_in_for_the_index(tmp_path: Path) -> None:
    at, market = replay(tmp_path)
    market.advance(START_NS)
    at.pass_time(1)
    change = at.venue.mark(PERP)
    assert change is not None
    assert change.index == Decimal(150)


def test_a_recording_without_a_snapshot_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no snapshot"):
        replay(tmp_path, LINES[:1])


def test_a_recording_off_the_served_grid_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"price 149\.995"):
        replay(tmp_path, [frames.snapshot(0, 1, [("149.995", "1")], ASKS)])


def test_a_later_price_or_size_off_the_served_grid_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"size 0\.001 is not a multiple"):
        replay(tmp_path, [*LINES, frames.trade(1200, "149.99", "0.001", taker_sold=True)])


def test_after_a_gap_nothing_is_known_until_the_next_snapshot(tmp_path: Path) -> None:
    gap = [
        frames.diff(200, 30, 31, 29, bids=[("149.99", "9")]),
        frames.trade(300, "149.99", "9", taker_sold=True),
        frames.snapshot(400, 31, [("149.99", "9")], [("150.03", "4")]),
        frames.trade(500, "149.99", "6", taker_sold=True),
        frames.trade(9000, "149.99", "1", taker_sold=True),
    ]
    at, market = replay(tmp_path, [LINES[1], *gap])
    market.advance(START_NS)
    order = at.buy("ann", "149.99", "2", post_only=True)
    run_until(at, market, 100)
    assert at.venue.depth(PERP).bids == [(14999, 200)]
    assert at.venue.depth(PERP).asks == []
    assert (order.filled, order.queue_ahead) == (0, 500)
    run_until(at, market, 200)
    assert (order.filled, at.trades()) == (0, [])
    at.pass_time(1)
    index = at.venue.mark(PERP)
    run_until(at, market, 300)
    assert index is not None and index.index == Decimal(150)
    assert at.venue.depth(PERP).bids[0] == (14999, 1100)
    assert at.venue.depth(PERP).asks == [(15003, 400)]
    run_until(at, market, 400)
    assert order.filled == 100  # five lots were ahead before the gap, and are still taken to be


def test_an_order_that_the_recorded_price_passes_waits_for_the_trades_there(tmp_path: Path) -> None:
    at, market = replay(tmp_path, [*LINES, frames.trade(1200, "149.98", "1", taker_sold=True)])
    market.advance(START_NS)
    order = at.sell("ann", "150.01", "2", post_only=True)
    better = at.buy("ann", "150.00", "2", post_only=True)
    run_until(at, market, 1000)
    assert (order.filled, better.filled) == (0, 200)  # by the prints at 149.99, through its price


class Watch:
    """Checks a venue on a recording: whole id chain, no crossed book, no fill without a recorded trade."""

    def __init__(self, venue: LocalVenue, symbol: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._venue = venue
        self._engine = venue.engine(symbol)
        self._print = self._engine.print_trade
        self._last_id = venue.depth(symbol).last_id
        self.recorded = self.printed = 0
        venue.listen(self)
        monkeypatch.setattr(self._engine, "print_trade", self.print_trade)

    def __call__(self, event: object) -> None:
        if isinstance(event, Trade):
            self.printed += event.quantity
        if isinstance(event, BookChange):
            assert event.first_id == self._last_id + 1
            self._last_id = event.last_id
            assert event.best_bid is not None and event.best_ask is not None
            assert event.best_bid[0] < event.best_ask[0]

    def print_trade(self, side: Side, ticks: int, lots: int, now_ns: int, recorded_ns: int) -> None:
        sign = 1 if side is Side.SELL else -1
        prices = [order.price or 0 for order in self._venue.open_orders("ann") if order.side is not side]
        most = lots if any(sign * (price - ticks) >= 0 for price in prices) else 0
        before = self.filled()
        self._print(side, ticks, lots, now_ns, recorded_ns)
        self.recorded += lots
        assert self.filled() - before <= most

    def filled(self) -> int:
        return sum(fill.quantity for fill in self._venue.fills("ann"))


def test_real_data_fills_a_joining_maker_on_both_sides_by_recorded_trades_alone(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shared_data / "binance_usdm_2024-08-08" / "ethusdt_20240808.gz"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    symbol, end = "ETH_USDC_PERP", START_NS + 60 * SECOND_NS
    venue = LocalVenue(DEFAULT_MARKETS, (account("ann", "1000000"),))
    market = ReplayMarket(venue, symbol, open_recording(path))
    watch = Watch(venue, symbol, monkeypatch)
    now, requoted = START_NS, 0
    while now < end:
        due, filled = market.advance(now), watch.filled()
        if now - requoted > SECOND_NS // 2:
            requoted = now
            join_both_best_prices(venue, symbol, now)
            assert watch.filled() == filled
        now = due
    fills = venue.fills("ann")
    sides = [fill.side for fill in fills]
    assert sides.count(Side.BUY) >= 10 <= sides.count(Side.SELL)
    assert all(fill.is_maker for fill in fills)
    assert watch.printed == watch.recorded


def join_both_best_prices(venue: LocalVenue, symbol: str, now: int) -> None:
    venue.cancel_all("ann", symbol, now)
    depth = venue.depth(symbol, 1)
    for side, levels in ((Side.BUY, depth.bids), (Side.SELL, depth.asks)):
        price = Decimal(levels[0][0]).scaleb(-2)
        venue.place(
            "ann",
            OrderRequest(symbol, side, OrderType.LIMIT, Decimal("0.01"), price, post_only=True),
            now,
        )
