"""What the quoter makes of inputs that mean something else now, are absurd, or are about to run out."""

from __future__ import annotations

import math

import msgspec
import pytest

from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import Position, Side
from tests.quoter.builders import ACCOUNT, INFO, SYMBOL, Desk, equity, feed, permit, position, top, working


@pytest.mark.parametrize(
    "changes", [{"tick_size": "0.1"}, {"lot_size": "0.1"}, {"contract_multiplier": "10"}]
)
def test_numbers_told_under_other_ticks_and_lots_are_not_quoted_on(changes: dict[str, str]) -> None:
    desk = Desk.ready()
    desk.send(position(5))
    (cancel,) = desk.send(msgspec.structs.replace(INFO, **changes))
    assert (cancel.levels, cancel.reason) == ((), "missing: Top")
    for message in (top(1_999, 2_001), permit(), working(), position(5)):
        desk.send(message)
    desk.wait(300)
    assert (desk.levels, desk.reason) == ((), "missing: Position"), "the old lots are still repeated"
    desk.send(Position(ACCOUNT, SYMBOL, 0, None, True, 2, 0))
    assert desk.reason == "quoting"


def test_rules_that_leave_ticks_and_lots_alone_keep_what_is_known() -> None:
    desk = Desk.ready()
    desk.send(msgspec.structs.replace(INFO, max_price="900"))
    assert desk.reason == "quoting"


@pytest.mark.parametrize("changes", [{"tick_size": "None"}, {"min_notional": "NaN"}, {"price_rule": "odd"}])
def test_rules_that_cannot_be_read_cancel_and_are_named(changes: dict[str, str]) -> None:
    desk = Desk.ready()
    desk.send(msgspec.structs.replace(INFO, **changes))
    assert desk.levels == () and desk.reason.startswith("instrument rules are unusable: ")
    desk.send(INFO)
    assert desk.reason == "quoting"


@pytest.mark.parametrize("usd", [math.nan, math.inf, -math.inf])
def test_L02_an_equity_that_is_no_number_is_unknown(usd: float) -> None:
    desk = Desk.ready()
    desk.send(equity(usd))
    assert (desk.levels, desk.reason) == ((), "unknown: equity")


def test_spot_quotes_no_ask_beyond_what_is_held() -> None:
    spot = msgspec.structs.replace(INFO, is_perp=False)
    desk = Desk.ready("two_sided", quantity=0.1, half_spread_ticks=2)
    desk.send(spot)
    assert desk.price(Side.SELL) is None and desk.price(Side.BUY) is not None
    desk.send(position(4))
    assert [level.size for level in desk.levels if level.side is Side.SELL] == [4]


def test_Q19_a_kept_size_does_not_exceed_the_largest_position() -> None:
    """The strategy cuts 10 to 9 lots near the maximum; being close enough must not bring the 10 back."""
    desk = Desk.ready("two_sided", quantity=0.1, half_spread_ticks=2, max_position=1.0)
    desk.send(position(90))
    assert [level.size for level in desk.levels if level.side is Side.BUY] == [10]
    desk.send(position(91))
    assert [level.size for level in desk.levels if level.side is Side.BUY] == [9]


@pytest.mark.parametrize("stale_after_s", [0.1, 0.2, 0.3, 0.5])
def test_quotes_on_a_quiet_but_living_feed_never_run_out(stale_after_s: float) -> None:
    desk = Desk.ready("two_sided", quantity=0.1, stale_after_s=stale_after_s)
    desk.send(feed(now_ns=desk.now_ns))
    for _ in range(100):
        last = desk.sent[-1]
        assert last.levels and last.expires_ns > desk.now_ns
        desk.now_ns += 50 * NS_PER_MS
        desk.keep_alive()
        desk.tick()


def test_a_feed_that_lives_causes_no_more_than_the_repetitions_that_are_needed() -> None:
    desk = Desk.ready("two_sided", quantity=0.1)
    sent = len(desk.sent)
    desk.wait(10_000)
    assert len(desk.sent) - sent == 40
    assert desk.sent[-1].expires_ns == desk.now_ns + NS_PER_S
