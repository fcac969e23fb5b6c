"""L05: one limit shared by symbols and accounts, never exceeded while exposure moves between them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.risk.account.allocation import Commitments, share_out
from shared.messages import (
    Equity,
    FeedState,
    FeedStatus,
    Mark,
    Message,
    Permit,
    Position,
    Side,
    Working,
)
from tests.risk.desk import ACCOUNT, MID, MS, SYMBOL, VENUE, Desk, info, is_nothing

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


# --- an account of which nothing is known uses nobody knows how much -------------------------------------


class Apart(Desk):
    """Two accounts under one limit of 300; the second is not heard of before `appear`."""

    def __init__(self) -> None:
        super().__init__(accounts=("a", "b"), max_total_gross_usd=300.0)

    def _set_defaults(self) -> None:
        super()._set_defaults()
        self._hidden = {key: self.inputs.pop(key) for key in list(self.inputs) if key[1] == "b"}
        self.keep(Equity("b", None, None, 10**18))
        self.inputs.pop(("Equity", "b", "-"))

    def confirm_equity(self) -> None:
        last: Any = self.inputs["Equity", "a", "-"]
        self.hear(Equity("a", last.equity_usd, None, last.as_of_ns + 1))

    def appear(self, lots: int) -> None:
        self.hear(Position("b", SYMBOL, lots, 100.0, True, 1, 0), Equity("b", 1_000.0, None, 10**18))
        self.hear(Working("b", SYMBOL, (), (), "ready"))


def test_L05_an_account_not_yet_heard_of_lets_no_other_grow() -> None:
    desk = Apart()
    permit = desk.permit
    assert permit.reduce_only and not permit.may_buy and not permit.may_sell
    assert (permit.max_long, permit.max_short) == (0, 0)
    assert "the exposure of account b is unknown" in permit.reason
    desk.appear(250)
    desk.run(2_000)
    assert 0 < desk.permits["a", SYMBOL].max_long <= 50, "what the other uses is not for us"


def test_L05_what_is_held_may_be_reduced_and_is_not_traded_while_another_account_is_unknown() -> None:
    desk = Apart()
    desk.set_position(180)
    desk.run(1_000)
    assert desk.permit.may_sell and desk.permit.reduce_only and not desk.permit.may_buy
    assert desk.targets == {}


def test_L05_a_position_that_cannot_be_valued_lets_no_other_account_grow() -> None:
    desk = Apart()
    desk.hear(Equity("b", 1_000.0, None, 10**18), Position("b", "OTHER_PERP", 5, None, True, 1, 0))
    desk.run(2_000)
    assert desk.permits["a", SYMBOL].reduce_only


def test_L05_nothing_is_permitted_in_the_first_second_when_earlier_permits_may_be_in_force() -> None:
    desk = Desk()
    told = [message for message in desk.told if isinstance(message, Permit)]
    begun_ns = min(permit.expires_ns for permit in told) - 1_000 * MS
    early = [permit for permit in told if permit.expires_ns - 1_000 * MS < begun_ns + 1_000 * MS]
    assert len(early) >= 4 and all(is_nothing(permit) for permit in early)
    assert desk.may_quote()


def test_L05_a_sum_that_is_not_current_lets_nothing_grow_and_trades_nothing() -> None:
    desk = Desk("A_PERP", "B_PERP", max_gross_equity_multiple=0.3)
    desk.set_position(190, symbol="A_PERP")
    desk.hear(Position(ACCOUNT, "B_PERP", 100, 100.0, True, 2, 0))
    desk.run(1_500)
    desk.hear(desk.mark_at(100.0, "B_PERP"))
    desk.inputs.pop(("Mark", "backpack", "B_PERP"))
    desk.hear(Mark("backpack", "B_PERP", 100.0, None, None, None, 0, desk.now_ns))
    desk.run(9_000)
    assert desk.permit.may_buy
    desk.run(1_500)
    assert desk.permit.reduce_only and desk.permit.may_sell and not desk.permit.may_buy
    assert "the price of B_PERP is old" in desk.permit.reason
    desk.hear(desk.mark_at(103.0, "A_PERP"))
    desk.run(1_000)
    assert desk.targets == {}


def test_L05_room_is_for_symbols_that_a_quoter_works_on() -> None:
    desk = Desk("A_PERP", max_gross_equity_multiple=0.2)
    for number in range(8):
        desk.hear(Position(ACCOUNT, f"HELD{number}", 0, None, True, 1, 0))
        for message in (info(f"HELD{number}"), *others(desk, f"HELD{number}")):
            desk.hear(message)
    desk.run(2_500)
    assert desk.permit.max_long == 200
    assert all(permit.max_long == 0 for (_, name), permit in desk.permits.items() if name != "A_PERP")
    desk.core.set_quoted(ACCOUNT, "HELD0", True)
    desk.run(2_500)
    assert desk.permit.max_long == desk.permits[ACCOUNT, "HELD0"].max_long == 100
    desk.core.set_quoted(ACCOUNT, "HELD0", False)
    desk.run(2_500)
    assert desk.permit.max_long == 200


def test_L05_what_is_held_without_a_quoter_keeps_its_room_and_is_not_reduced() -> None:
    desk = Desk("A_PERP", max_gross_equity_multiple=0.2)
    desk.hear(Position(ACCOUNT, "HELD", 60, 100.0, True, 1, 0))
    for message in (info("HELD"), *others(desk, "HELD")):
        desk.hear(message)
    desk.run(3_500)
    assert desk.permits[ACCOUNT, "HELD"].max_long == 60 and desk.permit.max_long == 140
    assert desk.targets == {}


def others(desk: Desk, symbol: str) -> tuple[Message, ...]:
    """Everything else that is known of a symbol."""
    return (
        FeedState(VENUE, symbol, FeedStatus.LIVE, "", 0, 0), desk.top_at(MID - 1, MID + 1, symbol),
        desk.mark_at(100.0, symbol), Working(ACCOUNT, symbol, (), (), "ready"),
    )  # fmt: skip
