"""Messages and a fed quoter for the tests of the quoter: SOL at 200, tick 0.01, lot 0.01."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from services.quoter.config import Settings, parse_quoter
from services.quoter.core import Quoter
from services.quoter.levels.rounding import PriceGrid
from services.quoter.levels.sizing import LotSizes
from services.quoter.strategies.base import MarketView
from shared.clock import NS_PER_MS, NS_PER_S
from shared.config import Quoter as QuoterTable
from shared.instrument import Instrument
from shared.messages import (
    Depth,
    Equity,
    FeedState,
    FeedStatus,
    Flow,
    InstrumentInfo,
    Intensity,
    Level,
    Message,
    OrderStatus,
    Permit,
    Position,
    Quotes,
    Side,
    Top,
    Volatility,
    Working,
    WorkingOrder,
)

VENUE, ACCOUNT, SYMBOL = "backpack", "main", "SOL_USDC_PERP"
START_NS = 10**12

INFO = InstrumentInfo(
    scope=VENUE, symbol=SYMBOL, base="SOL", quote="USDC", is_perp=True, tick_size="0.01", lot_size="0.01",
    min_quantity="0.01", max_quantity=None, min_notional=None, min_price=None, max_price=None,
    price_rule="fixed", contract_multiplier="1",
)  # fmt: skip
INSTRUMENT = Instrument.from_info(INFO)


def instrument(**changes: Any) -> Instrument:
    return Instrument.from_info(msgspec.structs.replace(INFO, **changes))


def top(bid: int | None = 19_999, ask: int | None = 20_001, now_ns: int = START_NS, **changes: Any) -> Top:
    values = {
        "scope": VENUE, "symbol": SYMBOL, "bid": bid, "bid_size": 500, "ask": ask, "ask_size": 500,
        "update_id": 1, "venue_ns": 0, "recv_ns": now_ns, "as_of_ns": now_ns, "cause_ns": now_ns,
    } | changes  # fmt: skip
    return Top(**values)


def depth(
    bids: tuple[tuple[int, int], ...], asks: tuple[tuple[int, int], ...], now_ns: int = START_NS
) -> Depth:
    return Depth(VENUE, SYMBOL, bids, asks, 1, 0, now_ns, now_ns, now_ns)


def feed(status: FeedStatus = FeedStatus.LIVE, now_ns: int = START_NS, reason: str = "") -> FeedState:
    return FeedState(VENUE, SYMBOL, status, reason, now_ns, 0)


def flow(log_ratio: float = 0.0, now_ns: int = START_NS) -> Flow:
    return Flow(VENUE, SYMBOL, log_ratio, 0.0, 0.0, now_ns)


def volatility(annualised_pct: float | None = 50.0, now_ns: int = START_NS) -> Volatility:
    return Volatility(VENUE, SYMBOL, annualised_pct, 60, now_ns)


def intensity(
    arrivals_per_s: float | None = 1.0, decay_per_tick: float | None = 0.5, now_ns: int = START_NS
) -> Intensity:
    return Intensity(VENUE, SYMBOL, arrivals_per_s, decay_per_tick, 100, now_ns)


def permit(now_ns: int = START_NS, **changes: Any) -> Permit:
    values: dict[str, Any] = {
        "scope": ACCOUNT, "symbol": SYMBOL, "max_long": 1_000, "max_short": 1_000, "max_order": 1_000,
        "max_gross_usd": 1e9, "may_buy": True, "may_sell": True, "reduce_only": False, "halted": False,
        "reason": "", "expires_ns": now_ns + NS_PER_S,
    } | changes  # fmt: skip
    return Permit(**values)


def position(lots: int = 0, is_known: bool = True) -> Position:
    return Position(ACCOUNT, SYMBOL, lots, None, is_known, 1, 0)


def equity(usd: float | None = 1_000.0, now_ns: int = START_NS) -> Equity:
    return Equity(ACCOUNT, usd, usd, now_ns)


def order(
    side: Side, price: int, size: int, *, order_id: int = 1, filled: int = 0, placed_ns: int = START_NS
) -> WorkingOrder:
    return WorkingOrder(
        order_id, str(order_id), side, price, size, filled, OrderStatus.LIVE, placed_ns, False
    )


def working(*orders: WorkingOrder) -> Working:
    return Working(ACCOUNT, SYMBOL, orders, (), "ready")


def view(**changes: Any) -> MarketView:
    """A market of 199.99 / 200.01, nothing of ours in it."""
    rules = changes.pop("instrument", INSTRUMENT)
    values = {
        "now_ns": START_NS, "instrument": rules, "prices": PriceGrid(rules), "sizes": LotSizes(rules),
        "bid": 19_999, "bid_size": 500, "ask": 20_001, "ask_size": 500, "bids": (), "asks": (),
        "position": 0, "permit": permit(), "working": (), "equity_usd": 1_000.0, "flow": 0.0,
        "volatility_pct": None,
    } | changes  # fmt: skip
    return MarketView(**values)


def settings(strategy: str = "one_sided", **params: Any) -> Settings:
    found, parsed = parse_quoter(SYMBOL, QuoterTable(ACCOUNT, strategy, params))
    return Settings(SYMBOL, VENUE, ACCOUNT, found, parsed)


def quotes_of(messages: Iterable[Message]) -> list[Quotes]:
    return [message for message in messages if isinstance(message, Quotes)]


@dataclass
class Desk:
    """A quoter with all its inputs, and a clock that is passed in.

    Every `send` also keeps the account's state and the permit alive, as heartbeats do.
    """

    quoter: Quoter
    now_ns: int = START_NS
    sent: list[Quotes] = field(default_factory=list)

    @classmethod
    def ready(cls, strategy: str = "one_sided", **params: Any) -> Desk:
        """A quoter that has heard everything and quotes on 199.99 / 200.01."""
        desk = cls(Quoter(settings(strategy, **params)))
        desk.quoter.on_instrument_info(INFO, desk.now_ns)
        signals = (flow(), volatility(), intensity())
        for message in (permit(), position(), working(), equity(), feed(), *signals, top()):
            desk.send(message)
        return desk

    def send(self, message: Message) -> list[Quotes]:
        """Deliver a message; return the Quotes that it causes."""
        name = {"FeedState": "feed_state", "InstrumentInfo": "instrument_info"}.get(
            type(message).__name__, type(message).__name__.lower()
        )
        answers = quotes_of(getattr(self.quoter, f"on_{name}")(message, self.now_ns))
        self.sent.extend(answers)
        return answers

    def wait(self, milliseconds: float, *, alive: bool = True) -> list[Quotes]:
        """Let time pass, with its timer calls; `alive` = heartbeats of every input go on."""
        answers: list[Quotes] = []
        end_ns = self.now_ns + round(milliseconds * NS_PER_MS)
        while self.now_ns < end_ns:
            self.now_ns = min(end_ns, self.now_ns + self.quoter.timer_ns)
            if alive:
                answers += self.keep_alive()
            answers += self.tick()
        return answers

    def tick(self) -> list[Quotes]:
        answers = quotes_of(self.quoter.on_timer(self.now_ns))
        self.sent.extend(answers)
        return answers

    def keep_alive(self) -> list[Quotes]:
        """Repeat the newest of every input, with new stamps."""
        inputs = self.quoter._inputs
        newest = (inputs.depth, inputs.position, inputs.working, inputs.equity)
        repeated: list[Message] = [message for message in newest if message is not None]
        if inputs.permit is not None:
            repeated.append(msgspec.structs.replace(inputs.permit, expires_ns=self.now_ns + NS_PER_S))
        for dated in (inputs.feed, inputs.flow, inputs.volatility, inputs.intensity):
            if dated is not None:
                repeated.append(msgspec.structs.replace(dated, as_of_ns=self.now_ns))
        return [quotes for message in repeated for quotes in self.send(message)]

    @property
    def levels(self) -> tuple[Level, ...]:
        return self.sent[-1].levels

    @property
    def reason(self) -> str:
        return self.sent[-1].reason

    def price(self, side: Side) -> int | None:
        """The price last wanted on a side."""
        return next((level.price for level in self.levels if level.side is side), None)
