"""Bins: what is held, how far that is from neutral, and what it leaves of each side."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from services.quoter.strategies import spot
from services.quoter.strategies.base import MarketView
from services.quoter.strategies.bins.inventory import (
    Holdings,
    holdings,
    inventory_ratio,
    move_ratio,
    multipliers,
)
from services.quoter.strategies.bins.params import Plan
from shared.errors import BadInput
from shared.instrument import Instrument
from shared.messages import Side
from tests.quoter.builders import instrument
from tests.quoter.builders import view as a_view

SPOT = instrument(is_perp=False)
PERP = instrument()
HALF = Fraction(1, 2)
MICRO = 1_000_000
#: (inventory, money, move, multiplier of bids, multiplier of asks), at price 100
G10 = [
    (13, 700, "0.3", "1", "1"),
    (14.5, 550, "0.45", "0.5", "1"),
    (16, 400, "0.6", "0", "1"),
    (7, 1_300, "-0.3", "1", "1"),
    (5.5, 1_450, "-0.45", "1", "0.5"),
    (4, 1_600, "-0.6", "1", "0"),
]


def planned(rules: Instrument = SPOT, **params: Any) -> Plan:
    parsed = spot.Params(**params)
    assert parsed.problem() == ""
    return spot.plan(parsed, rules)


def at_100(position: float, rules: Instrument = SPOT, **changes: Any) -> MarketView:
    """A mid of 100.00; the position in base units."""
    return a_view(instrument=rules, bid=9_999, ask=10_001, position=round(position * 100), **changes)


def held(inventory: float, money: float) -> Holdings:
    return Holdings(round(inventory * 100), Fraction(str(inventory)) * 100 * MICRO, Fraction(money) * MICRO)


def totals(view: MarketView, plan: Plan) -> tuple[int, int]:
    levels = spot.quote(view, plan, spot.STRATEGY.start).levels
    return (
        sum(level.size for level in levels if level.side is Side.BUY),
        sum(level.size for level in levels if level.side is Side.SELL),
    )


def test_R22_C14_the_ratio_is_the_inventory_as_a_share_of_everything() -> None:
    assert inventory_ratio(held(10, 1_000)) == HALF
    assert inventory_ratio(held(13, 700)) == Fraction(65, 100)
    assert inventory_ratio(held(0, 700)) == 0
    assert inventory_ratio(held(3, 0)) == 1
    assert inventory_ratio(held(0, 0)) is None


def test_R22_the_move_is_relative_to_the_initial_ratio() -> None:
    assert move_ratio(held(13, 700), HALF) == Fraction(3, 10)
    assert move_ratio(held(4, 1_600), HALF) == Fraction(-6, 10)
    assert move_ratio(held(0, 0), HALF) == 0


def test_R22_beginning_without_inventory_is_no_division_by_zero() -> None:
    assert move_ratio(held(0, 1_000), Fraction(0)) == 0
    assert move_ratio(held(3, 700), Fraction(0)) == Fraction(3, 10)
    plan = planned(initial_ratio=0)
    bids, asks = totals(at_100(0), plan)
    assert bids > 0 and asks == 0
    bids, asks = totals(at_100(6, equity_usd=1_000.0), plan)
    assert bids == 0 and asks == 600


@pytest.mark.parametrize(("inventory", "money", "move", "buy", "sell"), G10)
def test_R23_G10_multipliers_fall_linearly_between_their_bounds(
    inventory: float, money: float, move: str, buy: str, sell: str
) -> None:
    found = move_ratio(held(inventory, money), HALF)
    assert found == Fraction(move)
    assert multipliers(found, planned()) == (Fraction(buy), Fraction(sell))


@pytest.mark.parametrize(("inventory", "money", "_move", "buy", "sell"), G10)
def test_R23_R24_G10_the_orders_follow_the_multipliers(
    inventory: float, money: float, _move: str, buy: str, sell: str
) -> None:
    """Real position and equity in: the money is what the equity leaves beside the inventory."""
    bids, asks = totals(at_100(inventory, equity_usd=2_000.0), planned())
    assert bids == pytest.approx(money * float(buy), abs=5)  # lots of 0.01 at 100
    assert asks == pytest.approx(inventory * 100 * float(sell), abs=5)
    assert (bids == 0, asks == 0) == (buy == "0", sell == "0")


@pytest.mark.parametrize(
    ("inventory", "side"), [(16, Side.BUY), (16.5, Side.BUY), (4, Side.SELL), (3.5, Side.SELL)]
)
def test_Q14_R24_the_least_order_never_overrides_a_multiplier_of_zero(inventory: float, side: Side) -> None:
    plan = planned(min_order=0.1)
    levels = spot.quote(at_100(inventory, equity_usd=2_000.0), plan, spot.STRATEGY.start).levels
    assert levels and all(level.side is side.opposite for level in levels)


def test_Q14_a_small_order_is_raised_only_while_the_capital_lasts() -> None:
    small = {"capital_usd": 20.0, "min_order": 0.05, "max_order": 0.07}  # 0.1 base and 10 quote: 0.02 a bin
    levels = spot.quote(at_100(0, PERP), planned(PERP, **small), spot.STRATEGY.start).levels
    assert [(level.side, level.price, level.size) for level in levels] == [
        (Side.BUY, 9_960, 5), (Side.BUY, 9_920, 5), (Side.SELL, 10_040, 5), (Side.SELL, 10_080, 5),
    ]  # fmt: skip
    without = spot.quote(at_100(0, PERP), planned(PERP, capital_usd=20.0), spot.STRATEGY.start).levels
    assert {level.size for level in without} == {2}


def test_Q14_the_largest_order_cuts_every_bin() -> None:
    levels = spot.quote(at_100(0, PERP), planned(PERP, max_order=0.7), spot.STRATEGY.start).levels
    assert {level.size for level in levels} == {70}


def test_Q27_bins_below_the_venues_minimum_are_left_out_or_raised() -> None:
    rules = instrument(min_quantity="0.5")
    assert totals(at_100(0, rules, equity_usd=400.0), planned(rules)) == (0, 0)  # 0.4 each
    wanted = spot.quote(at_100(0, rules, equity_usd=400.0), planned(rules), spot.STRATEGY.start)
    assert wanted.reason == "no capital for an order of the venue's minimum"
    assert totals(at_100(0, rules, equity_usd=400.0), planned(rules, min_order=0.01)) == (200, 200)


def test_R22_on_spot_the_inventory_is_what_is_held() -> None:
    found = holdings(at_100(3, equity_usd=1_000.0), planned())
    assert found == held(3, 700)
    assert holdings(at_100(30, equity_usd=1_000.0), planned()).money == 0
    assert totals(at_100(0, equity_usd=1_000.0), planned())[1] == 0


def test_R22_on_perps_a_flat_position_is_neutral_whatever_the_price() -> None:
    for bid in (5_000, 9_999, 30_000):
        view = a_view(instrument=PERP, bid=bid, ask=bid + 2, equity_usd=2_000.0)
        found = holdings(view, planned(PERP))
        assert abs(move_ratio(found, HALF)) <= Fraction(bid + 2, 100 * 1_000 * 100)  # a lot
        assert abs(found.money - found.value) <= 2 * (bid + 2) * 100


def test_R22_on_perps_the_position_is_relative_to_the_virtual_inventory() -> None:
    view = at_100(3, PERP, equity_usd=2_000.0)
    assert holdings(view, planned(PERP)) == held(13, 700)
    assert holdings(at_100(-10, PERP, equity_usd=2_000.0), planned(PERP)).lots == 0
    assert holdings(at_100(-11, PERP, equity_usd=2_000.0), planned(PERP)).lots == 0
    assert holdings(view, planned(PERP, initial_inventory=4)) == held(7, 1_300)
    assert holdings(view, planned(PERP, initial_inventory=0)) == held(3, 1_700)


def test_X02_a_virtual_inventory_is_refused_on_spot() -> None:
    with pytest.raises(BadInput, match="initial_inventory 4 is for perps; on spot it is what is held"):
        planned(SPOT, initial_inventory=4)


def test_R22_a_configured_capital_counts_instead_of_the_equity() -> None:
    plan = planned(capital_usd=500)
    assert not spot.STRATEGY.needs(spot.Params(capital_usd=500)).equity
    assert spot.STRATEGY.needs(spot.Params()).equity
    assert holdings(at_100(2, equity_usd=None), plan) == held(2, 300)
    assert holdings(at_100(2, equity_usd=9_999.0), plan) == held(2, 300)


@pytest.mark.parametrize("equity_usd", [-5_000.0, 0.0, 1e-9])
def test_without_equity_there_are_no_orders(equity_usd: float) -> None:
    assert totals(at_100(0, PERP, equity_usd=equity_usd), planned(PERP, min_order=0.1)) == (0, 0)
