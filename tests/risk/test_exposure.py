"""R17, R18, R19, G14, L05: positions that are too large stop quoting and are brought back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.risk.allocation import Commitments, share_out
from services.risk.policies.policy import Range, View
from services.risk.policies.reduction import Reduction
from shared.clock import NS_PER_S
from shared.instrument import Instrument
from shared.messages import Equity, Permit, Position, Side, Top, Working
from tests.risk.desk import ACCOUNT, MS, SYMBOL, VENUE, Desk, info, is_nothing

# with the mark at 100 and lots of 0.01, a lot is worth one quote unit


def view(lots: int, price: float = 100.0, **changes: Any) -> View:
    instrument = Instrument.from_info(info(**changes))
    notional = instrument.notional_at(lots, price)
    return View(
        0, instrument, Top(VENUE, SYMBOL, 1, 1, 2, 1, 0, 0, 0, 0, 0),
        Position(ACCOUNT, SYMBOL, lots, price, True, 1, 0), price, notional, 1_000.0, 200.0,
        abs(notional), 1_000.0, True,
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


def test_no_single_order_is_larger_than_its_limit() -> None:
    desk = Desk(max_order_usd=25.0)
    assert desk.permit.max_order == 25
    desk.set_position(500)
    assert desk.target is not None and desk.target.max_slice == 25


# --- L05: many symbols, accounts ---------------------------------------------------------------------


SYMBOLS = tuple(f"S{number}_USDC_PERP" for number in range(8))


def worst_case_of(permits: dict[tuple[str, str], Permit]) -> int:
    """Return the gross that all permits together allow, quote units."""
    return sum(max(permit.max_long, permit.max_short) for permit in permits.values())


def test_L05_the_permits_of_all_symbols_together_stay_within_the_accounts_limit() -> None:
    desk = Desk(*SYMBOLS, max_gross_equity_multiple=1.0)
    assert worst_case_of(desk.permits) <= 1_000
    assert all(permit.max_long == 125 for permit in desk.permits.values()), "shared equally"
    assert all(permit.max_gross_usd == 1_000.0 for permit in desk.permits.values())


def test_L05_the_limit_over_all_accounts_counts_too() -> None:
    desk = Desk(accounts=("a", "b", "c"), max_total_gross_usd=300.0)
    assert [permit.max_long for permit in desk.permits.values()] == [100, 100, 100]
    assert sum(permit.max_gross_usd for permit in desk.permits.values()) == pytest.approx(300.0)


def test_L05_over_the_gross_limit_every_symbol_may_only_reduce_and_the_largest_is_reduced() -> None:
    desk = Desk("A_PERP", "B_PERP", "C_PERP", max_gross_equity_multiple=0.4)
    desk.set_position(190, symbol="A_PERP")
    desk.set_position(-180, symbol="B_PERP")
    desk.set_position(100, symbol="C_PERP")
    desk.run(250)
    permits = {symbol: desk.permits[ACCOUNT, symbol] for symbol in desk.symbols}
    assert is_nothing(permits["A_PERP"]), "the largest: reduced by a target"
    assert permits["B_PERP"].reduce_only and permits["B_PERP"].may_buy and not permits["B_PERP"].may_sell
    assert permits["C_PERP"].reduce_only and permits["C_PERP"].may_sell and not permits["C_PERP"].may_buy
    assert desk.target is not None and (desk.target.minimum, desk.target.maximum) == (0, 155)
    assert "gross exposure 470.00 is over its limit 400.00" in desk.target.reason
    assert set(desk.targets) == {(ACCOUNT, "A_PERP")}


def test_L05_exposure_moves_only_after_the_old_permit_expired() -> None:
    desk = Desk("A_PERP", "B_PERP", max_gross_equity_multiple=0.2)
    assert worst_case_of(desk.permits) == 200
    assert desk.permits[ACCOUNT, "A_PERP"].max_long == 100
    desk.set_position(90, symbol="A_PERP")
    desk.run(250)
    shrunk = desk.permits[ACCOUNT, "B_PERP"].max_long
    assert shrunk == 55, "what is used counts first, the rest is shared"
    assert desk.permits[ACCOUNT, "A_PERP"].max_long == 100, "it grows only once that permit has expired"
    desk.run(1_000)
    assert desk.permits[ACCOUNT, "A_PERP"].max_long == 145


def test_L05_orders_that_may_fill_are_used_up() -> None:
    desk = Desk("A_PERP", "B_PERP", max_gross_equity_multiple=0.2)
    orders = (desk.order(Side.BUY, 60), desk.order(Side.BUY, 30), desk.order(Side.SELL, 10))
    desk.hear(Working(ACCOUNT, "A_PERP", orders, (), "ready"))
    desk.run(2_000)
    assert desk.permits[ACCOUNT, "B_PERP"].max_long == 55


amounts = st.floats(0, 1_000)
members = st.dictionaries(st.sampled_from("ABCDE"), amounts, min_size=1)


@given(total=amounts, wants=members, uses=st.lists(amounts, min_size=5, max_size=5))
def test_L05_shares_never_exceed_the_total_nor_anyones_want(
    total: float, wants: dict[str, float], uses: list[float]
) -> None:
    used = dict(zip("ABCDE", uses, strict=True))
    shares = share_out(total, wants, used)
    assert shares.keys() == wants.keys()
    assert sum(shares.values()) <= total * (1 + 1e-9) + 1e-6
    assert all(-1e-9 <= shares[name] <= wants[name] + 1e-9 for name in wants)
    if sum(wants.values()) <= total:
        assert shares == pytest.approx(wants)


@settings(max_examples=200)
@given(
    steps=st.lists(
        st.tuples(
            st.integers(0, 8), st.floats(10, 1_000), members, st.lists(amounts, min_size=5, max_size=5)
        ),
        max_size=15,
    )
)
def test_L05_no_budget_grows_into_what_others_may_still_use(
    steps: list[tuple[int, float, dict[str, float], list[float]]],
) -> None:
    """Whatever changes: a budget that grew fits beside all permits in force and everything used."""
    ttl, now = 4, 0
    commitments, told = Commitments(ttl), list[tuple[int, str, float]]()
    for step, total, wants, uses in steps:
        now += step
        used = dict(zip("ABCDE", uses, strict=True))
        before = {name: _in_force(told, name, now) for name in "ABCDE"}
        budgets = commitments.allocate(total, wants, used, now)
        told += [(now + ttl, name, budget) for name, budget in budgets.items()]
        for name, budget in budgets.items():
            assert 0 <= budget <= wants[name] + 1e-9
            if budget > before[name] + 1e-6:
                others = sum(max(_in_force(told, o, now), used[o]) for o in "ABCDE" if o != name)
                assert budget + others <= total + 1e-6


def _in_force(told: list[tuple[int, str, float]], name: str, now: int) -> float:
    return max((budget for end, member, budget in told if member == name and end > now), default=0.0)


# --- the property that matters: a permit never allows more than the limits ------------------------------


@settings(max_examples=60, deadline=None)
@given(
    equity=st.floats(1, 10**6),
    mark=st.floats(0.5, 10_000),
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
    desk = Desk("A_PERP", "B_PERP", max_order_usd=500.0, **limits)
    for symbol in desk.symbols:
        desk.hear(desk.mark_at(mark, symbol))
    desk.hear(Equity(ACCOUNT, equity, None, 10**18))
    desk.set_position(lots)
    desk.run(2_000)
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
