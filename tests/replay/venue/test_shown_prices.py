"""Best prices are told anew for our own orders only where those change them, as marketdata tells them."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.replay.venue.book import Market
from shared.messages import FeedStatus, Side, Top
from tests.replay.market import SYMBOL, Floor, feed, top, trade
from tests.replay.stage import Stage


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.tell(top(99, 10, 101, 10))
    return floor


def market_of(floor: Floor) -> Market:
    return floor.venue.markets[SYMBOL]


def shown(floor: Floor) -> tuple[int | None, int] | None:
    """Return the bid that is told anew, None = nothing is."""
    found = market_of(floor).shown_anew(floor.now_ns)
    return None if found is None else (found.bid, found.bid_size)


def test_an_order_behind_the_best_price_is_not_told(floor: Floor) -> None:
    floor.place(Side.BUY, 98, 3)
    assert shown(floor) is None


def test_an_order_at_the_best_price_and_its_end_are_told_once_each(floor: Floor) -> None:
    floor.place(Side.BUY, 99, 3)
    assert (shown(floor), shown(floor)) == ((99, 13), None)
    floor.place(Side.BUY, 100, 2)
    assert (shown(floor), shown(floor)) == ((100, 2), None)
    floor.tell(trade(Side.SELL, 100, 2))
    assert (shown(floor), shown(floor)) == ((99, 13), None)


def test_what_the_recording_has_told_since_is_not_told_again(floor: Floor) -> None:
    floor.place(Side.BUY, 99, 3)
    floor.tell(top(99, 12, 101, 10))
    assert shown(floor) is None


def test_it_is_as_fresh_as_the_recording_and_caused_now(floor: Floor) -> None:
    floor.place(Side.BUY, 100, 3)
    found, told = market_of(floor).shown_anew(floor.now_ns), market_of(floor).top
    assert found is not None and told is not None
    assert (found.as_of_ns, found.recv_ns, found.cause_ns) == (told.as_of_ns, floor.now_ns, floor.now_ns)


def test_a_book_in_doubt_shows_nothing(floor: Floor) -> None:
    floor.tell(feed(FeedStatus.STALE))
    floor.place(Side.BUY, 100, 3)
    assert shown(floor) is None


def test_quotes_away_from_the_best_prices_cause_no_market_event_in_a_replay(tmp_path: Path) -> None:
    params = "{half_spread_ticks = 300, quantity = 0.05, refresh_interval_s = 0.1}"
    stage = Stage(tmp_path, strategy=f'strategy = "two_sided"\nparams = {params}').begin()
    for bid in (200_500, 199_500):
        stage.book = (bid, 5_000, bid + 10, 5_000)
        stage.run(2.0)
    assert len(stage.sent) >= 6
    told = [found for _, found in stage.watch.shown if isinstance(found, Top)]
    assert len(told) == len({found.recv_ns for found in told if found.cause_ns == found.as_of_ns})
