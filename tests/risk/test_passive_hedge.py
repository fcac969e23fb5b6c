"""R28 to R30, C17: triggers around an anchor, a stop behind the entry, and no chase after the price."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.risk.policies.hedging.passive_hedge import PassiveHedge, PassiveTable, PassiveView
from shared.clock import NS_PER_S

STEP = 0.01


@dataclass
class Market:
    """A price, an inventory of 10 at 100, and a leg that fills at once at the price unless told not to."""

    config: dict[str, Any] = field(default_factory=dict)
    inventory: float = 10.0
    move: float = 0.0
    leg: float = 0.0
    entry: float | None = None
    active: float = 0.0
    now_s: float = 0.0
    fills: bool = True

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.hedge = PassiveHedge(PassiveTable(**self.config))

    def view(self, price: float) -> PassiveView:
        return PassiveView(
            int(self.now_s * NS_PER_S),
            price,
            self.inventory,
            self.move,
            self.leg,
            self.entry,
            self.active,
            STEP,
        )

    def at(self, price: float, after_s: float = 1.0) -> float:
        """Let the price be this; return what the leg should hold, which it does then."""
        self.now_s += after_s
        wanted = self.hedge.wanted(self.view(price))
        assert self.hedge.wanted(self.view(price)) == wanted, "asking twice changes nothing"
        if self.fills and wanted != self.leg:
            self.leg, self.entry = wanted, price if wanted else None
        return wanted


@pytest.mark.parametrize(("price", "leg"), [(97.76, 0), (97.75, -5), (102.24, 0), (102.25, 5)])
def test_R28_triggers_at_two_and_a_quarter_percent_hedge_half_of_the_inventory(
    price: float, leg: float
) -> None:
    market = Market()
    assert market.at(100.0) == 0
    assert market.at(price) == leg


@pytest.mark.parametrize(
    ("inventory", "price", "leg"), [(10, 90, -5), (10, 110, 0), (-10, 110, 5), (-10, 90, 0)]
)
def test_R28_one_sided_only_the_side_on_which_the_inventory_loses(
    inventory: float, price: float, leg: float
) -> None:
    market = Market({"dual_sided": False}, inventory=inventory)
    market.at(100.0)
    assert market.at(price) == leg


@pytest.mark.parametrize(("trigger", "holds", "stop"), [(97.0, 97.29, 97.2911), (103.0, 102.6911, 102.69)])
def test_R29_a_stop_three_tenths_of_a_percent_behind_the_entry_closes_it(
    trigger: float, holds: float, stop: float
) -> None:
    market = Market()
    market.at(100.0)
    side = -5 if trigger < 100 else 5
    assert market.at(trigger) == side
    assert market.at(holds) == side
    assert market.at(stop) == 0


def test_R29_the_stop_is_counted_from_the_legs_own_entry_price() -> None:
    market = Market(fills=False)
    market.at(100.0)
    market.at(97.0)
    market.leg, market.entry = -5.0, 96.0
    assert market.at(96.28) == -5
    assert market.at(96.29) == 0


def test_R29_the_other_trigger_is_off_while_it_is_hedged() -> None:
    market = Market({"stop_pct": 50})
    market.at(100.0)
    assert market.at(97.0) == -5
    assert market.at(103.0) == -5


def test_R29_a_trigger_that_was_never_filled_is_given_up_when_the_price_is_back() -> None:
    market = Market(fills=False)
    market.at(100.0)
    assert market.at(97.0) == -5
    assert market.at(97.3) == 0
    assert market.at(97.05) == 0, "its trigger stands at 97 now"
    assert market.at(97.0) == -5


def test_R29_no_trigger_counts_before_the_leg_is_flat_to_the_step() -> None:
    market = Market()
    market.at(100.0)
    market.at(97.0)
    market.fills = False
    assert market.at(97.3) == 0
    assert market.at(96.0) == 0, "the leg is not closed yet"
    market.leg, market.entry = -0.009, 97.0
    assert market.at(96.0) == -5


def test_R29_the_same_price_does_not_open_and_close_it() -> None:
    """A price that jumps far beyond the trigger and stays there is stopped out once at most."""
    market = Market()
    market.at(100.0)
    assert market.at(90.0) == -5
    assert market.at(90.3) == 0
    assert [market.at(90.3) for _ in range(5)] == [0] * 5
    assert market.at(90.0) == -5
    market = Market()
    market.at(100.0)
    assert market.at(110.0) == 5
    assert [market.at(109.6) for _ in range(5)] == [0] * 5
    assert market.at(110.0) == 5


def test_R30_inside_the_band_a_far_price_moves_the_anchor_each_30_seconds() -> None:
    market = Market()
    market.at(100.0)
    market.at(101.5, 29.9 - 1)
    assert market.hedge.anchor == 100.0
    market.at(101.5, 1.2)
    assert market.hedge.anchor == 101.5


@pytest.mark.parametrize(("move", "anchor"), [(0.2, 101.5), (-0.2, 101.5), (0.21, 100.0), (-0.21, 100.0)])
def test_R30_outside_the_band_the_anchor_stays_where_the_inventory_was_neutral(
    move: float, anchor: float
) -> None:
    market = Market(move=move)
    market.at(100.0)
    market.at(101.5, 31)
    assert market.hedge.anchor == anchor


def test_R30_C17_a_price_nearby_does_not_move_the_anchor() -> None:
    market = Market()
    market.at(100.0)
    for step in range(9):
        market.at(100 - 0.1 * step, 31)
    assert market.hedge.anchor == 100.0
    assert market.at(97.75) == -5


@pytest.mark.parametrize(("inventory", "anchor"), [(12.5, 100.0), (12.6, 99.5), (7.4, 99.5)])
def test_R30_C17_an_inventory_that_has_changed_moves_it(inventory: float, anchor: float) -> None:
    market = Market()
    market.at(100.0)
    market.inventory = inventory
    market.at(99.5, 31)
    assert market.hedge.anchor == anchor
    assert market.hedge.size == pytest.approx(inventory / 2), "the size follows in any case"


def test_R30_a_size_that_differs_by_less_than_a_step_is_the_same() -> None:
    market = Market()
    market.at(100.0)
    market.inventory = 10.018
    market.at(100.0, 31)
    assert market.hedge.size == 5.0


def test_R30_nothing_is_refreshed_while_it_is_hedged() -> None:
    market = Market({"stop_pct": 50})
    market.at(100.0)
    market.at(97.0)
    market.inventory = 20.0
    assert market.at(97.0, 31) == -5
    assert market.hedge.anchor == 100.0


def test_R28_after_a_restart_a_hedge_is_taken_up_with_its_entry_and_its_stop() -> None:
    market = Market()
    market.at(100.0)
    market.at(97.0)
    market.restart()
    assert market.at(97.2) == -5
    assert market.at(97.3) == 0
    market.restart()
    assert market.at(99.0) == 0
    assert market.hedge.anchor == 99.0, "without a hedge the first price is the anchor"


def test_R28_what_the_active_hedge_holds_is_not_taken_up() -> None:
    market = Market(leg=-3.0, entry=100.0, active=-3.0)
    assert market.at(100.0) == 0
    market = Market(leg=-5.0, entry=100.0, active=-3.0)
    assert market.at(100.0) == -5


def test_R28_an_inventory_too_small_to_hedge_triggers_nothing() -> None:
    market = Market(inventory=0.019)
    market.at(100.0)
    assert market.at(90.0) == 0


def test_C17_a_refresh_beyond_the_trigger_is_a_contradiction() -> None:
    assert "must be below trigger_pct" in PassiveTable(recentre_pct=2.25).problem()
    assert not PassiveTable().problem()


PRICES = st.lists(st.tuples(st.floats(50, 150), st.floats(0, 40)), min_size=1, max_size=30)


@given(PRICES, st.floats(-20, 20), st.floats(-1, 1), st.booleans(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_R28_any_path_has_an_answer_and_never_hedges_more_than_its_share(
    path: list[tuple[float, float]], inventory: float, move: float, is_dual: bool, fills: bool
) -> None:
    market = Market({"dual_sided": is_dual}, inventory=inventory, move=move, fills=fills)
    for price, after_s in path:
        wanted = market.at(price, after_s)
        assert abs(wanted) <= abs(inventory) / 2 + 1e-9
        if not is_dual:
            assert wanted * inventory <= 0, "one-sided, it never adds to the inventory"
        wanted = market.at(price, 0)  # closed, the other trigger may be beyond
        assert market.at(price, 0) == wanted, "at the same price nothing more is wanted"
