"""R17, R18, R19, G14, L05: positions that are too large stop quoting and are brought back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.risk.policies.policy import Range, View
from services.risk.policies.reduction import Reduction
from shared.clock import NS_PER_S
from shared.instrument import Instrument
from shared.messages import Position, Top
from tests.risk.desk import ACCOUNT, MS, SYMBOL, VENUE, Desk, info, is_nothing

# with the mark at 100 and lots of 0.01, a lot is worth one quote unit


def view(lots: int, price: float = 100.0, **changes: Any) -> View:
    instrument = Instrument.from_info(info(**changes))
    notional = instrument.notional_at(lots, price)
    return View(
        0, instrument, Top(VENUE, SYMBOL, 1, 1, 2, 1, 0, 0, 0, 0, 0),
        Position(ACCOUNT, SYMBOL, lots, price, True, 1, 0), price, notional, 1_000.0, 200.0,
        abs(notional), 1_000.0, "", True,
    )  # fmt: skip


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("notional", "may_quote", "hedge"),
    [(199, True, None), (200, True, None), (208, False, None), (260, False, 30)],
)
def test_R17_R18_G14_quoting_stops_over_the_limit_and_half_of_the_excess_is_hedged(
    side: int, notional: int, may_quote: bool, hedge: int | None
) -> None:
    desk = Desk()
    desk.set_position(side * notional)
    accumulates = desk.permit.may_buy if side > 0 else desk.permit.may_sell
    assert accumulates is may_quote
    assert (desk.target is None) is (hedge is None)
    if desk.target is not None and hedge is not None:
        wanted = notional - hedge
        expected = (0, wanted) if side > 0 else (-wanted, 0)
        assert (desk.target.minimum, desk.target.maximum) == expected
        assert desk.target.style == "ioc" and not desk.target.may_open
        assert desk.target.max_slice == hedge
        assert is_nothing(desk.permit)
    desk.run(500)
    assert (desk.permit.may_buy if side > 0 else desk.permit.may_sell) is may_quote


def test_R17_an_excess_too_small_to_hedge_may_only_be_quoted_away() -> None:
    desk = Desk()
    desk.set_position(208)
    permit = desk.permit
    assert permit.reduce_only and permit.may_sell and not permit.may_buy
    assert (permit.max_long, permit.max_short) == (208, 0)
    assert "over its limit 200.00" in permit.reason


def test_R17_the_inclusive_comparator_stops_at_the_limit() -> None:
    desk = Desk(comparator="inclusive")
    desk.set_position(200)
    assert not desk.permit.may_buy


def test_R17_the_absolute_limit_counts_when_it_is_the_smaller_one() -> None:
    desk = Desk(max_position_usd=50.0)
    desk.run(250)
    assert desk.permit.max_long == 50
    desk.set_position(51)
    assert not desk.permit.may_buy


def test_R17_a_limit_of_its_own_counts_for_a_symbol() -> None:
    desk = Desk(SYMBOL, "B_PERP", symbols={SYMBOL: {"max_position_share": 0.5, "max_order_usd": 7}})
    assert (desk.permit.max_long, desk.permit.max_order) == (500, 7)
    other = desk.permits[ACCOUNT, "B_PERP"]
    assert (other.max_long, other.max_order) == (200, 1_000)


def test_R17_a_mark_that_moves_the_exposure_over_the_limit_stops_quoting_at_once() -> None:
    desk = Desk()
    desk.set_position(199)
    assert desk.permit.may_buy
    told = desk.hear(desk.mark_at(101.0))
    assert desk.permit in told and not desk.permit.may_buy


def test_R18_the_hedge_is_repeated_until_the_position_is_inside() -> None:
    desk = Desk()
    position, hedges = 500, 0
    desk.set_position(position)
    while desk.target is not None:
        hedges += 1
        assert 0 <= desk.target.minimum <= desk.target.maximum < position
        position = desk.target.maximum
        desk.set_position(position)
        assert hedges < 20
    assert 200 <= position <= 210, "less than 5 quote units would be left to hedge"
    assert hedges == 6  # 150, 75, 37, 19, 9, 5


def test_R18_a_target_is_taken_back_once_the_position_is_inside() -> None:
    desk = Desk()
    desk.set_position(260)
    assert desk.target is not None
    desk.set_position(150)
    assert desk.targets[ACCOUNT, SYMBOL].style == "none"


def test_R18_a_target_names_the_position_it_is_based_on_and_expires() -> None:
    desk = Desk()
    desk.set_position(260)
    assert desk.target is not None
    position: Any = desk.inputs["Position", ACCOUNT, SYMBOL]
    assert desk.target.position_seq == position.position_seq
    assert desk.now_ns < desk.target.expires_ns <= desk.now_ns + NS_PER_S


@given(
    lots=st.integers(-5_000, 5_000).filter(bool),
    price=st.floats(1, 10_000),
    excess=st.floats(-10, 10**6),
    share=st.floats(0.01, 1),
)
def test_R19_a_reduction_never_opens_flips_nor_trades_more_than_its_share(
    lots: int, price: float, excess: float, share: float
) -> None:
    seen = view(lots, price)
    target = Reduction(share, 5.0).target(seen, excess)
    if target is None:
        return
    assert share * excess >= 5.0
    assert seen.instrument.notional_at(target.distance(lots), price) >= 5.0 - 1e-6, "in whole lots too"
    assert not target.may_open
    low, high = sorted((0, lots))
    assert low <= target.minimum <= target.maximum <= high
    traded = target.distance(lots)
    assert 0 < traded <= abs(lots)
    assert seen.instrument.notional_at(traded, price) <= share * excess * (1 + 1e-9) + 1e-6


def test_R18_a_reduction_below_the_venues_minimum_is_not_asked_for() -> None:
    assert Reduction(0.5, 5.0).target(view(260, min_notional="31"), 60.0) is None
    assert Reduction(0.5, 5.0).target(view(260, min_quantity="0.31"), 60.0) is None
    assert Reduction(0.5, 5.0).target(view(260, min_notional="30"), 60.0) == Range(0, 230)


def test_R18_the_least_reduction_counts_in_whole_lots() -> None:
    """Half of an excess of 13 is 6.5, which is one lot of 4 quote units."""
    assert Reduction(0.5, 5.0).target(view(100, price=400.0), 13.0) is None
    assert Reduction(0.5, 5.0).target(view(100, price=400.0), 16.0) == Range(0, 98)


def test_spot_permits_no_short_position() -> None:
    desk = Desk()
    desk.hear(info(is_perp=False))
    desk.run(250)
    assert (desk.permit.max_long, desk.permit.max_short) == (200, 0)
    assert desk.permit.may_buy and desk.permit.may_sell


def test_no_single_order_is_larger_than_its_limit() -> None:
    desk = Desk(max_order_usd=25.0)
    assert desk.permit.max_order == 25
    desk.set_position(500)
    assert desk.target is not None and desk.target.max_slice == 25


# --- the property that matters: a permit never allows more than the limits ------------------------------


@settings(max_examples=60, deadline=None)
@given(
    equity=st.floats(1, 10**6),
    mark=st.floats(5, 10_000),
    lots=st.integers(-3_000, 3_000),
    share=st.floats(0.01, 1),
    gross=st.floats(0.05, 3),
    max_usd=st.one_of(st.none(), st.floats(1, 10**5)),
)
def test_R17_L05_a_permit_never_allows_more_than_any_limit(
    equity: float, mark: float, lots: int, share: float, gross: float, max_usd: float | None
) -> None:
    limits: dict[str, Any] = {
        "max_position_share": share,
        "max_gross_equity_multiple": gross,
        "max_position_usd": max_usd,
    }
    desk = Desk("A_PERP", "B_PERP", max_order_usd=500.0, cool_down_s=0.5, **limits)
    for symbol in desk.symbols:
        desk.set_price(mark, symbol)
    desk.set_equity(equity)
    desk.set_position(lots)
    desk.run(2_000)
    assert desk.permit.reason == "" or "over its limit" in desk.permit.reason, "nothing else limits it"
    lot_usd = 0.01 * mark
    for symbol, quantity in (("A_PERP", lots), ("B_PERP", 0)):
        permit = desk.permits[ACCOUNT, symbol]
        if not permit.reduce_only:
            largest = max(permit.max_long, permit.max_short) * lot_usd
            assert largest <= min(equity * share, equity * gross, max_usd or 1e18) * (1 + 1e-9)
        else:
            assert permit.max_long <= max(quantity, 0) and permit.max_short <= max(-quantity, 0)
        assert permit.max_order * lot_usd <= 500 * (1 + 1e-9)
        assert permit.max_gross_usd <= equity * gross * (1 + 1e-9)
        if abs(quantity) * lot_usd > min(equity * share, max_usd or 1e18) * (1 + 1e-9):
            assert not (permit.may_buy if quantity > 0 else permit.may_sell)
    assert desk.permit.expires_ns <= desk.now_ns + 1_000 * MS
