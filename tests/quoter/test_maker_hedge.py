"""E03, the quoting half of maker_hedge: both best prices, paced, with room only for what is hedged."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.quoter.config import parse_quoter
from services.quoter.strategies.base import Wanted
from services.quoter.strategies.maker_hedge import Joined, Params, plan, quote
from shared.clock import NS_PER_MS
from shared.config import Quoter
from shared.errors import BadInput
from shared.messages import Side
from tests.quoter.builders import (
    ACCOUNT,
    INSTRUMENT,
    START_NS,
    SYMBOL,
    Desk,
    equity,
    instrument,
    position,
    top,
    view,
)


def wanted(market: dict[str, Any] | None = None, memory: Joined | None = None, **params: Any) -> Wanted:
    values = market or {}
    rules = values.get("instrument", INSTRUMENT)
    params = params if {"size_usd", "equity_pct"} & params.keys() else {"quantity": 0.1} | params
    return quote(view(**values), plan(Params(**params), rules), memory or Joined())


def orders(result: Wanted) -> list[tuple[Side, int, int]]:
    return [(level.side, level.price, level.size) for level in result.levels]


def test_E03_a_bid_and_an_ask_rest_post_only_at_the_best_prices() -> None:
    result = wanted({"bid": 19_990, "ask": 20_003})
    assert orders(result) == [(Side.BUY, 19_990, 10), (Side.SELL, 20_003, 10)]
    assert all(level.post_only and not level.reduce_only for level in result.levels)


def test_E03_size_is_given_or_5_percent_of_the_equity() -> None:
    assert orders(wanted(size_usd=50))[0][2] == 25
    assert orders(wanted(equity_pct=5.0))[0][2] == 25  # 50 of 1000 at 200
    assert Params().equity_pct == 5.0


def test_E03_prices_follow_the_market_at_most_each_350_ms() -> None:
    desk = Desk.ready("maker_hedge", quantity=0.1)
    desk.send(top(20_000, 20_002, desk.now_ns))
    assert (desk.price(Side.BUY), desk.price(Side.SELL)) == (19_999, 20_001)
    desk.now_ns += 349 * NS_PER_MS
    desk.keep_alive()
    assert desk.price(Side.BUY) == 19_999
    desk.now_ns += NS_PER_MS
    desk.tick()
    assert (desk.price(Side.BUY), desk.price(Side.SELL)) == (20_000, 20_002)
    desk.send(top(20_005, 20_006, desk.now_ns))  # through our ask: that one does not wait
    assert (desk.price(Side.BUY), desk.price(Side.SELL)) == (20_005, 20_006)


def test_E03_what_is_not_hedged_yet_uses_up_the_room_of_its_side() -> None:
    assert orders(wanted({"position": 3})) == [(Side.BUY, 19_999, 7), (Side.SELL, 20_001, 10)]
    assert orders(wanted({"position": 10})) == [(Side.SELL, 20_001, 10)]
    assert orders(wanted({"position": -12})) == [(Side.BUY, 19_999, 10)]
    assert orders(wanted({"position": 10}, max_unhedged=0.15))[0] == (Side.BUY, 19_999, 5)


def test_E03_fills_count_from_the_reference() -> None:
    spot = instrument(is_perp=False)
    market = {"instrument": spot, "position": 105}
    assert orders(wanted(market, reference=1.0)) == [(Side.BUY, 19_999, 5), (Side.SELL, 20_001, 10)]


def test_E03_a_rest_below_the_minimum_is_carried_and_both_sides_go_on() -> None:
    market = {"instrument": instrument(min_quantity="0.05"), "position": 4}
    assert orders(wanted(market)) == [(Side.BUY, 19_999, 6), (Side.SELL, 20_001, 10)]


def test_E03_after_a_fill_the_other_side_stays_in_its_queue() -> None:
    desk = Desk.ready("maker_hedge", quantity=0.1)
    ask = next(level for level in desk.levels if level.side is Side.SELL)
    desk.send(position(10))
    assert desk.levels == (ask,)
    desk.send(position(0))
    assert ask in desk.levels and len(desk.levels) == 2


def test_E03_the_same_orders_are_told_anew_for_a_new_position() -> None:
    """Execution places nothing for Quotes of an older one: a filled order is not repeated unseen."""
    desk = Desk.ready("maker_hedge", quantity=0.1, max_unhedged=5)
    before = desk.sent[-1]
    assert (len(before.levels), before.position_seq) == (2, 1)
    assert desk.send(msgspec.structs.replace(position(1), position_seq=1)) == []
    (told,) = desk.send(msgspec.structs.replace(position(2), position_seq=2))
    assert (told.levels, told.position_seq) == (before.levels, 2)
    assert Desk.ready("two_sided", quantity=0.1).sent[-1].position_seq == 0, "good for any position"


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"quantity": 1, "size_usd": 5}, "quantity 1 and size_usd 5 are two sizes: give one"),
        ({"max_unhedged": 0}, "max_unhedged: Expected `float` > 0.0, was 0"),
        ({"spread_pct": 1}, "unknown key 'spread_pct'"),
    ],
)
def test_X02_what_cannot_be_is_refused_naming_the_key(params: dict[str, Any], text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_quoter(SYMBOL, Quoter(ACCOUNT, "maker_hedge", params))
    assert text in str(caught.value)


def test_X02_what_the_venue_does_not_take_is_refused_when_planned() -> None:
    with pytest.raises(BadInput, match=r"quantity 0\.001 is below the venue's minimum 0\.01"):
        plan(Params(quantity=0.001), INSTRUMENT)
    with pytest.raises(BadInput, match="reference -1 is short, on a spot market"):
        plan(Params(reference=-1), instrument(is_perp=False))


STEP = st.tuples(st.integers(2, 30_000), st.integers(1, 50), st.integers(-60, 60), st.integers(0, 500))


@settings(max_examples=100)
@given(
    st.lists(STEP, min_size=1, max_size=8),
    st.integers(1, 40),
    st.one_of(st.none(), st.integers(1, 80)),
    st.integers(-30, 30),
    st.sampled_from((None, "5")),
)
def test_never_crosses_nor_leaves_more_unhedged_than_it_may(
    steps: list[tuple[int, int, int, int]], lots: int, most: int | None, reference: int, value: str | None
) -> None:
    """Total, idempotent, monotone: more inventory never means a larger bid or a smaller ask."""
    rules = instrument(min_notional=value)
    limit = None if most is None else most / 100
    made = plan(Params(quantity=lots / 100, max_unhedged=limit, reference=reference / 100), rules)
    memory, now_ns = Joined(), START_NS
    for bid, spread, held, wait_ms in steps:
        now_ns += wait_ms * NS_PER_MS
        market: dict[str, Any] = {"instrument": rules, "bid": bid, "ask": bid + spread, "now_ns": now_ns}
        result = quote(view(**market, position=held), made, memory)
        assert isinstance(result.memory, Joined)
        memory = result.memory
        assert quote(view(**market, position=held), made, memory) == result
        sizes = dict.fromkeys(Side, 0)
        for level in result.levels:
            sizes[level.side] = level.size
            assert level.price < bid + spread if level.side is Side.BUY else level.price > bid
            assert level.size <= lots
            after = held + level.side.sign * level.size - reference
            assert after * level.side.sign <= (lots if most is None else most)
        more = quote(view(**market, position=held + 1), made, memory)
        after_one = dict.fromkeys(Side, 0) | {level.side: level.size for level in more.levels}
        assert after_one[Side.BUY] <= sizes[Side.BUY] and after_one[Side.SELL] >= sizes[Side.SELL]


@pytest.mark.parametrize("tolerance_pct", [0, 10, 50])
def test_E03_what_is_asked_for_never_leaves_more_unhedged_whatever_size_is_tolerated(
    tolerance_pct: float,
) -> None:
    desk = Desk.ready("maker_hedge", quantity=0.5, size_tolerance_pct=tolerance_pct)
    for held in (1, 3, 5, 6, 2, 0, -1, -4, 30, -2):
        desk.send(position(held))
        sizes = {level.side: level.size for level in desk.levels}
        assert held + sizes[Side.BUY] <= 50 and sizes[Side.SELL] - held <= 50


def test_E03_an_equity_that_flickers_changes_no_size() -> None:
    desk = Desk.ready("maker_hedge", equity_pct=5.0)
    first = desk.levels
    assert first[0].size == 25
    for usd in (970.0, 1_030.0, 940.0, 1_060.0):
        desk.send(equity(usd, desk.now_ns))
        desk.tick()
        assert desk.levels == first
    desk.send(equity(820.0, desk.now_ns))
    desk.tick()
    assert {level.size for level in desk.levels} == {20}
