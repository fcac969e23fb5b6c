"""The local venue on a thread of the test process: quiet unless the test asks for a market."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import requests

from services.exchange.engine.venue import LocalVenue
from services.exchange.model import Side
from services.exchange.options import parse_options
from services.exchange.wire.credentials import default_accounts
from services.exchange.wire.market_hall import MarketHall
from services.exchange.wire.server import ExchangeServer
from shared.clock import NS_PER_S, SystemClock
from tests.exchange.wire_client import WireClient, WireStream

T = TypeVar("T")
PERP, SPOT = "SOL_USDC_PERP", "SOL_USDC"
_MID_TICKS = 15_000
_START = 1_700_000_000_000_000


class VenueThread:
    """Serves SOL spot and perp at about 150.00, with outsiders resting at 149.90 and 150.10."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        ready_file = directory / "venue.json"
        self.options = parse_options(
            [
                "--venue",
                "backpack",
                "--ready-file",
                str(ready_file),
                "--symbols",
                f"{PERP},{SPOT}",
                *arguments,
            ]
        )
        self._accounts = default_accounts()
        self._ready: Future[dict[str, Any]] = Future()
        self._thread = threading.Thread(target=self._main, daemon=True)
        self._sockets: list[WireStream] = []

    def __enter__(self) -> VenueThread:
        self._thread.start()
        self.ready = self._ready.result(10)
        self.maker, self.other = (WireClient(self.ready["rest"], one) for one in self.ready["accounts"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()
        self.maker.close()
        self.other.close()
        self.loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def _main(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self.loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        clock = SystemClock()
        self.venue = LocalVenue(
            self.options.markets,
            [spec for spec, _ in self._accounts],
            id_base=_START,
            taker_delay_ns=round(self.options.taker_delay_s * NS_PER_S),
        )
        self.venue.set_index(PERP, float(_MID_TICKS), clock.wall_ns())
        hall = MarketHall(self.venue, [], clock)
        self.server = ExchangeServer(self.options, hall, [owner for _, owner in self._accounts], clock)
        self._show_book(clock.wall_ns())
        await self.server.start()
        self._ready.set_result(self.server.ready())
        await self._over.wait()
        await self.server.stop()

    def _show_book(self, now_ns: int) -> None:
        for symbol in self.venue.markets:
            for distance in (10, 20, 30):
                self.venue.engine(symbol).enter(Side.BUY, _MID_TICKS - distance, 10_000, now_ns)
                self.venue.engine(symbol).enter(Side.SELL, _MID_TICKS + distance, 10_000, now_ns)

    def run(self, call: Callable[[], T]) -> T:
        """Run on the venue's own thread."""
        done: Future[T] = Future()
        self.loop.call_soon_threadsafe(lambda: done.set_result(call()))
        return done.result(10)

    def stream(self, *names: str, client: WireClient | None = None) -> WireStream:
        """Return a websocket subscribed to the streams, private ones as `client`."""
        stream = WireStream(self.ready["ws"])
        self._sockets.append(stream)
        stream.subscribe(*names, signature=None if client is None else client.stream_signature())
        return stream

    def hang_up(self) -> None:
        """Close every websocket opened here."""
        for stream in self._sockets:
            stream.close()
        self._sockets.clear()

    def control(self, method: str, path: str, body: Any = None) -> requests.Response:
        return requests.request(method, f"{self.ready['control']}/_control/{path}", json=body, timeout=10)

    def fault(self, kind: str, **settings: Any) -> None:
        answer = self.control("POST", "faults", {"kind": kind, **settings})
        assert answer.status_code == 200, answer.text

    def hits(self, kind: str) -> int:
        faults: Sequence[dict[str, Any]] = self.control("GET", "faults").json()
        return sum(fault["hits"] for fault in faults if fault["kind"] == kind)

    def take(self, side: str, quantity: str, symbol: str = PERP) -> Decimal:
        """Let an outsider take liquidity; return what there was."""
        body = {"symbol": symbol, "side": side, "quantity": quantity}
        return Decimal(self.control("POST", "trade", body).json()["filled"])
