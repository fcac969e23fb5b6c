"""E02 with Q33: a grid whose orders rest further out, for the volatility, is still a whole grid."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.quoter.strategies.grids.regrow import regrown
from shared.errors import BadInput
from shared.messages import Level, Side
from tests.quoter.builders import Desk, order, position, top, volatility, working
from tests.quoter.builders import settings as settings_of

LONG: dict[str, Any] = {"lower": 195, "upper": 205, "grid_num": 101, "quantity": 0.1, "direction": "long"}
WIDE: dict[str, Any] = {"volatility_spread": 2.0, "volatility_horizon_s": 10, "join_passed": True}


def sells(desk: Desk) -> list[tuple[int, int]]:
    return [(level.price, level.size) for level in desk.levels if level.side is Side.SELL]


def a_close_of_three() -> tuple[Desk, int]:
    """A desk whose first level was filled by three lots, and the price at which they are offered."""
    desk = Desk.ready("perp_grid", **LONG, **WIDE)
    desk.send(volatility(150.0))
    desk.send(top(20_489, 20_491, desk.now_ns))
    desk.send(position(3))
    price = desk.price(Side.SELL)
    assert price is not None and price > 20_500, "further out than its level"
    return desk, price


def test_E02_Q33_a_close_that_rests_too_small_is_replaced_where_it_rests() -> None:
    desk, price = a_close_of_three()
    desk.send(working(order(Side.SELL, price, 3, order_id=7)))
    desk.send(position(10))
    desk.wait(950)
    assert sells(desk) == [(price, 10)], "a burst of fills is answered once"
    desk.wait(100)
    assert sells(desk) == [], "out of the way"
    desk.send(working())
    assert sells(desk) == [(price, 10)]


def test_E02_Q33_a_close_that_is_whole_keeps_its_place() -> None:
    desk, price = a_close_of_three()
    desk.send(working(order(Side.SELL, price, 3, order_id=7)))
    desk.wait(3_000)
    assert sells(desk) == [(price, 3)]


@pytest.mark.parametrize(("name", "more"), [
    ("grid", {}), ("perp_grid", {}), ("perp_grid", {"direction": "long", "spacing": "martingale"}),
])  # fmt: skip
def test_Q33_a_widened_grid_that_would_wait_at_every_level_is_refused(
    name: str, more: dict[str, Any]
) -> None:
    table = {"quantity": 0.1, "grid_num": 5, "volatility_spread": 2, **more}
    with pytest.raises(BadInput, match=r"params: volatility_spread 2 needs join_passed = true") as refused:
        settings_of(name, **table)
    assert "\n" not in str(refused.value)
    assert settings_of(name, **table, join_passed=True)


def test_E02_Q33_an_open_keeps_its_distance_while_the_price_falls_through_its_level() -> None:
    desk = Desk.ready("perp_grid", **LONG | {"grid_num": 11}, **WIDE)
    desk.send(volatility(150.0))
    for bid in (20_430, 20_405, 20_390, 20_340):  # the first level is 204
        desk.send(top(bid, bid + 2, desk.now_ns))
        price = desk.price(Side.BUY)
        assert price is not None and price <= 20_400
        assert 30 <= bid + 1 - price <= 42, "two deviations over ten seconds are 34 ticks"
        assert sum(level.size for level in desk.levels if level.side is Side.BUY) == 100


def test_E02_Q33_an_order_elsewhere_is_no_levels_without_the_option() -> None:
    levels = (Level(Side.SELL, 20_500, 10),)
    strange = (order(Side.SELL, 20_525, 3),)
    assert regrown(levels, strange, (), 10**12, 10**9) == (levels, ())
    _, (short,) = regrown(levels, strange, (), 10**12, 10**9, is_widened=True)
    assert (short.price, short.size, short.client_order_id) == (20_500, 10, 1)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12)), max_size=6, unique_by=lambda pair: pair[0])
)
def test_Q33_only_an_order_at_or_beyond_a_level_is_taken_for_it(found: list[tuple[int, int]]) -> None:
    levels = (*(Level(Side.BUY, price, 10) for price in (110, 105, 100)), Level(Side.SELL, 111, 10))
    orders = tuple(
        order(Side.BUY, 115 - out, size, order_id=number) for number, (out, size) in enumerate(found, 1)
    )
    kept, shorts = regrown(levels, orders, (), 10**12, 10**9, is_widened=True)
    assert kept == levels, "nothing is due at first sight"
    used = {one.client_order_id: one for one in orders}
    assert len({short.client_order_id for short in shorts}) == len(shorts), "one order, one level"
    for short in shorts:
        assert used[short.client_order_id].price <= short.price
        assert used[short.client_order_id].leaves < short.size
