"""A fast venue that only shows: `python -m tests.bench.frame_source --ready-file PATH --symbols A,B`.

Sends depth, bookTicker and trade frames of the Backpack protocol at any fixed rate to its one
websocket client, and answers the REST reads that market data needs. The frames are rendered
beforehand; ids and stamps have a fixed width and are written into them when they are sent, so
that a frame costs a microsecond here and the other side's limit is what is measured.

Each book walks through `CYCLE` states: the best bid comes and goes at odd and even ids, one
deeper level changes at each; what is best is told by bookTicker with the same id.

GET /_bench/rate?per_s=N   from now on so many frames a second, all symbols together
GET /_bench/counts         {"frames", "unsent_bytes", "last_ids": {symbol: id of its last bookTicker}}
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from shared.clock import NS_PER_S, NS_PER_US
from shared.secret import write_private_file
from tests.bench.frames import SymbolFrames, snapshot

HOST = "127.0.0.1"
TICK_S = 0.001
#: after a stall not more than this much is made up for, so that a rate stays a rate
LARGEST_TURN_S = 0.05
IDLE_RATE = 500.0


class Source:
    """The frames of all symbols in turn, and how many are due."""

    def __init__(self, symbols: list[str]) -> None:
        self.symbols = {symbol: SymbolFrames(symbol) for symbol in symbols}
        self.rate = IDLE_RATE
        self.frames = 0
        self.transport: asyncio.Transport | None = None
        self._endless = self._in_turn()

    def _in_turn(self) -> Iterator[SymbolFrames]:
        while True:
            yield from self.symbols.values()

    async def pump(self) -> None:
        """Send what is due, each millisecond, to whoever is connected."""
        owed, last_ns = 0.0, time.monotonic_ns()
        while True:
            await asyncio.sleep(TICK_S)
            now_ns = time.monotonic_ns()
            owed += self.rate * min((now_ns - last_ns) / NS_PER_S, LARGEST_TURN_S)
            last_ns = now_ns
            count = int(owed)
            owed -= count
            if self.transport is not None and count:
                self._send(count, self.transport.write)
                self.frames += count

    def _send(self, count: int, write: Callable[[bytes], None]) -> None:
        """Write frame by frame, as a venue does: what arrives together is up to the network."""
        endless, now_ns = self._endless, time.time_ns
        for _ in range(count):
            write(next(endless).next_frame(b"%016d" % (now_ns() // NS_PER_US)))


class Server:
    """The venue's port."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._markets = orjson.dumps([_market(symbol) for symbol in source.symbols])

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._stream(request)
        answers = {
            "/api/v1/markets": lambda: self._markets,
            "/api/v1/time": lambda: b"%d" % (time.time_ns() // 1_000_000),
            "/api/v1/depth": lambda: self._depth(request.query["symbol"]),
            "/_bench/rate": lambda: self._set_rate(float(request.query["per_s"])),
            "/_bench/counts": self._counts,
        }
        answer = answers.get(request.path)
        if answer is None:
            return web.Response(status=404)
        return web.Response(body=answer(), content_type="application/json")

    async def _stream(self, request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._source.transport = request.transport
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                break
        self._source.transport = None
        return socket

    def _depth(self, symbol: str) -> bytes:
        return orjson.dumps(snapshot(self._source.symbols[symbol].depth_id))

    def _set_rate(self, per_s: float) -> bytes:
        self._source.rate = per_s
        return b"{}"

    def _counts(self) -> bytes:
        transport = self._source.transport
        return orjson.dumps(
            {
                "frames": self._source.frames,
                "unsent_bytes": 0 if transport is None else transport.get_write_buffer_size(),
                "last_ids": {name: frames.best_id for name, frames in self._source.symbols.items()},
            }
        )


def _market(symbol: str) -> dict[str, Any]:
    """Return what market data reads of a market's row."""
    base, quote, _ = symbol.split("_")
    filters = {
        "price": {"tickSize": "0.01", "minPrice": "0.01", "maxPrice": None},
        "quantity": {"stepSize": "0.01", "minQuantity": "0.01", "maxQuantity": None},
    }
    row = {"symbol": symbol, "baseSymbol": base, "quoteSymbol": quote, "marketType": "PERP"}
    return {**row, "filters": filters}


async def serve(symbols: list[str], ready_file: Path) -> None:
    """Serve until cancelled."""
    source = Source(symbols)
    runner = web.ServerRunner(web.Server(Server(source).serve, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    port = runner.addresses[0][1]
    ready = {"venue": "backpack", "rest": f"http://{HOST}:{port}", "ws": f"ws://{HOST}:{port}"}
    write_private_file(ready_file, orjson.dumps({**ready, "control": ready["rest"], "accounts": []}))
    await source.pump()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.frame_source")
    parser.add_argument("--ready-file", type=Path, required=True)
    parser.add_argument("--symbols", required=True)
    given = parser.parse_args()
    asyncio.run(serve(given.symbols.split(","), given.ready_file))
    return 0


if __name__ == "__main__":
    sys.exit(main())
