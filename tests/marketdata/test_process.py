"""Market data as a process on the local venue: what the faults of a real feed do to it, and how fast."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.messages import Depth, FeedState, FeedStatus, InstrumentInfo, Mark, Top, Trade
from tests.fixtures.venue import VenueProcess, running_venue
from tests.marketdata.feed_process import Subscriber, running_feed, start, write_config

SYMBOL = "SOL_USDC_PERP"
#: a book that stays behind is given up after one second
STEADY_S = 1.5
LIVE, SYNCING = FeedStatus.LIVE, FeedStatus.SYNCING
CONNECTING, FALLBACK = FeedStatus.CONNECTING, FeedStatus.FALLBACK


@pytest.fixture(scope="module")
def venue() -> Iterator[VenueProcess]:
    with running_venue(
        "--market", "synthetic", "--seed", "7", "--symbols", "SOL_USDC_PERP,SOL_USDC"
    ) as running:
        yield running


@pytest.fixture(scope="module")
def module_feed(venue: VenueProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subscriber]:
    with running_feed(tmp_path_factory.mktemp("feed"), venue.ready_file, SYMBOL) as (subscriber, _):
        yield subscriber


@pytest.fixture
def feed(venue: VenueProcess, module_feed: Subscriber) -> Subscriber:
    """The running feed, healed of the test before."""
    venue.clear_faults()
    module_feed.until(lambda: _is_steady(module_feed), timeout_s=30)
    module_feed.seen.clear()
    module_feed.until_status(LIVE)
    return module_feed


def _is_steady(feed: Subscriber) -> bool:
    """True when the feed is live, and was for longer than it takes to find what a fault has left."""
    told = [(at, message.status) for at, message in feed.seen if isinstance(message, FeedState)]
    if not told or told[-1][1] is not LIVE:
        return False
    last_bad = max((at for at, status in told if status is not LIVE), default=told[0][0])
    return told[-1][0] - last_bad > STEADY_S


def test_every_kind_of_message_of_a_wanted_symbol_is_published(feed: Subscriber) -> None:
    feed.until(lambda: all(feed.all(kind) for kind in (InstrumentInfo, Top, Depth, Trade, Mark, FeedState)))
    (info, *_) = feed.all(InstrumentInfo)
    assert (info.symbol, info.tick_size, info.is_perp) == (SYMBOL, "0.01", True)
    for depth in feed.all(Depth):
        assert 1 <= len(depth.bids) <= 20
        assert list(depth.bids) == sorted(depth.bids, reverse=True)
        assert list(depth.asks) == sorted(depth.asks)
    assert all(top.bid is not None and top.ask is not None and top.bid < top.ask for top in feed.all(Top))


@pytest.mark.parametrize("kind", ["silent_public", "ping_only"])
def test_D06_D07_a_silent_feed_is_told_within_3_s_then_prices_come_by_rest(
    venue: VenueProcess, feed: Subscriber, kind: str
) -> None:
    ordered = venue.fault(kind)
    told = feed.until(lambda: feed.states()[-1].status is not LIVE)
    assert told - ordered < 3.0
    fallback = feed.until_status(FALLBACK)
    assert fallback - ordered < 7.5
    before = len(feed.all(Top))
    feed.until(lambda: len(feed.all(Top, since=fallback)) >= 2 and len(feed.all(Top)) > before)
    venue.clear_faults()
    feed.until_status(LIVE)


def test_a_lagging_feed_is_not_live(venue: VenueProcess, feed: Subscriber) -> None:
    ordered = venue.fault("lagging_public", delay_s=1.5)
    told = feed.until(lambda: feed.states()[-1].status is not LIVE)
    assert told - ordered < 3.0
    feed.until(lambda: any("lagging" in state.reason for state in feed.states()))
    venue.clear_faults()
    feed.until_status(LIVE)


def test_a_process_that_starts_while_the_feed_lags_does_not_take_the_lag_for_normal(
    venue: VenueProcess, feed: Subscriber, tmp_path: Path
) -> None:
    """Only the venue's clock, read by REST, can tell: no frame was ever in time."""
    assert feed.states()[-1].status is LIVE
    venue.fault("lagging_public", delay_s=3)
    with running_feed(tmp_path, venue.ready_file, "SOL_USDC") as (late, _):
        late.until(lambda: any("lagging" in state.reason for state in late.states()), timeout_s=15)
        assert LIVE not in {state.status for state in late.states()}
        venue.clear_faults()
        late.until_status(LIVE)


@pytest.mark.parametrize("kind", ["gap", "reorder_frames"])
def test_a_lost_or_overtaken_diff_is_noticed_and_the_book_is_live_again_soon(
    venue: VenueProcess, feed: Subscriber, kind: str
) -> None:
    venue.fault(kind, symbol=SYMBOL)
    lost = feed.until(lambda: any(state.status is SYNCING for state in feed.states()))
    # by the next diff, which does not follow, or by the best prices, which the book does not reach
    reasons = {state.reason for state in feed.states() if state.status is SYNCING}
    assert all("gap" in reason or "behind" in reason for reason in reasons), reasons
    assert feed.until_status(LIVE) - lost < 2.0
    _equals_the_venue(venue, feed)


def test_a_diff_that_comes_twice_changes_nothing(venue: VenueProcess, feed: Subscriber) -> None:
    venue.fault("duplicate_frame", symbol=SYMBOL)
    feed.until(lambda: venue.hits("duplicate_frame") == 1)
    _equals_the_venue(venue, feed)
    assert {state.status for state in feed.states()} == {LIVE}


def test_D03_D04_closed_sockets_are_told_and_everything_comes_back(
    venue: VenueProcess, feed: Subscriber
) -> None:
    ordered = venue.fault("close_sockets")
    told = feed.until(lambda: feed.states()[-1].status in (CONNECTING, FALLBACK))
    assert told - ordered < 1.0
    venue.clear_faults()
    back = feed.until_status(LIVE)
    assert back - ordered < 4.0
    feed.until(lambda: all(feed.all(kind, since=back) for kind in (Top, Depth, Trade, Mark)))


def _equals_the_venue(venue: VenueProcess, feed: Subscriber) -> None:
    """Our book is the venue's own at some id that both have told."""
    for _ in range(200):
        answer = venue.maker.public(f"/api/v1/depth?symbol={SYMBOL}&limit=20").json()
        update_id = int(answer["lastUpdateId"])
        feed.hear()
        for depth in feed.all(Depth):
            if depth.update_id == update_id:
                bids = [(round(float(p) * 100), round(float(q) * 100)) for p, q in reversed(answer["bids"])]
                asks = [(round(float(p) * 100), round(float(q) * 100)) for p, q in answer["asks"]]
                assert (list(depth.bids), list(depth.asks)) == (bids[:20], asks[:20])
                return
    pytest.fail("no id in common")


def test_X05_D10_a_configured_symbol_that_is_not_listed_ends_the_process_with_one_line(
    venue: VenueProcess, tmp_path: Path
) -> None:
    more = '[quoters.SOL_USDC_PRP]\naccount = "main"\nstrategy = "two_sided"'
    (tmp_path / "run").mkdir()
    process = start(write_config(tmp_path, venue.ready_file, more), tmp_path / "log")
    assert process.wait(15) == 78
    lines = (tmp_path / "log").read_text().splitlines()
    told = [line for line in lines if line.startswith("marketdata.backpack: ")]
    assert told == [
        "marketdata.backpack: unknown symbol SOL_USDC_PRP; the venue lists SOL_USDC_PERP, SOL_USDC"
    ]


def test_a_symbol_that_is_not_listed_is_stale_with_a_reason_and_a_stop_is_told(
    venue: VenueProcess, tmp_path: Path
) -> None:
    with running_feed(tmp_path, venue.ready_file, "NO_SUCH_PERP") as (subscriber, process):
        subscriber.until_status(FeedStatus.STALE)
        assert subscriber.states()[-1].reason.startswith("unknown symbol NO_SUCH_PERP; the venue lists")
        other = Subscriber(tmp_path / "run", "SOL_USDC")
        other.until_status(LIVE)
        process.send_signal(signal.SIGTERM)
        other.until(lambda: other.states()[-1].reason == "market data is stopping")
        assert process.wait(5) == 0
        other.close()


def test_D10_a_venue_that_refuses_its_market_list_is_asked_less_and_less_often_until_it_answers(
    venue: VenueProcess, tmp_path: Path
) -> None:
    venue.fault("error_5xx", for_s=4)
    with running_feed(tmp_path, venue.ready_file, SYMBOL) as (late, _):
        late.until_status(LIVE, timeout_s=30)
    log = (tmp_path / "marketdata.log").read_text()
    assert 1 <= log.count("instruments not read") <= 4, log
