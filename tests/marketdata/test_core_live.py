"""The market data core: when a feed counts as live."""

from __future__ import annotations

import pytest

from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import FeedState, FeedStatus
from tests.marketdata.scene import Scene

LIVE, STALE, SYNCING = FeedStatus.LIVE, FeedStatus.STALE, FeedStatus.SYNCING


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


def test_D06_a_quiet_symbol_stays_live_by_its_pulse_and_by_audits_that_agree() -> None:
    scene = Scene(stale_after_s=2)
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


def test_a_reason_of_somebody_elses_is_one_short_line() -> None:
    """A gateway answers a handshake with a whole page, and a state is repeated four times a second."""
    scene = Scene()
    scene.live()
    scene.disconnect("the handshake failed: <html>\n" + "<p>sorry</p>\n" * 1000)
    reason = scene.last(FeedState).reason
    assert reason.startswith("the handshake failed: <html> <p>")
    assert len(reason) < 210
    assert "\n" not in reason


def test_a_feed_that_lags_from_its_start_is_not_live() -> None:
    """The smallest delay seen is a lag as well; what the venue's clock shows gives it away."""
    scene = Scene()
    scene.delay_ns = 5 * NS_PER_S
    scene.measure_clock()
    scene.demand()
    scene.connect()
    scene.snapshot(10)
    scene.frames(scene.depth(11), scene.mark())
    state = scene.last(FeedState)
    assert (state.status, state.reason) == (STALE, "lagging by 4.7 s")
    scene.delay_ns = 5 * NS_PER_MS
    scene.frames(scene.mark(), scene.depth(12))
    scene.wait(0.6, pulse=True)
    assert scene.status() is LIVE


def test_D05_a_stream_whose_books_are_all_silent_is_opened_anew_although_marks_come() -> None:
    scene = Scene(reconnect_after_s=15)
    scene.answers_audits = False
    scene.live()
    scene.wait(24, pulse=True)
    assert not scene.core.reconnect_reason(scene.now_ns)
    scene.wait(2, pulse=True)
    assert scene.core.reconnect_reason(scene.now_ns) == "no fresh data for 15 s"
