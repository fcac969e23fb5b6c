"""What orders and time do to balances, positions, margin, fees and funding."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from services.exchange.model import (
    BalanceEvent,
    MarkChange,
    OrderEventKind,
    OrderStatus,
    PositionEventKind,
    PositionState,
    Reason,
    Refused,
    Side,
)
from tests.exchange.venue_builder import PERP, SPOT, START_NS, Bench, account, bench, refused

HOUR_S = 3600


@pytest.fixture
def at() -> Bench:
    return bench()


def trade(at: Bench, buyer: str, seller: str, price: str, quantity: str, symbol: str = PERP) -> None:
    at.sell(seller, price, quantity, symbol=symbol)
    at.buy(buyer, price, quantity, symbol=symbol)


def position(at: Bench, name: str) -> PositionState:
    (state,) = at.venue.positions(name)
    return state


def test_a_spot_buy_pays_its_fee_in_base_and_a_sell_in_quote(at: Bench) -> None:
    trade(at, "bob", "ann", "150", "2", SPOT)
    assert at.usdc("bob") == Decimal(10_000 - 300)
    assert at.balance("bob", "SOL") == Decimal(102) - Decimal("0.0020")  # taker 10 bps
    assert at.balance("ann", "SOL") == Decimal(98)
    assert at.usdc("ann") == Decimal(10_300) - Decimal("0.24")  # maker 8 bps
    taker, maker = at.venue.fills("bob")[0], at.venue.fills("ann")[0]
    assert (taker.fee_asset, taker.fee, taker.is_maker) == ("SOL", Decimal("0.002"), False)
    assert (maker.fee_asset, maker.fee, maker.is_maker) == ("USDC", Decimal("0.24"), True)
    assert taker.trade_id == maker.trade_id


def test_a_spot_order_locks_what_it_would_pay_and_a_cancel_gives_it_back(at: Bench) -> None:
    bid, ask = at.buy("ann", "149", "2", symbol=SPOT), at.sell("ann", "151", "3", symbol=SPOT)
    assert at.locked("ann", "USDC") == Decimal(298)
    assert at.locked("ann", "SOL") == Decimal(3)
    at.sell("bob", "149", "0.5", symbol=SPOT)
    assert at.locked("ann", "USDC") == Decimal("223.50")
    at.cancel(bid)
    at.cancel(ask)
    assert at.locked("ann", "USDC") == at.locked("ann", "SOL") == 0


def test_a_spot_order_needs_free_funds(at: Bench) -> None:
    at.buy("ann", "149", "67", symbol=SPOT)
    with refused(Reason.INSUFFICIENT_FUNDS):
        at.buy("ann", "149", "1", symbol=SPOT)
    at.buy("ann", "149", "0.11", symbol=SPOT)
    with refused(Reason.INSUFFICIENT_FUNDS):
        at.sell("ann", "151", "100.01", symbol=SPOT)
    with refused(Reason.INSUFFICIENT_MARGIN):
        at.buy("ann", "150", "1")


def test_each_balance_change_is_told_once_per_operation(at: Bench) -> None:
    at.sell("ann", "150", "1", symbol=SPOT)
    at.sell("ann", "150.01", "1", symbol=SPOT)
    at.events.clear()
    at.buy("bob", "150.01", "2", symbol=SPOT)
    told = [(e.balance.account, e.balance.asset) for e in at.events if isinstance(e, BalanceEvent)]
    assert sorted(told) == [("ann", "SOL"), ("ann", "USDC"), ("bob", "SOL"), ("bob", "USDC")]
    assert at.events[-1].balance in at.venue.balances("bob")  # type: ignore[union-attr]


def test_a_rebate_is_a_negative_fee_and_is_paid_out() -> None:
    at = bench(replace(account("ann"), maker_fee_perp=Decimal("-0.00005")), account("bob"))
    trade(at, "bob", "ann", "150", "2")
    assert at.venue.fills("ann")[0].fee == Decimal("-0.015")
    assert at.usdc("ann") == Decimal("10000.015")


def test_a_perpetual_fill_costs_only_its_fee(at: Bench) -> None:
    trade(at, "bob", "ann", "150", "2")
    assert at.usdc("bob") == Decimal(10_000) - Decimal("0.15")  # 5 bps of 300
    assert at.usdc("ann") == Decimal(10_000) - Decimal("0.06")  # 2 bps
    state = position(at, "bob")
    assert (state.quantity, state.entry_price, state.net_cost) == (200, Decimal(150), Decimal(300))
    assert state.break_even_price == Decimal("150.075")
    assert position(at, "ann").break_even_price == Decimal("149.97")


def test_entry_price_averages_additions_and_survives_reductions(at: Bench) -> None:
    trade(at, "bob", "ann", "150", "1")
    trade(at, "bob", "ann", "153", "2")
    assert position(at, "bob").entry_price == Decimal(152)
    trade(at, "ann", "bob", "155", "1")
    assert position(at, "bob").entry_price == Decimal(152)
    assert position(at, "bob").quantity == 200


def test_closing_realises_at_once_and_exactly(at: Bench) -> None:
    trade(at, "bob", "ann", "150", "3")
    trade(at, "ann", "bob", "151.01", "3")
    assert at.venue.positions("bob") == []
    fees = sum(fill.fee for fill in at.venue.fills("bob"))
    assert at.usdc("bob") == Decimal(10_000) + Decimal("3.03") - fees
    kinds = [event.kind for event in at.position_events() if event.position.account == "bob"]
    assert kinds == [PositionEventKind.OPENED, PositionEventKind.CLOSED]


def test_crossing_zero_closes_one_position_and_opens_another(at: Bench) -> None:
    trade(at, "bob", "ann", "150", "1")
    first = position(at, "bob").id
    trade(at, "ann", "bob", "152", "3")
    state = position(at, "bob")
    assert (state.quantity, state.entry_price, state.pnl_realized) == (-200, Decimal(152), Decimal(0))
    assert state.id > first
    events = [(e.kind, e.position.quantity) for e in at.position_events() if e.position.account == "bob"]
    assert events[1:] == [(PositionEventKind.CLOSED, 0), (PositionEventKind.OPENED, -200)]
    closed = next(e.position for e in at.position_events() if e.kind is PositionEventKind.CLOSED)
    assert closed.pnl_realized == (Decimal(2) if closed.account == "bob" else Decimal(-2))


def test_the_mark_follows_the_index_by_at_most_a_quarter_percent_an_update(at: Bench) -> None:
    at.set_index("160")
    marks = []
    for _ in range(3):
        at.pass_time(1)
        change = at.venue.mark(PERP)
        assert change is not None
        marks.append(change.mark)
    assert marks == [Decimal("150.375"), Decimal("150.75093"), Decimal("151.12780")]


def test_the_mark_is_the_index_plus_a_one_minute_average_of_the_basis(at: Bench) -> None:
    at.buy("ann", "149.99", "1")
    at.sell("ann", "150.01", "1")
    at.pass_time(1)
    at.set_index("149.85")  # the mid is 0.15 above; the average starts from a basis of 0
    for _ in range(60):
        at.pass_time(1)
    change = at.venue.mark(PERP)
    assert change is not None
    assert float(change.mark) == pytest.approx(149.85 + 0.15 * (1 - 2.718281828**-1), abs=1e-4)


def test_unrealised_pnl_moves_to_the_balance_every_ten_seconds(at: Bench) -> None:
    trade(at, "bob", "ann", "150", "2")
    before = at.usdc("bob")
    at.set_index("150.30")
    at.pass_time(1)
    assert position(at, "bob").pnl_unrealized == Decimal("0.6")
    summary = at.venue.collateral("bob")
    assert summary.net_equity - summary.assets_value == Decimal("0.6")
    assert summary.assets_value == before + 100 * Decimal("150.3")
    assert at.usdc("bob") == before
    at.pass_time(9)
    state = position(at, "bob")
    assert (state.pnl_unrealized, state.pnl_realized) == (Decimal(0), Decimal("0.6"))
    assert at.usdc("bob") == before + Decimal("0.6")
    assert at.usdc("ann") == Decimal(10_000) - Decimal("0.06") - Decimal("0.6")
    assert at.position_events()[-1].kind is PositionEventKind.UPDATED


def test_funding_is_hourly_bounded_and_paid_by_longs_while_the_mark_is_above_the_index() -> None:
    at = bench(funding_interval_ns=10 * 10**9)
    trade(at, "bob", "ann", "150", "2")
    at.buy("ann", "150.14", "1")
    at.sell("ann", "150.16", "1")
    balances = {name: at.usdc(name) for name in ("ann", "bob")}
    while not at.venue.funding_payments("bob"):
        at.pass_time(1)
    paid, got = at.venue.funding_payments("bob")[0], at.venue.funding_payments("ann")[0]
    assert paid.amount < 0 < got.amount == -paid.amount
    assert paid.amount == -paid.rate * 2 * position(at, "bob").mark
    assert position(at, "bob").funding_paid == paid.amount
    assert (at.usdc("bob") - balances["bob"]) + (at.usdc("ann") - balances["ann"]) == 0
    assert (paid.interval_end_ns, paid.rate) in at.venue.funding_rates(PERP)
    assert paid.interval_end_ns % (10 * 10**9) == 0


def test_the_funding_rate_of_a_huge_premium_stops_at_one_percent() -> None:
    at = bench(funding_interval_ns=8 * HOUR_S * 10**9)
    at.venue.engine(PERP).marks.mark = 200 * 100 * 1000
    at.pass_time(1)
    change = next(event for event in at.events if isinstance(event, MarkChange))
    assert change.funding_rate == Decimal("0.01")
    assert change.next_funding_ns > START_NS


def test_the_initial_margin_covers_position_and_open_orders(at: Bench) -> None:
    at.buy("ann", "150", "400")  # 60,000 notional at 2 %
    held = at.venue.collateral("ann")
    assert (held.exposure, held.net_equity_locked) == (Decimal(60_000), Decimal(1200))
    assert held.net_equity_available == Decimal(8800)
    at.sell("ann", "151", "400")  # the worst case is one side, not both
    assert at.venue.collateral("ann").net_equity_locked == Decimal(1200)


def test_the_margin_fraction_grows_with_the_square_root_of_exposure(at: Bench) -> None:
    at.buy("ann", "150", "1000")
    needed = Decimal(150_000) * Decimal("0.000075") * Decimal(150_000).sqrt()
    assert at.venue.collateral("ann").net_equity_locked == needed
    with refused(Reason.INSUFFICIENT_MARGIN):
        at.buy("ann", "150", "4000")


def test_an_order_that_only_reduces_needs_no_margin(at: Bench) -> None:
    trade(at, "bob", "ann", "150", "1000")
    at.set_index("142")
    for _ in range(25):
        at.pass_time(1)
    with refused(Reason.INSUFFICIENT_MARGIN):
        at.buy("bob", "142", "100")
    at.sell("bob", "142", "1000")


def test_a_price_worse_than_the_mark_needs_its_loss_as_well(at: Bench) -> None:
    at.buy("ann", "150", "600")
    with refused(Reason.INSUFFICIENT_MARGIN):
        at.buy("ann", "161", "550")


def test_R19_reduce_only_is_refused_where_it_would_not_reduce(at: Bench) -> None:
    with refused(Reason.REDUCE_ONLY):
        at.sell("ann", "150", "1", reduce_only=True)
    trade(at, "bob", "ann", "150", "1")
    with refused(Reason.REDUCE_ONLY):
        at.buy("bob", "150", "1", reduce_only=True)
    with refused(Reason.BAD_REQUEST):
        at.sell("bob", "150", "1", reduce_only=True, symbol=SPOT)


def test_R19_reduce_only_never_opens_or_flips(at: Bench) -> None:
    trade(at, "bob", "ann", "150", "1")
    at.buy("ann", "149", "5")
    order = at.ioc("bob", Side.SELL, "149", "3", reduce_only=True)
    assert (order.quantity, order.status) == (100, OrderStatus.FILLED)
    assert at.venue.positions("bob") == []


def test_resting_reduce_only_orders_shrink_with_the_position_and_keep_their_place(at: Bench) -> None:
    trade(at, "bob", "ann", "150", "3")
    first = at.sell("bob", "151", "2", reduce_only=True)
    second = at.sell("bob", "151", "3", reduce_only=True)
    at.buy("ann", "149", "2")
    at.ioc("bob", Side.SELL, "149", "2")
    assert (first.leaves, second.leaves) == (100, 100)
    assert at.order_events(second)[-1] is OrderEventKind.MODIFIED
    assert at.venue.depth(PERP).asks == [(15100, 200)]
    at.ioc("ann", Side.BUY, "151", "2")
    assert (first.status, second.status) == (OrderStatus.FILLED, OrderStatus.EXPIRED)
    assert second.expiry_reason is Reason.REDUCE_ONLY
    assert at.venue.positions("bob") == []
    assert at.venue.depth(PERP).asks == []


def test_open_interest_counts_each_contract_once(at: Bench) -> None:
    trade(at, "bob", "ann", "150", "3")
    assert at.venue.open_interest(PERP) == 300


def test_other_assets_count_in_equity_but_not_as_collateral(at: Bench) -> None:
    at.buy("bob", "149", "1", symbol=SPOT)
    at.sell("bob", "151", "1", symbol=SPOT)
    summary = at.venue.collateral("ann")
    assert summary.assets_value == summary.net_equity == Decimal(10_000 + 100 * 150)
    assert summary.net_equity_available == Decimal(10_000)


def test_an_unknown_account_is_refused(at: Bench) -> None:
    with pytest.raises(Refused, match="unknown account eve"):
        at.venue.balances("eve")
