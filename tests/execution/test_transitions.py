"""The life of an order: the rows that happen in the world, and that nothing else passes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.execution.orders.records import Order, OwnOrders
from services.execution.orders.transitions import MAYBE_LIVE, TRANSITIONS, VENUE_EVENTS, Event, next_status
from shared.errors import Fatal
from shared.messages import OrderStatus, Side

S = OrderStatus
DEAD = set(OrderStatus) - MAYBE_LIVE
#: what the venue may say at any time, of any order that was ever sent
VENUE_SAYS = (Event.FILL_ALL, Event.CANCELLED, Event.EXPIRED, Event.ACCEPTED)


@pytest.mark.parametrize(
    ("status", "event", "following"),
    [
        (S.CANCELLED, Event.FILL_ALL, S.FILLED),  # fill after cancel
        (S.CANCELLED, Event.FILL_PART, S.CANCELLED),
        (S.FILLED, Event.CANCEL_REFUSED, S.FILLED),  # cancel rejected because filled
        (S.PENDING_NEW, Event.FILL_PART, S.PARTIALLY_FILLED),  # fill before acknowledgement
        (S.PARTIALLY_FILLED, Event.ACCEPTED, S.PARTIALLY_FILLED),
        (S.PENDING_CANCEL, Event.FILL_ALL, S.FILLED),
        (S.PENDING_CANCEL, Event.CANCEL_REFUSED, S.UNKNOWN),
        (S.PENDING_NEW, Event.NO_ANSWER, S.UNKNOWN),
        (S.NEVER_EXISTED, Event.ACCEPTED, S.LIVE),
    ],
)
def test_the_rows_of_the_real_world(status: S, event: Event, following: S) -> None:
    assert next_status(status, event) is following


@given(st.sampled_from(VENUE_SAYS))
def test_L01_an_unknown_order_becomes_whatever_the_venue_says(event: Event) -> None:
    assert (S.UNKNOWN, event) in TRANSITIONS


def test_a_timeout_never_makes_an_order_rejected_or_dead() -> None:
    for event in (Event.NO_ANSWER, Event.CANCEL_NO_ANSWER):
        for status in MAYBE_LIVE:
            following = TRANSITIONS.get((status, event))
            assert following is None or following in MAYBE_LIVE


def test_no_event_but_a_fill_or_the_venue_showing_it_makes_a_dead_order_live() -> None:
    reviving = {Event.FILL_PART, Event.ACCEPTED, Event.REVIVED}
    for (status, event), following in TRANSITIONS.items():
        if status in DEAD and following in MAYBE_LIVE:
            assert event in reviving


@pytest.mark.parametrize("status", sorted(DEAD))
def test_cancelling_a_dead_order_is_a_broken_invariant(status: S) -> None:
    with pytest.raises(Fatal):
        next_status(status, Event.CANCEL_SENT)


@pytest.mark.parametrize("status", sorted(OrderStatus))
@pytest.mark.parametrize("event", sorted(VENUE_EVENTS))
def test_whatever_the_venue_says_at_whatever_time_has_a_row(status: S, event: Event) -> None:
    assert (status, event) in TRANSITIONS


@pytest.mark.parametrize("status", sorted(DEAD))
def test_any_dead_order_that_the_venue_shows_open_lives(status: S) -> None:
    assert next_status(status, Event.REVIVED) is S.LIVE


def test_a_fill_beyond_the_size_is_a_broken_invariant() -> None:
    orders = OwnOrders()
    order = Order(1, "X", Side.BUY, 100, 5, True, False, False, 0, 0)
    orders.add(order)
    with pytest.raises(Fatal):
        orders.claim(order, 6, 0)
