"""The quoter's core: when it quotes, when it cancels, when it says nothing."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest

from services.quoter.core import Quoter
from services.quoter.views import view_of
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import FeedStatus, Message, Side, Volatility
from tests.quoter.builders import (
    ACCOUNT,
    INFO,
    START_NS,
    SYMBOL,
    VENUE,
    Desk,
    equity,
    feed,
    flow,
    order,
    permit,
    position,
    quotes_of,
    settings,
    top,
    working,
)

ALL: dict[str, Message] = {
    "InstrumentInfo": INFO, "Top": top(), "FeedState": feed(), "Permit": permit(), "Position": position(),
    "Working": working(), "Equity": equity(), "Flow": flow(),
}  # fmt: skip


@pytest.mark.parametrize("missing", list(ALL))
def test_X02_a_missing_input_cancels_and_is_named(missing: str) -> None:
    desk = Desk(Quoter(settings()))
    for name, message in ALL.items():
        if name == "InstrumentInfo" and name != missing:
            desk.quoter.on_instrument_info(INFO, desk.now_ns)
        elif name != missing:
            desk.send(message)
    desk.now_ns += 250 * NS_PER_MS
    desk.tick()
    assert (desk.levels, desk.reason) == ((), f"missing: {missing}")


def test_everything_heard_is_quoted() -> None:
    assert Desk.ready().reason == "quoting"


@pytest.mark.parametrize("status", [s for s in FeedStatus if s is not FeedStatus.LIVE])
def test_C4_D06_a_feed_that_is_not_live_cancels_at_once(status: FeedStatus) -> None:
    desk = Desk.ready()
    (quotes,) = desk.send(feed(status, reason="the venue said so"))
    assert quotes.levels == ()
    assert quotes.reason == f"feed is {status.name.lower()}: the venue said so"


def test_D06_silent_market_data_cancel_within_the_stale_limit() -> None:
    desk = Desk.ready()
    last_alive_ns = desk.now_ns
    while desk.levels:
        desk.now_ns += desk.quoter.timer_ns
        for message in (position(), working(), equity(), permit(desk.now_ns)):
            desk.send(message)
    assert desk.reason == "stale: market data"
    assert desk.now_ns - last_alive_ns <= 2.1 * NS_PER_S


def test_quotes_never_outlive_one_second_nor_the_market_data_they_were_priced_on() -> None:
    desk = Desk.ready()
    assert desk.sent[-1].expires_ns == desk.now_ns + NS_PER_S
    for _ in range(100):
        desk.now_ns += desk.quoter.timer_ns
        for message in (position(), working(), equity(), permit(desk.now_ns)):
            desk.send(message)
    with_levels = [quotes for quotes in desk.sent if quotes.levels]
    assert max(quotes.expires_ns for quotes in with_levels) <= START_NS + 2 * NS_PER_S


@pytest.mark.parametrize(
    ("book", "reason"),
    [
        ({"bid": None}, "book has no bid"),
        ({"ask": None}, "book has no ask"),
        ({"bid": 0}, "book has a price or size that is not above 0"),
        ({"bid_size": 0}, "book has a price or size that is not above 0"),
        ({"bid": 20_001, "ask": 20_001}, "book is crossed"),
        ({"bid": 20_002, "ask": 20_001}, "book is crossed"),
    ],
)
def test_D09_a_crossed_empty_or_absurd_book_is_not_quoted_on(book: dict[str, Any], reason: str) -> None:
    desk = Desk.ready()
    desk.send(msgspec.structs.replace(top(), **book))
    assert (desk.levels, desk.reason) == ((), reason)
    desk.send(top())
    assert desk.reason == "quoting"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (position(5, is_known=False), "unknown: position"),
        (equity(None), "unknown: equity"),
        (permit(halted=True, reason="by hand"), "halted: by hand"),
        (permit(expires_ns=START_NS), "expired: Permit"),
    ],
)
def test_L02_what_is_not_known_or_not_permitted_cancels(message: Message, reason: str) -> None:
    desk = Desk.ready()
    desk.send(message)
    assert (desk.levels, desk.reason) == ((), reason)


@pytest.mark.parametrize("silent", ["position", "working", "equity"])
def test_account_state_that_is_no_longer_heard_cancels_within_a_second(silent: str) -> None:
    desk = Desk.ready()
    repeated = {"position": position(), "working": working(), "equity": equity()}
    del repeated[silent]
    for _ in range(22):
        desk.now_ns += desk.quoter.timer_ns
        messages = (*repeated.values(), permit(desk.now_ns), feed(now_ns=desk.now_ns), flow(0, desk.now_ns))
        for message in messages:
            desk.send(message)
    assert (desk.levels, desk.reason) == ((), f"missing: {silent.capitalize()}")


def test_an_expired_permit_cancels_on_the_timer() -> None:
    desk = Desk.ready()
    for _ in range(21):
        desk.now_ns += desk.quoter.timer_ns
        for message in (position(), working(), equity(), feed(now_ns=desk.now_ns), flow(0, desk.now_ns)):
            desk.send(message)
    assert (desk.levels, desk.reason) == ((), "expired: Permit")


def test_unchanged_inputs_cause_no_message_but_the_repetition_each_250_ms() -> None:
    desk = Desk.ready()
    assert [desk.send(top(update_id=n)) for n in range(5)] == [[]] * 5
    answers = desk.wait(1_000)
    assert len(answers) == 4
    assert {quotes.levels for quotes in answers} == {desk.levels}
    assert {quotes.cause_ns for quotes in answers} == {0}
    assert [quotes.expires_ns - desk.now_ns for quotes in answers[-1:]] == [NS_PER_S]


def test_Q16_a_book_event_is_answered_at_once_with_its_cause() -> None:
    desk = Desk.ready()
    (quotes,) = desk.send(top(19_990, 20_001, cause_ns=777))
    assert quotes.cause_ns == 777
    assert [level.price for level in quotes.levels] == [19_990]


def test_nothing_but_a_book_event_is_a_cause() -> None:
    desk = Desk.ready()
    (quotes,) = desk.send(flow(1.0))
    assert quotes.levels[0].side is Side.SELL
    assert quotes.cause_ns == 0


def test_stop_cancels() -> None:
    desk = Desk.ready()
    (quotes,) = quotes_of(desk.quoter.on_stop(desk.now_ns))
    assert (quotes.levels, quotes.reason) == ((), "quoter stopped")


def test_quotes_are_of_the_account_and_the_symbol() -> None:
    quotes = Desk.ready().sent[-1]
    assert (quotes.scope, quotes.symbol) == (ACCOUNT, SYMBOL)


def test_new_rules_of_the_venue_are_taken_and_repeated_ones_change_nothing() -> None:
    desk = Desk.ready()
    before = desk.quoter._memory
    desk.quoter.on_instrument_info(INFO, desk.now_ns)
    assert desk.quoter._memory is before
    desk.send(msgspec.structs.replace(INFO, min_quantity="0.05"))
    assert (desk.levels, desk.reason) == ((), "size below the venue's minimum")


def test_volatility_waits_for_the_next_event() -> None:
    desk = Desk.ready()
    assert desk.send(Volatility(VENUE, SYMBOL, 40.0, 60, desk.now_ns)) == []


def test_top_is_subtracted_by_our_orders_before_the_strategy_sees_it() -> None:
    desk = Desk.ready("two_sided", quantity=0.02, join_best=True)
    desk.send(working(order(Side.BUY, 19_999, 2), order(Side.SELL, 20_001, 2, order_id=2)))
    desk.wait(600)
    quoter = desk.quoter
    view = view_of(quoter._inputs, quoter._own, quoter._sees, quoter._view_rules, desk.now_ns)
    assert view is not None
    assert (view.bid_size, view.ask_size) == (498, 498)


def test_on_top_is_cheap() -> None:
    """The aim is 40 microseconds; ten times that only catches an accident, whatever the machine does."""
    desk = Desk.ready("two_sided", quantity=0.02, join_best=True, skew=0.5, refresh_interval_s=0.01)
    desk.send(working(order(Side.BUY, 19_999, 2), order(Side.SELL, 20_001, 2, order_id=2)))
    tops = [top(19_999 + n % 3, 20_001 + n % 3, desk.now_ns) for n in range(2_000)]
    started = time.perf_counter()
    for message in tops:
        desk.quoter.on_top(message, desk.now_ns)
    assert (time.perf_counter() - started) / len(tops) < 400e-6
