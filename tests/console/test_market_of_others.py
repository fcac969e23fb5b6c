"""Item by item: what the statistics judge by is the market without our orders."""

from __future__ import annotations

from services.console.running.market_of_others import MarketOfOthers
from shared.clock import NS_PER_S
from shared.messages import Side
from tests.quoter.builders import START_NS, depth, order, top, working

LATER_NS = START_NS + 10 * NS_PER_S


def seen(size_shown: int, behind: tuple[tuple[int, int], ...]) -> tuple[int | None, int | None]:
    market = MarketOfOthers()
    market.on_working(working(order(Side.BUY, 20_000, 100)), START_NS)
    market.on_depth(depth(((20_000, size_shown), *behind), ((20_010, 500),)))
    others = market.top(top(bid=20_000, bid_size=size_shown, ask=20_010), LATER_NS)
    return others.bid, others.ask


def test_Q32_a_bid_of_ours_alone_at_the_best_is_not_what_it_is_judged_by() -> None:
    assert seen(100, ((19_990, 500),)) == (19_990, 20_010)


def test_Q32_where_nothing_is_seen_behind_our_own_bid_there_is_no_best_price() -> None:
    assert seen(100, ()) == (None, 20_010)


def test_a_best_price_that_others_share_stays() -> None:
    assert seen(600, ((19_990, 500),)) == (20_000, 20_010)
