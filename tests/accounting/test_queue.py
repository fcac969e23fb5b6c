"""Queue lost: progress that was given up, by hand, and total for whatever is told."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.accounting.session import SessionStats
from shared.accounting.watched.queue import QueueWatch
from shared.messages import OrderStatus, Side
from tests.accounting.scene import stats, top, trade, update

SIDES = st.sampled_from(list(Side))


def queued(level_size: int, size: int = 5) -> SessionStats:
    """Return a session with a bid of ours at the best price, whose size has ours in it."""
    session = stats()
    session.on_top(top(10_000, 10_002, bid_size=level_size), 0)
    session.on_order_update(update(1, OrderStatus.PENDING_NEW, size=size), 0)
    session.on_order_update(update(1, OrderStatus.LIVE, size=size), 0)
    return session


def test_queue_lost_is_what_was_worked_off_of_the_queue_of_a_cancelled_order() -> None:
    session = queued(105)
    session.on_trade(trade(Side.SELL, 10_000, 60), 1)
    session.on_trade(trade(Side.BUY, 10_002, 60), 2)  # the other side: none of ours
    session.on_order_update(update(1, OrderStatus.PENDING_CANCEL), 3)
    session.on_order_update(update(1, OrderStatus.CANCELLED), 3)
    lost = session.report().queue_lost
    assert (lost.orders, lost.mean_share) == (1, pytest.approx(0.6))
    assert lost.notional == pytest.approx(6 * 100)


def test_a_smaller_level_works_off_the_queue_as_trades_do() -> None:
    session = queued(105)
    session.on_top(top(10_000, 10_002, bid_size=25), 1)
    session.on_order_update(update(1, OrderStatus.CANCELLED), 2)
    assert session.report().queue_lost.mean_share == pytest.approx(0.8)


def test_an_order_moved_to_another_price_has_lost_its_place_and_queues_anew() -> None:
    session = queued(105)
    session.on_trade(trade(Side.SELL, 10_000, 50), 1)
    session.on_order_update(update(1, OrderStatus.LIVE, price=9_999), 2)
    assert session.report().queue_lost.orders == 1
    session.on_order_update(update(1, OrderStatus.CANCELLED, price=9_999), 3)
    assert session.report().queue_lost.orders == 1, "it was never at the best price again"


def test_a_filled_order_and_one_without_progress_have_lost_nothing() -> None:
    filled = queued(105)
    filled.on_trade(trade(Side.SELL, 10_000, 105), 1)
    filled.on_order_update(update(1, OrderStatus.FILLED, filled=5), 2)
    waiting = queued(105)
    waiting.on_top(top(10_000, 10_002, bid_size=500), 1)  # more behind us
    waiting.on_order_update(update(1, OrderStatus.CANCELLED), 2)
    for session in (filled, waiting):
        assert session.report().queue_lost.orders == 0


def test_an_order_behind_the_best_price_is_seen_when_the_market_comes_to_it() -> None:
    session = stats()
    session.on_top(top(10_001, 10_003), 0)
    session.on_order_update(update(1, OrderStatus.LIVE), 0)
    session.on_top(top(10_000, 10_003, bid_size=45), 1)
    session.on_trade(trade(Side.SELL, 10_000, 10), 2)
    session.on_order_update(update(1, OrderStatus.CANCELLED), 3)
    assert session.report().queue_lost.mean_share == pytest.approx(0.25)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("top"), st.integers(95, 105), st.integers(1, 50)),
            st.tuples(st.just("trade"), st.integers(90, 110), st.integers(1, 50), SIDES),
            st.tuples(
                st.just("order"), st.integers(1, 5), st.sampled_from(list(OrderStatus)), st.integers(90, 110),
                SIDES, st.integers(0, 5),
            ),
        ),
        max_size=40,
    )
)  # fmt: skip
def test_queue_lost_is_total_and_never_more_than_there_was(events: list[tuple[object, ...]]) -> None:
    watch, last = QueueWatch(), None
    for event in events:
        if event[0] == "top":
            last = top(event[1], event[1] + 2, event[2], event[2])  # type: ignore[operator, arg-type]
            watch.on_top(last)
        elif event[0] == "trade":
            watch.on_trade(trade(event[3], event[1], event[2]))  # type: ignore[arg-type]
        else:
            _, client_id, status, price, side, filled = event
            watch.on_order_update(
                update(client_id, status, side, price, 5, filled),
                last,  # type: ignore[arg-type]
            )
        assert watch.watched <= 5
    result = watch.result(1.0)
    assert result.mean_share is None or 0 < result.mean_share <= 1
    assert result.notional <= result.orders * 50 * 110
