"""A session as it happens: markouts, presence and queue against oracles that remember everything."""

from __future__ import annotations

from bisect import bisect_left
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.accounting.watched.markouts import Markouts
from shared.messages import OrderStatus, Side
from tests.accounting.scene import MS, PERP, S, fill, order, stats, top, update, working

D = Decimal


# --- money through messages -----------------------------------------------------------------------


def test_X12_a_session_of_messages_adds_up_and_counts_each_fill_once() -> None:
    session = stats()
    session.on_top(top(9_999, 10_001), 0)
    bought = fill(Side.BUY, 9_999, 10, fee="0.02", after=10)
    sold = fill(Side.SELL, 10_003, 4, fee="-0.01", after=6)
    session.on_fill(bought, 1 * MS)
    session.on_fill(bought, 2 * MS)
    session.on_top(top(10_002, 10_004), 3 * MS)
    session.on_fill(sold, 4 * MS)
    session.on_funding(D("0.5"), 5 * MS)
    session.on_top(top(10_004, 10_006), 6 * MS)
    report = session.report()
    money = report.money
    assert report.activity.fills == 2
    assert money.parts.spread == D("0.01") * 1 + D(0)
    assert money.parts.inventory == D("0.03") * 1 + D("0.6") * D("0.02")
    assert money.net == money.parts.total == D("0.052") - D("0.01") + D("0.5")
    assert (money.unrealised_long, money.unrealised_short) == (D("0.6") * D("0.06"), 0)
    assert report.activity.maker_share == 1.0


@pytest.mark.parametrize("is_venue_time", [True, False])
def test_the_spread_is_measured_against_the_mid_just_before_the_fill_however_late_it_is_told(
    is_venue_time: bool,
) -> None:
    session, wall_ns = stats(is_venue_time=is_venue_time), 0 if is_venue_time else 10**18
    session.on_top(top(9_999, 10_001, venue_ns=wall_ns + 1 * MS), 1 * MS)
    session.on_top(top(9_989, 9_991, venue_ns=wall_ns + 5 * MS), 5 * MS)  # what the taker left behind
    late = fill(Side.BUY, 9_999, 10, mid="99.90", after=10, venue_ns=wall_ns + 5 * MS)
    session.on_fill(late, 40 * MS)
    parts = session.report().money.parts
    assert (parts.spread, parts.inventory) == (D("0.01"), D("-0.10"))


def test_a_fill_from_before_all_known_mids_takes_its_own() -> None:
    session = stats()
    session.on_top(top(9_999, 10_001, venue_ns=10 * S), 1)
    session.on_fill(fill(Side.BUY, 9_999, 10, mid="99.95", venue_ns=9 * S), 2)
    assert session.report().money.parts.spread == D("-0.04")


def test_X12_a_short_shows_as_unrealised_short() -> None:
    session = stats()
    session.on_top(top(9_999, 10_001), 0)
    session.on_fill(fill(Side.SELL, 10_001, 10, after=-10), 1)
    session.on_top(top(9_979, 9_981), 2)
    money = session.report().money
    assert (money.unrealised_long, money.unrealised_short) == (0, D("0.21"))


def test_a_position_from_before_the_first_fill_is_none_of_this_sessions_profit() -> None:
    session = stats()
    session.on_top(top(9_999, 10_001), 0)
    session.on_fill(fill(Side.BUY, 10_000, 10, after=110), 1)
    assert (session.report().start_position, session.report().money.net) == (10, 0)


def test_counts_are_of_orders_however_often_they_are_told() -> None:
    session = stats()
    for status in (OrderStatus.PENDING_NEW, OrderStatus.PENDING_NEW, OrderStatus.LIVE, OrderStatus.CANCELLED):
        session.on_order_update(update(1, status), 0)
    session.on_order_update(update(1, OrderStatus.CANCELLED), 0)
    session.on_order_update(update(2, OrderStatus.PENDING_NEW), 0)
    session.on_order_update(update(2, OrderStatus.REJECTED), 0)
    session.on_order_update(update(3, OrderStatus.PENDING_NEW, is_target=True), 0)
    session.on_order_update(update(4, OrderStatus.PENDING_NEW), 0)
    session.on_order_update(update(4, OrderStatus.EXPIRED), 0)
    session.on_order_update(update(5, OrderStatus.FILLED), 0)
    session.on_fill(fill(Side.BUY, 10_000, 1), 0)
    activity = session.report().activity
    assert (activity.orders_placed, activity.orders_rejected, activity.cancels) == (3, 1, 2)
    assert activity.cancels_per_fill == 2.0


def test_rules_that_change_begin_the_ticks_anew_and_keep_the_money() -> None:
    session = stats()
    session.on_top(top(9_999, 10_001), 0)
    session.on_fill(fill(Side.BUY, 10_000, 10, after=10), 1)
    finer = type(PERP)("backpack", PERP.symbol, "SOL", "USDC", True, D("0.001"), D("0.1"), 1)
    session.on_instrument(finer)
    session.on_top(top(100_999, 101_001), 61 * S)
    report = session.report()
    assert report.money.net == 1
    assert [markout.fills for markout in report.markouts] == [0, 0, 0, 0]


# --- markouts --------------------------------------------------------------------------------------


def test_a_markout_takes_the_mid_as_it_was_at_its_time() -> None:
    session = stats()
    session.on_top(top(9_999, 10_001), 0)
    session.on_fill(fill(Side.BUY, 9_999, 10), 0)
    session.on_top(top(10_001, 10_003), 100 * MS)  # from now on; at 100 ms it was still 10,000
    session.on_top(top(10_009, 10_011), 1 * S - 1)
    session.on_top(top(9_000, 9_002), 60 * S + 1)
    by_horizon = {markout.horizon_s: markout for markout in session.report().markouts}
    assert by_horizon[0.1].mean_bps == pytest.approx(1 / 9_999 * 10_000)
    assert by_horizon[1.0].mean_bps == pytest.approx(11 / 9_999 * 10_000)
    assert by_horizon[60.0].mean_bps == pytest.approx(11 / 9_999 * 10_000)


def test_a_markout_without_a_market_is_unknown_and_not_zero() -> None:
    session = stats()
    session.on_top(top(9_999, 10_001), 0)
    session.on_fill(fill(Side.SELL, 10_001, 10), 0)
    session.on_blind(500 * MS)
    session.on_top(top(9_999, 10_001), 5 * S)
    first, second, *_ = session.report().markouts
    assert (first.fills, first.unknown) == (1, 0)
    assert (second.fills, second.unknown, second.mean_bps) == (0, 1, None)


def test_a_markout_counts_from_the_fill_and_not_from_when_it_was_told() -> None:
    session = stats(is_venue_time=True)
    session.on_top(top(9_999, 10_001), 1)
    session.on_fill(fill(Side.BUY, 9_999, 10, venue_ns=10 * MS), 60 * MS)
    session.on_top(top(10_009, 10_011), 115 * MS)
    first, *_ = session.report().markouts
    assert first.mean_bps == pytest.approx(1 / 9_999 * 10_000)


def test_pending_markouts_are_bounded_and_what_is_given_up_is_counted() -> None:
    markouts = Markouts((S,), most_pending=10)
    for at_ns in range(25):
        markouts.add(Side.BUY, 100, 1, at_ns)
    markouts.settle(200, 10 * S)
    (result,) = markouts.results()
    assert (result.fills, result.unknown) == (10, 15)


moves = st.lists(st.tuples(st.integers(1, 3 * S), st.integers(-5, 5)), min_size=1, max_size=60)
fills_at = st.lists(
    st.tuples(
        st.integers(0, 40 * S), st.sampled_from(list(Side)), st.integers(9_900, 10_100), st.integers(1, 9)
    ),
    max_size=15,
)


@settings(max_examples=80, deadline=None)
@given(moves, fills_at)
def test_markouts_are_what_a_full_history_of_mids_gives(
    steps: list[tuple[int, int]], fills: list[tuple[int, Side, int, int]]
) -> None:
    session = stats()
    history: list[tuple[int, int]] = []  # (from when, bid)
    now_ns, bid = 0, 10_000
    for wait_ns, step in steps:
        now_ns, bid = now_ns + wait_ns, bid + step
        history.append((now_ns, bid))
    events = sorted(
        [(at_ns, 1, (bid,)) for at_ns, bid in history] + [(at_ns, 0, rest) for at_ns, *rest in fills],
        key=lambda event: event[:2],
    )
    for at_ns, is_top, rest in events:
        if is_top:
            session.on_top(top(rest[0], rest[0] + 2), at_ns)
        else:
            session.on_fill(fill(rest[0], rest[1], rest[2]), at_ns)
    last_ns = events[-1][0]
    for markout in session.report(last_ns).markouts:
        horizon_ns = round(markout.horizon_s * S)
        value = volume = count = unknown = 0
        for at_ns, side, price, size in fills:
            if at_ns + horizon_ns > last_ns:
                continue
            before = bisect_left(history, (at_ns + horizon_ns, -1)) - 1
            if before < 0:
                unknown += 1
                continue
            value += side.sign * size * (history[before][1] + 1 - price)
            volume += size * price
            count += 1
        assert (markout.fills, markout.unknown) == (count, unknown)
        assert markout.mean_bps == (pytest.approx(value / volume * 10_000) if volume else None)


# --- presence ----------------------------------------------------------------------------------------


def test_presence_is_exact_to_the_event() -> None:
    session = stats()
    bid, ask = order(Side.BUY, 9_999, 5), order(Side.SELL, 10_003, 5)
    session.on_top(top(9_999, 10_001), 0)
    session.on_working(working(bid), 1 * S)
    session.on_working(working(bid, ask), 3 * S)
    session.on_top(top(10_000, 10_003), 6 * S)  # our bid is beaten, our ask is best
    session.on_working(working(bid, ask), 8 * S)
    session.on_working(working(), 9 * S)
    presence = session.report(10 * S).presence
    assert presence.two_sided == pytest.approx(0.6)
    assert presence.bid_at_best == pytest.approx(0.5)
    assert presence.ask_at_best == pytest.approx(0.3)
    assert session.report(20 * S).presence.two_sided == pytest.approx(0.3), "asking twice counts once"


def test_an_order_that_is_not_known_to_rest_is_not_present() -> None:
    session = stats()
    session.on_top(top(9_999, 10_001), 0)
    asked = [order(side, 10_000, 5, OrderStatus.UNKNOWN) for side in Side]
    session.on_working(working(*asked), 0)
    assert session.report(S).presence.two_sided == 0.0


def test_a_market_that_is_not_seen_has_no_best_price() -> None:
    session = stats()
    session.on_top(top(9_999, 10_001), 0)
    session.on_working(working(order(Side.BUY, 9_999, 5), order(Side.SELL, 10_001, 5)), 0)
    session.on_blind(4 * S)
    presence = session.report(10 * S).presence
    assert (presence.bid_at_best, presence.in_band) == (pytest.approx(0.4), pytest.approx(0.4))
