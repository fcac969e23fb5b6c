"""A market of one symbol for the tests of the replay: what a recording tells, message by message."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from services.execution.requests import ReadKind, StartRead
from services.replay.venue.account import Fees, SimAccount
from services.replay.venue.answers import answer
from services.replay.venue.queue import FillModel
from services.replay.venue.simulated import SimulatedVenue
from shared.clock import NS_PER_MS, NS_PER_S
from shared.config import Config, load
from shared.instrument import Instrument
from shared.messages import Depth, FeedState, FeedStatus, InstrumentInfo, Mark, Side, Top, Trade
from shared.venues.base import NewOrder, TimeInForce, VenueFill

VENUE, ACCOUNT, SYMBOL = "backpack", "main", "ETH_USDC_PERP"
START_NS = 1_700_000_000 * NS_PER_S
STEP_NS = 10 * NS_PER_MS
Levels = tuple[tuple[int, int], ...]


def info_of(symbol: str = SYMBOL, *, is_perp: bool = True, **changes: Any) -> InstrumentInfo:
    values: dict[str, Any] = {
        "scope": VENUE, "symbol": symbol, "base": "ETH", "quote": "USDC", "is_perp": is_perp,
        "tick_size": "0.01", "lot_size": "0.001", "min_quantity": "0.001", "max_quantity": None,
        "min_notional": None, "min_price": None, "max_price": None, "price_rule": "fixed",
        "contract_multiplier": "1",
    } | changes  # fmt: skip
    return InstrumentInfo(**values)


def top(bid: int | None, bid_size: int, ask: int | None, ask_size: int, now_ns: int = START_NS) -> Top:
    return Top(VENUE, SYMBOL, bid, bid_size, ask, ask_size, 1, now_ns, now_ns, now_ns, now_ns)


def depth(bids: Levels, asks: Levels, now_ns: int = START_NS) -> Depth:
    return Depth(VENUE, SYMBOL, bids, asks, 1, now_ns, now_ns, now_ns, now_ns)


def trade(side: Side, price: int, size: int, now_ns: int = START_NS) -> Trade:
    """side: of the taker."""
    return Trade(VENUE, SYMBOL, side, price, size, now_ns, now_ns, now_ns)


def feed(status: FeedStatus = FeedStatus.LIVE, now_ns: int = START_NS) -> FeedState:
    return FeedState(VENUE, SYMBOL, status, "" if status is FeedStatus.LIVE else "doubt", now_ns, 0)


def mark(price: float, rate: float | None, next_ns: int | None, now_ns: int) -> Mark:
    return Mark(VENUE, SYMBOL, price, None, rate, next_ns, now_ns, now_ns)


class Floor:
    """A simulated venue with one account, driven step by step; a book of 99 / 101 at the start."""

    def __init__(
        self, model: FillModel = FillModel.QUEUE, *, is_perp: bool = True, cash: str = "1000000",
        maker: str = "0", taker: str = "0", held: str = "0",
    ) -> None:  # fmt: skip
        self.venue = SimulatedVenue(model)
        fees = Fees(Decimal(maker), Decimal(taker))
        self.account = SimAccount(ACCOUNT, Decimal(cash), fees, {SYMBOL: Decimal(held)})
        self.venue.add_account(self.account)
        self.now_ns = START_NS
        self.info = info_of(is_perp=is_perp)
        self.instrument = Instrument.from_info(self.info)
        self._last_id = 0
        for message in (self.info, top(99, 10, 101, 10), feed()):
            self.venue.on_message(message, self.now_ns)

    def answer(self, kind: ReadKind) -> Any:
        """Ask as execution does."""
        return answer(self.venue.accounts[ACCOUNT], self.venue.markets, StartRead(kind), self.now_ns)

    @property
    def market(self) -> Any:
        return self.venue.markets[SYMBOL]

    @property
    def position(self) -> int:
        return self.account.positions[SYMBOL]

    def order(self, side: Side, price: int, size: int, **changes: Any) -> NewOrder:
        self._last_id += 1
        values: dict[str, Any] = {
            "post_only": True, "reduce_only": False, "time_in_force": TimeInForce.GTC,
        } | changes  # fmt: skip
        return NewOrder(self.instrument, self._last_id, side, price, size, **values)

    def place(self, side: Side, price: int, size: int, **changes: Any) -> Any:
        return self.venue.place(ACCOUNT, self.order(side, price, size, **changes), self.now_ns)

    def ioc(self, side: Side, price: int, size: int, **changes: Any) -> Any:
        return self.place(side, price, size, post_only=False, time_in_force=TimeInForce.IOC, **changes)

    def resting(self, client_order_id: int = 1) -> Any:
        return self.account.by_client_id[client_order_id]

    def tell(self, *messages: Any, after_ns: int = STEP_NS) -> list[Any]:
        """Let messages happen, one after the other; return what the market shows of them."""
        shown = []
        for message in messages:
            self.now_ns += after_ns
            shown.append(self.venue.on_message(message, self.now_ns))
        return shown

    def take_fills(self) -> list[VenueFill]:
        told, self.venue.told = self.venue.told, []
        return [event for _, event in told if isinstance(event, VenueFill)]


# --- files ------------------------------------------------------------------------------------


def config_of(
    directory: Path, symbols: Iterable[str] = (SYMBOL,), replay: str = "", strategy: str = "", more: str = ""
) -> Config:
    """Return the configuration of one account at the local venue; tables of TOML may be added."""
    path = directory / "makerd.toml"
    path.write_text(config_text(symbols, replay, strategy, more))
    return load(path, with_changes=False)


JOINING = 'strategy = "two_sided"\nparams = {join_best = true, size_usd = 400, refresh_interval_s = 0.1}'


def config_text(
    symbols: Iterable[str] = (SYMBOL,), replay: str = "", strategy: str = "", more: str = ""
) -> str:
    quoters = "".join(f'[quoters.{name}]\naccount = "main"\n{strategy or JOINING}\n' for name in symbols)
    return (
        '[venues.backpack]\nprotocol = "backpack"\nready_file = "venue.json"\n'
        f'[accounts.main]\nvenue = "backpack"\n{quoters}[replay]\n{replay}\n{more}'
    )


def write_lines(path: Path, lines: Iterable[tuple[int, Any]]) -> Path:
    """Write (time, frame) lines as a recording of raw frames, gzip where the name says so."""
    text = "".join(f"{now_ns} {json.dumps(frame)}\n" for now_ns, frame in lines)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path
