"""The money of a session: by hand, and against oracles that know no streaming."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.accounting.money.fifo import Fifo
from shared.accounting.money.ledger import SymbolLedger
from shared.accounting.money.values import Denomination, Execution
from shared.messages import Side

D = Decimal
PERP = Denomination("SOL", "USDC", True)
SPOT = Denomination("SOL", "USDC", False)


def execution(
    side: Side, quantity: str | D, price: str | D, fee: str | D = "0", *, mid: D | None = None,
    after: D | None = None, asset: str = "USDC", is_maker: bool = True,
) -> Execution:  # fmt: skip
    return Execution(side, D(price), D(quantity), is_maker, D(fee), asset, mid, after)


def test_X12_a_ledger_made_by_hand_shows_volumes_fees_realised_unrealised_and_net() -> None:
    ledger = SymbolLedger(PERP)
    ledger.mark(D(100))
    ledger.fill(execution(Side.BUY, "2", "99", "0.04", mid=D(100)))
    ledger.fill(execution(Side.BUY, "1", "101", "0.10", mid=D(100), is_maker=False))
    ledger.fill(execution(Side.SELL, "2.5", "104", "-0.03", mid=D(103)))
    ledger.fund(D("0.25"))
    ledger.mark(D(102))
    volumes = ledger.volumes
    assert (volumes.maker_buy, volumes.taker_buy, volumes.maker_sell, volumes.taker_sell) == (
        198,
        101,
        260,
        0,
    )
    assert ledger.net_fees == D("0.11")
    assert ledger.realised == 2 * 5 + D("0.5") * 3  # first in, first out
    assert ledger.unrealised == D("0.5") * 1
    assert ledger.profit == D("11.5") + D("0.5") - D("0.11") + D("0.25")
    parts = ledger.parts
    assert parts.spread == 2 - 1 + D("2.5")
    assert parts.inventory == 3 * 3 - D("0.5")
    assert (parts.fees, parts.rebates, parts.funding) == (D("-0.14"), D("0.03"), D("0.25"))
    assert parts.total == ledger.profit


def test_X12_a_short_has_an_unrealised_profit_as_a_long_has() -> None:
    ledger = SymbolLedger(PERP)
    ledger.fill(execution(Side.SELL, "2", "100", mid=D(100)))
    ledger.mark(D(97))
    assert ledger.unrealised == 6
    assert ledger.realised == 0


def test_X12_a_flip_through_zero_realises_the_old_position_and_opens_the_rest() -> None:
    ledger = SymbolLedger(PERP)
    ledger.fill(execution(Side.BUY, "1", "100", mid=D(100)))
    ledger.fill(execution(Side.SELL, "3", "105", mid=D(105)))
    ledger.mark(D(104))
    assert (ledger.realised, ledger.unrealised, ledger.position) == (5, 2, -2)


def test_L02_a_fee_in_an_asset_without_a_price_makes_the_profit_unknown_until_it_has_one() -> None:
    ledger = SymbolLedger(PERP)
    ledger.mark(D(100))
    ledger.fill(execution(Side.BUY, "1", "100", "0.001", asset="BNB"))
    assert ledger.profit is None
    assert ledger.unvalued_fees == {"BNB": D("0.001")}
    priced = SymbolLedger(PERP)
    priced.rate("BNB", D(500))
    priced.mark(D(100))
    priced.fill(execution(Side.BUY, "1", "100", "0.001", asset="BNB"))
    assert priced.profit == priced.parts.fees == D("-0.5")


def test_a_position_that_moved_without_a_fill_is_taken_over_at_the_mid_and_counted() -> None:
    ledger = SymbolLedger(PERP)
    ledger.mark(D(100))
    ledger.fill(execution(Side.BUY, "1", "100", after=D(1)))
    ledger.fill(execution(Side.BUY, "1", "100", after=D(5)))  # 3 came from elsewhere
    assert (ledger.profit, ledger.position, ledger.unexplained) == (0, 5, 1)
    ledger.mark(D(101))
    assert ledger.profit == ledger.parts.total == 5


steps = st.one_of(
    st.tuples(st.just("mark"), st.integers(1, 10**6)),
    st.tuples(st.just("fund"), st.integers(-(10**6), 10**6)),
    st.tuples(
        st.just("fill"),
        st.sampled_from(list(Side)),
        st.integers(1, 10**4),  # lots
        st.integers(1, 10**6),  # price
        st.integers(-(10**3), 10**3),  # fee
        st.sampled_from(["USDC", "SOL"]),
        st.one_of(st.none(), st.integers(1, 10**6)),  # mid
        st.one_of(st.none(), st.none(), st.none(), st.integers(-(10**4), 10**4)),  # drift
        st.booleans(),
    ),
)
START = st.tuples(st.integers(-(10**5), 10**5), st.integers(1, 10**6))


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([PERP, SPOT, Denomination("SOL", "USDC", True, D("0.01"))]),
    START,
    st.lists(steps, max_size=30),
    st.integers(1, 10**6),
)
def test_X12_the_parts_and_the_fifo_add_up_to_the_profit_exactly(
    of: Denomination, start: tuple[int, int], events: list[tuple[object, ...]], last_mid: int
) -> None:
    ledger = SymbolLedger(of)
    ledger.hold(D(start[0]) / 1000)
    ledger.mark(D(start[1]) / 100)
    for event in events:
        apply(ledger, event)
    ledger.mark(D(last_mid) / 100)
    assert ledger.unrealised is not None
    assert ledger.profit == ledger.parts.total
    assert ledger.profit == ledger.realised + ledger.unrealised - ledger.net_fees + ledger.funding
    assert ledger.volumes.total == sum(
        (D(event[2]) / 1000 * D(event[3]) / 100 * of.multiplier for event in events if event[0] == "fill"),
        D(0),
    )


def apply(ledger: SymbolLedger, event: tuple[object, ...]) -> None:
    if event[0] == "mark":
        ledger.mark(D(event[1]) / 100)  # type: ignore[arg-type]
    elif event[0] == "fund":
        ledger.fund(D(event[1]) / 10**6)  # type: ignore[arg-type]
    else:
        _, side, lots, price, fee, asset, mid, drift, is_maker = event
        after = None if drift is None else ledger.position + D(drift) / 1000  # type: ignore[arg-type]
        ledger.fill(
            execution(
                side, D(lots) / 1000, D(price) / 100, D(fee) / 10**6, asset=asset,  # type: ignore[arg-type]
                mid=None if mid is None else D(mid) / 100, after=after, is_maker=is_maker,  # type: ignore[arg-type]
            )
        )  # fmt: skip


trades = st.lists(st.tuples(st.sampled_from([1, -1]), st.integers(1, 40), st.integers(1, 500)), max_size=40)


@settings(max_examples=150, deadline=None)
@given(trades, st.integers(1, 500))
def test_X12_fifo_is_what_matching_unit_by_unit_gives(rows: list[tuple[int, int, int]], mid: int) -> None:
    fifo = Fifo()
    units: list[tuple[int, int]] = []  # (sign, price), oldest first
    realised = 0
    for sign, quantity, price in rows:
        fifo.add(D(sign * quantity), D(price))
        for _ in range(quantity):
            if units and units[0][0] != sign:
                opened, paid = units.pop(0)
                realised += opened * (price - paid)
            else:
                units.append((sign, price))
    assert fifo.realised == realised
    assert fifo.unrealised(D(mid)) == sum(sign * (mid - price) for sign, price in units)
    assert fifo.position == sum(sign for sign, _ in units)


@settings(max_examples=100, deadline=None)
@given(trades, st.integers(1, 500))
def test_a_fifo_with_merged_parcels_is_bounded_and_loses_nothing(
    rows: list[tuple[int, int, int]], mid: int
) -> None:
    fifo, cash, position = Fifo(most_parcels=3), Fraction(0), 0
    for sign, quantity, price in rows:
        fifo.add(D(sign * quantity), D(price))
        cash -= sign * quantity * price
        position += sign * quantity
        assert fifo.open_parcels <= 3
    assert Fraction(fifo.realised) + Fraction(fifo.unrealised(D(mid))) == cash + position * mid
