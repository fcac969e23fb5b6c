"""The market data core: what it wishes to be read by REST, and when it asks for nothing."""

from __future__ import annotations

import pytest
from msgspec import structs

from shared.clock import NS_PER_S
from shared.messages import FeedStatus, Top
from shared.venues.market_data import RawSnapshot
from tests.marketdata.scene import SYMBOL, Scene
from tests.venues.backpack.samples import INFO

LIVE, STALE, SYNCING = FeedStatus.LIVE, FeedStatus.STALE, FeedStatus.SYNCING


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


def test_a_venue_that_asks_for_silence_is_asked_for_nothing_more_of_any_symbol() -> None:
    infos = tuple(structs.replace(INFO, symbol=f"S{number}_USDC") for number in range(6))
    scene = Scene(infos)
    for info in infos:
        scene.demand("Top", info.symbol)
    scene.connect()
    (asked,) = scene.core.snapshot_wishes(scene.now_ns, 1)
    scene.core.on_snapshot_failed(asked, "429", scene.now_ns, 30 * NS_PER_S)
    scene.wait(29)
    assert not scene.core.snapshot_wishes(scene.now_ns, 9)
    assert scene.core.price_wish(scene.now_ns) is None
    assert not scene.core.may_read(scene.now_ns)
    scene.wait(1.1)
    assert len(scene.core.snapshot_wishes(scene.now_ns, 9)) == 6


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
