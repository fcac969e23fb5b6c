"""The interfaces hold the venues that follow: whole books, arrays, pings, frames without a time."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from services.marketdata.config import MarketDataConfig
from services.marketdata.core import MarketData
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import FeedState, FeedStatus, Message, Top, Trade
from shared.venues.market_data import RawSnapshot
from tests.marketdata.other_venues import (
    INFO,
    SYMBOL,
    BinanceSpotKind,
    HyperliquidKind,
    LighterKind,
    OtherFeed,
)

VENUE_AHEAD_MS = 1_700_000_000_000


class Place:
    """A core with a feed of some kind, connected and wanted; time moves by hand."""

    def __init__(self, feed: OtherFeed) -> None:
        self.core = MarketData("other", feed, MarketDataConfig())
        self.now_ns = 1_000 * NS_PER_S
        self.out: list[Message] = list(self.core.on_instruments([INFO], self.now_ns))
        self.out += self.core.on_demand("Top", SYMBOL, True, self.now_ns)
        self.out += self.core.on_connected(self.now_ns)
        self.sent()

    @property
    def venue_ms(self) -> int:
        return VENUE_AHEAD_MS + self.now_ns // NS_PER_MS

    def frames(self, *messages: dict[str, Any]) -> None:
        self.out += self.core.on_frames([orjson.dumps(message) for message in messages], self.now_ns)

    def wait(self, seconds: float) -> None:
        end_ns = self.now_ns + round(seconds * NS_PER_S)
        while self.now_ns < end_ns:
            self.now_ns += self.core.timer_ns
            self.out += self.core.on_timer(self.now_ns)
            assert not (self.core.snapshot_wishes(self.now_ns, 9) and self.in_stream), (
                "nothing is read by REST"
            )

    @property
    def in_stream(self) -> bool:
        return not isinstance(self.core._feed, BinanceSpotKind)

    def sent(self) -> list[bytes]:
        frames, self.core.outgoing = self.core.outgoing, []
        return frames

    def status(self) -> tuple[FeedStatus, str]:
        state = [message for message in self.out if isinstance(message, FeedState)][-1]
        return state.status, state.reason

    def top(self) -> Top:
        return [message for message in self.out if isinstance(message, Top)][-1]

    def prices(self) -> tuple[int | None, int | None]:
        return self.top().bid, self.top().ask


# --- whole books ---------------------------------------------------------------------------------


def book(place: Place, bid: int, ask: int, late_ms: int = 0) -> dict[str, Any]:
    levels = [[{"px": str(bid), "sz": "5"}], [{"px": str(ask), "sz": "5"}]]
    return {"channel": "l2Book", "data": {"coin": SYMBOL, "time": place.venue_ms - late_ms, "levels": levels}}


def bbo(place: Place, bid: int, ask: int) -> dict[str, Any]:
    best = [{"px": str(bid), "sz": "1"}, {"px": str(ask), "sz": "1"}]
    return {"channel": "bbo", "data": {"coin": SYMBOL, "time": place.venue_ms, "bbo": best}}


def test_a_whole_book_is_live_at_once_and_the_next_one_replaces_it() -> None:
    place = Place(HyperliquidKind())
    place.frames(book(place, 100, 101))
    assert place.status() == (FeedStatus.LIVE, "")
    place.wait(0.5)
    place.frames(book(place, 103, 105))
    assert place.prices() == (103, 105), "nothing of the book before is left"
    place.frames(book(place, 90, 91, late_ms=200))
    assert place.prices() == (103, 105), "an older one that was overtaken changes nothing"


def test_best_prices_ahead_of_a_whole_book_count_and_are_no_loss() -> None:
    place = Place(HyperliquidKind())
    place.frames(book(place, 100, 101))
    for step in range(1, 11):  # the next book is five seconds away
        place.wait(0.5)
        place.frames(bbo(place, 100 + step, 101 + step))
        assert place.status() == (FeedStatus.LIVE, "")
        assert place.prices() == (100 + step, 101 + step)
    assert place.sent() == []
    place.frames(book(place, 120, 121))
    assert place.prices() == (120, 121)


def test_after_a_reconnect_the_first_whole_book_makes_it_live_again() -> None:
    place = Place(HyperliquidKind())
    place.frames(book(place, 100, 101))
    place.out += place.core.on_disconnected("gone", place.now_ns)
    place.out += place.core.on_connected(place.now_ns)
    assert place.status()[0] is FeedStatus.SYNCING
    place.frames(book(place, 110, 111))
    assert (place.status()[0], place.prices()) == (FeedStatus.LIVE, (110, 111))


def test_all_trades_of_an_array_are_told() -> None:
    place = Place(HyperliquidKind())
    rows = [
        {"coin": SYMBOL, "side": side, "px": "100", "sz": "2", "tid": tid, "time": place.venue_ms}
        for tid, side in enumerate("BAB", 1)
    ]
    place.frames({"channel": "trades", "data": rows})
    trades = [message for message in place.out if isinstance(message, Trade)]
    assert [(trade.trade_id, trade.side.name) for trade in trades] == [(1, "BUY"), (2, "SELL"), (3, "BUY")]


def test_a_ping_of_the_application_is_known_to_the_shell() -> None:
    assert Place(HyperliquidKind()).core.ping == b'{"method":"ping"}'
    assert Place(LighterKind()).core.ping is None


def test_text_that_is_no_message_harms_nothing() -> None:
    place = Place(HyperliquidKind())
    place.core.on_frames([b"Websocket connection established."], place.now_ns)
    place.frames(book(place, 100, 101))
    assert place.status()[0] is FeedStatus.LIVE


# --- a snapshot in the stream, then diffs ----------------------------------------------------------


def lighter(place: Place, kind: str, begin: int, nonce: int, bid: int | None = None) -> dict[str, Any]:
    bids = [] if bid is None else [{"price": str(bid), "size": "5"}]
    asks = [{"price": "110", "size": "5"}]
    levels = {"bids": bids, "asks": asks, "nonce": nonce, "begin_nonce": begin}
    return {"type": f"{kind}/order_book", "order_book": levels, "timestamp": place.venue_ms}


def test_a_streamed_snapshot_is_live_at_once_and_its_diffs_follow() -> None:
    place = Place(LighterKind())
    place.frames(lighter(place, "update", 5, 9, 50))
    assert place.status()[0] is FeedStatus.SYNCING, "a diff before the snapshot says nothing"
    place.frames(lighter(place, "subscribed", 0, 20, 100))
    assert (place.status()[0], place.prices()) == (FeedStatus.LIVE, (100, 110))
    place.frames(lighter(place, "update", 20, 23, 101), lighter(place, "update", 23, 24, 102))
    assert place.prices() == (102, 110)


def test_D01_after_a_gap_in_the_stream_it_is_subscribed_anew_and_live_again() -> None:
    place = Place(LighterKind())
    place.frames(lighter(place, "subscribed", 0, 20, 100))
    place.wait(2.0)
    place.frames(lighter(place, "update", 21, 23, 101))
    assert place.status() == (FeedStatus.SYNCING, "gap: 22 came after 20")
    place.wait(0.1)
    assert place.sent() == [b"unsubscribe BTC", b"subscribe BTC"]
    place.frames(lighter(place, "update", 23, 25, 102))
    assert place.status()[0] is FeedStatus.SYNCING
    place.frames(lighter(place, "subscribed", 0, 30, 104))
    assert (place.status()[0], place.prices()) == (FeedStatus.LIVE, (104, 110))


def test_a_subscription_that_brings_no_snapshot_is_renewed_less_and_less_often() -> None:
    place = Place(LighterKind())
    renewed_s = []
    for tick in range(1, 400):
        place.wait(0.1)
        if place.sent():
            renewed_s.append(round(tick / 10))
    assert renewed_s == [2, 6, 14, 30]


def test_a_ping_of_the_venue_is_answered() -> None:
    place = Place(LighterKind())
    place.frames({"type": "ping"})
    assert place.sent() == [b'{"type":"pong"}']


# --- frames without a time -------------------------------------------------------------------------


def diff(place: Place, number: int, late_ms: int = 0) -> dict[str, Any]:
    sides = {"b": [["100", "5"]], "a": [["101", "5"]]}
    return {
        "data": {
            "e": "depthUpdate",
            "E": place.venue_ms - late_ms,
            "s": SYMBOL,
            "U": number,
            "u": number,
            **sides,
        }
    }


def untimed(number: int, bid: int = 100, ask: int = 101) -> dict[str, Any]:
    return {"data": {"u": number, "s": SYMBOL, "b": str(bid), "B": "1", "a": str(ask), "A": "1"}}


@pytest.fixture
def spot() -> Place:
    place = Place(BinanceSpotKind())
    assert place.core.snapshot_wishes(place.now_ns, 9) == [SYMBOL]
    raw = RawSnapshot(SYMBOL, 10, [("100", "5")], [("101", "5")], None)
    place.out += place.core.on_snapshot(SYMBOL, raw, place.now_ns)
    return place


def test_best_prices_without_a_time_are_not_judged_late(spot: Place) -> None:
    spot.frames(untimed(11), diff(spot, 11))
    spot.frames(untimed(12, 99, 103))
    assert (spot.status(), spot.prices()) == ((FeedStatus.LIVE, ""), (99, 103))
    assert spot.top().venue_ns is None, "not the time of another frame, and not 0"


def test_frames_without_a_time_do_not_hide_that_the_others_lag(spot: Place) -> None:
    spot.frames(diff(spot, 11))
    spot.wait(0.5)
    spot.frames(diff(spot, 12, late_ms=2_000), untimed(13))
    assert spot.status()[0] is FeedStatus.STALE
    assert "lagging by 2.0 s" in spot.status()[1]
