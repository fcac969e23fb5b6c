"""Money is exact: over any trading, fees, funding and settlement the books balance to the last digit."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from services.exchange.model import Refused, SelfTrade, Side
from tests.exchange.venue_builder import PERP, SPOT, Bench, account, bench

NAMES = ("ann", "bob", "cat")
DEPOSIT = Decimal(1_000_000)

fees = st.integers(-3_000, 10_000).map(lambda count: Decimal(count).scaleb(-7))
orders = st.tuples(
    st.just("order"),
    st.sampled_from(NAMES),
    st.sampled_from(Side),
    st.integers(14_900, 15_100),
    st.integers(1, 5_000),
    st.booleans(),
    st.sampled_from((PERP, PERP, SPOT)),
)
times = st.tuples(st.just("time"), st.sampled_from((0.5, 1.0, 11.0, 31.0)))
indexes = st.tuples(st.just("index"), st.integers(14_000, 16_000))
cancels = st.tuples(st.just("cancel"), st.sampled_from(NAMES))
steps = st.lists(st.one_of(orders, orders, orders, times, indexes, cancels), max_size=60)


def make(maker_fee: Decimal, taker_fee: Decimal) -> Bench:
    specs = [
        replace(
            account(name, str(DEPOSIT), "1000"),
            maker_fee_perp=maker_fee,
            taker_fee_perp=taker_fee,
            maker_fee_spot=maker_fee,
            taker_fee_spot=taker_fee,
        )
        for name in NAMES
    ]
    return bench(*specs, funding_interval_ns=30 * 10**9)


def apply(at: Bench, step: tuple) -> None:  # type: ignore[type-arg]
    match step:
        case ("order", name, side, ticks, lots, reduce_only, symbol):
            with contextlib.suppress(Refused):
                at.order(
                    name,
                    side,
                    str(Decimal(ticks).scaleb(-2)),
                    str(Decimal(lots).scaleb(-2)),
                    symbol=symbol,
                    reduce_only=reduce_only and symbol == PERP,
                    self_trade=SelfTrade.REJECT_BOTH,
                )
        case ("time", seconds):
            at.pass_time(seconds)
        case ("index", ticks):
            at.set_index(str(Decimal(ticks).scaleb(-2)))
        case ("cancel", name):
            at.venue.cancel_all(name, None, at.now_ns)


def assert_books_balance(at: Bench) -> None:
    """balance + unrealised - q * mark = deposit - fees + funding - C, per account, in quote money."""
    for name in NAMES:
        usdc, sol = at.usdc(name) - DEPOSIT, at.balance(name, "SOL") - 1000
        for state in at.venue.positions(name):
            usdc += state.pnl_unrealized - state.quantity * state.mark * Decimal("0.01")
        for fill in at.venue.fills(name):
            quantity = Decimal(fill.quantity).scaleb(-2) * (1 if fill.side is Side.BUY else -1)
            usdc += quantity * Decimal(fill.price).scaleb(-2)
            if fill.fee_asset == "USDC":
                usdc += fill.fee
            else:
                sol += fill.fee
            if fill.symbol == SPOT:
                sol -= quantity
        usdc -= sum(payment.amount for payment in at.venue.funding_payments(name))
        assert usdc == 0
        assert sol == 0


@settings(max_examples=150, deadline=None)
@given(fees, fees, steps)
def test_the_money_identity_holds_exactly_after_every_step(
    maker_fee: Decimal,
    taker_fee: Decimal,
    taken: list[tuple],  # type: ignore[type-arg]
) -> None:
    at = make(maker_fee, taker_fee)
    for step in taken:
        apply(at, step)
        assert_books_balance(at)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_between_accounts_positions_funding_and_pnl_cancel_out(taken: list[tuple]) -> None:  # type: ignore[type-arg]
    at = make(Decimal(0), Decimal(0))
    for step in taken:
        apply(at, step)
    held = [state for name in NAMES for state in at.venue.positions(name)]
    assert sum(state.quantity for state in held) == 0
    total = sum(at.usdc(name) for name in NAMES) + sum(state.pnl_unrealized for state in held)
    assert total == DEPOSIT * len(NAMES)
    assert sum(payment.amount for name in NAMES for payment in at.venue.funding_payments(name)) == 0


@settings(max_examples=60, deadline=None)
@given(steps)
def test_locks_margin_and_reduce_only_orders_always_match_the_open_orders(taken: list[tuple]) -> None:  # type: ignore[type-arg]
    at = make(Decimal("0.0002"), Decimal("0.0005"))
    for step in taken:
        apply(at, step)
        for name in NAMES:
            assert_open_orders_are_covered(at, name)


def assert_open_orders_are_covered(at: Bench, name: str) -> None:
    positions = {state.symbol: state.quantity for state in at.venue.positions(name)}
    held = positions.get(PERP, 0)
    locked_usdc = locked_sol = Decimal(0)
    buys = sells = 0
    for order in at.venue.open_orders(name):
        lots = order.leaves
        if order.symbol == SPOT and order.side is Side.BUY:
            locked_usdc += Decimal(lots * (order.price or 0)).scaleb(-4)
        elif order.symbol == SPOT:
            locked_sol += Decimal(lots).scaleb(-2)
        elif order.reduce_only:
            assert 0 < lots <= (-held if order.side is Side.BUY else held)
        elif order.side is Side.BUY:
            buys += lots
        else:
            sells += lots
    assert (at.locked(name, "USDC"), at.locked(name, "SOL")) == (locked_usdc, locked_sol)
    mark = at.venue.mark(PERP)
    assert mark is not None
    worst = max(abs(held + buys), abs(held - sells))
    assert at.venue.collateral(name).exposure == worst * mark.mark * Decimal("0.01")
