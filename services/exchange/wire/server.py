"""Exchange: a local venue that speaks a real venue's protocol, on loopback.

In          the venue's REST requests and websocket commands; faults and tests on the control port
Out         the venue's replies and streams; the ready file, once it serves
State       one matching engine, in memory: a venue that ends takes its accounts with it
On failure  bad input: one line and exit code 78; SIGTERM, SIGINT or a lost parent: a clean end
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Sequence
from typing import Any

from services.exchange.control.faults import FaultMenu
from services.exchange.control.port import Control
from services.exchange.control.trace import Trace
from services.exchange.options import Options
from services.exchange.protocols import House
from services.exchange.protocols.registry import FRONTS
from services.exchange.wire.broadcast import Broadcaster
from services.exchange.wire.credentials import Credentials
from services.exchange.wire.gateway import Gateway
from services.exchange.wire.http_listener import Listener
from services.exchange.wire.market_hall import MarketHall
from services.exchange.wire.ready_file import ReadyFile
from shared.clock import Clock

HOST = "127.0.0.1"


class ExchangeServer:
    """One venue on two ports: the venue's own, and the control port."""

    def __init__(
        self, options: Options, hall: MarketHall, credentials: Sequence[Credentials], clock: Clock
    ) -> None:
        self._options = options
        self._hall = hall
        self._credentials = credentials
        owners = [owner.name for owner in credentials]
        self.faults = FaultMenu(clock.monotonic_ns, tuple(hall.venue.markets), owners)
        trace = Trace() if options.trace else None
        front = FRONTS[options.venue](self._house(clock, trace))
        self._gateway = Gateway(front, self.faults, trace, options.latency_s, clock.monotonic_ns)
        self._venue_port = Listener(self._gateway.serve, clock.monotonic_ns)
        self._control_port = Listener(Control(hall, self.faults, trace).serve, clock.monotonic_ns)
        self._ready_file = ReadyFile(options.ready_file)
        self._timers = [*front.timers(), *self._gateway.timers()]

    def _house(self, clock: Clock, trace: Trace | None) -> House:
        venue = self._hall.venue
        return House(
            venue=venue,
            accounts_by_key={owner.api_key: owner.name for owner in self._credentials},
            clock=clock,
            faults=self.faults,
            broadcaster=Broadcaster(self.faults, trace, clock.monotonic_ns),
            rate_limit=self._options.rate_limit,
            has_closed=lambda symbol: venue.engine(symbol).is_closed,
            fill_order=self._hall.fill_order,
            says_order_not_found=self._options.says_order_not_found,
        )

    async def start(self) -> None:
        """Serve, then say so in the ready file.

        Raises: BadInput for a port that is taken, or a ready file that is another venue's or
        cannot be written; what another venue has written stays.
        """
        await self._control_port.open(HOST, self._options.control_port)
        await self._venue_port.open(HOST, self._options.port)
        self._ready_file.claim()
        self._hall.open()
        for timer in self._timers:
            timer.start()
        _calm_collector()
        self._ready_file.write(self.ready())

    async def stop(self) -> None:
        self._ready_file.release()
        for timer in self._timers:
            timer.stop()
        self._hall.close()
        self._gateway.close_sockets()
        await self._venue_port.close()
        await self._control_port.close()

    def ready(self) -> dict[str, Any]:
        """Return the ready file's content; the first account is the maker's."""
        return {
            "venue": self._options.venue,
            "rest": f"http://{HOST}:{self._venue_port.port}",
            "ws": f"ws://{HOST}:{self._venue_port.port}",
            "control": f"http://{HOST}:{self._control_port.port}",
            "accounts": [owner.to_json() for owner in self._credentials],
        }


def _calm_collector() -> None:
    """Keep garbage collections rare and short: they hold up every client at once."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def run(server: ExchangeServer, parent_grace_s: float | None) -> None:
    """Run the event loop, uvloop's where there is one, until the venue ends."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve_until_told(server, parent_grace_s))
    else:
        uvloop.run(serve_until_told(server, parent_grace_s))


async def serve_until_told(server: ExchangeServer, parent_grace_s: float | None) -> None:
    """Serve until SIGTERM or SIGINT, or until the parent has been gone for the grace time.

    Raises: whatever a timer raised: a market that cannot go on ends the venue.
    """
    over = asyncio.Event()
    failures = _end_on_timer_failure(over)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    parent = os.getppid()
    try:
        await server.start()
        while not over.is_set():
            await _wait(over, 1.0)
            if parent_grace_s is not None and os.getppid() != parent:
                await _wait(over, parent_grace_s)
                break
    finally:
        await server.stop()
    if failures:
        raise failures[0]


def _end_on_timer_failure(over: asyncio.Event) -> list[Exception]:
    failures: list[Exception] = []

    def on_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if "handle" not in context or not isinstance(error, Exception):
            loop.default_exception_handler(context)
            return
        failures.append(error)
        over.set()

    asyncio.get_running_loop().set_exception_handler(on_exception)
    return failures


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), timeout_s)
    except TimeoutError:
        return
