"""Money: each fill once, sums exact, the venue's balance explained to the last digit."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.execution.account.ledger import EXACT, Holding, Ledger
from services.execution.account.tieout import differences, free_cash
from shared.instrument import Instrument
from shared.messages import Side
from shared.venues.base import VenueBalance, VenueFill, VenueFunding, VenuePosition
from tests.execution.small_venue import INFO, SYMBOL

D = Decimal
PERP = Instrument.from_info(INFO)
SPOT = Instrument("backpack", "SOL_USDC", "SOL", "USDC", False, D("0.01"), D("0.01"), 1)


def fill(
    number: int,
    side: Side,
    quantity: str,
    price: str,
    fee: str = "0",
    asset: str = "USDC",
    symbol: str = SYMBOL,
) -> VenueFill:
    return VenueFill(
        symbol, number, str(number), None, side, D(price), D(quantity), True, D(fee), asset, number * 10**9
    )


def test_a_ledger_made_by_hand_with_rebate_flip_fee_in_a_third_asset_and_funding() -> None:
    ledger, holding = Ledger(), Holding()
    ledger.count(fill(1, Side.BUY, "2", "100", "0.04"), PERP, holding)
    assert (holding.quantity, holding.entry_price) == (2, 100)
    ledger.count(fill(2, Side.BUY, "2", "110", "-0.01"), PERP, holding)
    assert holding.entry_price == 105
    ledger.count(fill(3, Side.SELL, "1", "120", "0.002", "BNB"), PERP, holding)
    assert (holding.quantity, holding.entry_price) == (3, 105)
    ledger.count(fill(4, Side.SELL, "5", "90"), PERP, holding)  # through zero
    assert (holding.quantity, holding.entry_price) == (-2, 90)
    ledger.fund(VenueFunding(SYMBOL, D("0.125"), 5))
    sums = ledger.snapshot()
    assert sums["cash_flow"] == D("-200") - 220 + 120 + 450
    assert (sums["fee:USDC"], sums["fee:BNB"]) == (D("0.03"), D("0.002"))
    assert (sums["funding"], sums["volume"], sums["fills"]) == (D("0.125"), 990, 4)
    assert (sums["fills_buy"], sums["fills_sell"], sums["fills_maker"]) == (2, 2, 4)


def test_O07_a_fill_counts_once_whoever_tells_it_and_partial_fills_all_count() -> None:
    ledger, holding = Ledger(), Holding()
    one = fill(1, Side.BUY, "1", "100")
    assert ledger.count(one, PERP, holding) is not None
    before = ledger.snapshot()
    assert ledger.count(one, PERP, holding) is None
    assert ledger.snapshot() == before
    assert ledger.count(fill(2, Side.BUY, "0.5", "100"), PERP, holding) is not None
    assert holding.quantity == D("1.5")


def test_a_stored_ledger_goes_on_where_it_was() -> None:
    ledger, holding = Ledger(), Holding()
    ledger.count(fill(1, Side.BUY, "1", "100"), PERP, holding)
    ledger.fund(VenueFunding(SYMBOL, D(1), 3_600 * 10**9))
    later = Ledger()
    later.load(ledger.snapshot(), [((SYMBOL, 1, "1"), 10**9)])
    assert later.count(fill(1, Side.BUY, "1", "100"), PERP, Holding()) is None
    assert later.fund(VenueFunding(SYMBOL, D(1), 3_600 * 10**9)) is None
    assert later.start(D(5), {}, 1) != {}
    assert later.start(D(6), {}, 2) == {}
    assert later.snapshot()["start_equity"] == 5


def test_funding_of_a_second_symbol_for_the_same_hour_counts_after_a_restart() -> None:
    ledger, hour_ns = Ledger(), 3_600 * 10**9
    ledger.fund(VenueFunding("A", D(1), hour_ns))  # B's payment shows only later
    later = Ledger()
    later.load(ledger.snapshot(), [])
    assert later.fund(VenueFunding("B", D(5), hour_ns)) is not None
    assert later.fund(VenueFunding("A", D(1), hour_ns)) is None
    assert later.fund(VenueFunding("A", D(2), 2 * hour_ns)) is not None
    assert later.snapshot()["funding"] == 8


def test_funding_of_a_ledger_without_the_symbols_own_times_is_not_counted_again() -> None:
    later, hour_ns = Ledger(), 3_600 * 10**9
    later.load({"funded_until_ms": D(3_600_000), "funding": D(1)}, [])
    assert later.fund(VenueFunding("A", D(1), hour_ns)) is None
    assert later.fund(VenueFunding("A", D(1), 2 * hour_ns)) is not None


def test_every_change_carries_the_whole_ledger() -> None:
    ledger, holding = Ledger(), Holding()
    ledger.start(D(5), {"USDC": D(5)}, 1)
    assert ledger.count(fill(1, Side.BUY, "1", "100", "0.01"), PERP, holding) == ledger.snapshot()
    assert ledger.fund(VenueFunding(SYMBOL, D(1), 10**9)) == ledger.snapshot()
    assert {"start_equity", "start_cash:USDC", "fee:USDC"} <= set(ledger.snapshot())


def test_fills_are_remembered_as_far_back_as_the_history_may_be_read() -> None:
    ledger, holding, minute = Ledger(), Holding(), 60 * 10**9
    for number in range(1, 61):  # an hour in which the history could not be read
        one = fill(number, Side.BUY, "1", "100")
        ledger.count(replace(one, venue_ns=number * minute), PERP, holding)
    assert ledger.remembered_ms == 0
    assert ledger.count(replace(fill(1, Side.BUY, "1", "100"), venue_ns=minute), PERP, holding) is None
    ledger.complete(60 * minute)
    ledger.count(replace(fill(61, Side.BUY, "1", "100"), venue_ns=61 * minute), PERP, holding)
    assert 44 * 60_000 < ledger.remembered_ms < 46 * 60_000


def test_a_spot_buy_pays_its_fee_out_of_what_it_bought() -> None:
    ledger, holding = Ledger(), Holding()
    ledger.count(fill(1, Side.BUY, "1", "100", "0.001", "SOL", "SOL_USDC"), SPOT, holding)
    assert holding.quantity == D("0.999")
    ledger.count(fill(2, Side.SELL, "0.5", "100", "0.05", "USDC", "SOL_USDC"), SPOT, holding)
    assert holding.quantity == D("0.499")


trades = st.lists(
    st.tuples(
        st.sampled_from([Side.BUY, Side.SELL]),
        st.integers(1, 10**9).map(lambda lots: D(lots) / 100),
        st.integers(1, 10**8).map(lambda ticks: D(ticks) / 100),
        st.integers(-(10**12), 10**12).map(lambda fee: D(fee) / 10**15),
    ),
    max_size=40,
)


@given(trades, st.integers(1, 10**9).map(lambda mark: D(mark) / 10**7), st.integers(-(10**9), 10**9))
def test_X20_the_parts_add_up_to_the_venues_balance_exactly(
    rows: list[tuple[Side, D, D, D]], mark: D, settled_units: int
) -> None:
    """Whatever the venue has settled of the unrealised profit, and whatever the mark is."""
    ledger, holding, settled = Ledger(), Holding(), D(settled_units) / 10**6
    ledger.start(D(1_000), {"USDC": D(1_000)}, 1)
    balance, cost = D(1_000), D(0)
    for number, (side, quantity, price, fee) in enumerate(rows, 1):
        ledger.count(fill(number, side, f"{quantity}", f"{price}", f"{fee:f}"), PERP, holding)
        balance -= fee
        cost += side.sign * quantity * price
    positions = [
        VenuePosition(SYMBOL, holding.quantity, None, mark, holding.quantity * mark - cost - settled)
    ]
    shown = free_cash([VenueBalance("USDC", balance + settled, balance)], positions, {SYMBOL: PERP})
    assert differences(ledger.snapshot(), shown, {SYMBOL: PERP}) == {}
    wrong = {"USDC": EXACT.add(shown["USDC"], D("0.000000000000000001"))}
    assert bool(differences(ledger.snapshot(), wrong, {SYMBOL: PERP})) is bool(rows)
