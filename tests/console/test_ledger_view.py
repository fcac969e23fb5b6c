"""The money of a session: a ledger made by hand, and the identity that parts add up exactly."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.console.running.ledger_view import AccountLedger
from shared.messages import Side
from shared.state.records import FillEntry, FundingEntry

QUOTES = {"SOL_USDC_PERP": "USDC", "SOL_USDC": "USDC"}
D = Decimal


def fill(
    side: Side,
    quantity: str,
    price: str,
    fee: str,
    after: str,
    *,
    symbol: str = "SOL_USDC_PERP",
    asset: str = "USDC",
) -> FillEntry:
    return FillEntry(
        symbol, 1, "1", 1, side, D(price), D(quantity), True, D(fee), asset, None, D(after), False, 0, 0
    )  # fmt: skip


def test_X20_a_ledger_made_by_hand_gives_the_cost_per_10k() -> None:
    ledger = AccountLedger(start_equity=D(1000))
    ledger.mark("SOL_USDC_PERP", D(100))
    ledger.add(
        [
            fill(Side.BUY, "2", "100", "0.04", "2"),
            fill(Side.SELL, "3", "101", "-0.03", "-1"),  # a rebate, through zero
            FundingEntry("SOL_USDC_PERP", D("0.25"), "USDC", 0, 0),
        ],
        QUOTES,
    )
    ledger.mark("SOL_USDC_PERP", D(102))
    # cash -200 + 303 - 0.04 + 0.03 + 0.25, position -1 at 102
    assert ledger.pnl == D("1.24")
    assert ledger.equity == D("1001.24")
    assert ledger.volume == 503
    assert ledger.cost_per_10k == -D("1.24") / 503 * 10_000


def test_a_spot_buy_pays_its_fee_out_of_the_position_not_twice() -> None:
    ledger = AccountLedger(start_equity=D(0))
    ledger.add([fill(Side.BUY, "1", "100", "0.001", "0.999", symbol="SOL_USDC", asset="SOL")], QUOTES)
    ledger.mark("SOL_USDC", D(100))
    assert ledger.pnl == D("-0.1")
    assert ledger.fees == D("0.1")


def test_a_position_held_from_before_counts_only_its_change() -> None:
    ledger = AccountLedger(start_equity=D(500))
    ledger.start_positions["SOL_USDC_PERP"] = ledger.positions["SOL_USDC_PERP"] = D(2)
    ledger.mark("SOL_USDC_PERP", D(100))
    ledger.mark("SOL_USDC_PERP", D(103))
    assert ledger.pnl == 6


def test_a_fill_before_the_first_known_position_tells_what_was_held_at_the_start() -> None:
    ledger = AccountLedger(start_equity=D(500))
    ledger.mark("SOL_USDC_PERP", D(100))
    ledger.add([fill(Side.BUY, "1", "100", "0", "4")], QUOTES)
    ledger.hold("SOL_USDC_PERP", D(4))
    ledger.mark("SOL_USDC_PERP", D(102))
    assert ledger.start_positions == {"SOL_USDC_PERP": D(3)}
    assert ledger.pnl == 8


def test_a_position_that_contains_a_fill_not_yet_read_does_not_count_it_twice() -> None:
    ledger = AccountLedger(start_equity=D(500))
    ledger.mark("SOL_USDC_PERP", D(100))
    ledger.hold("SOL_USDC_PERP", D(1))  # the bus is ahead of the journal
    ledger.add([fill(Side.BUY, "1", "100", "0", "1")], QUOTES)
    assert ledger.pnl == 0


def test_a_new_venue_that_starts_flat_keeps_what_was_made_on_the_old_one() -> None:
    ledger = AccountLedger(start_equity=D(1000))
    ledger.mark("SOL_USDC_PERP", D(100))
    ledger.add([fill(Side.BUY, "2", "100", "0", "2")], QUOTES)
    ledger.mark("SOL_USDC_PERP", D(101))
    ledger.start_over()
    ledger.hold("SOL_USDC_PERP", D(0))
    ledger.mark("SOL_USDC_PERP", D(150))
    ledger.add([fill(Side.SELL, "1", "150", "0", "-1")], QUOTES)
    ledger.mark("SOL_USDC_PERP", D(149))
    assert ledger.pnl == 2 + 1
    assert ledger.volume == 350


def test_L02_a_held_symbol_without_a_mid_makes_the_pnl_unknown() -> None:
    ledger = AccountLedger(start_equity=D(500))
    ledger.add([fill(Side.BUY, "1", "100", "0", "1")], QUOTES)
    assert ledger.pnl is None
    assert ledger.equity is None
    assert ledger.cost_per_10k is None


trades = st.lists(
    st.tuples(
        st.sampled_from(list(Side)),
        st.integers(1, 10**6).map(lambda lots: D(lots) / 100),
        st.integers(1, 10**7).map(lambda ticks: D(ticks) / 100),
        st.integers(-(10**4), 10**4).map(lambda fee: D(fee) / 10**6),
    ),
    max_size=30,
)


@given(trades, st.integers(1, 10**7).map(lambda ticks: D(ticks) / 100))
def test_parts_add_up_to_the_equity_exactly(rows: list[tuple[Side, D, D, D]], mid: D) -> None:
    ledger, position = AccountLedger(start_equity=D(10_000)), D(0)
    for side, quantity, price, fee in rows:
        position += side.sign * quantity
        ledger.add([fill(side, str(quantity), str(price), str(fee), str(position))], QUOTES)
    ledger.mark("SOL_USDC_PERP", mid)
    traded = sum((side.sign * quantity * (mid - price) for side, quantity, price, _ in rows), D(0))
    assert ledger.pnl == traded - sum((fee for *_, fee in rows), D(0))
