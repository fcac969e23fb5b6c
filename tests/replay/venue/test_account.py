"""The simulated account: cash and positions are the sum of what happened, to the last digit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.execution.requests import ReadKind
from services.replay.venue.account import base_of, lot_mark
from services.replay.venue.queue import FillModel
from shared.accounting.money.exact import add, multiply, subtract
from shared.clock import NS_PER_S
from shared.messages import Side
from shared.venues.base import VenueFunding
from tests.replay.market import ACCOUNT, SYMBOL, Floor, mark, top, trade

EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.tuples(st.sampled_from(Side), st.integers(1, 12))),
        st.tuples(st.just("rest"), st.tuples(st.sampled_from(Side), st.integers(1, 12))),
        st.tuples(st.just("trade"), st.tuples(st.sampled_from(Side), st.integers(1, 12))),
        st.tuples(st.just("move"), st.integers(20, 300)),
        st.tuples(st.just("fund"), st.tuples(st.floats(0.2, 4.0), st.floats(-0.01, 0.01))),
    ),
    max_size=25,
)  # fmt: skip
FEES = st.sampled_from([("0", "0"), ("0.0002", "0.0005"), ("-0.000125", "0.00033")])


def happen(floor: Floor, kind: str, value: Any) -> None:
    market = floor.market
    if kind == "take":
        side, size = value
        floor.ioc(side, 10_000 if side is Side.BUY else 1, size)
    elif kind == "rest":
        side, size = value
        floor.place(side, market.bid if side is Side.BUY else market.ask, size)
    elif kind == "trade":
        side, size = value
        floor.tell(trade(side, market.bid if side is Side.SELL else market.ask, size))
    elif kind == "move":
        floor.tell(top(value, 20, value + 2, 20))
    else:
        price, rate = value
        for due_ns in (floor.now_ns + NS_PER_S, floor.now_ns + 100 * NS_PER_S):
            floor.tell(mark(price, rate, due_ns, floor.now_ns), after_ns=NS_PER_S)


def cash_of(floor: Floor, start: str) -> Decimal:
    """The cash that the fills and funding payments which were told lead to, in exact numbers."""
    cash = Decimal(start)
    for fill in floor.take_fills():
        paid = multiply(multiply(fill.price, fill.quantity), Decimal(fill.side.sign))
        cash = subtract(subtract(cash, paid), fill.fee)
    for _, payment in floor.venue.funded:
        cash = add(cash, payment.amount)
    return cash


@given(EVENTS, FEES)
@settings(max_examples=120)
def test_cash_is_what_fills_fees_and_funding_come_to_exactly(
    events: list[Any], fees: tuple[str, str]
) -> None:
    floor = Floor(FillModel.TOUCH, cash="10000", maker=fees[0], taker=fees[1])
    for kind, value in events:
        happen(floor, kind, value)
    bought = sum(fill.side.sign * floor.instrument.lots(fill.quantity) for fill in floor.account.fills)
    assert bought == floor.position
    assert floor.account.cash == cash_of(floor, "10000")
    equity = floor.account.equity(floor.venue.markets).equity
    assert equity == floor.account.cash + floor.position * lot_mark(floor.market)


@given(EVENTS)
@settings(max_examples=150)
def test_a_perpetuals_balance_and_unrealised_profit_add_up_to_the_equity(events: list[Any]) -> None:
    floor = Floor(FillModel.TOUCH, cash="10000", maker="0.0002", taker="0.0005")
    for kind, value in events:
        happen(floor, kind, value)
    balances = floor.answer(ReadKind.BALANCES)
    positions = floor.answer(ReadKind.POSITIONS)
    statement = floor.answer(ReadKind.STATEMENT)
    equity = floor.answer(ReadKind.EQUITY)
    assert [balance.asset for balance in balances] == ["USDC"]
    unrealised = sum((position.unrealised_pnl for position in positions), Decimal(0))
    assert balances[0].total + unrealised == equity.equity
    assert [position.quantity for position in positions] == (
        [floor.instrument.quantity(floor.position)] if floor.position else []
    )
    assert (statement.balances, statement.positions) == (balances, positions)


def test_the_entry_price_is_the_average_of_what_opened_the_position() -> None:
    floor = Floor()
    floor.ioc(Side.BUY, 101, 4)
    floor.tell(top(102, 10, 104, 10))
    floor.ioc(Side.BUY, 104, 2)
    assert entry_of(floor) == Decimal("1.02")
    floor.ioc(Side.SELL, 102, 3)  # a part is closed: what is left has cost the same
    assert entry_of(floor) == Decimal("1.02")
    floor.tell(top(110, 10, 112, 10))
    floor.ioc(Side.SELL, 110, 5)  # flips: what is open now was sold at 1.10
    assert floor.position == -2 and entry_of(floor) == Decimal("1.10")
    floor.tell(top(98, 10, 100, 10))
    floor.ioc(Side.BUY, 100, 2)
    assert floor.answer(ReadKind.POSITIONS) == []


def entry_of(floor: Floor) -> Decimal:
    (position,) = floor.answer(ReadKind.POSITIONS)
    entry = position.entry_price
    assert isinstance(entry, Decimal)
    return entry


def test_longs_pay_a_positive_rate_once_per_interval_and_it_is_told() -> None:
    floor = Floor()
    floor.ioc(Side.BUY, 101, 5)
    due_ns = floor.now_ns + NS_PER_S
    floor.tell(mark(1.0, 0.001, due_ns, floor.now_ns), mark(1.1, 0.001, due_ns, floor.now_ns))
    assert not floor.venue.funded
    floor.tell(mark(1.2, 0.002, due_ns + NS_PER_S, due_ns), after_ns=NS_PER_S)
    ((account, payment),) = floor.venue.funded
    assert account == ACCOUNT
    assert payment.amount == -5 * base_of(floor.market) * Decimal("1.2") * Decimal("0.001")
    told = floor.answer(ReadKind.FUNDING)
    assert told == [VenueFunding(SYMBOL, payment.amount, floor.now_ns)]


def test_a_maker_rebate_is_a_negative_fee() -> None:
    floor = Floor(FillModel.TOUCH, maker="-0.0001")
    floor.place(Side.BUY, 99, 10)
    floor.tell(trade(Side.SELL, 99, 10))
    (fill,) = floor.take_fills()
    assert fill.fee == Decimal("-0.00000099") and fill.fee_asset == "USDC"


def test_spot_shows_what_is_held_as_a_balance_and_no_position() -> None:
    floor = Floor(is_perp=False, cash="100", held="0.007")
    floor.ioc(Side.SELL, 99, 2)
    balances = floor.answer(ReadKind.BALANCES)
    assert {balance.asset: balance.total for balance in balances} == {
        "ETH": Decimal("0.005"), "USDC": Decimal("100.00198"),
    }  # fmt: skip
    assert floor.answer(ReadKind.POSITIONS) == []
    equity = floor.answer(ReadKind.EQUITY)
    assert equity.equity == Decimal("100.00198") + 5 * lot_mark(floor.market)
