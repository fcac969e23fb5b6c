"""Every message on the bus.

Prices are integer ticks, sizes integer lots, of the message's symbol; `None` means
absent, never 0. Times are CLOCK_MONOTONIC nanoseconds except `venue_ns`, the venue's
wall clock (None where it does not tell). `cause_ns` is the receive time of the market
frame that caused the message (0 = none), so tick-to-order is measured in production.
The side of a trade is the taker's.

Two families. **State**: the whole present or wanted value, repeated on a heartbeat,
superseded by the newest. **Facts**: never conflated; a hole in their sequence is an
event (`Gap`).
"""

from __future__ import annotations

import zlib
from enum import IntEnum
from typing import Any, ClassVar, get_type_hints

import msgspec


class Side(IntEnum):
    """Order side; `sign` is the effect of a fill on the position."""

    BUY = 1
    SELL = -1

    __hash__ = int.__hash__  # an enum's own goes through its name, in Python; these are keys on the hot path

    @property
    def sign(self) -> int:
        return self._value_

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class Message(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Base of all messages. `scope` = venue for market data, account for the rest."""

    is_state: ClassVar[bool] = True


class Fact(Message, frozen=True, array_like=True, gc=False):
    is_state: ClassVar[bool] = False


# --- market data: scope = venue ---------------------------------------------------------


class FeedStatus(IntEnum):
    """Named states of a symbol's feed. Quoters act only on LIVE."""

    CONNECTING = 0
    SYNCING = 1  # buffering diffs until a snapshot joins them
    LIVE = 2
    STALE = 3  # open, but silent, lagging, crossed or gapped
    FALLBACK = 4  # prices by REST at 1 Hz: good for marks, not for quoting


class InstrumentInfo(Message, frozen=True, array_like=True, gc=False):
    """Trading rules of a symbol as decimal strings, read from the venue (see `Instrument`)."""

    scope: str
    symbol: str
    base: str
    quote: str
    is_perp: bool
    tick_size: str
    lot_size: str
    min_quantity: str
    max_quantity: str | None
    min_notional: str | None
    min_price: str | None
    max_price: str | None
    price_rule: str  # "fixed" | "significant_5": see Instrument
    contract_multiplier: str
    native_id: str | None = None  # what the venue calls it in orders, where not by the symbol
    reduce_only_is_exempt: bool = False  # from min_notional


class Top(Message, frozen=True, array_like=True, gc=False):
    """Best bid and ask with everyone's orders in it, ours included. A side is None when empty.

    recv_ns   when the frame that last changed it arrived
    as_of_ns  when the feed was last known alive (data, not pings)
    """

    scope: str
    symbol: str
    bid: int | None
    bid_size: int
    ask: int | None
    ask_size: int
    update_id: int
    venue_ns: int | None
    recv_ns: int
    as_of_ns: int
    cause_ns: int


class Depth(Message, frozen=True, array_like=True, gc=False):
    """The best levels of both sides, best first, as (ticks, lots); at most some 20 a side."""

    scope: str
    symbol: str
    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]
    update_id: int
    venue_ns: int | None
    recv_ns: int
    as_of_ns: int
    cause_ns: int


class Trade(Fact, frozen=True, array_like=True, gc=False):
    """One public trade; `side` is the taker's."""

    scope: str
    symbol: str
    side: Side
    price: int
    size: int
    trade_id: int
    venue_ns: int | None
    recv_ns: int


class Candles(Message, frozen=True, array_like=True, gc=False):
    """What the venue remembers of traded prices, on demand: (end_ns, high, low, close), oldest first.

    Each is of `interval_s` seconds that are over, in ticks, and ends at a time of the bus;
    an interval without a trade has none.
    """

    scope: str
    symbol: str
    interval_s: int
    candles: tuple[tuple[int, int, int, int], ...]


class Mark(Message, frozen=True, array_like=True, gc=False):
    """Mark and index in quote units; funding as a fraction per interval."""

    scope: str
    symbol: str
    mark_price: float
    index_price: float | None
    funding_rate: float | None
    next_funding_ns: int | None  # venue's wall clock
    venue_ns: int | None
    recv_ns: int


class FeedState(Message, frozen=True, array_like=True, gc=False):
    """Whether a symbol's market data may be used, and if not, which clock says so.

    lag_ns is growth of (local - venue time) above its running minimum.
    """

    scope: str
    symbol: str
    status: FeedStatus
    reason: str
    as_of_ns: int
    lag_ns: int


# --- signals: scope = venue -----------------------------------------------------------


class Flow(Message, frozen=True, array_like=True, gc=False):
    """Taker flow of the trailing window.

    log_ratio   time-EMA of the log of taker buy over sell notional, bounded; > 0 = buyers
    buy_notional, sell_notional   of the window, quote units
    as_of_ns    as of when the inputs were known alive
    """

    scope: str
    symbol: str
    log_ratio: float
    buy_notional: float
    sell_notional: float
    as_of_ns: int


class Volatility(Message, frozen=True, array_like=True, gc=False):
    """Volatility of the mid, annualised percent; None until enough is seen."""

    scope: str
    symbol: str
    annualised_pct: float | None
    sample_count: int
    as_of_ns: int


class Intensity(Message, frozen=True, array_like=True, gc=False):
    """How often takers reach an order `d` ticks from the mid: arrivals_per_s × exp(-decay_per_tick × d).

    One side's rate, the mean of both. None until enough trades were seen to tell.
    Source: Avellaneda and Stoikov, High-frequency trading in a limit order book (2008), section 2.5.
    """

    scope: str
    symbol: str
    arrivals_per_s: float | None
    decay_per_tick: float | None
    trade_count: int
    as_of_ns: int


# --- wanted: scope = account ------------------------------------------------------------


class Level(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One order that should rest.

    price         ticks; size lots (> 0)
    tolerance     an order within this many ticks of `price` is kept (0 = exact price only)
    max_age_ns    an order older than this is replaced (0 = never)
    """

    side: Side
    price: int
    size: int
    tolerance: int = 0
    max_age_ns: int = 0
    post_only: bool = True
    reduce_only: bool = False


class Quotes(Message, frozen=True, array_like=True, gc=False):
    """All that should rest for one symbol; empty means: cancel.

    exclusive   an order on one side is placed only after the other side is confirmed gone
    expires_ns  monotonic; after it the set counts as empty
    reason      why it is what it is, for people ("quoting", "feed stale", ...)
    position_seq  of the Position it is a function of: execution places none of it against a newer one, for
                which an order that has just filled may not be wanted again; 0 = it is good for any
    """

    scope: str
    symbol: str
    levels: tuple[Level, ...]
    exclusive: bool
    expires_ns: int
    cause_ns: int
    reason: str
    position_seq: int = 0


class Permit(Message, frozen=True, array_like=True, gc=False):
    """What may rest for an account and symbol. No permit, or an expired one, permits nothing.

    max_long, max_short  largest worst-case position, lots (>= 0)
    max_order            largest single order, lots
    max_gross_usd        largest worst-case gross exposure of the whole account, quote units
    decisions            what every policy that has something to say does and why, strictest first
    """

    scope: str
    symbol: str
    max_long: int
    max_short: int
    max_order: int
    max_gross_usd: float
    may_buy: bool
    may_sell: bool
    reduce_only: bool
    halted: bool
    reason: str
    expires_ns: int
    decisions: tuple[str, ...] = ()


class Target(Message, frozen=True, array_like=True, gc=False):
    """Where the position should be: execution trades the distance into [minimum, maximum].

    minimum, maximum  signed lots
    style             "ioc": limit IOC at the opposite best; "maker": first post-only at the passive best,
                      then IOC for what is left; "flatten": as "ioc", but only while halted and if
                      execution is configured for it; "none": nothing to do
    max_slice         largest single order, lots
    may_open          False = reduce-only, never through zero
    position_seq      of the Position it is based on; execution ignores a target based on an older one
    """

    scope: str
    symbol: str
    minimum: int
    maximum: int
    style: str
    limit_price: int | None
    max_slice: int
    may_open: bool
    position_seq: int
    expires_ns: int
    reason: str


# --- execution: scope = account -----------------------------------------------------------


class Position(Message, frozen=True, array_like=True, gc=False):
    """Signed position in lots. `is_known` False = the venue has not confirmed it: no new risk.

    position_seq grows with every change, also over restarts.
    entry_price in quote units, None when flat or unknown.
    """

    scope: str
    symbol: str
    quantity: int
    entry_price: float | None
    is_known: bool
    position_seq: int
    venue_ns: int


class Equity(Message, frozen=True, array_like=True, gc=False):
    """Account equity in quote units, independent of our resting orders; None = unknown."""

    scope: str
    equity_usd: float | None
    available_usd: float | None
    as_of_ns: int


class OrderStatus(IntEnum):
    """Where one of our orders is; see the transition table in services/execution."""

    PENDING_NEW = 0
    LIVE = 1
    PARTIALLY_FILLED = 2
    PENDING_CANCEL = 3
    UNKNOWN = 4
    FILLED = 5
    CANCELLED = 6
    REJECTED = 7
    EXPIRED = 8
    NEVER_EXISTED = 9

    __hash__ = int.__hash__  # as of `Side`


class WorkingOrder(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One of our orders that is, or may be, live. `leaves` lots may still fill."""

    client_order_id: int
    venue_order_id: str | None
    side: Side
    price: int
    size: int
    filled: int
    status: OrderStatus
    placed_ns: int
    reduce_only: bool

    @property
    def leaves(self) -> int:
        return self.size - self.filled


class Reject(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Why something wanted does not rest."""

    side: Side
    price: int
    reason: str
    at_ns: int


class Working(Message, frozen=True, array_like=True, gc=False):
    """Every order of ours that may be live on a symbol, and the latest refusals.

    state  "recovering" | "ready" | "cancelling" | "halted" | "degraded"; only "ready" places
    """

    scope: str
    symbol: str
    orders: tuple[WorkingOrder, ...]
    rejects: tuple[Reject, ...]
    state: str


class OrderUpdate(Fact, frozen=True, array_like=True, gc=False):
    """One step in the life of one of our orders. `sent_ns` is when its first byte left (0 = not sent)."""

    scope: str
    symbol: str
    client_order_id: int
    venue_order_id: str | None
    side: Side
    price: int
    size: int
    filled: int
    status: OrderStatus
    reason: str
    cause_ns: int
    sent_ns: int
    is_target: bool


class Fill(Fact, frozen=True, array_like=True, gc=False):
    """One execution of ours, counted once by (account, symbol, trade id, order id).

    fee            decimal string, > 0 is a cost, in `fee_asset`
    mid            the mid when it was learnt, quote units as a decimal string; None = no book
    position_after signed lots
    is_target      True = a reduction or hedge, not a quote
    """

    scope: str
    symbol: str
    trade_id: int
    client_order_id: int | None
    venue_order_id: str
    side: Side
    price: int
    size: int
    is_maker: bool
    fee: str
    fee_asset: str
    mid: str | None
    position_after: int
    is_target: bool
    venue_ns: int
    recv_ns: int


class Gap(Message, frozen=True, array_like=True, gc=False):
    """Made by the receiver, never sent: messages of a fact topic were lost, or its publisher restarted."""

    scope: str
    symbol: str
    kind: str


KINDS: dict[str, type[Message]] = {
    kind.__name__: kind
    for kind in (
        InstrumentInfo, Top, Depth, Trade, Candles, Mark, FeedState, Flow, Volatility, Intensity, Quotes,
        Permit, Target, Position, Equity, Working, OrderUpdate, Fill,
    )
}  # fmt: skip


def topic(kind: type[Message], scope: str, symbol: str = "-") -> bytes:
    """Return `Kind.scope.symbol.`; the dot at the end keeps SOL_USDC apart from SOL_USDC_PERP."""
    return f"{kind.__name__}.{scope}.{symbol}.".encode()


def topic_of(message: Message) -> bytes:
    """Return the topic a message is published under."""
    fields: Any = message
    return topic(type(message), fields.scope, getattr(fields, "symbol", "-"))


def _describe() -> str:
    parts = []
    kinds: tuple[type[msgspec.Struct], ...] = (*KINDS.values(), Level, WorkingOrder, Reject)
    for kind in kinds:
        hints = get_type_hints(kind)
        parts.append(
            f"{kind.__name__}({','.join(f'{name}:{hints[name]}' for name in kind.__struct_fields__)})"
        )
    for enum in (Side, FeedStatus, OrderStatus):
        members = ",".join(f"{name}={member.value}" for name, member in enum.__members__.items())
        parts.append(f"{enum.__name__}({members})")
    return ";".join(parts)


#: CRC of every field name and type and of every member of an enum: two processes with another
#: value must not talk.
SCHEMA_HASH: int = zlib.crc32(_describe().encode())
