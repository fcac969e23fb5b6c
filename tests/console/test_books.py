"""The books of a run: money from the journal alone, the rest from the bus, and nothing twice."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from services.console.running.books import Books
from services.console.running.session import summary_of
from shared.accounting.session import SessionStats
from shared.bus import STATE_TTL_NS
from shared.messages import Equity, Fill, OrderStatus, Position, Side, Top
from shared.state.records import FillEntry, FundingEntry
from tests.console.board_scene import ACCOUNT, CONFIG, INFO, NOW_NS, SYMBOL, board_of, update, working

D = Decimal
SPOT = "SOL_USDC"
SPOT_INFO = msgspec.structs.replace(INFO, symbol=SPOT, is_perp=False)
S = 10**9


def books(*, equity: float | None = 1_000.0) -> Books:
    opened = Books(CONFIG, NOW_NS)
    opened.add_instrument(INFO)
    opened.add_instrument(SPOT_INFO)
    opened.on_message(Equity(ACCOUNT, equity, None, NOW_NS), NOW_NS)
    for symbol in (SYMBOL, SPOT):
        opened.on_message(working(orders=(), symbol=symbol), NOW_NS)
    return opened


def session(opened: Books, symbol: str = SYMBOL) -> SessionStats:
    found = opened.session(ACCOUNT, symbol)
    assert found is not None
    return found


def see(opened: Books, mid: int, symbol: str = SYMBOL, now_ns: int = NOW_NS) -> None:
    """Show a market whose mid is so many quote units."""
    ticks = 100 * mid
    top = Top("backpack", symbol, ticks - 1, 5, ticks + 1, 5, 1, 1, now_ns, now_ns, now_ns)
    opened.on_message(top, now_ns)


def hold(opened: Books, lots: int) -> None:
    opened.on_message(Position(ACCOUNT, SYMBOL, lots, None, True, 1, 0), NOW_NS)


def entry(
    side: Side, quantity: str, price: str, fee: str, after: str, *, symbol: str = SYMBOL, asset: str = "USDC",
    mid: str | None = None, is_target: bool = False, order_id: str = "1",
) -> FillEntry:  # fmt: skip
    return FillEntry(
        symbol, 1, order_id, 1, side, D(price), D(quantity), True, D(fee), asset,
        None if mid is None else D(mid), D(after), is_target, 0, 0,
    )  # fmt: skip


def test_X20_a_journal_made_by_hand_gives_the_cost_per_10k() -> None:
    opened = books()
    see(opened, 100)
    opened.book(
        ACCOUNT,
        [
            entry(Side.BUY, "2", "100", "0.04", "2"),
            entry(Side.SELL, "3", "101", "-0.03", "-1"),  # a rebate, through zero
            FundingEntry(SYMBOL, D("0.25"), "USDC", 0, 0),
        ],
    )
    see(opened, 102)
    report = opened.stats(NOW_NS, 0, is_running=True).accounts[ACCOUNT]
    # cash -200 + 303 - 0.04 + 0.03 + 0.25, position -1 at 102
    assert report.net == opened.profit(ACCOUNT) == D("1.24")
    assert report.equity == D("1001.24")
    assert opened.volume(ACCOUNT) == 503
    assert report.costs.cost_per_10k == float(-D("1.24") / 503 * 10_000)
    assert report.symbols[SYMBOL].money.parts.total == D("1.24")


def test_a_spot_buy_pays_its_fee_out_of_the_position_not_twice() -> None:
    opened = books()
    opened.book(ACCOUNT, [entry(Side.BUY, "1", "100", "0.001", "0.999", symbol=SPOT, asset="SOL")])
    see(opened, 100, SPOT)
    assert opened.profit(ACCOUNT) == D("-0.1")
    assert session(opened, SPOT).ledger.net_fees == D("0.1")
    assert session(opened, SPOT).ledger.unexplained == 0


def test_a_position_held_from_before_counts_only_its_change() -> None:
    opened = books()
    hold(opened, 200)
    see(opened, 100)
    see(opened, 103)
    assert opened.stats(NOW_NS, 0, is_running=True).accounts[ACCOUNT].net == 6


def test_a_fill_before_the_first_known_position_tells_what_was_held_at_the_start() -> None:
    opened = books()
    see(opened, 100)
    opened.book(ACCOUNT, [entry(Side.BUY, "1", "100", "0", "4")])
    hold(opened, 400)
    see(opened, 102)
    report = opened.stats(NOW_NS, 0, is_running=True).accounts[ACCOUNT]
    assert report.symbols[SYMBOL].start_position == 3
    assert report.net == 8


def test_a_position_that_contains_a_fill_not_yet_read_does_not_count_it_twice() -> None:
    opened = books()
    see(opened, 100)
    hold(opened, 100)  # the bus is ahead of the journal
    see(opened, 101)
    opened.book(ACCOUNT, [entry(Side.BUY, "1", "100", "0", "1", mid="100")])
    assert opened.stats(NOW_NS, 0, is_running=True).accounts[ACCOUNT].net == 1


def test_a_new_venue_that_starts_flat_keeps_what_was_made_on_the_old_one() -> None:
    opened = books()
    see(opened, 100)
    opened.book(ACCOUNT, [entry(Side.BUY, "2", "100", "0", "2")])
    see(opened, 101)
    opened.stats(NOW_NS, 0, is_running=True)
    opened.start_over()
    hold(opened, 0)
    see(opened, 150)
    opened.book(ACCOUNT, [entry(Side.SELL, "1", "150", "0", "-1")])
    see(opened, 149)
    report = opened.stats(NOW_NS, 0, is_running=True).accounts[ACCOUNT]
    assert report.net == report.symbols[SYMBOL].money.parts.total == 2 + 1
    assert opened.volume(ACCOUNT) == 350


def test_L02_a_held_symbol_without_a_mid_makes_the_profit_unknown() -> None:
    opened = books()
    opened.book(ACCOUNT, [entry(Side.BUY, "1", "100", "0", "1")])
    assert opened.profit(ACCOUNT) is None
    assert opened.equity(ACCOUNT) is None
    assert opened.cost_per_10k(ACCOUNT) is None
    assert summary_of(opened.stats(NOW_NS, 0, is_running=False))["cost_per_10k_usd"] is None


def test_the_money_of_a_symbol_that_nobody_lists_counts_and_its_market_is_unknown() -> None:
    opened = books()
    gone = "GONE_USDC_PERP"
    opened.book(ACCOUNT, [entry(Side.BUY, "1", "100", "0.1", "1", symbol=gone)])
    see(opened, 100, gone)
    assert opened.profit(ACCOUNT) is None
    opened.book(ACCOUNT, [entry(Side.SELL, "1", "101", "0.1", "0", symbol=gone)])
    assert opened.profit(ACCOUNT) == D("0.8")


def test_a_fill_told_on_the_bus_is_no_money_but_has_a_markout() -> None:
    opened = books()
    see(opened, 100)
    told = Fill(ACCOUNT, SYMBOL, 1, 1, "7", Side.BUY, 9_999, 5, True, "0", "USDC", None, 5, False, 0, NOW_NS)
    for _ in range(2):
        opened.on_message(told, NOW_NS)
    see(opened, 101, now_ns=NOW_NS + 2 * S)
    report = opened.stats(NOW_NS + 2 * S, 0, is_running=True).accounts[ACCOUNT].symbols[SYMBOL]
    assert (report.activity.fills, report.costs.volume) == (0, 0)
    assert [markout.fills for markout in report.markouts] == [1, 1, 0, 0], "told twice, counted once"


def test_what_is_not_heard_any_more_does_not_rest() -> None:
    opened = books()
    bid = msgspec.structs.replace(working().orders[0], side=Side.BUY, price=9_999)
    ask = msgspec.structs.replace(bid, side=Side.SELL, price=10_001)
    see(opened, 100)
    opened.on_message(working(orders=(bid, ask)), NOW_NS)
    board = board_of(working())
    opened.watch(board, NOW_NS + STATE_TTL_NS + 1)
    late = opened.stats(NOW_NS + 10 * STATE_TTL_NS, 0, is_running=True)
    assert 0.09 < late.accounts[ACCOUNT].symbols[SYMBOL].presence.two_sided < 0.11


def test_the_summary_adds_up_the_symbols_and_keeps_its_names() -> None:
    opened = books()
    see(opened, 100)
    see(opened, 100, SPOT)
    for client_id in (1, 2):
        opened.on_message(update(OrderStatus.PENDING_NEW, client_id), NOW_NS)
    opened.on_message(update(OrderStatus.CANCELLED, 1), NOW_NS)
    opened.book(
        ACCOUNT,
        [
            entry(Side.BUY, "1", "99", "0.1", "1"),
            entry(Side.SELL, "1", "101", "0.1", "0", is_target=True, order_id="8"),
            entry(Side.BUY, "1", "100", "0.1", "1", symbol=SPOT),
        ],
    )
    summary = summary_of(opened.stats(NOW_NS, 0, is_running=False))
    assert (summary["fills"], summary["fills_buy"], summary["fills_sell"], summary["hedges"]) == (3, 2, 1, 1)
    assert (summary["orders_placed"], summary["cancels"], summary["orders_rejected"]) == (2, 1, 0)
    assert summary["volume_usd"] == 300.0
    assert summary["net_usd"] == D("1.7") == sum(summary["parts_usd"].values())
    assert summary["cost_per_10k_usd"] == float(-D("1.7") / 300 * 10_000)
    assert sum(summary["volumes_usd"].values()) == 300
