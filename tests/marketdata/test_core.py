"""The market data core: what is published of the frames, and what is wanted of the venue."""

from __future__ import annotations

import orjson
from msgspec import structs

from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import Depth, FeedState, FeedStatus, InstrumentInfo, Mark, Side, Top, Trade
from tests.marketdata.scene import SYMBOL, Scene
from tests.venues.backpack.samples import INFO

LIVE, STALE, SYNCING = FeedStatus.LIVE, FeedStatus.STALE, FeedStatus.SYNCING


def subscribed(scene: Scene) -> list[str]:
    """Return the symbols that the frames for the venue subscribe to, and forget the frames."""
    requests = [orjson.loads(frame) for frame in scene.core.outgoing]
    scene.core.outgoing.clear()
    return [
        stream.removeprefix("depth.")
        for request in requests
        if request["method"] == "SUBSCRIBE"
        for stream in request["params"]
        if stream.startswith("depth.")
    ]


# --- Top, Depth, Trade, Mark -----------------------------------------------------------------------


def test_D01_the_best_prices_follow_the_book() -> None:
    scene = Scene()
    scene.live()
    assert scene.prices() == (15000, 15002)
    scene.frames(scene.depth(12, bids=[["150.01", "2.5"]]))
    top = scene.last(Top)
    assert (top.bid, top.bid_size, top.ask, top.update_id) == (15001, 250, 15002, 12)
    assert top.recv_ns == top.cause_ns == scene.now_ns
    scene.frames(scene.depth(13, bids=[["150.01", "0.00"]]))
    assert scene.prices() == (15000, 15002)


def test_one_top_per_symbol_comes_of_all_the_frames_of_a_turn() -> None:
    scene = Scene()
    scene.live()
    before = len(scene.all(Top))
    scene.frames(*(scene.depth(12 + n, bids=[["150.01", f"{n + 1}"]]) for n in range(50)))
    assert len(scene.all(Top)) == before + 1
    assert scene.last(Top).bid_size == 5000


def test_the_later_id_counts_whichever_stream_brings_it() -> None:
    scene = Scene()
    scene.live()
    scene.frames(scene.best(14, "150.01", "150.02"))
    assert scene.prices() == (15001, 15002)
    scene.frames(scene.depth(12, bids=[["149.99", "1"]]))
    assert scene.prices() == (15001, 15002), "an older diff must not take the newer prices back"
    scene.frames(scene.depth(13), scene.depth(14, bids=[["150.01", "1"]]))
    assert scene.last(Top).update_id == 14 or scene.prices() == (15001, 15002)
    scene.frames(scene.best(13, "149.00", "150.02"))
    assert scene.prices() == (15001, 15002), "an overtaken best price says nothing"
    scene.frames(scene.depth(15, bids=[["150.01", "0"]]))
    assert scene.prices() == (15000, 15002)


def test_prices_that_stand_still_are_told_again_while_the_feed_lives() -> None:
    """Heartbeats repeat old values: only a new as_of tells that the feed is alive."""
    scene = Scene()
    scene.live()
    scene.wait(3, pulse=True)
    tops = scene.all(Top)
    assert scene.prices() == (15000, 15002)
    assert scene.now_ns - tops[-1].as_of_ns <= NS_PER_S
    assert tops[-1].cause_ns == 0
    assert tops[-1].recv_ns < tops[-1].as_of_ns, "recv_ns is when the prices last changed"


def test_depth_is_told_only_while_somebody_wants_it_and_not_too_often() -> None:
    scene = Scene(depth_interval_s=0.1)
    scene.live()
    scene.frames(scene.depth(12, bids=[["149.98", "3"]]))
    assert not scene.all(Depth)
    scene.demand("Depth")
    for number in range(13, 43):
        scene.now_ns += 10 * NS_PER_MS
        scene.frames(scene.depth(number, bids=[["149.98", f"{number}"]]))
    assert 3 <= len(scene.all(Depth)) <= 4
    scene.wait(0.2)
    assert scene.depth_levels() == (((15000, 100), (14998, 4200)), ((15002, 100),))
    count = len(scene.all(Depth))
    scene.frames(scene.depth(43))
    scene.wait(0.5, pulse=True)
    assert len(scene.all(Depth)) == count, "nothing changed"


def test_D02_trades_are_told_once_each_with_the_takers_side() -> None:
    scene = Scene()
    scene.live()
    scene.frames(scene.trade(7), scene.trade(7), scene.trade(8, maker_is_buyer=False), scene.trade(7))
    trades = scene.all(Trade)
    assert [(trade.trade_id, trade.side) for trade in trades] == [(7, Side.SELL), (8, Side.BUY)]
    assert (trades[0].price, trades[0].size) == (15000, 50)


def test_marks_are_told() -> None:
    scene = Scene()
    scene.live()
    scene.frames(scene.mark())
    mark = scene.last(Mark)
    assert (mark.mark_price, mark.index_price, mark.funding_rate) == (150.01, 150.0, 0.0001)


def test_when_a_feed_becomes_live_its_prices_are_told_first_else_its_state() -> None:
    """Who acts on LIVE must have the prices; who has prices must not act on them once they are doubtful."""
    scene = Scene()
    scene.live()
    kinds = [type(message) for message in scene.out if isinstance(message, Top | FeedState)]
    assert kinds[-2:] == [Top, FeedState]
    before = len(scene.out)
    scene.frames(scene.depth(12, bids=[["150.05", "1"]]))
    assert [type(message) for message in scene.out[before:]] == [FeedState, Top]


# --- demand ----------------------------------------------------------------------------------------


def test_D04_everything_is_subscribed_again_after_a_reconnect_added_symbols_too() -> None:
    other = structs.replace(INFO, symbol="BTC_USDC_PERP", tick_size="0.1")
    scene = Scene((INFO, other))
    scene.live()
    assert subscribed(scene) == [SYMBOL]
    scene.demand("Top", "BTC_USDC_PERP")
    assert subscribed(scene) == ["BTC_USDC_PERP"]
    scene.disconnect()
    scene.connect()
    assert subscribed(scene) == [SYMBOL, "BTC_USDC_PERP"]


def test_demand_before_the_instruments_are_known_is_served_once_they_are() -> None:
    scene = Scene(())
    scene.demand()
    assert not scene.out
    scene.out += scene.core.on_instruments((INFO,), scene.now_ns)
    assert scene.all(InstrumentInfo) == [INFO]
    scene.connect()
    assert subscribed(scene) == [SYMBOL]


def test_a_symbol_is_kept_for_a_while_after_its_last_subscriber_left() -> None:
    scene = Scene(keep_s=60)
    scene.live()
    subscribed(scene)
    scene.demand(wanted=False)
    scene.wait(59, pulse=True)
    scene.demand()
    scene.demand(wanted=False)
    scene.wait(59, pulse=True)
    assert not scene.core.outgoing
    scene.wait(2, pulse=True)
    assert b"UNSUBSCRIBE" in scene.core.outgoing[0]
    assert scene.core.forgotten == [SYMBOL]


def test_a_symbol_that_is_not_listed_is_stale_and_named() -> None:
    scene = Scene()
    scene.demand("Top", "SOL_USDC_PRP")
    state = scene.last(FeedState)
    assert (state.symbol, state.status) == ("SOL_USDC_PRP", STALE)
    assert state.reason == f"unknown symbol SOL_USDC_PRP; the venue lists {SYMBOL}"
    assert not scene.core.is_listed("SOL_USDC_PRP") and scene.core.is_listed(SYMBOL)
    assert subscribed(scene) == []


def test_D10_rules_that_change_are_told_and_the_book_begins_anew() -> None:
    scene = Scene()
    scene.live()
    scene.wait(0.3)
    finer = structs.replace(INFO, tick_size="0.001")
    scene.out += scene.core.on_instruments((finer,), scene.now_ns)
    assert scene.last(InstrumentInfo) == finer
    assert scene.status() is SYNCING, "at once: the old prices are in other ticks"
    scene.snapshot(12)
    scene.frames(scene.depth(13))
    assert scene.prices() == (150000, 150020)
    told = scene.out.index(next(one for one in scene.out if isinstance(one, InstrumentInfo) and one == finer))
    tops = [one for one in scene.out[:told] if isinstance(one, Top)]
    assert (tops[-1].bid, tops[-1].ask) == (None, None), "a price in old ticks stands for nothing"
