"""A book has a clock of its own, and is compared with what else the venue tells of it."""

from __future__ import annotations

import pytest

from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import FeedState, FeedStatus
from shared.venues.market_data import RawSnapshot
from tests.marketdata.scene import SYMBOL, Scene

LIVE, STALE, SYNCING = FeedStatus.LIVE, FeedStatus.STALE, FeedStatus.SYNCING


def until_not_live(scene: Scene, limit_s: float = 20, **answers: object) -> float:
    """Let trades and marks go on while the book is silent; return after how many seconds it is not live."""
    start_ns, trade_id = scene.now_ns, 1_000
    trades = answers.pop("trades", True)
    while scene.status() is LIVE:
        assert scene.now_ns - start_ns < limit_s * NS_PER_S, "it stays live"
        scene.wait(0.1)
        scene.frames(scene.mark(), *([scene.trade(trade_id, price="140.00")] if trades else []))
        trade_id += 1
        if scene.core.price_wish(scene.now_ns) is not None and answers:
            scene.audit(**answers)  # type: ignore[arg-type]
    return (scene.now_ns - start_ns) / NS_PER_S


@pytest.mark.parametrize("trades", [True, False])
def test_D06_depth_and_best_prices_that_stop_are_found_within_3_s_while_the_rest_goes_on(
    trades: bool,
) -> None:
    """The audit shows a later id than the book's: what the stream does not bring within a second is lost."""
    scene = Scene()
    scene.live()
    assert until_not_live(scene, trades=trades, update_id=500, bid=("140.00", "1")) < 3
    assert "behind: the venue told of 500" in scene.last(FeedState).reason


def test_D06_trades_without_a_word_of_the_book_make_it_stale_when_nothing_can_be_read() -> None:
    scene = Scene()
    scene.live()
    assert until_not_live(scene) < 3
    state = scene.last(FeedState)
    assert state.status is STALE
    assert state.reason == "the book is silent for 2 s, and nothing shows that it is right"
    scene.frames(scene.depth(12))
    scene.wait(0.6, pulse=True)
    assert scene.status() is LIVE


def test_a_quiet_book_is_believed_for_ten_seconds_when_nothing_can_be_read() -> None:
    """Neither a busy venue nor the budget of reads may punish a symbol for being quiet."""
    scene = Scene()
    scene.live()
    assert 9.9 < until_not_live(scene, trades=False) < 10.3


def test_a_book_that_is_quiet_is_compared_once_a_second_and_one_with_news_is_not() -> None:
    scene = Scene()
    scene.live()
    asked = []
    for number in range(20):  # with news
        scene.wait(0.2)
        scene.frames(scene.depth(12 + number))
        asked += [scene.now_ns] if scene.core.price_wish(scene.now_ns) else []
    assert not asked
    for _ in range(50):  # without
        scene.wait(0.1)
        scene.frames(scene.mark())
        if scene.core.price_wish(scene.now_ns):
            asked.append(scene.now_ns)
            scene.audit()
    assert 4 <= len(asked) <= 5
    assert scene.status() is LIVE


def test_an_audit_that_shows_other_prices_at_the_books_own_id_rebuilds_it() -> None:
    scene = Scene()
    scene.live()
    scene.audit(bid=("149.99", "1"), more_bids=[("149.90", "7"), ("150.10", "0")])
    state = scene.last(FeedState)
    assert (state.status, state.reason) == (SYNCING, "the book differs from the venue's at 11")
    scene.wait(0.3)
    scene.snapshot(11, bids=[("149.99", "1")])
    scene.frames(scene.depth(12))
    assert (scene.status(), scene.prices()) == (LIVE, (14999, 15002))


def test_an_audit_that_is_older_than_the_book_says_nothing() -> None:
    scene = Scene()
    scene.live()
    scene.audit(update_id=9, bid=("140.00", "1"))
    assert (scene.status(), scene.prices()) == (LIVE, (15000, 15002))


@pytest.mark.parametrize("ticker_first", [True, False])
def test_a_book_that_left_its_snapshot_is_found_by_the_best_prices_with_its_id(ticker_first: bool) -> None:
    """A snapshot holds the best thousand levels: what lies beyond is not in the book."""
    scene = Scene()
    scene.live()
    scene.frames(scene.depth(12, bids=[["139.00", "1"]]))
    frames = [scene.best(13, "149.99", "150.02"), scene.depth(13, bids=[["150.00", "0"]])]
    scene.frames(*(frames if ticker_first else reversed(frames)))
    state = scene.last(FeedState)
    assert state.status is SYNCING
    assert state.reason == "the book's best prices 13900/15002 are not the venue's 14999/15002"
    scene.wait(0.3)
    scene.snapshot(13, bids=[("149.99", "1"), ("139.00", "1")])
    scene.frames(scene.depth(14))
    assert (scene.status(), scene.prices()) == (LIVE, (14999, 15002))


def test_D07_after_an_outage_a_quiet_symbol_has_the_books_prices_not_those_by_rest() -> None:
    scene = Scene()
    scene.live()
    scene.disconnect()
    assert scene.core.price_wish(scene.now_ns) == SYMBOL
    scene.audit(update_id=99, bid=("149.00", "1"))
    assert scene.status() is FeedStatus.FALLBACK
    scene.wait(0.3)
    scene.connect()
    scene.snapshot(200, bids=[("152.00", "1")], asks=[("152.10", "1")])
    scene.wait(1.1, pulse=True)
    scene.snapshot(200, bids=[("152.00", "1")], asks=[("152.10", "1")])  # nothing happened meanwhile
    assert (scene.status(), scene.prices()) == (LIVE, (15200, 15210))
    scene.wait(5, pulse=True)
    assert (scene.status(), scene.prices()) == (LIVE, (15200, 15210))


def test_D07_a_mark_that_ends_a_silence_does_not_make_a_rest_price_live() -> None:
    scene = Scene()
    scene.live()
    scene.wait(5.1)
    assert scene.core.price_wish(scene.now_ns) == SYMBOL
    scene.audit(update_id=99, bid=("149.00", "1"))
    assert scene.status() is FeedStatus.FALLBACK
    scene.now_ns += 10 * NS_PER_MS
    scene.frames(scene.mark())
    assert (scene.status(), scene.prices()) == (LIVE, (15000, 15002))
    scene.wait(1.2)
    assert scene.status() is SYNCING, "the book is behind what REST has told"


def test_a_book_that_is_lost_again_at_once_is_read_less_and_less_often() -> None:
    """Should two streams of a venue contradict each other for good, it must not cost the budget."""
    scene = Scene()
    scene.demand()
    scene.connect()
    asked: list[float] = []
    start_ns, update_id = scene.now_ns, 10
    while scene.now_ns - start_ns < 16 * NS_PER_S:
        if SYMBOL in scene.core.snapshot_wishes(scene.now_ns, 1):
            asked.append((scene.now_ns - start_ns) / NS_PER_S)
            raw = RawSnapshot(SYMBOL, update_id, [("150.00", "1")], [("150.02", "1")], scene.venue_ns())
            scene.out += scene.core.on_snapshot(SYMBOL, raw, scene.now_ns)
            update_id += 1
            scene.frames(scene.depth(update_id), scene.best(update_id, "149.00", "150.02"))
            assert scene.status() is SYNCING
        scene.wait(0.05)
    assert asked == pytest.approx([0, 0.25, 0.5, 1, 2, 4, 8], abs=0.2)
