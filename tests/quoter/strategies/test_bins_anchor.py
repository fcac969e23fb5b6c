"""Bins: when they move, when they are sized anew, and which shape `auto` gives them."""

from __future__ import annotations

from typing import Any

import pytest

from services.quoter.strategies import auto, spot
from services.quoter.strategies.base import Wanted
from services.quoter.strategies.bins.quote import Anchored
from shared.clock import NS_PER_S
from shared.messages import Side, Volatility
from tests.quoter.builders import INSTRUMENT, START_NS, SYMBOL, VENUE, Desk, position, top, view

PARAMS: dict[str, Any] = {"capital_usd": 2_000, "recentre_pct": 0.2, "refresh_interval_s": 10.0}


def wanted(mid: int = 10_000, memory: Anchored | None = None, half: int = 1, **market: Any) -> Wanted:
    plan = spot.plan(spot.Params(**PARAMS), INSTRUMENT)
    return spot.quote(view(bid=mid - half, ask=mid + half, **market), plan, memory or Anchored())


def memory_of(result: Wanted) -> Anchored:
    assert isinstance(result.memory, Anchored)
    return result.memory


def best_bid(result: Wanted) -> int:
    return max(level.price for level in result.levels if level.side is Side.BUY)


@pytest.mark.parametrize(("mid", "moves"), [(10_020, False), (10_021, True), (9_980, False), (9_979, True)])
def test_C17_bins_move_only_when_the_price_moved_further_than_allowed(mid: int, moves: bool) -> None:
    first = wanted()
    later = wanted(mid, memory_of(first), now_ns=START_NS + 1)
    assert (later.levels != first.levels) is moves
    assert (memory_of(later).anchor == 2 * mid) is moves


def test_C17_bins_move_when_the_inventory_changed() -> None:
    first = wanted()
    filled = wanted(10_010, memory_of(first), position=1, now_ns=START_NS + 1)
    assert memory_of(filled).anchor == 20_020
    assert best_bid(filled) != best_bid(first)


def test_C17_small_moves_do_not_add_up_unseen() -> None:
    """The distance is to the anchor, not to the last price."""
    memory = memory_of(wanted())
    anchors = set()
    for step in range(1, 5):
        memory = memory_of(wanted(10_000 + 6 * step, memory, now_ns=START_NS + step))
        anchors.add(memory.anchor)
    assert anchors == {20_000, 20_048}


def test_C17_a_refresh_sizes_anew_around_the_same_anchor() -> None:
    plan = spot.plan(spot.Params(refresh_interval_s=10.0), INSTRUMENT)
    first = spot.quote(view(bid=9_999, ask=10_001, equity_usd=2_000.0), plan, Anchored())
    richer = {"bid": 10_009, "ask": 10_011, "equity_usd": 4_000.0}
    early = spot.quote(view(now_ns=START_NS + 10 * NS_PER_S - 1, **richer), plan, memory_of(first))
    assert early.levels == first.levels
    late = spot.quote(view(now_ns=START_NS + 10 * NS_PER_S, **richer), plan, memory_of(first))
    assert [level.price for level in late.levels] == [level.price for level in first.levels]
    assert all(new.size > old.size for new, old in zip(late.levels, first.levels, strict=True))


def test_an_order_is_kept_within_the_distance_that_does_not_move_the_bins() -> None:
    assert {level.tolerance for level in wanted().levels} == {20}


def test_Q21_the_quoter_keeps_the_bins_through_noise_and_moves_them_with_the_market() -> None:
    desk = Desk.ready("spot", bin_step_bps=40, recentre_pct=0.2)
    first = desk.levels
    assert len(first) == 10
    desk.now_ns += NS_PER_S // 10
    assert desk.send(top(20_029, 20_031, desk.now_ns)) == []
    desk.now_ns += NS_PER_S // 10
    (moved,) = desk.send(top(20_049, 20_051, desk.now_ns))
    assert moved.levels[0].price == 19_969  # 20050 less 0.4 %, down
    assert desk.send(position(10)) == []  # 2 % of the capital: sizes change by less than is worth a place
    (filled,) = desk.send(position(100))
    bids = [level.size for level in filled.levels if level.side is Side.BUY]
    assert bids == [20] * 5  # 300 of 500 left, two thirds of it used: the move is 0.4


@pytest.mark.parametrize(
    ("volatility_pct", "name"),
    [(0.0, "curve"), (29.9, "curve"), (30.0, "spot"), (80.0, "spot"), (80.1, "bid_ask"), (900.0, "bid_ask")],
)
def test_Q11_C15_auto_chooses_the_shape_by_annualised_volatility(volatility_pct: float, name: str) -> None:
    plan = auto.plan(auto.Params(**PARAMS), INSTRUMENT)
    assert auto.shape_at(volatility_pct, plan).name == name
    result = auto.quote(view(bid=9_999, ask=10_001, volatility_pct=volatility_pct), plan, Anchored())
    assert result.reason == f"quoting, {name}"
    asks = [level.size for level in result.levels if level.side is Side.SELL]
    assert (asks == sorted(asks), asks == sorted(asks, reverse=True)) == {
        "curve": (False, True), "spot": (True, True), "bid_ask": (True, False),
    }[name]  # fmt: skip


def test_Q11_auto_changes_its_shape_at_a_refresh() -> None:
    plan = auto.plan(auto.Params(**PARAMS), INSTRUMENT)
    first = auto.quote(view(volatility_pct=50.0), plan, Anchored())
    early = auto.quote(view(volatility_pct=90.0, now_ns=START_NS + 1), plan, memory_of(first))
    late = auto.quote(view(volatility_pct=90.0, now_ns=START_NS + 10 * NS_PER_S), plan, memory_of(first))
    assert [result.reason for result in (first, early, late)] == [
        "quoting, spot", "quoting, spot", "quoting, bid_ask",
    ]  # fmt: skip


def test_Q11_auto_quotes_nothing_without_a_volatility() -> None:
    desk = Desk.ready("auto")
    desk.send(Volatility(VENUE, SYMBOL, None, 3, desk.now_ns))
    desk.wait(300)
    assert (desk.levels, desk.reason) == ((), "missing: Volatility")
    desk.send(Volatility(VENUE, SYMBOL, 50.0, 60, desk.now_ns))
    desk.send(top(20_009, 20_011, desk.now_ns))
    assert len(desk.levels) == 10


def test_Q11_X02_the_bounds_of_auto_are_in_order() -> None:
    text = auto.Params(volatility_lower_pct=90, volatility_upper_pct=80).problem()
    assert text == "volatility_lower_pct 90 must be at most volatility_upper_pct 80"
    assert auto.Params(min_order=2, max_order=1).problem() != ""
    assert auto.Params(volatility_lower_pct=80, volatility_upper_pct=80).problem() == ""
