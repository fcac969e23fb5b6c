"""A symbol and messages for the accounting tests: one tick is 0.01, one lot 0.1."""

from __future__ import annotations

from decimal import Decimal

from shared.accounting.session import SessionStats
from shared.instrument import Instrument
from shared.messages import Fill, OrderStatus, OrderUpdate, Side, Top, Trade, Working, WorkingOrder

SYMBOL = "SOL_USDC_PERP"
ACCOUNT = "main"
MS = 1_000_000
S = 1_000 * MS
PERP = Instrument("backpack", SYMBOL, "SOL", "USDC", True, Decimal("0.01"), Decimal("0.1"), 1)


def stats(**options: object) -> SessionStats:
    return SessionStats(PERP, 0, **options)  # type: ignore[arg-type]


def top(
    bid: int | None, ask: int | None, bid_size: int = 10, ask_size: int = 10, venue_ns: int | None = None
) -> Top:
    return Top("backpack", SYMBOL, bid, bid_size, ask, ask_size, 1, venue_ns, 0, 0, 0)


def trade(side: Side, price: int, size: int) -> Trade:
    return Trade("backpack", SYMBOL, side, price, size, 1, None, 0)


_ids = iter(range(1, 10**9))


def fill(
    side: Side, price: int, size: int, *, fee: str = "0", mid: str | None = None, after: int = 0,
    is_maker: bool = True, is_target: bool = False, trade_id: int | None = None, order_id: str = "7",
    venue_ns: int = 0,
) -> Fill:  # fmt: skip
    trade_id = next(_ids) if trade_id is None else trade_id
    return Fill(
        ACCOUNT, SYMBOL, trade_id, 1, order_id, side, price, size, is_maker, fee, "USDC", mid, after,
        is_target, venue_ns, 0,
    )  # fmt: skip


def order(
    side: Side, price: int, size: int, status: OrderStatus = OrderStatus.LIVE, filled: int = 0
) -> WorkingOrder:
    return WorkingOrder(next(_ids), "9", side, price, size, filled, status, 0, False)


def working(*orders: WorkingOrder) -> Working:
    return Working(ACCOUNT, SYMBOL, orders, (), "ready")


def update(
    client_order_id: int, status: OrderStatus, side: Side = Side.BUY, price: int = 10_000, size: int = 5,
    filled: int = 0, *, is_target: bool = False,
) -> OrderUpdate:  # fmt: skip
    return OrderUpdate(
        ACCOUNT, SYMBOL, client_order_id, "9", side, price, size, filled, status, "", 0, 0, is_target
    )
