"""The one-sided strategy: side, price, size, lifetime."""

from __future__ import annotations

import math

import pytest

from services.quoter.strategies.base import Wanted
from services.quoter.strategies.one_sided import Chosen, Params, plan, quote
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import Level, Side
from tests.quoter.builders import (
    INSTRUMENT,
    START_NS,
    Desk,
    equity,
    flow,
    instrument,
    order,
    permit,
    position,
    top,
    working,
)
from tests.quoter.builders import view as a_view

BUYERS, SELLERS = math.log(1.2), -math.log(1.2)


def wanted(memory: Chosen | None = None, params: Params | None = None, **market: object) -> Wanted:
    return quote(a_view(**market), plan(params or Params(), INSTRUMENT), memory or Chosen())


def side_of(result: Wanted) -> Side:
    return result.levels[0].side


def test_Q15_at_most_one_order_at_the_best_price_of_others() -> None:
    assert wanted(flow=0.0).levels == (Level(Side.BUY, 19_999, 2, max_age_ns=3 * NS_PER_S),)
    assert [level.price for level in wanted(flow=BUYERS).levels] == [20_001]


def test_Q15_offset_moves_the_order_behind_the_best_price() -> None:
    assert wanted(params=Params(offset_ticks=3)).levels[0].price == 19_996
    assert wanted(params=Params(offset_ticks=3), flow=BUYERS).levels[0].price == 20_004


def test_Q17_keeps_queue_position_within_one_tick() -> None:
    desk = Desk.ready("one_sided")
    desk.send(working(order(Side.BUY, 19_999, 2)))
    assert desk.send(top(19_999, 20_003, desk.now_ns)) == []  # the target is where the order is
    (moved,) = desk.send(top(20_000, 20_003, desk.now_ns))  # one tick away from it
    assert [(level.price, level.tolerance) for level in moved.levels] == [(20_000, 0)]


def test_Q17_a_size_that_drifts_with_the_equity_does_not_cost_the_place() -> None:
    desk = Desk.ready("one_sided", cap_usd=1e6)
    desk.send(equity(100_000.0))
    assert [level.size for level in desk.levels] == [250]
    assert desk.send(equity(109_000.0)) == []
    (grown,) = desk.send(equity(111_000.0))
    assert [level.size for level in grown.levels] == [277]


def test_Q18_an_order_older_than_its_lifetime_is_replaced() -> None:
    assert wanted().levels[0].max_age_ns == 3_000 * NS_PER_MS
    assert wanted(params=Params(lifetime_s=1.5)).levels[0].max_age_ns == 1_500 * NS_PER_MS


@pytest.mark.parametrize("ratio", [SELLERS, 0.0, BUYERS])
def test_Q22_every_order_is_post_only_and_does_not_cross(ratio: float) -> None:
    (level,) = wanted(flow=ratio, bid=20_000, ask=20_001).levels
    assert level.post_only
    assert level.price == (20_001 if level.side is Side.SELL else 20_000)


@pytest.mark.parametrize(
    ("equity", "notional", "lots"), [(1_000.0, 5, 2), (5_000.0, 25, 12), (10_000.0, 25, 12)]
)
def test_Q24_G13_size_is_half_a_percent_of_equity_capped_at_25(
    equity: float, notional: int, lots: int
) -> None:
    """SOL at 200, step 0.01: 5 / 200 = 0.025 -> 0.02."""
    (level,) = wanted(equity_usd=equity, bid=20_000, ask=20_001).levels
    assert level.size == lots == int(notional / 200 / 0.01)


def test_Q27_a_size_below_the_venues_minimum_is_skipped() -> None:
    rules = instrument(min_quantity="0.05")
    result = quote(a_view(instrument=rules), plan(Params(), rules), Chosen())
    assert result.levels == ()
    assert "minimum" in result.reason


def test_F05_starts_on_the_bid_and_keeps_the_side_in_between() -> None:
    assert side_of(wanted(flow=0.0)) is Side.BUY
    asking = Chosen(Side.SELL)
    for neutral in (SELLERS * 0.999, 0.0, BUYERS * 0.999):
        assert side_of(wanted(asking, flow=neutral)) is Side.SELL


def test_F05_the_threshold_itself_switches() -> None:
    assert side_of(wanted(flow=BUYERS)) is Side.SELL
    assert side_of(wanted(flow=math.nextafter(BUYERS, 0))) is Side.BUY
    assert side_of(wanted(Chosen(Side.SELL), flow=SELLERS)) is Side.BUY


def test_F06_a_switch_is_held_for_two_seconds_and_the_first_is_free() -> None:
    first = wanted(flow=BUYERS).memory
    assert first == Chosen(Side.SELL, START_NS)
    assert isinstance(first, Chosen)
    early = wanted(first, flow=SELLERS, now_ns=START_NS + 2 * NS_PER_S - 1)
    assert side_of(early) is Side.SELL
    assert side_of(wanted(first, flow=SELLERS, now_ns=START_NS + 2 * NS_PER_S)) is Side.BUY


def test_F07_a_side_switch_waits_for_the_old_side_to_be_confirmed_cancelled() -> None:
    desk = Desk.ready("one_sided")
    assert desk.sent[-1].exclusive
    (switched,) = desk.send(flow(BUYERS, desk.now_ns))
    assert switched.exclusive
    assert [level.side for level in switched.levels] == [Side.SELL]


def test_L06_inventory_vetoes_the_side_that_adds_to_it() -> None:
    limits = permit(max_long=100, max_short=100)
    assert side_of(wanted(flow=SELLERS, position=50, permit=limits)) is Side.BUY
    assert side_of(wanted(flow=SELLERS, position=51, permit=limits)) is Side.SELL
    assert side_of(wanted(flow=BUYERS, position=-51, permit=limits)) is Side.BUY


def test_L06_the_veto_does_not_wait_for_the_hold_but_the_way_back_does() -> None:
    limits = permit(max_long=100)
    just_switched = Chosen(Side.BUY, START_NS - 1)
    vetoed = wanted(just_switched, flow=SELLERS, position=51, permit=limits)
    assert side_of(vetoed) is Side.SELL
    assert isinstance(vetoed.memory, Chosen)
    back = wanted(vetoed.memory, flow=SELLERS, position=49, permit=limits, now_ns=START_NS + NS_PER_S)
    assert side_of(back) is Side.SELL


def test_L06_a_full_inventory_leaves_no_room_on_the_adding_side() -> None:
    desk = Desk.ready("one_sided", inventory_veto=1.0)
    desk.send(position(1_000))
    assert desk.levels == ()
    assert desk.reason.startswith("no room under the permit")
