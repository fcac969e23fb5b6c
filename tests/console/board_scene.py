"""A board that has heard one symbol, and the messages it is made of."""

from __future__ import annotations

import msgspec

from services.console.bus.board import Board
from shared.config import Account, Config, Deployment, Quoter, Venue
from shared.messages import (
    Equity,
    FeedState,
    FeedStatus,
    InstrumentInfo,
    Level,
    Message,
    OrderStatus,
    OrderUpdate,
    Permit,
    Position,
    Quotes,
    Side,
    Top,
    Working,
    WorkingOrder,
)

SYMBOL, VENUE, ACCOUNT = "SOL_USDC_PERP", "backpack", "main"
NOW_NS = 10**12
CONFIG = Config(
    deployment=Deployment(run_dir="nowhere"),
    venues={VENUE: Venue(VENUE, ready_file="venue.json")},
    accounts={ACCOUNT: Account(VENUE)},
    quoters={SYMBOL: Quoter(ACCOUNT, "two_sided")},
)
INFO = InstrumentInfo(
    scope=VENUE, symbol=SYMBOL, base="SOL", quote="USDC", is_perp=True, tick_size="0.01", lot_size="0.01",
    min_quantity="0.01", max_quantity=None, min_notional=None, min_price=None, max_price=None,
    price_rule="fixed", contract_multiplier="1",
)  # fmt: skip
ORDER = WorkingOrder(7, "v7", Side.BUY, 15_000, 266, 0, OrderStatus.LIVE, NOW_NS, False)


def working(
    state: str = "ready", orders: tuple[WorkingOrder, ...] = (ORDER,), *, account: str = ACCOUNT,
    symbol: str = SYMBOL,
) -> Working:  # fmt: skip
    return Working(account, symbol, orders, (), state)


def update(status: OrderStatus, client_id: int, *, cause_ns: int = 0, sent_ns: int = 0) -> OrderUpdate:
    return OrderUpdate(
        ACCOUNT, SYMBOL, client_id, "v", Side.BUY, 15_000, 266, 0, status, "", cause_ns, sent_ns, False
    )


def everything() -> list[Message]:
    """What is heard of a symbol that is quoted."""
    return [
        INFO,
        Top(
            scope=VENUE, symbol=SYMBOL, bid=15_000, bid_size=5, ask=15_002, ask_size=5, update_id=1,
            venue_ns=1, recv_ns=NOW_NS, as_of_ns=NOW_NS, cause_ns=NOW_NS,
        ),
        FeedState(scope=VENUE, symbol=SYMBOL, status=FeedStatus.LIVE, reason="", as_of_ns=NOW_NS, lag_ns=0),
        Quotes(ACCOUNT, SYMBOL, (Level(Side.BUY, 15_000, 266),), False, NOW_NS, 0, "quoting"),
        working(),
        Position(ACCOUNT, SYMBOL, -397, 150.0, True, 1, 1),
        Equity(ACCOUNT, 10_000.0, 9_000.0, NOW_NS),
        Permit(ACCOUNT, SYMBOL, 9, 9, 9, 1e4, True, True, False, False, "", NOW_NS),
    ]  # fmt: skip


def board_of(*messages: Message, at_ns: int = NOW_NS, config: Config = CONFIG) -> Board:
    board = Board(config)
    board.on_messages(messages, at_ns)
    return board


def with_accounts(*names: str) -> Config:
    """The configuration with these accounts; the first one quotes, and so do all others: the same symbol."""
    return msgspec.structs.replace(CONFIG, accounts={name: Account(VENUE) for name in names})
