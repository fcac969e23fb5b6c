"""What the permit and the venue's bounds leave of the wanted quotes; keeping places."""

from __future__ import annotations

from typing import Any

import pytest

from services.quoter.levels.hysteresis import keep_places
from services.quoter.levels.limits import narrowed, rooms, within
from services.quoter.levels.rounding import PriceGrid
from services.quoter.levels.sizing import LotSizes
from shared.instrument import Instrument
from shared.messages import Level, Side
from tests.quoter.builders import INSTRUMENT, instrument, permit


def admitted(
    levels: tuple[Level, ...], position: int = 0, rules: Instrument = INSTRUMENT, **limits: Any
) -> list[tuple[int, int]]:
    left = within(levels, position, permit(**limits), PriceGrid(rules), LotSizes(rules))
    return [(level.price, level.size) for level in left]


def bid(price: int, size: int, tolerance: int = 0) -> Level:
    return Level(Side.BUY, price, size, tolerance)


def ask(price: int, size: int, tolerance: int = 0) -> Level:
    return Level(Side.SELL, price, size, tolerance)


@pytest.mark.parametrize(
    ("position", "limits", "expected"),
    [
        (0, {}, (1000, 1000)),
        (300, {}, (700, 1300)),
        (-300, {}, (1300, 700)),
        (1200, {}, (0, 2200)),
        (0, {"may_buy": False}, (0, 1000)),
        (0, {"may_sell": False}, (1000, 0)),
        (300, {"reduce_only": True}, (0, 300)),
        (-300, {"reduce_only": True}, (300, 0)),
        (0, {"reduce_only": True}, (0, 0)),
    ],
)
def test_rooms_are_the_distances_to_the_permitted_positions(
    position: int, limits: dict[str, Any], expected: tuple[int, int]
) -> None:
    assert rooms(position, permit(**limits)) == expected


@pytest.mark.parametrize(
    ("largest", "can_be_short", "expected"),
    [(None, True, (1000, 1000)), (300, True, (300, 300)), (300, False, (300, 0)), (None, False, (1000, 0))],
)
def test_R17_the_params_own_limit_and_spot_narrow_the_permit(
    largest: int | None, can_be_short: bool, expected: tuple[int, int]
) -> None:
    left = narrowed(permit(), largest, can_be_short)
    assert (left.max_long, left.max_short) == expected
    assert narrowed(left, largest, can_be_short) is left


def test_R17_levels_of_a_side_share_its_room_best_first() -> None:
    ladder = (bid(100, 4), bid(99, 4), bid(98, 4), ask(101, 4))
    assert admitted(ladder, max_long=6) == [(100, 4), (99, 2), (101, 4)]


def test_R17_an_order_is_cut_to_the_largest_permitted_and_to_the_venues_maximum() -> None:
    assert admitted((bid(100, 50),), max_order=7) == [(100, 7)]
    assert admitted((bid(100, 50),), rules=instrument(max_quantity="0.05")) == [(100, 5)]


def test_Q27_what_is_cut_below_the_minimum_is_left_out() -> None:
    assert admitted((bid(20_000, 50),), rules=instrument(min_quantity="0.1"), max_order=9) == []
    assert admitted((bid(20_000, 50),), rules=instrument(min_notional="5"), max_order=2) == []
    assert admitted((bid(20_000, 50),), rules=instrument(min_notional="4"), max_order=2) == [(20_000, 2)]


def test_prices_outside_the_venues_bounds_are_left_out() -> None:
    rules = instrument(min_price="150", max_price="250")
    levels = (bid(14_999, 1), bid(15_000, 1), ask(25_000, 1), ask(25_001, 1))
    assert admitted(levels, rules=rules) == [(15_000, 1), (25_000, 1)]
    assert admitted((bid(0, 1), bid(-5, 1))) == []


def test_levels_that_fit_are_returned_as_they_are() -> None:
    levels = (bid(100, 4), ask(101, 4))
    assert within(levels, 0, permit(), PriceGrid(INSTRUMENT), LotSizes(INSTRUMENT)) is levels


def test_Q19_a_price_within_its_tolerance_keeps_its_place() -> None:
    asked = (bid(100, 10), ask(110, 10))
    assert keep_places((bid(102, 10, 2), ask(113, 10, 2)), asked, 99, 112, 0.1) == (
        bid(100, 10, 2),
        ask(113, 10, 2),
    )


def test_a_kept_price_that_would_cross_the_book_is_given_up() -> None:
    assert keep_places((bid(98, 10, 5),), (bid(100, 10),), 90, 100, 0.1) == (bid(98, 10, 5),)
    assert keep_places((ask(103, 10, 5),), (ask(100, 10),), 100, 110, 0.1) == (ask(103, 10, 5),)


def test_kept_prices_that_would_cross_each_other_are_given_up() -> None:
    asked = (bid(100, 10), ask(110, 10))
    wanted = (bid(97, 10, 3), ask(100, 10, 3))
    assert keep_places(wanted, asked, 90, 115, 0.1) == wanted


def test_a_size_changes_only_beyond_its_tolerance() -> None:
    asked = (bid(100, 100),)
    assert keep_places((bid(100, 110),), asked, 99, 101, 0.1) == asked
    assert keep_places((bid(100, 111),), asked, 99, 101, 0.1) == (bid(100, 111),)
    assert keep_places((bid(99, 110),), asked, 98, 101, 0.1) == (bid(99, 110),)


def test_a_size_above_a_limit_is_not_kept_and_one_below_it_is() -> None:
    asked = (bid(100, 100), ask(110, 100))
    wanted = (bid(100, 99), ask(110, 105))
    assert keep_places(wanted, asked, 99, 111, 0.1) == asked
    assert keep_places(wanted, asked, 99, 111, 0.1, may_exceed=False) == (bid(100, 99), ask(110, 100))
