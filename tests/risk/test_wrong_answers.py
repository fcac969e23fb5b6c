"""One wrong answer of a venue is named and frozen on; it never trades nor permits more."""

from __future__ import annotations

import math

import pytest

from services.risk.config import Config
from services.risk.market_state import MarketState
from services.risk.policies.lots import MOST, lots_within
from shared.instrument import Instrument
from shared.messages import Equity, FeedState, FeedStatus, Mark, Permit, Position, Top
from tests.risk.desk import ACCOUNT, MID, SYMBOL, Desk, info, is_nothing

WRONG_MARKS = [1_000.0, 120.0, 90.0, 0.01, 1e-16, 5e-324, 1e300]


@pytest.mark.parametrize("price", WRONG_MARKS)
@pytest.mark.parametrize("lots", [0, 100, -199, 260])
def test_one_wrong_mark_freezes_its_symbol_and_neither_trades_nor_permits_more(
    price: float, lots: int
) -> None:
    desk = Desk()
    desk.set_position(lots)
    desk.run(500)
    first, targets = len(desk.told), dict(desk.targets)
    desk.hear(desk.mark_at(price))
    assert is_nothing(desk.permit) and desk.target is None
    desk.run(250)
    assert "away from the mid 100" in desk.permit.reason
    desk.run(5_000)
    assert desk.target is None
    told = [message for message in desk.told[first:] if isinstance(message, Permit)]
    assert all(is_nothing(permit) for permit in told)
    assert set(desk.targets) == set(targets), "no target that was not there before"
    desk.hear(desk.mark_at(100.0))
    desk.run(250)
    assert lots == 260 or desk.may_quote(), "and it ends by itself"


@pytest.mark.parametrize("price", WRONG_MARKS)
def test_the_other_symbols_of_the_account_are_valued_as_before_a_wrong_mark(price: float) -> None:
    desk = Desk("A_PERP", "B_PERP", max_gross_equity_multiple=0.3)
    desk.set_position(190, symbol="A_PERP")
    desk.set_position(100, symbol="B_PERP")
    desk.run(1_500)
    desk.hear(desk.mark_at(price, "B_PERP"))
    desk.run(2_000)
    after = desk.permits[ACCOUNT, "A_PERP"]
    assert after.may_buy and after.max_long == 200, "300 less the 100 of B"
    assert desk.targets == {}
    desk.run(10_000)
    after = desk.permits[ACCOUNT, "A_PERP"]
    assert after.reduce_only and "the price of B_PERP is old" in after.reason, "but not for ever"
    assert desk.targets == {}


def test_how_far_a_mark_may_be_from_the_mid_is_configured() -> None:
    desk = Desk(max_mark_gap_pct=1.0)
    desk.hear(desk.mark_at(101.0))
    desk.run(250)
    assert desk.may_quote()
    desk.hear(desk.mark_at(101.1))
    assert is_nothing(desk.permit)
    assert "mark price 101.1 is more than 1 % away from the mid 100" in desk.permit.reason


@pytest.mark.parametrize("mid", [10 * MID, MID // 10, 1])
def test_one_wrong_book_neither_trades_nor_permits_more(mid: int) -> None:
    for is_perp in (True, False):
        desk = Desk()
        desk.hear(info(is_perp=is_perp))
        desk.set_position(190)
        desk.run(500)
        desk.hear(desk.top_at(mid, mid + 1))
        assert is_nothing(desk.permit)
        desk.run(500)
        desk.hear(desk.top_at(MID - 1, MID + 1))
        desk.run(4_000)
        assert is_nothing(desk.permit) and desk.targets == {}


@pytest.mark.parametrize("mid", [3 * MID, MID // 10])
def test_the_other_symbols_of_the_account_are_valued_as_before_a_wrong_book_of_a_spot_symbol(
    mid: int,
) -> None:
    desk = Desk("A_PERP", "B_SPOT", max_gross_equity_multiple=0.3, rebalance={"disable": True})
    desk.hear(info("B_SPOT", is_perp=False))
    desk.set_position(190, symbol="A_PERP")
    desk.set_position(100, symbol="B_SPOT")
    desk.run(1_500)
    before = desk.permit.max_long
    desk.hear(desk.top_at(mid, mid + 1, "B_SPOT"))
    desk.run(2_000)
    assert desk.permit.may_buy and desk.permit.max_long == before and desk.targets == {}


@pytest.mark.parametrize("price", [0.0, 5e-324, 1e-16, 1e300, math.inf, math.nan])
def test_lots_within_an_amount_are_some_number_at_any_price(price: float) -> None:
    rules = Instrument.from_info(info())
    assert 0 <= lots_within(1e12, rules, price) <= MOST
    assert lots_within(1e12, rules, price) == (MOST if 0 < 0.01 * price < 1 else 0)


# --- equity ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [100.0, 10_000.0, 880.0, 1_120.0, 1e-300, 1e300])
def test_one_wrong_equity_freezes_and_neither_trades_nor_permits_more(wrong: float) -> None:
    desk = Desk()
    desk.set_position(150)
    as_of_ns = 10**18 + 10
    desk.hear(Equity(ACCOUNT, wrong, None, as_of_ns))
    assert is_nothing(desk.permit)
    assert "equity went from 1000 to" in desk.permit.reason
    desk.run(3_000)
    assert is_nothing(desk.permit) and desk.targets == {}, "the same read again confirms nothing"
    desk.hear(Equity(ACCOUNT, 1_000.0, None, as_of_ns + 1))
    desk.run(250)
    assert desk.permit.may_buy and desk.permit.max_long == 200 and desk.targets == {}


def test_a_large_step_is_acted_on_once_a_later_read_agrees() -> None:
    desk = Desk()
    desk.set_position(150)
    desk.hear(Equity(ACCOUNT, 100.0, None, 10**18 + 10))
    assert desk.target is None
    desk.hear(Equity(ACCOUNT, 101.0, None, 10**18 + 11))
    assert desk.target is not None and desk.target.minimum == 0


def test_two_reads_that_disagree_confirm_neither() -> None:
    desk = Desk()
    desk.hear(Equity(ACCOUNT, 100.0, None, 10**18 + 10))
    desk.hear(Equity(ACCOUNT, 5_000.0, None, 10**18 + 11))
    desk.run(500)
    assert is_nothing(desk.permit)


def test_a_small_change_needs_no_confirmation() -> None:
    desk = Desk()
    desk.hear(Equity(ACCOUNT, 905.0, None, 10**18 + 10))
    desk.run(250)
    assert desk.permit.max_long == 181


def test_the_first_equity_alone_trades_no_reduction() -> None:
    class Once(Desk):
        def confirm_equity(self) -> None:
            """Only one read."""

    desk = Once()
    desk.hear(Position(ACCOUNT, SYMBOL, 500, 100.0, True, 2, 0))
    desk.run(3_000)
    assert is_nothing(desk.permit) and desk.targets == {}
    Desk.confirm_equity(desk)
    desk.run(250)
    assert desk.target is not None


# --- rules that change -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes", [{"lot_size": "0.1"}, {"contract_multiplier": "10"}, {"tick_size": "0.1"}]
)
def test_a_position_told_in_other_lots_is_unknown_until_told_anew(changes: dict[str, str]) -> None:
    desk = Desk()
    desk.set_position(100)
    seq = desk.inputs["Position", ACCOUNT, SYMBOL].position_seq  # type: ignore[attr-defined]
    desk.hear(info(**changes))
    assert is_nothing(desk.permit) and desk.targets == {}
    desk.hear(desk.top_at(MID - 1, MID + 1) if "tick_size" not in changes else desk.top_at(999, 1_001))
    desk.run(5_000)
    assert is_nothing(desk.permit) and desk.targets == {}
    assert "trading rules have changed: position not told anew" in desk.permit.reason
    desk.hear(Position(ACCOUNT, SYMBOL, 10, 100.0, True, seq + 1, 0))
    desk.run(250)
    assert desk.may_quote()


def test_a_book_told_in_other_ticks_is_no_book() -> None:
    desk = Desk()
    desk.hear(info(tick_size="0.1"))
    desk.hear(Position(ACCOUNT, SYMBOL, 0, None, True, 9, 0))
    desk.take(desk.core.on_timer(desk.now_ns))
    assert is_nothing(desk.permit) and "no book heard" in desk.permit.reason


def test_nothing_is_permitted_before_a_price_was_seen_that_nothing_speaks_against() -> None:
    market = MarketState(Config(), ())
    market.on_feed_state(FeedState("v", SYMBOL, FeedStatus.LIVE, "", 0, 0), 0)
    market.on_top(Top("v", SYMBOL, MID - 1, 5, MID + 1, 5, 1, 0, 0, 0, 0), 0)
    market.on_mark(Mark("v", SYMBOL, 100.0, None, None, None, 0, 0), 0)
    market.on_instrument_info(info())
    assert market.missing(0) == "no price to be trusted yet"
    market.sample(0)
    assert market.missing(0) is None and market.price.usd == 100.0


def test_rules_that_say_no_more_about_ticks_and_lots_change_nothing() -> None:
    desk = Desk()
    desk.set_position(100)
    desk.hear(info(min_notional="1", max_price="900"))
    desk.run(250)
    assert desk.may_quote()
