"""R25, R26, G11, C14, C16: inventory too far from its neutral share is held against elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.risk.policies.hedging.active_hedge import ActiveTable, active_leg, move_of

# G11: 1 unit at 100,000 beside 20,000 quote units, neutral at half
PRICE, TOTAL, INITIAL = 1e5, 1.2e5, 0.5


def leg_of(edge: float, inventory: float = 1.0, leg: float = 0.0, **config: bool) -> float:
    total = inventory * PRICE + 20_000.0
    return active_leg(ActiveTable(edge=edge, **config), INITIAL, inventory, PRICE, total, leg=leg)


@pytest.mark.parametrize(("edge", "short"), [(1.0, 0.01), (0.0, 0.40)])
def test_G11_C16_the_leg_brings_the_share_back_to_what_the_edge_leaves(edge: float, short: float) -> None:
    leg = leg_of(edge)
    assert leg == pytest.approx(-short)
    after = (1.0 + leg) * PRICE / TOTAL
    assert after == pytest.approx(INITIAL * (1 + 0.65 * edge))


def test_G11_the_vector_of_a_share_of_initial_times_r() -> None:
    """0.61 would bring the share to 0.325; the old code's 0.87 comes from wrong algebra."""
    assert pytest.approx(INITIAL * 0.65) == (1.0 - 0.61) * PRICE / TOTAL
    assert all(-leg_of(edge / 10) <= 0.40 + 1e-9 for edge in range(11))


def test_C14_the_move_is_that_of_the_share_in_the_total() -> None:
    assert move_of(13.0, 100.0, 2_000.0, 0.5) == pytest.approx(0.3)
    assert move_of(7.0, 100.0, 2_000.0, 0.5) == pytest.approx(-0.3)


def test_R22_an_initial_share_of_0_has_a_move() -> None:
    assert move_of(1.0, 100.0, 400.0, 0.0) == 0.25
    assert active_leg(ActiveTable(max_move=0.2), 0.0, 1.0, 100.0, 400.0, leg=0.0) == pytest.approx(-0.2)


@pytest.mark.parametrize(
    ("share", "is_hedged"), [(0.825, False), (0.8251, True), (0.175, False), (0.1749, True)]
)
def test_R25_C16_strictly_beyond_r_on_either_side(share: float, is_hedged: bool) -> None:
    leg = active_leg(ActiveTable(), 0.5, share * 1_000, 1.0, 1_000.0, leg=0.0)
    assert (abs(leg) > 1e-9) is is_hedged
    assert leg * (share - 0.5) <= 0, "short against too much, long against too little"


def test_R25_too_little_inventory_is_hedged_only_if_dual_sided() -> None:
    config = ActiveTable(dual_sided=False)
    assert active_leg(config, 0.5, 100.0, 1.0, 1_000.0, leg=0.0) == 0.0
    assert active_leg(ActiveTable(), 0.5, 100.0, 1.0, 1_000.0, leg=0.0) == pytest.approx(75.0)


def test_R26_it_is_closed_when_the_move_is_back_inside() -> None:
    assert active_leg(ActiveTable(), 0.5, 800.0, 1.0, 1_000.0, leg=-50.0) == 0.0


def test_C16_with_a_lower_edge_it_cannot_open_and_close_around_r() -> None:
    config = ActiveTable(edge=0.5)
    inside = 820.0  # m = 0.64
    assert active_leg(config, 0.5, inside, 1.0, 1_000.0, leg=0.0) == 0.0, "it has not begun"
    assert active_leg(config, 0.5, inside, 1.0, 1_000.0, leg=-160.0) == pytest.approx(-157.5), "it goes on"
    assert active_leg(config, 0.5, 662.5, 1.0, 1_000.0, leg=-1.0) == 0.0, "m = r x k: nothing is left"


INVENTORY, SHARE = st.floats(-1e4, 1e4), st.just(0.0) | st.floats(0.01, 0.99)


@given(INVENTORY, INVENTORY, st.floats(0.01, 1e5), st.floats(1, 1e8), SHARE, st.floats(0.05, 3))
def test_R25_more_inventory_never_means_a_longer_leg(
    one: float, other: float, price: float, total: float, initial: float, r: float
) -> None:
    low, high = sorted((one, other))
    config = ActiveTable(max_move=r)
    legs = [active_leg(config, initial, lots, price, total, leg=0.0) for lots in (low, high)]
    assert legs[0] >= legs[1] - 1e-9 * (1 + abs(legs[0]))


@given(INVENTORY, st.floats(0.01, 1e5), st.floats(1, 1e8), SHARE, st.floats(0.05, 3), st.floats(0, 1))
def test_R26_both_together_are_inside_and_then_nothing_more_is_wanted(
    inventory: float, price: float, total: float, initial: float, r: float, edge: float
) -> None:
    config = ActiveTable(max_move=r, edge=edge)
    leg = active_leg(config, initial, inventory, price, total, leg=0.0)
    assert active_leg(config, initial, inventory, price, total, leg=leg) == pytest.approx(leg, abs=1e-9)
    move = move_of(inventory + leg, price, total, initial)
    assert abs(move) <= r * (1 + 1e-6) + 1e-6
    assert leg * move_of(inventory, price, total, initial) <= 0
