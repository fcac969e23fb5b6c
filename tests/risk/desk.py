"""A risk core with everything known: tests take one thing away or change it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from services.risk.config import parse_risk
from services.risk.core import Risk
from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import (
    Depth,
    Equity,
    FeedState,
    FeedStatus,
    Fill,
    InstrumentInfo,
    Mark,
    Message,
    OrderStatus,
    Permit,
    Position,
    Side,
    Target,
    Top,
    Working,
    WorkingOrder,
)

VENUE, ACCOUNT, SYMBOL = "backpack", "main", "SOL_USDC_PERP"
MS = NS_PER_MS
#: prices around 100.00 in ticks of 0.01; a lot of 0.01 is worth one quote unit
TICK, LOT, MID = "0.01", "0.01", 10_000


def info(symbol: str = SYMBOL, is_perp: bool = True, **changes: Any) -> InstrumentInfo:
    fields: dict[str, Any] = {
        "scope": VENUE, "symbol": symbol, "base": "SOL", "quote": "USDC", "is_perp": is_perp,
        "tick_size": TICK, "lot_size": LOT, "min_quantity": "0.01", "max_quantity": None,
        "min_notional": None, "min_price": None, "max_price": None, "price_rule": "fixed",
        "contract_multiplier": "1",
    }  # fmt: skip
    return InstrumentInfo(**(fields | changes))


class Desk:
    """Feeds the core; keeps the newest permit and target of every symbol, and all that was told."""

    def __init__(self, *symbols: str, accounts: tuple[str, ...] = (ACCOUNT,), **config: Any) -> None:
        self.now_ns = 10 * NS_PER_S
        self.core = Risk(parse_risk(config), dict.fromkeys(accounts, VENUE))
        self.symbols = symbols or (SYMBOL,)
        self.accounts = accounts
        self.told: list[Message] = []
        self.permits: dict[tuple[str, str], Permit] = {}
        self.targets: dict[tuple[str, str], Target] = {}
        #: kinds that are not repeated any more
        self.silent: set[str] = set()
        self.inputs: dict[tuple[str, ...], Message] = {}
        self._set_defaults()
        for account in accounts:
            for symbol in self.symbols:
                self.core.set_quoted(account, symbol, True)
        self.take(self.core.on_halts({}, self.now_ns))
        self.run(1_500)
        if "Equity" not in self.silent:
            self.confirm_equity()

    def _set_defaults(self) -> None:
        for symbol in self.symbols:
            self.keep(info(symbol))
            self.keep(FeedState(VENUE, symbol, FeedStatus.LIVE, "", 0, 0))
            self.keep(self.top_at(MID - 1, MID + 1, symbol))
            self.keep(self.mark_at(100.0, symbol))
            for account in self.accounts:
                self.keep(Position(account, symbol, 0, None, True, 1, 0))
                self.keep(Working(account, symbol, (), (), "ready"))
        for account in self.accounts:
            self.keep(Equity(account, 1_000.0, 1_000.0, 10**18))

    def confirm_equity(self) -> None:
        """Let a second, later read of every account say the same."""
        for account in self.accounts:
            first: Any = self.inputs["Equity", account, "-"]
            self.hear(msgspec.structs.replace(first, as_of_ns=first.as_of_ns + 1))

    def set_equity(self, usd: float) -> None:
        """Let two reads of the first account's equity agree on a value."""
        last: Any = self.inputs["Equity", self.accounts[0], "-"]
        self.hear(msgspec.structs.replace(last, equity_usd=usd, as_of_ns=last.as_of_ns + 1))
        self.confirm_equity()

    def set_price(self, price: float, symbol: str = SYMBOL) -> None:
        """Move book and mark; a large move takes a cool-down."""
        mid = round(price * 100)
        self.hear(self.top_at(mid - 1, mid + 1, symbol), self.mark_at(price, symbol))

    def top_at(self, bid: int | None, ask: int | None, symbol: str = SYMBOL) -> Top:
        return Top(VENUE, symbol, bid, 5, ask, 5, 1, 0, self.now_ns, self.now_ns, self.now_ns)

    def mark_at(self, price: float, symbol: str = SYMBOL) -> Mark:
        return Mark(VENUE, symbol, price, None, None, None, 0, 10**18)

    def keep(self, message: Message) -> None:
        """Repeat this message on every heartbeat from now on."""
        fields: Any = message
        symbol = getattr(fields, "symbol", "-")
        self.inputs[type(message).__name__, fields.scope, symbol] = message

    def hear(self, *messages: Message) -> list[Message]:
        """Give messages to the core now, and on every heartbeat; return what it told."""
        first = len(self.told)
        for message in messages:
            if not isinstance(message, Fill):
                self.keep(message)
            self._give(message)
        return self.told[first:]

    def run(self, milliseconds: int) -> None:
        """Let time pass: heartbeats of every input and the timer, each 250 ms."""
        end_ns = self.now_ns + milliseconds * MS
        while self.now_ns < end_ns:
            self.now_ns += min(250 * MS, end_ns - self.now_ns)
            for (kind, *_), message in list(self.inputs.items()):
                if kind not in self.silent:
                    self._give(message)
            self.take(self.core.on_timer(self.now_ns))

    def take(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.told.append(message)
            if isinstance(message, Permit):
                self.permits[message.scope, message.symbol] = message
            elif isinstance(message, Target):
                self.targets[message.scope, message.symbol] = message

    def _give(self, message: Message) -> None:
        handlers: dict[type[Message], Any] = {
            InstrumentInfo: self.core.on_instrument_info, FeedState: self.core.on_feed_state,
            Top: self.core.on_top, Depth: self.core.on_depth, Mark: self.core.on_mark,
            Position: self.core.on_position, Equity: self.core.on_equity,
            Working: self.core.on_working, Fill: self.core.on_fill,
        }  # fmt: skip
        self.take(handlers[type(message)](message, self.now_ns))

    # --- the first symbol of the first account ---------------------------------------------------

    @property
    def permit(self) -> Permit:
        return self.permits[self.accounts[0], self.symbols[0]]

    @property
    def target(self) -> Target | None:
        """The target in force; None when there is none."""
        target = self.targets.get((self.accounts[0], self.symbols[0]))
        return None if target is None or target.style == "none" else target

    def has_target(self) -> bool:
        return self.target is not None

    def may_quote(self) -> bool:
        return self.permit.may_buy and self.permit.may_sell

    def set_position(self, lots: int, seq: int = 2, symbol: str = "", is_known: bool = True) -> None:
        """Trade to a position: the fill, then the position."""
        symbol = symbol or self.symbols[0]
        key = ("Position", self.accounts[0], symbol)
        before: Any = self.inputs[key]
        delta = lots - before.quantity
        if delta:
            self.hear(self.fill_of(delta, lots, symbol))
        self.hear(Position(self.accounts[0], symbol, lots, 100.0, is_known, before.position_seq + seq, 0))

    def fill_of(self, delta: int, after: int, symbol: str = SYMBOL) -> Fill:
        side = Side.BUY if delta > 0 else Side.SELL
        return Fill(
            self.accounts[0], symbol, 1, 1, "v1", side, MID, abs(delta), True, "0", "USDC", None, after,
            False, 0, self.now_ns,
        )  # fmt: skip

    def order(self, side: Side, lots: int) -> WorkingOrder:
        return WorkingOrder(1, "v1", side, MID, lots, 0, OrderStatus.LIVE, 0, False)


def is_nothing(permit: Permit) -> bool:
    """True when a permit permits nothing at all."""
    return not (permit.may_buy or permit.may_sell or permit.max_long or permit.max_short or permit.max_order)
