"""A market data core with a venue around it: frames in, messages kept, time moved by hand."""

from __future__ import annotations

from typing import Any, TypeVar

import orjson

from services.marketdata.config import MarketDataConfig
from services.marketdata.core import MarketData
from shared.clock import NS_PER_MS, NS_PER_S, NS_PER_US
from shared.messages import Depth, FeedState, FeedStatus, InstrumentInfo, Message, Top
from shared.venues.backpack.feed import BackpackFeed
from shared.venues.market_data import RawSnapshot
from tests.venues.backpack.samples import INFO

SYMBOL = "SOL_USDC_PERP"
M = TypeVar("M", bound=Message)
#: the venue's clock is far from ours, as clocks are
VENUE_AHEAD_NS = 1_700_000_000 * NS_PER_S


class Scene:
    """`now_ns` is the local monotonic time; `delay_ns` is how long frames are under way."""

    def __init__(self, infos: tuple[InstrumentInfo, ...] = (INFO,), **settings: float) -> None:
        self.core = MarketData("backpack", BackpackFeed(), MarketDataConfig(**settings))
        self.now_ns = 1_000 * NS_PER_S
        self.delay_ns = 5 * NS_PER_MS
        self.out: list[Message] = []
        self.answers_audits = True
        if infos:
            self.out += self.core.on_instruments(infos, self.now_ns)

    # --- what happens ---

    def demand(self, kind: str = "Top", symbol: str = SYMBOL, wanted: bool = True) -> None:
        self.out += self.core.on_demand(kind, symbol, wanted, self.now_ns)

    def connect(self) -> None:
        self.out += self.core.on_connected(self.now_ns)

    def disconnect(self, reason: str = "gone") -> None:
        self.out += self.core.on_disconnected(reason, self.now_ns)

    def frames(self, *frames: bytes) -> None:
        self.out += self.core.on_frames(list(frames), self.now_ns)

    def snapshot(
        self, update_id: int, bids: Any = (("150.00", "1"),), asks: Any = (("150.02", "1"),)
    ) -> None:
        assert SYMBOL in self.core.snapshot_wishes(self.now_ns, 9)
        raw = RawSnapshot(SYMBOL, update_id, bids, asks, self.venue_ns())
        self.out += self.core.on_snapshot(SYMBOL, raw, self.now_ns)

    def audit(
        self, update_id: int | None = None, bid: tuple[str, str] | None = None, more_bids: Any = ()
    ) -> None:
        """Answer a read of the best prices; what is not given is as the core has it."""
        book = self.core._symbols[SYMBOL].sync.book
        bids, asks = (
            [(f"{price / 100:.2f}", f"{size / 100:.2f}") for price, size in levels]
            for levels in (book.top_bids(5), book.top_asks(5))
        )
        raw = RawSnapshot(
            SYMBOL, update_id or book.update_id, [*more_bids, bid] if bid else bids, asks, self.venue_ns()
        )
        self.out += self.core.on_rest_prices(SYMBOL, raw, self.now_ns)

    def measure_clock(self, error_ms: int = 5) -> None:
        """The venue's clock is read: its time does not lag, whatever the stream does."""
        self.core.on_clock(VENUE_AHEAD_NS, error_ms * NS_PER_MS)

    def wait(self, seconds: float, pulse: bool = False) -> None:
        """Let time pass with the core's timer; `pulse` = mark prices keep coming, and audits agree."""
        end_ns = self.now_ns + round(seconds * NS_PER_S)
        next_pulse_ns = self.now_ns + NS_PER_S // 2
        while self.now_ns < end_ns:
            self.now_ns = min(end_ns, self.now_ns + self.core.timer_ns)
            if pulse and self.now_ns >= next_pulse_ns:
                next_pulse_ns += NS_PER_S // 2
                self.frames(self.mark())
            if pulse and self.answers_audits and self.core.price_wish(self.now_ns) == SYMBOL:
                self.audit()
            self.out += self.core.on_timer(self.now_ns)

    def live(self, update_id: int = 10) -> None:
        """Demand, connect, snapshot, first diff: the book is live at `update_id` + 1."""
        self.demand()
        self.connect()
        self.snapshot(update_id)
        self.frames(self.depth(update_id + 1))
        assert self.status() is FeedStatus.LIVE

    # --- frames ---

    def venue_ns(self) -> int:
        return VENUE_AHEAD_NS + self.now_ns - self.delay_ns

    def frame(self, event: str, **fields: Any) -> bytes:
        data = {"E": self.venue_ns() // NS_PER_US, "T": 1, "e": event, "s": SYMBOL, **fields}
        return orjson.dumps({"data": data, "stream": f"{event}.{data['s']}"})

    def depth(self, first: int, last: int | None = None, bids: Any = (), asks: Any = ()) -> bytes:
        return self.frame("depth", U=first, u=last or first, b=bids, a=asks)

    def best(self, update_id: int, bid: str | None, ask: str | None, size: str = "1") -> bytes:
        return self.frame(
            "bookTicker", u=update_id, b=bid, B=bid and size, a=ask, A=ask and size
        )  # fmt: skip

    def mark(self) -> bytes:
        return self.frame("markPrice", p="150.01", i="150.00", f="0.0001", n=1)

    def trade(self, trade_id: int, price: str = "150.00", maker_is_buyer: bool = True) -> bytes:
        return self.frame("trade", t=trade_id, p=price, q="0.5", m=maker_is_buyer, a="1", b="2")

    # --- what came of it ---

    def last(self, kind: type[M]) -> M:
        return self.all(kind)[-1]

    def all(self, kind: type[M]) -> list[M]:
        return [message for message in self.out if isinstance(message, kind)]

    def status(self) -> FeedStatus:
        return self.last(FeedState).status

    def prices(self) -> tuple[int | None, int | None]:
        top = self.last(Top)
        return top.bid, top.ask

    def depth_levels(self) -> tuple[Any, Any]:
        depth = self.last(Depth)
        return depth.bids, depth.asks
