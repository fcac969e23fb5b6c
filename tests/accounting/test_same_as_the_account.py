"""The ledger of a session and the account's own, which is tied out to the venue, tell the same profit."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from services.execution.account.ledger import Holding, Ledger
from shared.accounting.money.ledger import SymbolLedger
from shared.accounting.money.values import Denomination, Execution
from shared.instrument import Instrument
from shared.messages import Side
from shared.venues.base import VenueFill
from tests.accounting.scene import PERP

D = Decimal
SPOT = Instrument("backpack", "SOL_USDC", "SOL", "USDC", False, D("0.01"), D("0.01"), 1)

rows = st.lists(
    st.tuples(
        st.sampled_from(list(Side)),
        st.integers(1, 10**5),
        st.integers(1, 10**6),
        st.integers(-(10**3), 10**4),
        st.booleans(),  # a spot buy may pay in base
        st.one_of(st.none(), st.integers(1, 10**6)),
    ),
    max_size=25,
)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([PERP, SPOT]), rows, st.integers(1, 10**6))
def test_X12_a_session_and_the_account_tell_the_same_profit_exactly(
    of: Instrument, trades: list[tuple[Side, int, int, int, bool, int | None]], last: int
) -> None:
    account, holding = Ledger(), Holding()
    session = SymbolLedger(Denomination(of.base, of.quote, of.is_perp))
    for at, (side, lots, ticks, fee, in_base, mid) in enumerate(trades):
        asset = of.base if in_base and not of.is_perp else of.quote
        price, quantity, cost = D(ticks) / 100, D(lots) / 100, D(fee) / 10**5
        fill = VenueFill(of.symbol, at, str(at), at, side, price, quantity, True, cost, asset, at)
        account.count(fill, of, holding)
        session.fill(
            Execution(
                side, price, quantity, True, cost, asset, None if mid is None else D(mid) / 100,
                holding.quantity,
            )
        )  # fmt: skip
    final = D(last) / 100
    session.mark(final)
    sums = account.snapshot()
    paid = sums.get(f"fee:{of.quote}", D(0))
    assert session.position == holding.quantity
    assert session.profit == sums.get("cash_flow", D(0)) - paid + holding.quantity * final
    assert session.volumes.total == sums.get("volume", D(0))
    assert session.unexplained == 0
