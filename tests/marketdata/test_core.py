"""The market data core: what is published, when a feed counts as live, what is wished for."""

from __future__ import annotations

import orjson
import pytest
from msgspec import structs

from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import Depth, FeedState, FeedStatus, InstrumentInfo, Mark, Side, Top, Trade
from shared.venues.market_data import RawSnapshot
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


# --- is it live? -----------------------------------------------------------------------------------


def test_a_feed_is_live_only_once_its_book_is_in_step() -> None:
    scene = Scene()
    scene.demand()
    assert scene.status() is FeedStatus.CONNECTING
    scene.connect()
    assert scene.status() is SYNCING
    scene.frames(scene.depth(11))
    scene.snapshot(10)
    assert scene.status() is LIVE


def test_D06_silence_makes_a_symbol_stale_within_the_limit_and_data_makes_it_live_again() -> None:
    scene = Scene(stale_after_s=2)
    scene.live()
    scene.wait(1.9)
    assert scene.status() is LIVE
    scene.wait(0.2)
    state = scene.last(FeedState)
    assert (state.status, state.reason) == (STALE, "silent for 2 s")
    scene.frames(scene.depth(12))
    assert scene.status() is LIVE


def test_D06_the_one_hertz_pulse_of_a_quiet_symbol_keeps_it_live() -> None:
    scene = Scene(stale_after_s=2, audit_after_s=600)
    scene.live()
    scene.wait(30, pulse=True)
    assert [state.status for state in scene.all(FeedState)][-1] is LIVE
    assert STALE not in {state.status for state in scene.all(FeedState)}


def test_D06_a_disconnect_is_told_at_once() -> None:
    scene = Scene()
    scene.live()
    scene.disconnect("closed by the venue: 1001")
    state = scene.last(FeedState)
    assert (state.status, state.reason) == (FeedStatus.CONNECTING, "closed by the venue: 1001")


def test_lag_is_growth_above_the_minimum_whatever_the_clocks_show() -> None:
    scene = Scene(max_lag_s=1)
    scene.live()
    scene.delay_ns += 900 * NS_PER_MS
    scene.frames(scene.depth(12))
    assert scene.status() is LIVE
    scene.delay_ns += 200 * NS_PER_MS
    scene.frames(scene.depth(13))
    state = scene.last(FeedState)
    assert (state.status, state.reason, state.lag_ns) == (STALE, "lagging by 1.1 s", 1_100 * NS_PER_MS)


def test_data_that_lags_is_as_old_as_it_lags() -> None:
    """A feed that falls behind slowly must not look alive because bytes still arrive."""
    scene = Scene(max_lag_s=5, stale_after_s=2)
    scene.live()
    for step in range(1, 30):
        scene.now_ns += 100 * NS_PER_MS
        scene.delay_ns += 100 * NS_PER_MS
        scene.frames(scene.depth(11 + step))
    assert scene.status() is STALE


def test_lag_must_be_over_for_a_while_before_the_feed_is_live_again() -> None:
    scene = Scene(max_lag_s=1)
    scene.live()
    scene.delay_ns += 2 * NS_PER_S
    scene.frames(scene.depth(12))
    scene.delay_ns -= 2 * NS_PER_S
    scene.frames(scene.depth(13))
    state = scene.last(FeedState)
    assert (state.status, state.reason) == (STALE, "settling")
    scene.wait(0.6, pulse=True)
    assert scene.status() is LIVE


@pytest.mark.parametrize(
    ("bids", "asks", "reason"),
    [
        ([["150.05", "1"]], [], "the book is crossed: bid 15005, ask 15002 ticks"),
        ([["150.02", "1"]], [], "the book is crossed: bid 15002, ask 15002 ticks"),
        ([["150.00", "0"]], [], "the book has no bids"),
        ([], [["150.02", "0"]], "the book has no asks"),
        ([], [["0", "1"]], "a best price is not above 0: 0 ticks"),
    ],
)
def test_D09_a_crossed_empty_or_absurd_book_is_stale_at_once(bids: object, asks: object, reason: str) -> None:
    scene = Scene()
    scene.live()
    scene.frames(scene.depth(12, bids=bids, asks=asks))
    state = scene.last(FeedState)
    assert (state.status, state.reason) == (STALE, reason)


def test_D09_a_book_that_stays_crossed_is_rebuilt() -> None:
    scene = Scene()
    scene.live()
    scene.frames(scene.depth(12, bids=[["150.05", "1"]]))
    scene.wait(1.2, pulse=True)
    assert scene.last(FeedState).reason == "the book stayed crossed"
    scene.snapshot(13)
    scene.frames(scene.depth(14))
    scene.wait(0.6, pulse=True)
    assert scene.status() is LIVE


def test_a_gap_is_syncing_until_a_snapshot_joins() -> None:
    scene = Scene()
    scene.live()
    scene.frames(scene.depth(13, bids=[["150.01", "1"]]))
    state = scene.last(FeedState)
    assert (state.status, state.reason) == (SYNCING, "gap: 13 came after 11")
    scene.wait(0.3)
    scene.snapshot(12)
    assert scene.status() is LIVE
    assert scene.prices() == (15001, 15002)


def test_a_book_that_falls_behind_what_the_venue_told_is_rebuilt() -> None:
    """The last diff before a silence may be lost: best prices with a later id give it away."""
    scene = Scene()
    scene.live()
    scene.frames(scene.best(12, "150.01", "150.02"))
    scene.wait(1.2, pulse=True)
    assert "behind: the venue told of 12" in scene.last(FeedState).reason


def test_a_book_that_stands_still_is_compared_with_a_snapshot() -> None:
    scene = Scene(audit_after_s=10)
    scene.live()
    scene.wait(9, pulse=True)
    assert not scene.core.snapshot_wishes(scene.now_ns, 9)
    scene.wait(1.1, pulse=True)
    scene.snapshot(11)
    assert scene.status() is LIVE
    scene.wait(10.1, pulse=True)
    scene.snapshot(15)  # changes that the stream never told
    scene.wait(1.2, pulse=True)
    assert scene.status() is SYNCING


def test_an_unreadable_frame_is_kept_for_the_log_and_leads_to_a_gap() -> None:
    scene = Scene()
    scene.live()
    scene.frames(b'{"data":{"E":1,"U":12,"u":12,"a":[["nan","1"]],"b":[],"e":"depth","s":"SOL_USDC_PERP"}}')
    assert "not finite" in scene.core.unreadable
    scene.frames(scene.depth(13))
    assert scene.status() is SYNCING


def test_the_end_of_the_process_is_told() -> None:
    scene = Scene()
    scene.live()
    scene.out += scene.core.on_stop(scene.now_ns)
    assert scene.status() is FeedStatus.CONNECTING


# --- wishes ----------------------------------------------------------------------------------------


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
    assert scene.core.unlisted() == ["SOL_USDC_PRP"]
    assert subscribed(scene) == []


def test_D10_rules_that_change_are_told_and_the_book_begins_anew() -> None:
    scene = Scene()
    scene.live()
    scene.wait(0.3)
    finer = structs.replace(INFO, tick_size="0.001")
    scene.out += scene.core.on_instruments((finer,), scene.now_ns)
    assert scene.last(InstrumentInfo) == finer
    scene.snapshot(12)
    scene.frames(scene.depth(13))
    assert scene.prices() == (150000, 150020)


def test_a_snapshot_that_fails_is_wished_for_again_at_growing_intervals() -> None:
    scene = Scene()
    scene.demand()
    scene.connect()
    asked = []
    start_ns = scene.now_ns
    for _ in range(400):
        if scene.core.snapshot_wishes(scene.now_ns, 9):
            asked.append((scene.now_ns - start_ns) / NS_PER_S)
            scene.core.on_snapshot_failed(SYMBOL, "503", scene.now_ns)
        scene.wait(0.05)
    assert asked[:5] == pytest.approx([0, 0.25, 0.75, 1.75, 3.75], abs=0.06)
    scene.core.on_snapshot_failed(SYMBOL, "429", scene.now_ns, 30 * NS_PER_S)
    scene.wait(29)
    assert not scene.core.snapshot_wishes(scene.now_ns, 9)


def test_no_second_snapshot_is_asked_for_while_one_is_under_way() -> None:
    scene = Scene()
    scene.demand()
    scene.connect()
    assert scene.core.snapshot_wishes(scene.now_ns, 9) == [SYMBOL]
    scene.wait(5)
    assert scene.core.snapshot_wishes(scene.now_ns, 9) == []


def rest(scene: Scene, update_id: int, bid: str, ask: str) -> None:
    assert scene.core.price_wish(scene.now_ns) == SYMBOL
    raw = RawSnapshot(SYMBOL, update_id, [("1", "1"), (bid, "2")], [("999", "1"), (ask, "3")], 5)
    scene.out += scene.core.on_rest_prices(SYMBOL, raw, scene.now_ns)


def test_D07_without_a_stream_prices_come_by_rest_once_a_second_and_are_no_prices_to_quote_on() -> None:
    scene = Scene()
    scene.live()
    assert scene.core.price_wish(scene.now_ns) is None
    scene.disconnect()
    rest(scene, 99, "151.00", "151.05")
    assert scene.status() is FeedStatus.FALLBACK
    top = scene.last(Top)
    assert (top.bid, top.ask, top.as_of_ns, top.cause_ns) == (15100, 15105, scene.now_ns, 0)
    scene.wait(0.9)
    assert scene.core.price_wish(scene.now_ns) is None, "at most one a second"
    scene.wait(0.2)
    rest(scene, 100, "151.00", "151.05")
    assert scene.last(Top).as_of_ns == scene.now_ns
    scene.wait(3.1)
    assert scene.status() is FeedStatus.CONNECTING, "a REST price has its own end"
    scene.connect()
    scene.snapshot(200, bids=[("152.00", "1")], asks=[("152.10", "1")])
    scene.frames(scene.depth(201))
    assert (scene.status(), scene.prices()) == (LIVE, (15200, 15210))


def test_D07_a_stream_that_stays_silent_is_replaced_by_rest_after_five_seconds() -> None:
    scene = Scene()
    scene.live()
    scene.wait(4.9)
    assert scene.status() is STALE
    assert scene.core.price_wish(scene.now_ns) is None
    scene.wait(0.2)
    rest(scene, 99, "151.00", "151.05")
    assert (scene.status(), scene.prices()) == (FeedStatus.FALLBACK, (15100, 15105))
    scene.frames(scene.depth(12))
    assert (scene.status(), scene.prices()) == (LIVE, (15000, 15002))


def test_D07_prices_by_rest_obey_the_venues_silence_and_the_common_budget() -> None:
    infos = tuple(structs.replace(INFO, symbol=f"S{number}_USDC") for number in range(20))
    scene = Scene(infos, fallback_per_s=5)
    for info in infos:
        scene.demand("Top", info.symbol)
    scene.connect()
    scene.disconnect()
    asked: list[str] = []
    for _ in range(80):
        scene.wait(0.05)
        name = scene.core.price_wish(scene.now_ns)
        if name is not None:
            asked.append(name)
            scene.core.on_rest_prices_failed(name, "x", scene.now_ns)
    assert 18 <= len(asked) <= 21, "five a second"
    assert len(set(asked)) >= 18, "in turn"
    scene.core.on_rest_prices_failed("S0_USDC", "429", scene.now_ns, 10 * NS_PER_S)
    scene.wait(9.9)
    assert scene.core.price_wish(scene.now_ns) is None


def test_D05_a_stream_without_fresh_data_of_any_symbol_is_opened_anew() -> None:
    scene = Scene(reconnect_after_s=15)
    scene.live()
    scene.wait(14.9)
    assert not scene.core.reconnect_reason(scene.now_ns)
    scene.wait(0.2)
    assert scene.core.reconnect_reason(scene.now_ns) == "no fresh data for 15 s"
    scene.disconnect()
    assert not scene.core.reconnect_reason(scene.now_ns)
